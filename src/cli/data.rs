//! `lowrank data`.

use std::path::PathBuf;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::output;
use crate::data::catalog;
use crate::data::read::{self, Copy};
use crate::data::synthetic::Synthetic;
use crate::error::Result;
use crate::files;

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
    /// What is kept in the cache folder: binary copies of large files, and data sets that were fetched.
    Cache {
        /// Remove all of it.
        #[arg(long)]
        clear: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write planted low-rank ratings with a long tail and known noise.
    Synth {
        /// The file to write; gzip if it ends in .gz.
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
        /// Standard deviation of the noise: the lowest RMSE that can be reached.
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
        DataCommand::Cache { clear, json } => cache(clear, json),
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

/// Lists what is kept, or removes it.
fn cache(clear: bool, json: bool) -> Result<()> {
    let folder = files::cache_folder("ratings")?;
    // What is kept, where, how large, and how many days ago it was used.
    let mut kept: Vec<(&str, String, PathBuf, u64, Option<u64>)> = Vec::new();
    for Copy { path, bytes, used } in read::copies(&folder)? {
        let days = used.elapsed().ok().map(|age| age.as_secs() / (24 * 3600));
        kept.push(("binary copy", read::source_of(&path).unwrap_or("of another version".into()), path, bytes, days));
    }
    for entry in catalog::entries() {
        kept.extend(
            catalog::fetched(entry).map(|(path, bytes)| ("data set", entry.name.to_string(), path, bytes, None)),
        );
    }
    if clear {
        read::shrink(&folder, 0)?;
        for entry in catalog::entries() {
            catalog::remove(entry)?;
        }
    }
    let total: u64 = kept.iter().map(|(_, _, _, bytes, _)| bytes).sum();
    if json {
        let kept: Vec<_> = kept
            .iter()
            .map(|(what, of, path, bytes, days)| {
                json!({ "what": what, "of": of, "path": path.to_string_lossy(), "bytes": bytes, "days_since_use": days })
            })
            .collect();
        return output::print_json(&json!({ "kept": kept, "bytes": total, "removed": clear }));
    }
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    if clear {
        return output::print(&format!("removed: {} with {} MB\n", kept.len(), megabytes(total)));
    }
    let rows: Vec<Vec<String>> = kept
        .iter()
        .map(|(what, of, path, bytes, days)| {
            let days = days.map_or(String::new(), |days| days.to_string());
            vec![what.to_string(), of.clone(), megabytes(*bytes), days, path.display().to_string()]
        })
        .collect();
    let table = output::table(&["what", "of", "MB", "days since use", "where"], &rows);
    output::print(&format!(
        "{table}\n{} MB together; `lowrank data cache --clear` removes all of it\n",
        megabytes(total)
    ))
}

fn list(json: bool) -> Result<()> {
    let place = |entry| catalog::locate(entry).ok().map(|path| path.display().to_string());
    if json {
        let entries: Vec<_> = catalog::entries()
            .iter()
            .map(|entry| {
                json!({
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
