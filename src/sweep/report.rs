//! The reports of a sweep: a table, pictures, TensorBoard's HParams, and the winner's config.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value as Json;
use toml::Value;

use super::directory::SweepDirectory;
use super::journal::{Record, Status};
use super::plan::Plan;
use super::space::Domain;
use crate::config::in_toml;
use crate::error::{Error, Result};
use crate::files;
use crate::metric::Metric;
use crate::report::event_file::EventFile;
use crate::report::plot::{self, Panel, PanelAxis, Series};

/// The best finished trial; the first of equal ones.
pub fn winner<'r>(records: &'r [Record], metric: &dyn Metric) -> Option<&'r Record> {
    let finished = records.iter().filter(|record| record.status == Status::Finished && record.metric.is_some());
    finished.reduce(|best, other| match (best.metric, other.metric) {
        (Some(of_best), Some(of_other)) if metric.improves(of_other, of_best, 0.0) => other,
        _ => best,
    })
}

/// Orders two values, the better first.
pub fn best_first(metric: &dyn Metric, a: f64, b: f64) -> Ordering {
    match metric.improves(a, b, 0.0) {
        true => Ordering::Less,
        false if metric.improves(b, a, 0.0) => Ordering::Greater,
        false => Ordering::Equal,
    }
}

/// `best.toml`: the config that reproduces the winner.
pub fn best(winner: &Record, plan: &Plan, directory: &SweepDirectory) -> Result<String> {
    let point = plan.space.point_of(&winner.settings).ok_or_else(|| {
        Error::data(directory.journal(), format!("trial {} has values that [space] does not have", winner.trial))
    })?;
    let metric = plan.metric.name();
    let value = winner.metric.unwrap_or(f64::NAN);
    let mut text = format!(
        "# The best of the trials in {}: number {}, validation {metric} {value}.\n",
        directory.path().display(),
        winner.trial
    );
    for (at, training) in winner.trainings.iter().enumerate() {
        let repeat: String =
            plan.repeats[at].iter().map(|(key, value)| format!("--set {key}={} ", in_toml(value))).collect();
        if !repeat.is_empty() {
            let here = if at == 0 { "as below" } else { "" };
            let _ = writeln!(text, "#   {repeat} {metric} {} in epoch {} {here}", training.best, training.best_epoch);
        }
    }
    let more = [("train.refit", Value::from(true))];
    text = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    Ok(text + &plan.config(&point, 0, &more)?.to_toml())
}

/// `trials.csv`: one row per trial.
pub fn write_table(path: &Path, records: &[Record], plan: &Plan) -> Result<()> {
    let metric = plan.metric.name();
    let keys: Vec<&str> =
        plan.space.keys().into_iter().chain(plan.space.ties.iter().map(|(key, _)| key.as_str())).collect();
    let repeat_name = |repeat: &Vec<(String, Value)>| {
        let parts: Vec<_> = repeat.iter().map(|(key, value)| format!("{key}={}", in_toml(value))).collect();
        format!("{metric} {}", parts.join(" "))
    };
    let several = plan.repeats.len() > 1;
    let mut header: Vec<String> = ["trial", "status", metric, "epochs", "seconds"].map(String::from).to_vec();
    header.extend(plan.repeats.iter().filter(|_| several).map(repeat_name));
    header.extend(keys.iter().map(|key| key.to_string()));
    let mut rows = vec![header];
    for record in records {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let mut row = vec![
            record.trial.to_string(),
            record.status.name().into(),
            number(record.metric),
            record.epochs().to_string(),
            format!("{:.3}", record.ended - record.began),
        ];
        let of_repeat = |at: usize| number(record.trainings.get(at).map(|training| training.best));
        row.extend((0..plan.repeats.len()).filter(|_| several).map(of_repeat));
        row.extend(keys.iter().map(|key| record.settings.get(*key).map_or(String::new(), shown)));
        rows.push(row);
    }
    let line = |row: &Vec<String>| row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n";
    files::write_bytes(path, rows.iter().map(line).collect::<String>().as_bytes())
}

/// The shortest suffixes of keys that distinguish them: `rank`, but `model.kind` and `solver.kind`.
pub fn short_names<'k>(keys: &[&'k str]) -> Vec<&'k str> {
    let ends = |key: &'k str| key.rmatch_indices('.').map(move |(dot, _)| &key[dot + 1..]).chain([key]);
    let is_clear = |end: &str| {
        let is_end = |key: &&&str| **key == end || key.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
        keys.iter().filter(is_end).count() == 1
    };
    keys.iter().map(|key| ends(key).find(|end| is_clear(end)).unwrap_or(key)).collect()
}

/// A value as people write it.
pub fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A cell of comma-separated values (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.into() }
}

/// The metric against each key, and the best metric over time.
pub fn write_pictures(directory: &SweepDirectory, records: &[Record], plan: &Plan) -> Result<()> {
    let metric = plan.metric.name();
    let mut best: Option<f64> = None;
    let mut ended: Vec<&Record> = records.iter().filter(|record| record.status == Status::Finished).collect();
    ended.sort_by(|a, b| a.ended.total_cmp(&b.ended));
    let mut steps = Vec::new();
    for (value, at) in ended.iter().filter_map(|record| Some((record.metric?, record.ended))) {
        if best.is_none_or(|best| plan.metric.improves(value, best, 0.0)) {
            steps.extend(best.map(|best| (at, best)));
            steps.push((at, value));
            best = Some(value);
        }
    }
    let last = records.iter().map(|record| record.ended).fold(0.0, f64::max);
    steps.extend(best.map(|best| (last, best)));
    let (unit, scale) = if last > 7200.0 {
        ("hours", 3600.0)
    } else if last > 120.0 {
        ("minutes", 60.0)
    } else {
        ("seconds", 1.0)
    };
    let points = steps.into_iter().map(|(at, value)| (at / scale, value)).collect();
    let title = format!("{}: best trial so far", plan.settings.name);
    let series = [Series { name: format!("best {metric}"), points }];
    let chart = plot::curves(&title, &format!("{unit} since the start"), &format!("validation {metric}"), &series);
    files::write_bytes(&directory.progress_picture(), &chart.png()?.bytes)?;

    let panels: Vec<Panel> = plan.space.keys().into_iter().map(|key| panel(key, records, plan)).collect();
    let title = format!("{}: validation {metric} of {} trials", plan.settings.name, records.len());
    let chart = plot::panels(&title, &["pruned", "finished", "best"], &panels);
    files::write_bytes(&directory.keys_picture(), &chart.png()?.bytes)
}

/// The metric of pruned trials, of finished ones and of the best, against one key.
///
/// A pruned trial has fewer epochs and perhaps fewer repeats than the others. It is placed as far from the best as it
/// was at the rung where it was stopped.
fn panel(key: &str, records: &[Record], plan: &Plan) -> Panel {
    let domains: Vec<&Domain> = plan
        .space
        .dimensions
        .iter()
        .filter(|dimension| dimension.key == key)
        .map(|dimension| &dimension.domain)
        .collect();
    let is_choice = domains.iter().any(|domain| domain.choices().is_some());
    let mut names: Vec<String> = Vec::new();
    for value in domains
        .iter()
        .filter_map(|domain| if let Domain::Choice(values) = domain { Some(values) } else { None })
        .flatten()
    {
        let name = serde_json::to_value(value).map_or(String::new(), |value| shown(&value));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let place = |record: &Record| -> Option<f64> {
        let value = record.settings.get(key)?;
        if is_choice { names.iter().position(|name| *name == shown(value)).map(|at| at as f64) } else { value.as_f64() }
    };
    let winner = winner(records, &*plan.metric);
    let best = winner.map(|record| record.trial);
    let height = |record: &Record| -> Option<f64> {
        let stopped = record.rungs.iter().next_back().filter(|_| record.status == Status::Pruned);
        let Some((rung, value)) = stopped else { return record.metric };
        let winner = winner?;
        Some(winner.metric? + value - winner.rungs.get(rung)?)
    };
    let points = |wanted: &dyn Fn(&Record) -> bool| -> Vec<(f64, f64)> {
        let records = records.iter().filter(|record| wanted(record));
        records.filter_map(|record| Some((place(record)?, height(record)?))).collect()
    };
    let axis = match () {
        () if is_choice => PanelAxis::Names(names.clone()),
        () if domains.iter().any(|domain| domain.is_logarithmic()) => PanelAxis::Logarithmic,
        () => PanelAxis::Linear,
    };
    let series = vec![
        points(&|record| record.status == Status::Pruned),
        points(&|record| record.status == Status::Finished && Some(record.trial) != best),
        points(&|record| Some(record.trial) == best),
    ];
    Panel { label: key.into(), axis, series }
}

/// An event file for a trial, in its own folder below `folder`: its settings, its curve and its metric. An existing one
/// is left as it is.
pub fn write_events(folder: &Path, record: &Record, plan: &Plan) -> Result<()> {
    let name = format!("{:04}", record.trial);
    let (path, unfinished) = (folder.join(&name), folder.join(format!(".{name}")));
    if path.exists() {
        return Ok(());
    }
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(|e| Error::io("remove", &unfinished, e))?;
    }
    files::create_folder(&unfinished)?;
    let mut events = EventFile::create(&unfinished)?;
    let metric = plan.metric.name();
    let mut settings: Vec<(String, Json)> =
        record.settings.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    settings.push(("status".into(), record.status.name().into()));
    events.hparams(&settings)?;
    let values = record.trainings.iter().flat_map(|training| &training.curve);
    for (step, value) in (1..).zip(values) {
        events.scalar(&format!("{metric}/validation"), step, *value)?;
    }
    if let Some(value) = record.metric {
        events.scalar(&format!("{metric}/best"), record.epochs() as i64, value)?;
    }
    events.hparams_end(record.status != Status::Failed)?;
    events.flush()?;
    drop(events);
    // Complete or absent: a kill leaves only the hidden folder, which TensorBoard does not show and the next call
    // removes.
    std::fs::rename(&unfinished, &path).map_err(|e| Error::io("rename into place", &path, e))
}
