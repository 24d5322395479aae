//! `lowrank sweep`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{output, train};
use crate::config::{self, in_toml};
use crate::error::Result;
use crate::metric::{Metric, Scores};
use crate::run::{Parts, Resume, Summary};
use crate::sweep::journal::{Record, Status};
use crate::sweep::plan::{Plan, space_file};
use crate::sweep::report::{best_first, short_names, shown, winner};
use crate::sweep::{self, Event, SweepOptions, Swept};

/// Arguments of `lowrank sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The space file; `space.toml` of a sweep's folder sweeps the same again.
    #[arg(required_unless_present = "explain")]
    space: Option<PathBuf>,
    /// Set a key of the space file, as in `--set trials=20`; `--set set.train.epochs=10` sets one of the base config.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Go on with the sweep that SPACE lies in, or with the newest one of its name. Finished trials are not repeated.
    #[arg(long)]
    resume: bool,
    /// Check the space file and show the settings of its first trials.
    #[arg(long)]
    check: bool,
    /// Print the keys of a space file and how ranges are written.
    #[arg(long)]
    explain: bool,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// How `[set]`, `[repeat]` and `[space]` are written.
const SECTIONS: &str = r#"
[set]
  Config keys that every trial has, instead of what the base config says.

[repeat]
  Values of seed or of keys of [data] that a trial is trained with, one after the other; its metric is the mean.
      data.split.fold = [1, 3]

[space]
  What is searched: a range for each config key.
      solver.learning_rate = { log_uniform = [1e-4, 1e-2] }     logarithms equally likely
      solver.beta2 = { uniform = [0.9, 0.999] }
      model.rank = { int = [8, 128], log = true }               or step = 8
      model.layers = { choice = [[64], [64, 32]] }
  A key that has a meaning only under another choice takes part only there. More conditions, and other ranges:
      solver.kind = { choice = ["adam", "sgd"] }
      solver.learning_rate = [
          { log_uniform = [1e-4, 1e-2], when = { solver.kind = "adam" } },
          { log_uniform = [1e-3, 1e0], when = { solver.kind = "sgd" } },
      ]
  One value for two keys:
      solver.regularization.item_factors = { same_as = "solver.regularization.user_factors" }
"#;

/// Sweeps and prints what came out.
pub fn sweep(args: SweepArgs, parts: &Parts) -> Result<()> {
    let Some(path) = args.space.filter(|_| !args.explain) else {
        return output::print(&(config::explain(&space_file(&parts.metrics), None)? + SECTIONS));
    };
    let plan = Plan::load(parts, &path, &args.set)?;
    if args.check {
        return output::print(&check(&plan));
    }
    let stop = train::stop_on_interrupt("interrupted: ending the sweep (press again to stop at once)")?;
    let live = Live::new(&plan, args.quiet);
    let options = SweepOptions {
        resume: if args.resume { resume_from(&path) } else { Resume::New },
        stop: &stop,
        command_line: std::env::args().collect::<Vec<_>>().join(" "),
        note: &|text| live.note(text),
        watch: &|event| live.watch(event),
    };
    let outcome = sweep::sweep(&plan, &options);
    live.end();
    let swept = outcome?;
    if args.json { output::print_json(&as_json(&swept, &plan)) } else { output::print(&report(&swept, &plan)) }
}

/// A space file inside a sweep's folder means that sweep.
fn resume_from(space: &Path) -> Resume {
    match space.parent() {
        Some(folder) if folder.join("journal.jsonl").is_file() => Resume::Run(folder.to_path_buf()),
        _ => Resume::Newest,
    }
}

/// What would be tried.
fn check(plan: &Plan) -> String {
    let keys = plan.space.keys();
    let rows: Vec<Vec<String>> = plan
        .first_points(8)
        .iter()
        .enumerate()
        .map(|(at, point)| {
            let settings: BTreeMap<_, _> = plan.space.settings(point).into_iter().collect();
            let cell = |key: &&str| settings.get(*key).map_or(String::new(), in_toml);
            std::iter::once((at + 1).to_string()).chain(keys.iter().map(cell)).collect()
        })
        .collect();
    let header: Vec<&str> = std::iter::once("trial").chain(short_names(&keys)).collect();
    format!(
        "{} keys are searched, in at most {} trials{}; the first ones, before anything is learned:\n\n{}",
        keys.len(),
        plan.settings.trials,
        if plan.repeats.len() > 1 { format!(" of {} trainings each", plan.repeats.len()) } else { String::new() },
        output::table(&header, &rows)
    )
}

/// Progress for people: a table that changes on a terminal, a line a trial in a log.
struct Live {
    metric: Arc<dyn Metric>,
    names: Names,
    quiet: bool,
    bar: ProgressBar,
    state: Mutex<State>,
}

struct State {
    trials: usize,
    records: Vec<Record>,
    running: BTreeMap<usize, Running>,
    started: Instant,
    before: f64,
    most_minutes: Option<f64>,
    drawn: Option<Instant>,
}

struct Running {
    settings: String,
    epoch: u64,
    epochs: u64,
    metric: Option<f64>,
}

impl Live {
    fn new(plan: &Plan, quiet: bool) -> Self {
        let bar = if stderr().is_terminal() && !quiet { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        let state = State {
            trials: 0,
            records: Vec::new(),
            running: BTreeMap::new(),
            started: Instant::now(),
            before: 0.0,
            most_minutes: plan.settings.max_minutes,
            drawn: None,
        };
        Self { metric: plan.metric.clone(), names: Names::of(plan), quiet, bar, state: Mutex::new(state) }
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| output::message(text));
        }
    }

    fn watch(&self, event: &Event) {
        if self.quiet {
            return;
        }
        // Trials that panic have ended the program.
        let Ok(mut state) = self.state.lock() else { return };
        let is_epoch = matches!(event, Event::Epoch { .. });
        match event {
            Event::Began { directory, records, trials, elapsed } => {
                state.trials = *trials;
                state.records = records.to_vec();
                state.before = *elapsed;
                state.started = Instant::now();
                let done = if records.is_empty() { String::new() } else { format!(", {} done before", records.len()) };
                self.bar.suspend(|| output::message(&format!("{}: {trials} trials{done}", directory.path().display())));
            }
            Event::Trial { trial, settings, epochs } => {
                let settings = self
                    .names
                    .line(settings.iter().map(|(key, value)| (key.as_str(), in_toml(value).replace('"', ""))));
                let running = Running { settings, epoch: 0, epochs: *epochs, metric: None };
                state.running.insert(*trial, running);
            }
            Event::Epoch { trial, epoch, metric } => {
                if let Some(running) = state.running.get_mut(trial) {
                    (running.epoch, running.metric) = (*epoch, Some(*metric));
                }
            }
            Event::Ended(record) => {
                let best = winner(&state.records, &*self.metric).and_then(|record| record.metric);
                state.running.remove(&record.trial);
                state.records.push((*record).clone());
                let line = ended(record, state.trials, &*self.metric, best, &self.names);
                if self.bar.is_hidden() {
                    output::message(&line);
                } else if record.status == Status::Failed || line.ends_with('*') {
                    self.bar.suspend(|| output::message(&line));
                }
            }
            Event::Winner => self.bar.set_message("training and testing the winner"),
        }
        let is_due = state.drawn.is_none_or(|at| at.elapsed() > Duration::from_millis(100));
        if !self.bar.is_hidden() && !matches!(event, Event::Winner) && (!is_epoch || is_due) {
            state.drawn = Some(Instant::now());
            self.bar.set_message(table(&state, &*self.metric, &self.names));
            self.bar.tick();
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Short names of the searched keys.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(plan: &Plan) -> Self {
        let keys = plan.space.keys();
        Self(keys.iter().map(ToString::to_string).zip(short_names(&keys).into_iter().map(Into::into)).collect())
    }

    /// `rank=8 learning_rate=0.01`; tied keys are left out.
    fn line<'v>(&self, settings: impl Iterator<Item = (&'v str, String)>) -> String {
        let parts = settings.filter_map(|(key, value)| Some(format!("{}={value}", self.0.get(key)?)));
        parts.collect::<Vec<_>>().join(" ")
    }

    fn of_record(&self, record: &Record) -> String {
        self.line(record.settings.iter().map(|(key, value)| (key.as_str(), shown(value))))
    }
}

/// A line about a trial that ended; `*` marks a new best.
fn ended(record: &Record, trials: usize, metric: &dyn Metric, best: Option<f64>, names: &Names) -> String {
    let width = trials.to_string().len();
    let value = record.metric.map_or(String::new(), |value| format!("  {} {value:.5}", metric.name()));
    let is_best = record.status == Status::Finished
        && record.metric.is_some_and(|value| best.is_none_or(|best| metric.improves(value, best, 0.0)));
    format!(
        "trial {:>width$}/{trials}  {:<8}{value}  {} epochs  {:.1} s  {}{}{}",
        record.trial,
        record.status.name(),
        record.epochs(),
        record.ended - record.began,
        names.of_record(record),
        record.message.as_ref().map_or(String::new(), |message| format!("  {message}")),
        if is_best { "  *" } else { "" },
    )
}

/// What is going on, in a few lines.
fn table(state: &State, metric: &dyn Metric, names: &Names) -> String {
    let count = |status| state.records.iter().filter(|record| record.status == status).count();
    let elapsed = state.before + state.started.elapsed().as_secs_f64();
    let left = time_left(state, elapsed).map_or(String::new(), |left| format!("  {} left", duration(left)));
    let mut text = format!(
        "trials {}/{}  {} finished  {} pruned  {} failed  {} running  {}{left}\n",
        state.records.len(),
        state.trials,
        count(Status::Finished),
        count(Status::Pruned),
        count(Status::Failed),
        state.running.len(),
        duration(elapsed),
    );
    let mut rows: Vec<Vec<String>> = Vec::new();
    if let Some(best) = winner(&state.records, metric) {
        let value = best.metric.map_or(String::new(), |value| format!("{value:.5}"));
        rows.push(vec!["best".into(), best.trial.to_string(), best.epochs().to_string(), value, names.of_record(best)]);
    }
    for (trial, running) in &state.running {
        let value = running.metric.map_or(String::new(), |value| format!("{value:.5}"));
        let epochs = format!("{}/{}", running.epoch, running.epochs);
        rows.push(vec!["running".into(), trial.to_string(), epochs, value, running.settings.clone()]);
    }
    text += output::table(&["", "trial", "epochs", metric.name(), "settings"], &rows).trim_end();
    text
}

/// Seconds until the last trial, as far as that can be told from those that ended.
fn time_left(state: &State, elapsed: f64) -> Option<f64> {
    let by_limit = state.most_minutes.map(|minutes| (60.0 * minutes - elapsed).max(0.0));
    let done = state.records.len();
    let by_trials = (done > 0).then(|| elapsed / done as f64 * state.trials.saturating_sub(done) as f64);
    match (by_limit, by_trials) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How many trials the result shows.
const SHOWN: usize = 5;

/// The best trials, the winner's test, what was written and what to do next.
fn report(swept: &Swept, plan: &Plan) -> String {
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
        text += "\nthe winner, trained again on training and validation ratings and tested once:\n\n";
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
        let labels: Vec<String> = (names.iter().map(|name| format!("test {}", name.to_uppercase())))
            .chain([format!("validation {}", validated.to_uppercase())])
            .collect();
        let header: Vec<&str> = std::iter::once("run").chain(labels.iter().map(String::as_str)).collect();
        text += &output::table(&header, &rows);
    }
    text += "\nwritten:\n";
    let directory = &swept.directory;
    for (path, what) in [
        (directory.best(), "the winner's config"),
        (directory.table(), "all trials"),
        (directory.keys_picture(), "the metric against each key"),
        (directory.progress_picture(), "the best metric over time"),
        (directory.journal(), "all trials with their epochs"),
        (directory.space(), "the space file, complete"),
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

fn as_json(swept: &Swept, plan: &Plan) -> Value {
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
