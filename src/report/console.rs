//! Progress for people: a bar on a terminal, plain lines in a log.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Result;
use crate::train::{EpochReport, Observer};

/// Writes a line every few epochs, and shows a bar with rate and time left if `out` is a terminal.
pub struct Console<W> {
    out: W,
    every: u64,
    epochs: u64,
    bar: ProgressBar,
    /// Start of the interval for the next line's rate.
    since: (f64, u64),
    started: Instant,
}

impl<W: Write + IsTerminal> Console<W> {
    /// A console that writes a line every `every` of `epochs` epochs.
    pub fn new(out: W, every: u64, epochs: u64) -> Self {
        let bar = if out.is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} batches, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { out, every, epochs, bar, since: (0.0, 0), started: Instant::now() }
    }
}

impl<W: Write + IsTerminal> Observer for Console<W> {
    fn batch(&mut self, epoch: u64, done: u64, total: u64) {
        if self.bar.is_hidden() {
            return;
        }
        // The bar spans all epochs, so that the time left is that of the run.
        self.bar.set_length(total * self.epochs);
        self.bar.set_message(format!("epoch {epoch}/{}", self.epochs));
        self.bar.set_position((epoch - 1) * total + done);
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        if report.is_last {
            self.bar.finish_and_clear();
        }
        if !(report.epoch.is_multiple_of(self.every) || report.epoch == 1 || report.is_last) {
            return Ok(());
        }
        let width = report.epochs.to_string().len();
        let mut line = format!("epoch {:>width$}/{}", report.epoch, report.epochs);
        if let Some((name, value)) = report.train.values.first() {
            line += &format!("  {name} {value:.6e}");
        }
        if let Some(value) = report.validation.and_then(|scores| scores.get(report.watched)) {
            let best = if report.is_best { " *" } else { "" };
            line += &format!("  {}/validation {value:.5}{best:<2}", report.watched);
        }
        let (seconds, seen) = self.since;
        let rate = (report.ratings_seen - seen) as f64 / (report.seconds - seconds).max(1e-9);
        self.since = (report.seconds, report.ratings_seen);
        if let Some(learning_rate) = report.learning_rate {
            line += &format!("  learning rate {learning_rate:.2e}");
        }
        line += &format!("  {} ratings/s  {:.1} s", thousands(rate), self.started.elapsed().as_secs_f64());
        // A closed pipe must not stop training.
        let _ = self.bar.suspend(|| writeln!(self.out, "{}", line.trim_end()));
        Ok(())
    }
}

/// 12345678.9 → "12,346 k".
fn thousands(rate: f64) -> String {
    let thousands = (rate / 1000.0).round() as u64;
    let (millions, rest) = (thousands / 1000, thousands % 1000);
    if millions > 0 { format!("{millions},{rest:03} k") } else { format!("{rest} k") }
}
