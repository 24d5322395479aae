//! Training in TensorBoard. The step of every event is the number of ratings seen.

use std::path::Path;
use std::time::{Duration, Instant};

use super::event_file::EventFile;
use super::plot;
use crate::error::Result;
use crate::metric::Scores;
use crate::train::{EpochReport, Observer};

/// Writes curves, norms, histograms and the prediction-against-truth picture.
pub struct TensorBoard {
    events: EventFile,
    histograms_every: u64,
    /// Ratings of the validation split: the truth in the picture.
    truth: Vec<f32>,
    flushed: Instant,
    rate_from: (f64, u64),
}

/// How long events may wait in memory.
const FLUSH_EVERY: Duration = Duration::from_secs(2);

impl TensorBoard {
    /// Events in `folder`; `ratings_seen` > 0, trained on in `seconds`, continues after the events up to that step.
    /// `histograms_every` is in epochs, 0 for never; `truth` holds the ratings of the validation split.
    ///
    /// # Errors
    /// [`Error::Io`](crate::error::Error::Io).
    pub fn open(folder: &Path, seconds: f64, ratings_seen: u64, histograms_every: u64, truth: &[f32]) -> Result<Self> {
        let events =
            if ratings_seen > 0 { EventFile::resume(folder, ratings_seen as i64)? } else { EventFile::create(folder)? };
        let truth = truth.to_vec();
        Ok(Self { events, histograms_every, truth, flushed: Instant::now(), rate_from: (seconds, ratings_seen) })
    }

    /// Adds a text at step 0.
    ///
    /// # Errors
    /// [`Error::Io`](crate::error::Error::Io).
    pub fn text(&mut self, tag: &str, markdown: &str) -> Result<()> {
        self.events.text(tag, 0, markdown)
    }
}

impl Observer for TensorBoard {
    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        let step = report.ratings_seen as i64;
        let tagged = |scores: &Scores, part: &str| -> Vec<(String, f64)> {
            scores.values.iter().map(|(name, value)| (format!("{name}/{part}"), *value)).collect()
        };
        let mut scalars = tagged(report.train, "train");
        scalars.extend(report.learning_rate.map(|rate| ("learning_rate".to_string(), rate)));
        scalars.extend(report.validation.map(|scores| tagged(scores, "validation")).unwrap_or_default());
        let seconds = report.seconds - self.rate_from.0;
        if seconds > 0.0 {
            let rate = (report.ratings_seen - self.rate_from.1) as f64 / seconds;
            scalars.push(("speed/ratings_per_second".to_string(), rate));
        }
        self.rate_from = (report.seconds, report.ratings_seen);
        for (prefix, norms) in [("gradient_norm", report.gradient_norms), ("parameter_norm", report.parameter_norms)] {
            scalars.extend(norms.iter().map(|(name, norm)| (format!("{prefix}/{name}"), *norm)));
        }
        for (tag, value) in scalars {
            self.events.scalar(&tag, step, value)?;
        }
        let every = self.histograms_every;
        let is_due = every > 0 && (report.epoch.is_multiple_of(every) || report.is_last);
        if is_due {
            for (name, values) in (report.parameters)() {
                self.events.histogram(&format!("parameters/{name}"), step, &values.data)?;
            }
        }
        if (is_due || report.is_last) && !self.truth.is_empty() {
            let picture = plot::prediction_vs_truth(&self.truth, report.validation_predictions).png()?;
            self.events.image_png("prediction_vs_truth", step, picture.width, picture.height, &picture.bytes)?;
        }
        if self.flushed.elapsed() > FLUSH_EVERY || report.is_last {
            self.flushed = Instant::now();
            self.events.flush()?;
        }
        Ok(())
    }
}

impl Drop for TensorBoard {
    fn drop(&mut self) {
        // Early stopping and interruption end without a last epoch; a failure here cannot be reported.
        let _ = self.events.flush();
    }
}
