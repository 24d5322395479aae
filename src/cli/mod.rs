//! The command line: clap types here, one file per subcommand. No numerics.

mod arguments;
mod compare;
mod components;
mod config;
mod consensus;
mod data;
mod evaluate;
mod evaluate_classes;
mod evaluate_words;
mod explain;
mod export;
mod fold_in;
mod init;
mod inspect;
mod interrupt;
mod item_filter;
mod man;
mod output;
mod predict;
mod query;
mod recommend;
mod reconstruct;
mod reproduce;
mod run;
mod score;
mod segment;
mod sweep;
mod told;
mod train;

use std::io::ErrorKind;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::error::{Error, Result};
use crate::run::Parts;

/// Train matrix factorization models from a config file, on CPU or GPU, watched in TensorBoard.
///
/// Results go to standard output, progress and messages to standard error. Exit codes: 0 done, 1 failed,
/// 2 wrong usage, config, data or files, 3 training diverged, 130 interrupted after a checkpoint was written.
#[derive(Debug, Parser)]
#[command(name = "lowrank", version, help_expected = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at data and write a config that trains on them.
    Init(init::InitArgs),
    /// Train a model and write a run directory.
    Train(train::TrainArgs),
    /// Search for the best settings of a config, and train and test the winner.
    Sweep(sweep::SweepArgs),
    /// Print metrics of a trained model, on its own test split or on a file.
    Evaluate(evaluate::EvaluateArgs),
    /// Compare runs: settings that differ, metrics, paired differences with an interval.
    Compare(compare::CompareArgs),
    /// Predict ratings of (user, item) pairs.
    Predict(predict::PredictArgs),
    /// List the items that users would rate highest, new users included.
    Recommend(recommend::RecommendArgs),
    /// List the users, or lines of a file, that an item has the highest predictions for.
    Score(score::ScoreArgs),
    /// Put customers in the segments of a run by their purchases, as comma-separated values.
    Segment(segment::SegmentArgs),
    /// Say what adds to the score of an item for a user.
    Explain(explain::ExplainArgs),
    /// Take new users and items into a trained model.
    FoldIn(fold_in::FoldInArgs),
    /// Write a model as arrays, tables, word vectors, for the projector, or for an index.
    Export(export::ExportArgs),
    /// Factorize repeatedly: how many components the data support, and which samples belong together.
    Consensus(consensus::ConsensusArgs),
    /// List the components of a model with their strongest members.
    Components(components::ComponentsArgs),
    /// List the users, items, documents, terms or pictures nearest to one, or documents about some words.
    Query(query::QueryArgs),
    /// Reconstruct a row or a picture from its factors.
    Reconstruct(reconstruct::ReconstructArgs),
    /// Run an experiment whose results are published, or list them.
    Reproduce(reproduce::ReproduceArgs),
    /// Print counts, density, rating histogram and long tail of a data file or data set, or the result of a run.
    Inspect(inspect::InspectArgs),
    /// List, fetch or generate data sets.
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Check a config, or explain the keys.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write man pages into a folder, one for each command.
    Man(man::ManArgs),
}

impl Cli {
    /// Runs the command of a program with these parts.
    ///
    /// # Errors
    /// The error of the command; [`Error::exit_code`](crate::error::Error::exit_code) is the exit code of the process.
    pub fn run(self, parts: &Parts) -> Result<()> {
        match self.command {
            Command::Init(args) => init::init(args, parts),
            Command::Train(args) => train::train(args, parts),
            Command::Sweep(args) => sweep::sweep(args, parts),
            Command::Evaluate(args) => evaluate::evaluate(args, parts),
            Command::Compare(args) => compare::compare(args, parts),
            Command::Predict(args) => predict::predict(args, parts),
            Command::Recommend(args) => recommend::recommend(args, parts),
            Command::Score(args) => score::score(args, parts),
            Command::Segment(args) => segment::segment(args, parts),
            Command::Explain(args) => explain::explain(args, parts),
            Command::FoldIn(args) => fold_in::fold_in(args, parts),
            Command::Export(args) => export::export(args, parts),
            Command::Consensus(args) => consensus::consensus(args, parts),
            Command::Components(args) => components::components(args, parts),
            Command::Query(args) => query::query(args, parts),
            Command::Reconstruct(args) => reconstruct::reconstruct(args, parts),
            Command::Reproduce(args) => reproduce::reproduce(args, parts),
            Command::Inspect(args) => inspect::inspect(args, parts),
            Command::Data(command) => data::data(command),
            Command::Config(command) => config::config(command, parts),
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "lowrank", &mut script);
                output::print(&String::from_utf8_lossy(&script))
            }
            Command::Man(args) => man::man(args, Self::command()),
        }
    }
}

/// Parses the arguments, runs the command with these parts, reports its error and returns the exit code.
pub fn main(parts: Parts) -> std::process::ExitCode {
    match Cli::parse().run(&parts) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        // Whoever reads has seen enough, as `head` has.
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::BrokenPipe => std::process::ExitCode::SUCCESS,
        Err(error) => {
            output::message(&format!("error: {error}"));
            std::process::ExitCode::from(error.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent_and_all_have_help() {
        Cli::command().debug_assert();
    }
}
