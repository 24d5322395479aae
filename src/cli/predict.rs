//! `lowrank predict`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{Overrides, RunArg};
use super::run::OpenRun;
use super::{output, run};
use crate::data::read::Duplicates;
use crate::data::{FieldId, ITEM, Interactions, UNKNOWN, USER, Vocabulary};
use crate::error::{Error, Result};
use crate::run::Parts;
use crate::tables;

/// Arguments of `lowrank predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    #[command(flatten)]
    run: RunArg,
    /// Pairs of user and item ids: USER ITEM USER ITEM …
    #[arg(value_name = "USER ITEM", allow_negative_numbers = true)]
    pairs: Vec<String>,
    /// A file of pairs in the layout of the run's ratings (`--set data.columns=…` overrides it); ratings are ignored.
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    file: Option<PathBuf>,
    /// Context of all ratings, for a model that reads it: NAME=ID.
    #[arg(long, value_name = "NAME=ID", conflicts_with = "file")]
    context: Vec<String>,
    #[command(flatten)]
    overrides: Overrides,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the predicted rating of each pair.
pub fn predict(args: PredictArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let (pairs, rows) = pairs(&args, &mut open)?;
    let predictions = open.file.predictor.predict(&open.file.model, &open.device.device, &rows);
    let unknown = |at: usize| rows.columns.iter().any(|column| column[at] == UNKNOWN);
    if args.json {
        let objects: Vec<_> = (0..pairs.len())
            .map(|at| {
                json!({
                    "user": pairs[at].0, "item": pairs[at].1,
                    "prediction": predictions[at], "unknown": unknown(at),
                })
            })
            .collect();
        return output::print_json(&objects);
    }
    let lines: Vec<Vec<String>> = (0..pairs.len())
        .map(|at| vec![pairs[at].0.clone(), pairs[at].1.clone(), tables::number(predictions[at].into())])
        .collect();
    output::print(&output::table(&["user", "item", "prediction"], &lines))?;
    let count = |indices: &[u32]| indices.iter().filter(|&&index| index == UNKNOWN).count();
    let note = output::unknown(count(rows.column(USER)), count(rows.column(ITEM)), open.file.predictions);
    if !note.is_empty() {
        output::message(note.trim());
    }
    Ok(())
}

/// The ids to show, and the interactions to predict under the model's indices.
fn pairs(args: &PredictArgs, open: &mut OpenRun) -> Result<(Vec<(String, String)>, Interactions)> {
    if let Some(path) = &args.file {
        let dataset = open.read(path, &args.overrides.set, Some(Duplicates::Keep))?;
        let id = |field: FieldId, index: u32| dataset.entity(field).ids.id(index as usize).to_string();
        let [users, items] = [USER, ITEM].map(|field| dataset.interactions.column(field));
        let pairs = users.iter().zip(items).map(|(&user, &item)| (id(USER, user), id(ITEM, item))).collect();
        return Ok((pairs, open.reindexed(&dataset, |_| true)?));
    }
    if args.pairs.is_empty() {
        return Err(Error::Usage("give pairs as USER ITEM, or a file of pairs with --file".into()));
    }
    let (pairs, rest) = args.pairs.as_chunks::<2>();
    if let [user] = rest {
        return Err(Error::Usage(format!("user {user:?} has no item: give ids in pairs, USER ITEM USER ITEM …")));
    }
    let index = |vocabulary: &Vocabulary, id: &str| vocabulary.index(id).unwrap_or(UNKNOWN);
    let context = open.context(&args.context)?;
    let file = &open.file;
    let mut columns = vec![
        pairs.iter().map(|[user, _]| index(file.users(), user)).collect(),
        pairs.iter().map(|[_, item]| index(file.items(), item)).collect(),
    ];
    columns.extend(context.into_iter().map(|row| vec![row; pairs.len()]));
    let targets = vec![0.0; pairs.len()];
    let rows = Interactions { columns, targets, bags: file.bags.clone(), ..Interactions::default() };
    Ok((pairs.iter().map(|[user, item]| (user.clone(), item.clone())).collect(), rows))
}
