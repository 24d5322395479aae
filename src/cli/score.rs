//! `lowrank score`.

use std::cmp::Ordering;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, json};

use super::arguments::{Overrides, RunArg};
use super::run::OpenRun;
use super::{output, run};
use crate::data::read::Duplicates;
use crate::data::{FieldId, ITEM, Interactions, UNKNOWN, USER};
use crate::error::Result;
use crate::run::Parts;
use crate::tables;

/// Arguments of `lowrank score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    run: RunArg,
    /// The item, by its id or title.
    item: String,
    /// Whom to ask about, and in which contexts: a file in the layout of the run's data (`--set data.columns=…` overrides it), whose
    /// items and ratings are ignored. Without it, all users of the model.
    #[arg(long, value_name = "FILE", conflicts_with = "context")]
    file: Option<PathBuf>,
    /// Context of all users, for a model that reads it: NAME=ID.
    #[arg(long, value_name = "NAME=ID")]
    context: Vec<String>,
    /// Length of the list; 0 for all.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    #[command(flatten)]
    overrides: Overrides,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Users, each in a context, as people call them and as the model does.
struct Audience {
    /// Names of the columns: the user, and those of the context.
    names: Vec<String>,
    /// A cell of each column, for each user.
    cells: Vec<Vec<String>>,
    rows: Interactions,
}

/// Prints the users, or lines of a file, with the highest predictions for an item.
pub fn score(args: ScoreArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let item = open.item(&args.item)?;
    let Audience { names, cells, mut rows } = audience(&args, &mut open)?;
    rows.columns[ITEM.0].fill(item);
    let predictions = open.file.predictor.predict(&open.file.model, &open.device.device, &rows);
    let mut order: Vec<usize> = (0..predictions.len()).collect();
    // The first of equals, so that the order of the data decides.
    order.sort_by(|&one, &other| predictions[other].partial_cmp(&predictions[one]).unwrap_or(Ordering::Equal));
    order.truncate(if args.number == 0 { order.len() } else { args.number });
    if args.json {
        let object = |&at: &usize| {
            let mut object: Map<_, _> = names.iter().cloned().zip(cells[at].iter().map(|cell| json!(cell))).collect();
            object.insert("prediction".into(), json!(predictions[at]));
            object.insert("unknown".into(), json!(rows.columns.iter().any(|column| column[at] == UNKNOWN)));
            object
        };
        return output::print_json(&order.iter().map(object).collect::<Vec<_>>());
    }
    let line = |(place, &at): (usize, &usize)| {
        let own = [(place + 1).to_string()].into_iter().chain(cells[at].iter().cloned());
        own.chain([tables::number(predictions[at].into())]).collect::<Vec<String>>()
    };
    let lines: Vec<Vec<String>> = order.iter().enumerate().map(line).collect();
    let header: Vec<&str> = [""].into_iter().chain(names.iter().map(String::as_str)).chain(["prediction"]).collect();
    output::print(&output::table(&header, &lines))?;
    let unknown = rows.column(USER).iter().filter(|&&user| user == UNKNOWN).count();
    let note = output::unknown(unknown, 0, open.file.predictions);
    if !note.is_empty() {
        output::message(note.trim());
    }
    Ok(())
}

/// Whom the arguments ask about.
fn audience(args: &ScoreArgs, open: &mut OpenRun) -> Result<Audience> {
    let context: Vec<FieldId> = (2..open.file.fields.len()).map(FieldId).collect();
    let name = |field: FieldId| open.file.fields[field.0].name.clone();
    let names: Vec<String> = [USER].into_iter().chain(context.iter().copied()).map(name).collect();
    if let Some(path) = &args.file {
        let dataset = open.read(path, &args.overrides.set, Some(Duplicates::Keep))?;
        let rows = open.reindexed(&dataset, |_| true)?;
        let column = |name: &String| {
            let at = dataset.fields.iter().position(|own| own.name == *name).expect("reindexed has found it");
            let ids = &dataset.entity(FieldId(at)).ids;
            let cell = |&row: &u32| if row == UNKNOWN { String::new() } else { ids.id(row as usize).to_string() };
            dataset.interactions.columns[at].iter().map(cell).collect::<Vec<String>>()
        };
        let columns: Vec<Vec<String>> = names.iter().map(column).collect();
        let cells = (0..rows.len()).map(|at| columns.iter().map(|column| column[at].clone()).collect()).collect();
        return Ok(Audience { names, cells, rows });
    }
    let of_all = open.context(&args.context)?;
    let file = &open.file;
    let count = file.users().len();
    let shown: Vec<String> = context
        .iter()
        .zip(&of_all)
        .map(
            |(&field, &row)| {
                if row == UNKNOWN { String::new() } else { file.entity(field).ids.id(row as usize).into() }
            },
        )
        .collect();
    let cells = file.users().ids().map(|id| [id.to_string()].into_iter().chain(shown.iter().cloned()).collect());
    let columns = [(0..count as u32).collect(), vec![0; count]].into_iter();
    let columns = columns.chain(of_all.iter().map(|&row| vec![row; count])).collect();
    let rows =
        Interactions { columns, targets: vec![0.0; count], bags: file.bags.clone(), ..Interactions::of_fields(0) };
    Ok(Audience { names, cells: cells.collect(), rows })
}
