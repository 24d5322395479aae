//! `lowrank reproduce`.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde_json::json;

use super::arguments::Overrides;
use super::output;
use crate::config::Config;
use crate::config::words::{did_you_mean, nearest};
use crate::error::{Error, Result};
use crate::model::START_FROM;
use crate::run::{self, Finished, NCF, PROTOCOLS, Parts, Protocol, Resume, TrainOptions};
use crate::tables;

/// Arguments of `lowrank reproduce`.
#[derive(Debug, Args)]
pub struct ReproduceArgs {
    /// The experiment; without one, all are listed.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The folder of its files, if its data set cannot be fetched by name; by default that of the set under $LOWRANK_DATA.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a published experiment, and prints what comes out beside what others reached.
pub fn reproduce(args: ReproduceArgs, parts: &Parts) -> Result<()> {
    let Some(name) = &args.name else { return list(args.json) };
    let protocol = Protocol::named(name).ok_or_else(|| {
        let names = PROTOCOLS.iter().map(|protocol| protocol.name);
        let hint = did_you_mean(nearest(name, names));
        Error::Usage(format!("there is no experiment {name:?}{hint}; `lowrank reproduce` lists them"))
    })?;
    let values = values(protocol, &args, parts)?;
    let names: Vec<String> = protocol.metrics.iter().map(|metric| metric.name()).collect();
    if args.json {
        let number = |(name, value): (&String, &f64)| (name.clone(), (*value).into());
        let others: Vec<_> = protocol
            .others
            .iter()
            .map(|(values, source)| {
                let numbers: serde_json::Map<_, _> = names.iter().zip(*values).map(number).collect();
                json!({ "source": source, "metrics": numbers })
            })
            .collect();
        let ours: serde_json::Map<_, _> = names.iter().zip(&values).map(number).collect();
        return output::print_json(&json!({ "name": protocol.name, "lowrank": ours, "others": others }));
    }
    let row = |who: &str, values: &[f64]| {
        let mut row = vec![who.to_string()];
        row.extend((0..names.len()).map(|at| values.get(at).map_or(String::new(), |value| tables::number(*value))));
        row
    };
    let mut rows = vec![row("lowrank", &values)];
    rows.extend(protocol.others.iter().map(|(values, source)| row(source, values)));
    let mut header = vec![""];
    header.extend(names.iter().map(String::as_str));
    output::print(&format!("{}: {}\n\n{}", protocol.name, protocol.about, output::table(&header, &rows)))
}

fn list(as_json: bool) -> Result<()> {
    if as_json {
        let entry = |protocol: &Protocol| json!({ "name": protocol.name, "about": protocol.about });
        return output::print_json(&PROTOCOLS.iter().map(entry).collect::<Vec<_>>());
    }
    let row = |protocol: &Protocol| vec![protocol.name.to_string(), protocol.about.to_string()];
    output::print(&output::table(&["experiment", ""], &PROTOCOLS.iter().map(row).collect::<Vec<_>>()))
}

/// The mean of each metric over the runs.
fn values(protocol: &Protocol, args: &ReproduceArgs, parts: &Parts) -> Result<Vec<f64>> {
    let mut sums = vec![0.0; protocol.metrics.len()];
    for (number, settings) in (1..).zip(protocol.runs) {
        output::message(&format!("run {number} of {}", protocol.runs.len()));
        let finished = run_once(protocol, settings, args, parts)?;
        for (sum, metric) in sums.iter_mut().zip(protocol.metrics) {
            *sum += metric.of(&finished.summary).ok_or_else(|| {
                Error::Failed(format!("{}: the result has no {}", finished.directory.path().display(), metric.name()))
            })?;
        }
    }
    Ok(sums.into_iter().map(|sum| sum / protocol.runs.len() as f64).collect())
}

/// One run with these settings, after those whose models it starts from. What people set holds for all of them.
fn run_once(protocol: &Protocol, settings: &[&str], args: &ReproduceArgs, parts: &Parts) -> Result<Finished> {
    let mut overrides = if protocol.files.is_empty() { Vec::new() } else { protocol.paths(&folder(args)?) };
    let mut starts = Vec::new();
    for name in protocol.starts_from {
        let start = Protocol::named(name).expect("an experiment starts from those that exist");
        output::message(&format!("first {name}"));
        let finished = run_once(start, &[], args, parts)?;
        starts.push(format!("{:?}", finished.directory.path().display().to_string()));
    }
    if !starts.is_empty() {
        overrides.push(format!("{START_FROM}=[{}]", starts.join(", ")));
    }
    overrides.extend(settings.iter().map(|setting| setting.to_string()));
    overrides.extend(args.overrides.set.iter().cloned());
    let name = format!("{}.toml", protocol.name.replace('/', "-"));
    let config = Config::parse(&parts.schema(), protocol.config, Path::new(&name), &overrides)?;
    let options = TrainOptions {
        resume: Resume::New,
        stop: &AtomicBool::new(false),
        loaded: &|| {},
        command_line: output::command_line(),
        note: &mut |_| {},
        observer: &|_| None,
    };
    run::train(&config, parts, options)
}

/// The folder of the files.
fn folder(args: &ReproduceArgs) -> Result<PathBuf> {
    let of_sets = || env::var_os("LOWRANK_DATA").map(|folder| PathBuf::from(folder).join(NCF));
    args.data.clone().or_else(of_sets).filter(|folder| folder.is_dir()).ok_or_else(|| {
        Error::Usage(format!(
            "this experiment needs the files Data/ml-1m.* of the repository hexiangnan/neural_collaborative_filtering; name \
             their folder with --data, or put them into {NCF} under $LOWRANK_DATA"
        ))
    })
}
