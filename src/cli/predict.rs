//! `lowrank predict`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{Overrides, RunArg};
use super::run::OpenRun;
use super::{output, run};
use crate::data::read::Duplicates;
use crate::data::{UNKNOWN, Vocabulary};
use crate::error::{Error, Result};

/// Arguments of `lowrank predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    #[command(flatten)]
    run: RunArg,
    /// User and item ids in turn: USER ITEM USER ITEM …
    #[arg(value_name = "USER ITEM", allow_negative_numbers = true)]
    pairs: Vec<String>,
    /// A file of pairs, laid out as the run's ratings were (`--set data.columns=…` says otherwise); ratings are ignored.
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    file: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the predicted rating of each pair.
pub fn predict(args: PredictArgs) -> Result<()> {
    let open = run::open(&args.run)?;
    let pairs = pairs(&args, &open)?;
    let index = |vocabulary: &Vocabulary, id: &str| vocabulary.index(id).unwrap_or(UNKNOWN);
    let users: Vec<u32> = pairs.iter().map(|(user, _)| index(&open.file.users, user)).collect();
    let items: Vec<u32> = pairs.iter().map(|(_, item)| index(&open.file.items, item)).collect();
    let predictions = open.file.predictor.predict(&open.file.model, &open.device.device, &users, &items);
    let unknown = |at: usize| users[at] == UNKNOWN || items[at] == UNKNOWN;
    if args.json {
        let rows: Vec<_> = (0..pairs.len())
            .map(|at| {
                json!({
                    "user": pairs[at].0, "item": pairs[at].1,
                    "prediction": predictions[at], "unknown": unknown(at),
                })
            })
            .collect();
        return output::print_json(&rows);
    }
    let rows: Vec<Vec<String>> = (0..pairs.len())
        .map(|at| vec![pairs[at].0.clone(), pairs[at].1.clone(), format!("{:.4}", predictions[at])])
        .collect();
    output::print(&output::table(&["user", "item", "prediction"], &rows))?;
    let count = |indices: &[u32]| indices.iter().filter(|&&index| index == UNKNOWN).count();
    let note = output::unknown(count(&users), count(&items));
    if !note.is_empty() {
        output::message(note.trim());
    }
    Ok(())
}

fn pairs(args: &PredictArgs, open: &OpenRun) -> Result<Vec<(String, String)>> {
    if let Some(path) = &args.file {
        let dataset = open.read(path, &args.overrides.set, Some(Duplicates::Keep))?;
        let ratings = &dataset.ratings;
        let id = |vocabulary: &Vocabulary, index: u32| vocabulary.id(index as usize).to_string();
        let pairs = ratings.users.iter().zip(&ratings.items);
        return Ok(pairs.map(|(&user, &item)| (id(&dataset.users, user), id(&dataset.items, item))).collect());
    }
    if args.pairs.is_empty() {
        return Err(Error::Usage("name pairs as USER ITEM, or a file of pairs with --file".into()));
    }
    let (pairs, rest) = args.pairs.as_chunks::<2>();
    if let [user] = rest {
        return Err(Error::Usage(format!("user {user:?} has no item: ids go in pairs, USER ITEM USER ITEM …")));
    }
    Ok(pairs.iter().map(|[user, item]| (user.clone(), item.clone())).collect())
}
