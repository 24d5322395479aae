//! `lowrank fold-in`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{Overrides, RunArg};
use super::{output, run};
use crate::data::{Dataset, Role};
use crate::error::{Error, Result};
use crate::files;
use crate::run::{ModelFile, Parts, RunDirectory, SeenItems, check_targets};

/// Arguments of `lowrank fold-in`.
#[derive(Debug, Args)]
pub struct FoldInArgs {
    #[command(flatten)]
    run: RunArg,
    /// Ratings of new users, or of new items, in the layout of the run's data.
    #[arg(value_name = "FILE")]
    data: PathBuf,
    /// The folder to write: what the other commands take as RUN.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A model on its way, and what its users met.
struct Grown {
    file: ModelFile,
    seen: Option<SeenItems>,
}

/// Finds the rows of the new users of a file, and then those of its new items, and writes the model with them.
pub fn fold_in(args: FoldInArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let Some(directory) = open.directory.clone() else {
        return Err(Error::Usage("fold-in needs the run directory of the model, not the model file alone".into()));
    };
    let to = RunDirectory::at(&args.to);
    if std::fs::read_dir(to.path()).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::Usage(format!("{}: has files already; name another folder", to.path().display())));
    }
    let dataset = open.read(&args.data, &args.overrides.set, None)?;
    check_targets(
        &dataset,
        |rating| open.file.predictor.objective.refuses(rating),
        |_, message| Error::Usage(message),
    )?;
    let mut grown = Grown { file: open.file.clone(), seen: open.seen()? };
    let (users, items) = (count_new(&open.file, &dataset, Role::User), count_new(&open.file, &dataset, Role::Item));
    if users + items == 0 {
        return Err(Error::Usage(format!(
            "{}: has no user and no item that the model does not know; to learn from more ratings of those it knows, train \
             anew",
            args.data.display()
        )));
    }
    let of_known = of_known(&open.file, &dataset);
    if of_known > 0 {
        output::message(&format!("left out: {of_known} ratings of users and items that the model knows both of"));
    }
    let [mut new_users, mut new_items] = [0, 0];
    if users > 0 {
        new_users = grown.take_in(Role::User, &dataset, &open, parts)?;
    }
    if items > 0 {
        match grown.take_in(Role::Item, &dataset, &open, parts) {
            Ok(count) => new_items = count,
            Err(Error::Usage(cause)) if users > 0 => output::message(&format!("left out: {items} new items: {cause}")),
            Err(error) => return Err(error),
        }
    }
    if new_users + new_items == 0 {
        return Err(Error::Usage(format!(
            "{}: nothing is left to take in; is it about the users and items of this model?",
            args.data.display()
        )));
    }
    files::create_folder(to.path())?;
    for (from, to) in [(directory.config(), to.config()), (directory.environment(), to.environment())] {
        files::write_bytes(&to, &files::read_bytes(&from)?)?;
    }
    if let Some(seen) = &grown.seen {
        seen.write(&to.seen())?;
    }
    grown.file.write(&to.model())?;
    if args.json {
        return output::print_json(&json!({
            "folder": to.path(),
            "new_users": new_users,
            "new_items": new_items,
            "users": grown.file.users().len(),
            "items": grown.file.items().len(),
        }));
    }
    output::print(&format!(
        "{}: {new_users} new users and {new_items} new items; {} users and {} items in all\n",
        to.path().display(),
        grown.file.users().len(),
        grown.file.items().len()
    ))
}

impl Grown {
    /// Takes in the rows of one side that the model does not know. Returns how many.
    fn take_in(&mut self, role: Role, dataset: &Dataset, open: &run::OpenRun, parts: &Parts) -> Result<usize> {
        let known = known(&self.file, dataset, role);
        let column = dataset.interactions.column(role.field());
        let new = run::new_rows(&self.file, dataset, role, |at| !known[column[at] as usize], 1.0, 0)?;
        if new.left_out > 0 {
            let (own, other) = if role == Role::User { ("users", "items") } else { ("items", "users") };
            output::message(&format!("left out: {} new {own}, of which the model knows no {other}", new.left_out));
        }
        if new.given.is_empty() {
            return Ok(0);
        }
        let folded = self.file.of_new(role, &new, &open.device.device, parts)?;
        let sizes = [self.file.users().len(), self.file.items().len()];
        self.seen = self.seen.as_ref().map(|seen| seen.with_new(role, &new, sizes));
        self.file = self.file.with_new(role, &folded);
        Ok(new.entity.ids.len())
    }
}

/// Whether the model knows each id of one side of the data.
fn known(file: &ModelFile, dataset: &Dataset, role: Role) -> Vec<bool> {
    let ids = &file.entity(role.field()).ids;
    dataset.entity(role.field()).ids.ids().map(|id| ids.index(id).is_some()).collect()
}

fn count_new(file: &ModelFile, dataset: &Dataset, role: Role) -> usize {
    known(file, dataset, role).iter().filter(|known| !**known).count()
}

/// How many interactions are of users and items that the model knows.
fn of_known(file: &ModelFile, dataset: &Dataset) -> usize {
    let [users, items] = [Role::User, Role::Item].map(|role| known(file, dataset, role));
    let columns = [Role::User, Role::Item].map(|role| dataset.interactions.column(role.field()));
    let pairs = columns[0].iter().zip(columns[1]);
    pairs.filter(|&(&user, &item)| users[user as usize] && items[item as usize]).count()
}
