//! `lowrank inspect`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::output;
use crate::config::Values;
use crate::config::words::joined;
use crate::data::catalog;
use crate::data::read::{HeaderLine, ReadOptions, read_dataset};
use crate::data::statistics::Statistics;
use crate::error::{Error, Result};
use crate::files;
use crate::run::{Parts, RunDirectory};

/// Arguments of `lowrank inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A file of ratings, a picture, - for standard input, the name of a data set, or a run directory; with --format a
    /// folder of data.
    what: PathBuf,
    /// Format of the data: a word of data.format; by default chosen by the file's name.
    #[arg(long)]
    format: Option<String>,
    /// Separator of the columns; detected by default.
    #[arg(long)]
    delimiter: Option<String>,
    /// What the columns hold, as in data.columns: user, item, rating, timestamp; of a table label, class, data; - to skip one.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    columns: Option<Vec<String>>,
    /// Whether the first line names the columns: auto, yes or no.
    #[arg(long, value_parser = PossibleValuesParser::new(HeaderLine::NAMES))]
    header: Option<String>,
    /// What missing cells of a table hold.
    #[arg(long, value_delimiter = ',', value_name = "WORD,…")]
    missing: Option<Vec<String>>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints a summary of data or of a run.
pub fn inspect(args: InspectArgs, parts: &Parts) -> Result<()> {
    if args.what.is_dir() && args.format.is_none() {
        let directory = RunDirectory::open(&args.what)?;
        let path = directory.finished(directory.summary())?;
        return output::print_json_text(&files::read_text(&path)?);
    }
    let known = args.what.to_str().filter(|what| *what != files::STANDARD_INPUT && !args.what.exists());
    let dataset = match known.map(catalog::find) {
        Some(Ok(entry)) => catalog::load(entry, None, &ReadOptions::default())?,
        Some(Err(error)) if args.what.components().count() == 1 && args.what.extension().is_none() => {
            return Err(error);
        }
        _ => read_dataset(&args.what, None, &options(&args, parts)?)?,
    };
    dataset.notes.iter().for_each(|note| output::message(note));
    let statistics = Statistics::of(&dataset);
    if args.json { output::print_json(&statistics) } else { output::print(&statistics.to_string()) }
}

/// How to read the data, from the arguments.
fn options(args: &InspectArgs, parts: &Parts) -> Result<ReadOptions> {
    let mut values = Values::default();
    if let Some(format) = &args.format {
        let names: Vec<&str> = parts.readers.iter().map(|reader| reader.name).collect();
        if format != "auto" && !names.contains(&format.as_str()) {
            let names = joined(&names, "and");
            return Err(Error::Usage(format!("--format {format:?}: must be one of \"auto\", {names}")));
        }
        values.insert("data.format", format.as_str());
    }
    if let Some(delimiter) = &args.delimiter {
        values.insert("data.delimiter", delimiter.as_str());
    }
    if let Some(columns) = &args.columns {
        values.insert("data.columns", columns.clone());
    }
    if let Some(header) = &args.header {
        values.insert("data.header", header.as_str());
    }
    if let Some(missing) = &args.missing {
        values.insert("data.missing", missing.clone());
    }
    Ok(ReadOptions::of(&values, &parts.readers))
}
