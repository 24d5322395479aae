//! Training judged by validation alone, as a hyper-parameter search does many times.

use std::sync::atomic::AtomicBool;

use burn::tensor::Device;

use super::memory::{self, Sizes};
use super::prepared::{divided, loaded};
use super::settings::Settings;
use crate::data::split::{Split, assign_all};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::train::{Observer, Progress, TrainData};

/// Training and validation interactions. There is no way from here to the test part: it is dropped while loading.
pub struct TrialData {
    /// Its test part is empty.
    split: Split,
    /// SHA-256 of the original data.
    pub fingerprint: String,
    /// Notes for the user about the data.
    pub notes: Vec<String>,
}

impl TrialData {
    /// Reads the data and divides them by `settings`.
    ///
    /// # Errors
    /// Those of the readers and of the split.
    pub fn load(settings: &Settings) -> Result<Self> {
        let mut dataset = loaded(settings)?;
        let parts = assign_all(&mut dataset, &settings.split, settings.seed)?;
        dataset.interactions.timestamps = None;
        let mut split = divided(settings, &dataset, &parts, false)?;
        split.test = split.test.like(0);
        Ok(Self { split, fingerprint: dataset.fingerprint, notes: dataset.notes })
    }

    /// Estimated bytes that training with `settings` needs beside the data.
    ///
    /// # Errors
    /// Those of the model.
    pub fn memory(&self, settings: &Settings, device: &Device) -> Result<u64> {
        let sizes = Sizes { files: false, ..Sizes::of(&self.split, 0) };
        Ok(memory::of_training(settings, &sizes, device)?.total())
    }

    /// Trains bit for bit like [`train`](super::train()) before any refit, but keeps no files. `settings` determine
    /// everything but the data and the device.
    ///
    /// # Errors
    /// [`Error::Usage`] for targets that model, loss or solver have no meaning for, and if the metric cannot tell which
    /// model is better; [`Error::Interrupted`] soon after `stop` becomes
    /// true, and those of training and of the observer.
    pub fn train(
        &self,
        settings: &Settings,
        device: &Opened,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Progress> {
        if let Some(reason) = settings.why_last() {
            return Err(Error::Usage(format!("trials cannot be compared by this metric: {reason}")));
        }
        let evaluator = settings.evaluator(&self.split);
        let refusal = settings.refusal();
        let mut targets = self.split.train.targets.iter().chain(&self.split.validation.targets);
        if let Some((target, remedy)) = targets.find_map(|&target| Some((target, refusal(target)?))) {
            return Err(Error::Usage(format!("the rating {target}: {remedy}")));
        }
        let model = settings.initial_model(&self.split, &evaluator, &device.device)?;
        let trainer = settings.trainer(settings.training.clone(), model, device)?.with_stop(stop);
        let data = TrainData { train: &self.split.train, validation: &self.split.validation, evaluator: &evaluator };
        Ok(trainer.fit(data, &mut [observer])?.progress)
    }
}
