//! The expected cost of a run: memory, and time measured by a few steps that are discarded.

use serde::Serialize;

use super::memory::Estimate;
use super::parts::Parts;
use super::prepared::{Prepared, with_threads};
use super::settings::Settings;
use crate::config::Config;
use crate::error::Result;
use crate::train::TrainData;

/// The expected cost of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Name from the config.
    pub name: String,
    /// The device that would be used.
    pub device: String,
    /// Threads that would be used.
    pub threads: usize,
    /// Users with a training rating.
    pub num_users: usize,
    /// Items with a training rating.
    pub num_items: usize,
    /// Ratings to train on, before any refit.
    pub num_train: usize,
    /// Bytes at the peak, by purpose.
    pub memory: Estimate,
    /// Their sum.
    pub memory_bytes: u64,
    /// Seconds per epoch with its validation, without checkpoints and reports.
    pub seconds_per_epoch: f64,
    /// `train.epochs`.
    pub epochs: u64,
    /// Seconds for all epochs, without early stopping or refit.
    pub seconds: f64,
    /// Ratings trained on per second.
    pub ratings_per_second: f64,
}

/// Reads the data, estimates the memory that training would need and times a few steps; writes nothing.
///
/// # Errors
/// Those of [`train`](super::train()) before its first step.
pub fn dry_run(config: &Config, parts: &Parts, mut note: impl FnMut(&str) + Send) -> Result<Forecast> {
    /// Steps are timed for this long.
    const PROBE_SECONDS: f64 = 0.5;
    let settings = &Settings::of(config, parts)?;
    with_threads(settings, |threads| {
        let Prepared { device, data, memory, .. } = Prepared::new(settings, &mut note)?;
        let evaluator = settings.evaluator(&data);
        let model = settings.initial_model(&data, &evaluator, &device.device)?;
        let trainer = settings.trainer(settings.training.clone(), model, &device)?;
        let train_data = TrainData { train: &data.train, validation: &data.validation, evaluator: &evaluator };
        let pace = trainer.probe(train_data, PROBE_SECONDS)?;
        let seconds_per_epoch = pace.seconds_training + pace.seconds_validation;
        Ok(Forecast {
            name: settings.name.clone(),
            device: device.spec.to_string(),
            threads,
            num_users: data.users().len(),
            num_items: data.items().len(),
            num_train: data.train.len(),
            memory,
            memory_bytes: memory.total(),
            seconds_per_epoch,
            epochs: settings.training.epochs,
            seconds: seconds_per_epoch * settings.training.epochs as f64,
            ratings_per_second: pace.ratings_per_second,
        })
    })
}
