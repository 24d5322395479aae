//! `lowrank export`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::arguments::RunArg;
use super::{output, run};
use crate::config::words::joined;
use crate::error::Result;
use crate::run::{ExportForm, Parts, export as exported};

/// Arguments of `lowrank export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    run: RunArg,
    /// The folder to write into.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// npy: all parameters for numpy; csv: factors with ids and titles; word2vec: factors as word vectors, which gensim
    /// reads; projector: factors for TensorBoard's projector; index: vectors with biases in them, for an index of maximum
    /// inner products.
    #[arg(long, value_name = "FORM", default_value = "npy", value_parser = PossibleValuesParser::new(ExportForm::NAMES))]
    form: String,
}

/// Writes a model in another form.
pub fn export(args: ExportArgs, parts: &Parts) -> Result<()> {
    let open = run::open(&args.run, parts)?;
    let form = ExportForm::of_name(&args.form).expect("one of the possible values");
    let names = exported(&open.file, form, &args.to)?;
    output::print(&format!("{}: {}\n", args.to.display(), joined(&names, "and")))
}
