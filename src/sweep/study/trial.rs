//! One trial: trained part by part, and stopped if others are better.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use toml::Value;

use super::event::Event;
use super::shared::Study;
use crate::error::{Error, Result};
use crate::run::Settings;
use crate::sweep::journal::{Record, Status, Training};
use crate::sweep::space::Point;
use crate::train::{EpochReport, Observer};

/// A trial that is about to run.
pub(super) struct Trial {
    pub(super) number: usize,
    pub(super) point: Point,
    /// Of each repeat.
    pub(super) configs: Vec<Settings>,
    pub(super) began: f64,
}

/// The progress of a trial.
#[derive(Debug, Default)]
pub(super) struct Progress {
    trainings: Vec<Training>,
    rungs: BTreeMap<u64, f64>,
    /// Epochs up to which rungs have been reached.
    climbed: u64,
}

impl Progress {
    /// The mean of the best values of the trainings that began.
    fn metric(&self) -> f64 {
        let begun = self.trainings.iter().filter(|training| !training.curve.is_empty());
        let (sum, count) = begun.fold((0.0, 0), |(sum, count), training| (sum + training.best, count + 1));
        sum / f64::from(count)
    }
}

impl Study<'_> {
    /// Trains a trial; `None` if the sweep is told to stop.
    pub(super) fn train(&self, trial: &Trial) -> Result<Option<Record>> {
        let mut progress = Progress::default();
        let mut behind = 0;
        for (settings, data) in trial.configs.iter().zip(&self.data) {
            let stop = AtomicBool::new(false);
            let mut watcher =
                Watcher { study: self, trial, behind, progress: &mut progress, stop: &stop, pruned: false };
            watcher.progress.trainings.push(Training::default());
            let outcome = data.train(settings, &self.device, &stop, &mut watcher);
            let pruned = watcher.pruned;
            match outcome {
                Ok(_) => {}
                Err(Error::Interrupted { .. }) if pruned => {
                    return Ok(Some(self.record(trial, Status::Pruned, progress, None)));
                }
                Err(Error::Interrupted { .. }) => return Ok(None),
                Err(error @ (Error::Diverged { .. } | Error::Usage(_))) => {
                    let message = error.to_string().lines().next().unwrap_or_default().to_string();
                    return Ok(Some(self.record(trial, Status::Failed, progress, Some(message))));
                }
                Err(error) => return Err(error),
            }
            // A training that ended early would not change further: it counts at the rungs that it would have reached.
            let ahead = behind + settings.training.epochs;
            let goes_on = self.climb(trial.number, &mut progress, ahead);
            let is_last = progress.trainings.len() == trial.configs.len();
            if !goes_on && !is_last {
                return Ok(Some(self.record(trial, Status::Pruned, progress, None)));
            }
            behind = ahead;
        }
        Ok(Some(self.record(trial, Status::Finished, progress, None)))
    }

    /// Reaches the rungs up to `epochs`; returns whether the trial may continue.
    fn climb(&self, trial: usize, progress: &mut Progress, epochs: u64) -> bool {
        let mut state = self.state();
        let Some(asha) = &mut state.asha else { return true };
        let mut goes_on = true;
        for rung in asha.rungs(progress.climbed, epochs) {
            let metric = progress.metric();
            asha.reach(rung, trial, metric);
            progress.rungs.insert(rung, metric);
            goes_on &= asha.goes_on(rung, trial);
        }
        progress.climbed = epochs;
        goes_on
    }

    pub(super) fn record(&self, trial: &Trial, status: Status, progress: Progress, message: Option<String>) -> Record {
        let json = |value: &Value| serde_json::to_value(value).expect("plain data");
        let settings = self.plan.space.settings(&trial.point);
        let trainings: Vec<Training> = progress.trainings.iter().filter(|t| !t.curve.is_empty()).cloned().collect();
        Record {
            trial: trial.number,
            status,
            metric: (status != Status::Failed).then(|| progress.metric()),
            settings: settings.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
            trainings,
            rungs: progress.rungs,
            began: trial.began,
            ended: self.elapsed(),
            message,
        }
    }
}

/// Follows one training of a trial, and stops it if others are better.
struct Watcher<'a> {
    study: &'a Study<'a>,
    trial: &'a Trial,
    /// Epochs of the earlier trainings.
    behind: u64,
    progress: &'a mut Progress,
    stop: &'a AtomicBool,
    pruned: bool,
}

impl Observer for Watcher<'_> {
    fn batch(&mut self, _: u64, _: u64, _: u64) {
        if self.study.is_told_to_stop() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        let name = self.study.plan.metric.name();
        let Some(value) = report.validation.and_then(|scores| scores.get(name)) else {
            return Err(Error::Usage(format!("the validation part gives no {name}; compare trials by another metric")));
        };
        if !value.is_finite() {
            return Err(Error::Usage(format!("the validation {name} of epoch {} is not finite", report.epoch)));
        }
        let training = self.progress.trainings.last_mut().expect("pushed before it began");
        training.curve.push(value);
        if report.is_best {
            (training.best, training.best_epoch) = (value, report.epoch);
        }
        let epoch = self.behind + report.epoch;
        (self.study.options.watch)(&Event::Epoch { trial: self.trial.number, epoch, metric: self.progress.metric() });
        // The last epoch is judged with the whole training.
        if !report.is_last && !self.study.climb(self.trial.number, self.progress, epoch) {
            self.pruned = true;
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
