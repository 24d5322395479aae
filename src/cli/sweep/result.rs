//! The result of a sweep for people and programs.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::progress::duration;
use crate::cli::output;
use crate::metric::{Scores, label};
use crate::run::Summary;
use crate::sweep::Swept;
use crate::sweep::journal::{Record, Status};
use crate::sweep::plan::Plan;
use crate::sweep::report::{best_first, short_names, shown};

/// Number of trials that the result shows.
const SHOWN: usize = 5;

/// The best trials, the winner's test, the files written and what to do next.
pub(super) fn report(swept: &Swept, plan: &Plan) -> String {
    let metric = &*plan.metric;
    let count = |status| swept.records.iter().filter(|record| record.status == status).count();
    let mut text = format!(
        "\n{}: {} trials in {} ({} finished, {} pruned, {} failed)\n\n",
        plan.settings.name,
        swept.records.len(),
        duration(swept.records.iter().map(|record| record.ended).fold(0.0, f64::max)),
        count(Status::Finished),
        count(Status::Pruned),
        count(Status::Failed),
    );
    let mut best: Vec<&Record> = swept.records.iter().filter(|record| record.status == Status::Finished).collect();
    let value = |record: &Record| record.metric.unwrap_or(f64::NAN);
    best.sort_by(|a, b| best_first(metric, value(a), value(b)));
    let keys = plan.space.keys();
    let rows: Vec<Vec<String>> = best
        .iter()
        .take(SHOWN)
        .map(|record| {
            let cell = |key: &&str| record.settings.get(*key).map_or(String::new(), shown);
            let value = record.metric.map_or(String::new(), |value| format!("{value:.5}"));
            [record.trial.to_string(), value].into_iter().chain(keys.iter().map(cell)).collect()
        })
        .collect();
    let value_name = format!("validation {}", metric.name());
    let header: Vec<&str> = ["trial", &value_name].into_iter().chain(short_names(&keys)).collect();
    text += &output::table(&header, &rows);
    if !swept.tested.is_empty() {
        text += "\nthe winner, retrained on training and validation ratings and tested once:\n\n";
        let number = |scores: Option<&Scores>, name: &str| {
            scores.and_then(|scores| scores.get(name)).map_or(String::new(), |value| format!("{value:.4}"))
        };
        let tests: Vec<&Scores> = swept.tested.iter().filter_map(|(_, summary)| summary.test.as_ref()).collect();
        let names: Vec<&str> =
            tests.first().into_iter().flat_map(|scores| output::metrics(scores)).map(|(name, _)| &**name).collect();
        let validated = names.first().copied().unwrap_or(metric.name());
        let row = |(path, summary): &(PathBuf, Summary)| {
            let mut cells = vec![path.display().to_string()];
            cells.extend(names.iter().map(|name| number(summary.test.as_ref(), name)));
            cells.push(number(summary.validation.as_ref(), validated));
            cells
        };
        let mut rows: Vec<Vec<String>> = swept.tested.iter().map(row).collect();
        if tests.len() == swept.tested.len() && tests.len() > 1 {
            let mean = |name: &&str| {
                let sum: f64 = tests.iter().filter_map(|scores| scores.get(name)).sum();
                format!("{:.4}", sum / tests.len() as f64)
            };
            let mut cells = vec!["mean".to_string()];
            cells.extend(names.iter().map(mean));
            cells.push(String::new());
            rows.push(cells);
        }
        let labels: Vec<String> = (names.iter().map(|name| format!("test {}", label(name))))
            .chain([format!("validation {}", label(validated))])
            .collect();
        let header: Vec<&str> = std::iter::once("run").chain(labels.iter().map(String::as_str)).collect();
        text += &output::table(&header, &rows);
        let doubts = swept
            .tested
            .iter()
            .flat_map(|(path, summary)| summary.doubts.iter().map(|doubt| format!("{}: {doubt}", path.display())));
        text += &output::warnings(&doubts.collect::<Vec<_>>());
    }
    text += "\nwritten:\n";
    let directory = &swept.directory;
    for (path, what) in [
        (directory.best(), "the winner's config"),
        (directory.table(), "all trials"),
        (directory.keys_picture(), "the metric against each key"),
        (directory.progress_picture(), "the best metric over time"),
        (directory.journal(), "all trials with their epochs"),
        (directory.space(), "the complete space file"),
    ] {
        text += &format!("  {:<50} {what}\n", path.display().to_string());
    }
    let program = output::program();
    text += &format!("\nnext:\n  {program} train {}\n", directory.best().display());
    text += &format!(
        "  {program} sweep {} --resume --set trials={}\n",
        directory.space().display(),
        2 * plan.settings.trials
    );
    if directory.events().is_dir() {
        text += &format!("  tensorboard --logdir {}\n", directory.events().display());
    }
    text
}

pub(super) fn as_json(swept: &Swept, plan: &Plan) -> Value {
    let count = |status| swept.records.iter().filter(|record| record.status == status).count();
    let tested: Vec<Value> = (swept.tested.iter())
        .map(|(path, summary)| json!({ "run": path.display().to_string(), "summary": summary }))
        .collect();
    json!({
        "name": plan.settings.name,
        "directory": swept.directory.path().display().to_string(),
        "metric": plan.metric.name(),
        "finished": count(Status::Finished),
        "pruned": count(Status::Pruned),
        "failed": count(Status::Failed),
        "winner": swept.winner,
        "tested": tested,
    })
}
