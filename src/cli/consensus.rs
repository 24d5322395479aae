//! `lowrank consensus`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::Overrides;
use super::output;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::run::Parts;
use crate::run::consensus::{Compared, ConsensusOptions, consensus as compare_runs, listed};
use crate::solver::nmf::consensus::SampleSide;

/// Arguments of `lowrank consensus`.
#[derive(Debug, Args)]
pub struct ConsensusArgs {
    /// A config with solver.kind = "hals" or "multiplicative"; its model.rank is ignored.
    config: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Numbers of components, as in 2-5 or 2,4,8.
    #[arg(long, default_value = "2-5", value_parser = ranks)]
    ranks: Ranks,
    /// Factorizations of each, from random starts.
    #[arg(long, default_value = "30")]
    runs: NonZeroUsize,
    /// The side of the matrix that holds the samples to cluster; by default the rows of pictures and documents, the
    /// columns of other data.
    #[arg(long, value_enum)]
    samples: Option<Side>,
    /// Parts into which the cells are dealt, each predicted from the others; 0 holds no cells out.
    #[arg(long, default_value_t = 3)]
    folds: usize,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    /// One row per sample: documents, customers.
    Rows,
    /// One column per sample: arrays of gene expression.
    Columns,
}

/// A list, which clap would otherwise take for repeated arguments.
#[derive(Debug, Clone)]
struct Ranks(Vec<usize>);

/// The largest model.rank.
const MOST_COMPONENTS: usize = 4096;

fn ranks(text: &str) -> Result<Ranks, String> {
    let number =
        |text: &str| text.trim().parse::<usize>().map_err(|_| format!("{text:?} is not a number of components"));
    let mut ranks = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => ranks.extend(number(first)?..=number(last)?.min(MOST_COMPONENTS + 1)),
            None => ranks.push(number(part)?),
        }
    }
    if ranks.last().is_some_and(|&last| last > MOST_COMPONENTS) {
        return Err(format!("give at most {MOST_COMPONENTS} components"));
    }
    if ranks.is_empty() || ranks[0] == 0 || !ranks.is_sorted_by(|a, b| a < b) {
        return Err("give increasing numbers from 1, as in 2-5 or 2,4,8".into());
    }
    Ok(Ranks(ranks))
}

/// Factorizes the data repeatedly and prints how far the results agree.
pub fn consensus(args: ConsensusArgs, parts: &Parts) -> Result<()> {
    let config = Config::load(&parts.schema(), &args.config, &args.overrides.set)?;
    if args.folds == 1 {
        return Err(Error::Usage("--folds 1 would hold all cells out; give 0, or at least 2".into()));
    }
    let options = ConsensusOptions {
        ranks: args.ranks.0,
        runs: args.runs.get(),
        samples: args.samples.map(|side| match side {
            Side::Rows => SampleSide::Rows,
            Side::Columns => SampleSide::Columns,
        }),
        folds: args.folds,
    };
    let compared = compare_runs(&config, parts, &options, |text| {
        if !args.quiet {
            output::message(text);
        }
    })?;
    if args.json { output::print_json(&compared) } else { output::print(&report(&compared)) }
}

fn report(compared: &Compared) -> String {
    let held_out = |rank| compared.held_out_rmse.iter().find(|(of, _)| *of == rank).map(|(_, error)| error);
    let lines: Vec<Vec<String>> = compared
        .views
        .stability
        .iter()
        .map(|of| {
            let error = held_out(of.rank).map_or(String::new(), |error| format!("{error:.4}"));
            let [cophenetic, dispersion] = [of.cophenetic, of.dispersion].map(|value| format!("{value:.4}"));
            vec![of.rank.to_string(), cophenetic, dispersion, format!("{:.6e}", of.objective), error]
        })
        .collect();
    let header = ["rank", "cophenetic", "dispersion", "best objective", "held-out RMSE"];
    let mut text = format!("\n{} runs of each rank\n\n{}", compared.runs, output::table(&header, &lines));
    if !compared.left_out.is_empty() {
        text += &format!("\nsamples without any cell that is not 0 are left out: {}\n", listed(&compared.left_out));
    }
    if let Some(rank) = compared.views.best_rank {
        text += &format!("\nup to rank {rank} the cophenetic correlation does not fall\n");
    }
    if let Some((rank, _)) = compared.held_out_rmse.iter().min_by(|a, b| a.1.total_cmp(&b.1)) {
        text += &format!("held-out cells are predicted best at rank {rank}\n");
    }
    text += "\nwritten:\n";
    for shown in &compared.views.files {
        let path: &Path = &compared.directory.join(&shown.file);
        text += &format!("  {:<50} {}\n", path.display().to_string(), shown.caption);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_numbers_and_ranges_that_rise() {
        assert_eq!(ranks("2-5").expect("a range").0, [2, 3, 4, 5]);
        assert_eq!(ranks("2, 4-6,9").expect("a list").0, [2, 4, 5, 6, 9]);
        for wrong in ["", "0", "3,2", "2,2", "5-3", "2-9999999999", "5000", "a", "2-", "1.5"] {
            assert!(ranks(wrong).is_err(), "{wrong:?}");
        }
    }
}
