//! `lowrank compare`.

use std::path::PathBuf;

use clap::Args;

use super::output;
use crate::config::words::joined;
use crate::error::Result;
use crate::metric::{Direction, label};
use crate::run::Parts;
use crate::run::compare::{Comparison, Group, HeldOutPart, Run, compare as compare_runs};

/// Arguments of `lowrank compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Run directories; those that differ only in seed and fold are grouped.
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints how runs differ in their settings and metrics.
pub fn compare(args: CompareArgs, parts: &Parts) -> Result<()> {
    let schema = parts.schema();
    let runs = args.runs.iter().map(|path| Run::read(&schema, path)).collect::<Result<Vec<_>>>()?;
    let comparison = compare_runs(&runs)?;
    if args.json { output::print_json(&comparison) } else { output::print(&report(&comparison, parts)) }
}

fn report(comparison: &Comparison, parts: &Parts) -> String {
    let Comparison { part, groups, differences, paired, doubts } = comparison;
    let mut text = String::new();
    for group in groups {
        let runs: Vec<_> = group.runs.iter().map(|path| path.display().to_string()).collect();
        text += &format!("{}: {}\n", group.name, runs.join(" "));
    }
    let names = || std::iter::once("").chain(groups.iter().map(|group| group.name.as_str()));
    text += "\nsettings that differ:\n\n";
    if differences.is_empty() {
        text += "none but seed and fold\n";
    } else {
        let cell = |value: &Option<String>| value.clone().unwrap_or("-".into());
        let row = |key: &String, values: &[Option<String>]| {
            std::iter::once(key.clone()).chain(values.iter().map(cell)).collect::<Vec<_>>()
        };
        let rows: Vec<_> = differences.iter().map(|difference| row(&difference.key, &difference.values)).collect();
        text += &output::table(&names().collect::<Vec<_>>(), &rows);
    }
    let part = match part {
        HeldOutPart::Test => "test",
        HeldOutPart::Validation => "validation",
    };
    text += &format!("\n{part} metrics, means over runs:\n\n");
    let metrics: Vec<String> =
        groups.first().map_or(Vec::new(), |group| group.means.iter().map(|(name, _)| label(name)).collect());
    let row = |group: &Group| {
        let number = |value: &f64| format!("{value:.4}");
        let mut cells = vec![group.name.clone(), group.runs.len().to_string()];
        for (at, (_, mean)) in group.means.iter().enumerate() {
            cells.push(number(mean));
            if at == 0 {
                cells.push(group.deviation.as_ref().map_or(String::new(), number));
            }
        }
        cells.extend([group.best_epoch, group.seconds].map(|value| format!("{value:.1}")));
        cells
    };
    let mut header = vec!["", "runs"];
    for (at, metric) in metrics.iter().enumerate() {
        header.push(metric);
        if at == 0 {
            header.push("± deviation");
        }
    }
    header.extend(["best epoch", "seconds"]);
    text += &output::table(&header, &groups.iter().map(row).collect::<Vec<_>>());
    if !paired.is_empty() {
        // For most metrics smaller values are better.
        let is_larger = |name: &str| parts.metrics.find(name).is_some_and(|m| m.direction() == Direction::Larger);
        let names = groups.first().into_iter().flat_map(|group| &group.means).map(|(name, _)| name);
        let larger: Vec<String> = names.filter(|name| is_larger(name)).map(|name| label(name)).collect();
        let above = if larger.is_empty() { String::new() } else { format!("; for {} above 0", joined(&larger, "and")) };
        text += &format!("\npaired differences over the same seeds and folds (below 0: better than A{above}):\n\n");
        let rows: Vec<Vec<String>> = paired
            .iter()
            .map(|paired| {
                let bound = |value: f64| format!("{value:+.4}");
                vec![
                    format!("{} − A", paired.group),
                    label(&paired.metric),
                    paired.pairs.to_string(),
                    bound(paired.difference),
                    paired.interval.map_or(String::new(), |(low, high)| format!("{} … {}", bound(low), bound(high))),
                ]
            })
            .collect();
        text += &output::table(&["", "metric", "pairs", "mean", "95 % bootstrap interval"], &rows);
    }
    for doubt in doubts {
        text += &format!("\nnote: {doubt}\n");
    }
    text
}
