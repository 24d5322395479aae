//! Arguments shared by several commands.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::files;
use crate::run::VectorKind;

/// Overrides of config keys.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Set a config key, as in `--set solver.learning_rate=0.02`; the last one wins.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// A trained model, as the user names it.
#[derive(Debug, Args)]
pub struct RunArg {
    /// A run directory, or a model.safetensors file.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// auto, cpu, ndarray, wgpu, wgpu:0, wgpu:cpu, cuda or cuda:0.
    #[arg(long, default_value = "auto")]
    pub device: String,
}

/// Which vectors of words to compare.
#[derive(Debug, Args)]
pub struct VectorArg {
    /// Which vectors of words to compare: those of words, those of contexts, or the sum of both.
    #[arg(long, value_name = "KIND", default_value = "sum", value_parser = PossibleValuesParser::new(VectorKind::NAMES)
        .map(|name| VectorKind::of_name(&name).expect("one of the possible values")))]
    pub vectors: VectorKind,
}

/// How lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Table,
    /// One JSON object.
    Json,
    /// A JSON object a line.
    JsonLines,
    /// Comma-separated values with a header.
    Csv,
    /// A Parquet file, by a program built with the feature.
    Parquet,
}

/// The ids in a file, one a line; lines without one are left out.
///
/// # Errors
/// Those of reading it; [`Error::Usage`] if it has none.
pub fn ids_in(path: &Path) -> Result<Vec<String>> {
    let text = files::read_text(path)?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    let ids: Vec<String> = lines.map(String::from).collect();
    if ids.is_empty() { Err(Error::Usage(format!("{}: has no ids, one a line", path.display()))) } else { Ok(ids) }
}
