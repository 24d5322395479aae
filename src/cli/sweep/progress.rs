//! Progress of a sweep for people: a table that updates on a terminal, one line per trial in a log.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output;
use crate::config::in_toml;
use crate::metric::Metric;
use crate::sweep::Event;
use crate::sweep::journal::{Record, Status};
use crate::sweep::plan::Plan;
use crate::sweep::report::{short_names, shown, winner};

/// Progress for people: a table that updates on a terminal, one line per trial in a log.
pub(super) struct Live {
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
    pub(super) fn new(plan: &Plan, quiet: bool) -> Self {
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

    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| output::message(text));
        }
    }

    pub(super) fn watch(&self, event: &Event) {
        if self.quiet {
            return;
        }
        // A trial that panics ends the program.
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

    pub(super) fn end(&self) {
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

    /// `rank=8 learning_rate=0.01`; tied keys are omitted.
    fn line<'v>(&self, settings: impl Iterator<Item = (&'v str, String)>) -> String {
        let parts = settings.filter_map(|(key, value)| Some(format!("{}={value}", self.0.get(key)?)));
        parts.collect::<Vec<_>>().join(" ")
    }

    fn of_record(&self, record: &Record) -> String {
        self.line(record.settings.iter().map(|(key, value)| (key.as_str(), shown(value))))
    }
}

/// A line about an ended trial; `*` marks a new best.
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

/// The current state, in a few lines.
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

/// Seconds until the last trial ends, estimated from the ended ones.
fn time_left(state: &State, elapsed: f64) -> Option<f64> {
    let by_limit = state.most_minutes.map(|minutes| (60.0 * minutes - elapsed).max(0.0));
    let done = state.records.len();
    let by_trials = (done > 0).then(|| elapsed / done as f64 * state.trials.saturating_sub(done) as f64);
    match (by_limit, by_trials) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
