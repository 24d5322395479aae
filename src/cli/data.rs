//! `lowrank data`.

use std::path::PathBuf;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::data::catalog;
use crate::data::synthetic::Synthetic;
use crate::error::Result;

/// Subcommands of `lowrank data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the known data sets and where they are.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Download a data set, check it and unpack it into the cache.
    Fetch {
        /// Name, as `data list` shows it.
        name: String,
        /// Use this archive, already downloaded, instead.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Write planted low-rank ratings with a long tail and known noise.
    Synth {
        /// The file to write; gzip where it ends in .gz.
        path: PathBuf,
        /// Number of users.
        #[arg(long, default_value_t = 1000)]
        users: usize,
        /// Number of items.
        #[arg(long, default_value_t = 500)]
        items: usize,
        /// Number of ratings.
        #[arg(long, default_value_t = 50_000)]
        ratings: u64,
        /// Rank of the planted matrix.
        #[arg(long, default_value_t = 5)]
        rank: usize,
        /// Standard deviation of the noise: the RMSE that nobody can beat.
        #[arg(long, default_value_t = 0.5)]
        noise: f64,
        /// Seed.
        #[arg(long, default_value_t = 42)]
        seed: u64,
    },
}

/// Runs a subcommand of `lowrank data`.
pub fn data(command: DataCommand) -> Result<()> {
    match command {
        DataCommand::List { json } => list(json),
        DataCommand::Fetch { name, from } => {
            let entry = catalog::find(&name)?;
            let bar = progress("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}", &name);
            let path = catalog::fetch(entry, from.as_deref(), &mut |done, total| {
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_position(done);
            });
            bar.finish_and_clear();
            output::print(&format!("{name} is in {}\n", path?.display()))
        }
        DataCommand::Synth { path, users, items, ratings, rank, noise, seed } => {
            let bar = progress("{msg} {wide_bar} {human_pos}/{human_len} ratings, {eta} left", "writing");
            bar.set_length(ratings);
            let synthetic = Synthetic { users, items, ratings, rank, noise, seed };
            let outcome = synthetic.write(&path, &mut |done| bar.set_position(done));
            bar.finish_and_clear();
            outcome?;
            let text = format!("{ratings} ratings in {}; best reachable RMSE {noise}", path.display());
            // What goes into a pipe may be on its way to standard output.
            if path.is_file() {
                return output::print(&(text + "\n"));
            }
            output::message(&text);
            Ok(())
        }
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(template: &str, message: &str) -> ProgressBar {
    let bar = ProgressBar::no_length().with_message(message.to_string());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn list(json: bool) -> Result<()> {
    let place = |entry| catalog::locate(entry).ok().map(|path| path.display().to_string());
    if json {
        let entries: Vec<_> = catalog::entries()
            .iter()
            .map(|entry| {
                serde_json::json!({
                    "name": entry.name,
                    "description": entry.description,
                    "address": entry.source.as_ref().map(|source| source.address),
                    "path": place(entry),
                })
            })
            .collect();
        return output::print_json(&entries);
    }
    let rows: Vec<Vec<String>> = catalog::entries()
        .iter()
        .map(|entry| {
            let here = place(entry).unwrap_or_else(|| match entry.source {
                Some(_) => format!("lowrank data fetch {}", entry.name),
                None => "only under $LOWRANK_DATA".to_string(),
            });
            vec![entry.name.to_string(), entry.description.to_string(), here]
        })
        .collect();
    output::print(&output::table(&["name", "what", "where"], &rows))
}
