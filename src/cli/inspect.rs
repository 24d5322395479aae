//! `lowrank inspect`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::output;
use crate::data::catalog;
use crate::data::read::{Format, ReadOptions, read_dataset};
use crate::data::statistics::Statistics;
use crate::error::{Error, Result};
use crate::run::RunDirectory;

/// Arguments of `lowrank inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A file of ratings, a picture, the name of a data set, or a run directory; with --format a folder of data.
    what: PathBuf,
    /// How the data are written; goes by the file's name where not given.
    #[arg(long, value_parser = PossibleValuesParser::new(Format::NAMES).map(|name| Format::of_name(&name).unwrap_or_default()))]
    format: Option<Format>,
    /// What separates the columns; found out where not given.
    #[arg(long)]
    delimiter: Option<String>,
    /// Names of the columns: user, item, rating, timestamp, or - to skip one.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    columns: Option<Vec<String>>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints what data or a run look like.
pub fn inspect(args: InspectArgs) -> Result<()> {
    if args.what.is_dir() && args.format.is_none() {
        let directory = RunDirectory::open(&args.what)?;
        let path = directory.finished(directory.summary())?;
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
        return output::print(&text);
    }
    let known = args.what.to_str().filter(|_| !args.what.exists());
    let dataset = match known.map(catalog::find) {
        Some(Ok(entry)) => catalog::load(entry, None, &ReadOptions::default())?,
        Some(Err(error)) if args.what.components().count() == 1 && args.what.extension().is_none() => {
            return Err(error);
        }
        _ => {
            let options = ReadOptions {
                format: args.format.unwrap_or_default(),
                delimiter: args.delimiter,
                columns: args.columns,
                ..ReadOptions::default()
            };
            read_dataset(&args.what, None, &options)?
        }
    };
    dataset.notes.iter().for_each(|note| output::message(note));
    let statistics = Statistics::of(&dataset);
    if args.json { output::print_json(&statistics) } else { output::print(&statistics.to_string()) }
}
