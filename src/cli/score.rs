//! `lowrank score`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, json};

use super::arguments::{Overrides, RunArg};
use super::run::OpenRun;
use super::{output, run};
use crate::data::read::Duplicates;
use crate::data::{FieldId, ITEM, Interactions, UNKNOWN, USER, Vocabulary};
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

/// Users, each in a context.
struct Audience {
    /// The user, and the context: what a column is called, its ids, and the row of each user.
    columns: Vec<(String, Vocabulary, Vec<u32>)>,
    /// The same to the model.
    rows: Interactions,
}

impl Audience {
    /// What a place has in each column, for people.
    fn cells(&self, at: usize) -> impl Iterator<Item = String> {
        let cell = move |(_, ids, rows): &(String, Vocabulary, Vec<u32>)| match rows[at] {
            UNKNOWN => String::new(),
            row => ids.id(row as usize).to_string(),
        };
        self.columns.iter().map(cell)
    }
}

/// Prints the users, or lines of a file, with the highest predictions for an item.
pub fn score(args: ScoreArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let item = open.item(&args.item)?;
    let mut audience = audience(&args, &mut open)?;
    audience.rows.columns[ITEM.0].fill(item);
    let predictions = open.file.predictor.predict(&open.file.model, &open.device.device, &audience.rows);
    let mut order: Vec<usize> = (0..predictions.len()).collect();
    // The first of equals, so that the order of the data decides.
    order.sort_by(|&one, &other| predictions[other].total_cmp(&predictions[one]));
    order.truncate(if args.number == 0 { order.len() } else { args.number });
    if args.json {
        let object = |&at: &usize| {
            let names = audience.columns.iter().map(|(name, ..)| name.clone());
            let mut object: Map<_, _> = names.zip(audience.cells(at).map(|cell| json!(cell))).collect();
            object.insert("prediction".into(), json!(predictions[at]));
            object.insert("unknown".into(), json!(audience.rows.columns.iter().any(|column| column[at] == UNKNOWN)));
            object
        };
        return output::print_json(&order.iter().map(object).collect::<Vec<_>>());
    }
    let line = |(place, &at): (usize, &usize)| {
        let own = [(place + 1).to_string()].into_iter().chain(audience.cells(at));
        own.chain([tables::number(predictions[at].into())]).collect::<Vec<String>>()
    };
    let lines: Vec<Vec<String>> = order.iter().enumerate().map(line).collect();
    let names = audience.columns.iter().map(|(name, ..)| name.as_str());
    let header: Vec<&str> = [""].into_iter().chain(names).chain(["prediction"]).collect();
    output::print(&output::table(&header, &lines))?;
    let unknown = audience.rows.column(USER).iter().filter(|&&user| user == UNKNOWN).count();
    let note = output::unknown(unknown, 0, open.file.predictions);
    if !note.is_empty() {
        output::message(note.trim());
    }
    Ok(())
}

/// Whom the arguments ask about.
fn audience(args: &ScoreArgs, open: &mut OpenRun) -> Result<Audience> {
    let is_shown = |at: &usize| FieldId(*at) != ITEM;
    if let Some(path) = &args.file {
        let dataset = open.read(path, &args.overrides.set, Some(Duplicates::Keep))?;
        let rows = open.reindexed(&dataset, |_| true)?;
        let column = |at: usize| {
            let name = &open.file.fields[at].name;
            let own = dataset.fields.iter().position(|own| own.name == *name).expect("reindexed has found it");
            (name.clone(), dataset.entity(FieldId(own)).ids.clone(), dataset.interactions.columns[own].clone())
        };
        return Ok(Audience { columns: (0..open.file.fields.len()).filter(is_shown).map(column).collect(), rows });
    }
    let context = open.context(&args.context)?;
    let file = &open.file;
    let count = file.users().len();
    let mut columns = vec![(0..count as u32).collect(), vec![0; count]];
    columns.extend(context.into_iter().map(|row| vec![row; count]));
    let column = |at: usize| (file.fields[at].name.clone(), file.entity(FieldId(at)).ids.clone(), columns[at].clone());
    let shown = (0..columns.len()).filter(is_shown).map(column).collect();
    let targets = vec![0.0; count];
    let rows = Interactions { columns, targets, bags: file.bags.clone(), ..Interactions::of_fields(0) };
    Ok(Audience { columns: shown, rows })
}
