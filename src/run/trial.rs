//! Training that is judged by validation alone: what a hyper-parameter search does many times.

use std::sync::atomic::AtomicBool;

use burn::tensor::Device;

use super::memory::{self, Sizes};
use super::settings::Settings;
use crate::data::Ratings;
use crate::data::split::{Split, assign, divide};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::train::{Observer, Progress, TrainData, Trainer};

/// Training and validation ratings. There is no way from here to the test part: it is dropped while loading.
pub struct TrialData {
    /// Its test part is empty.
    split: Split,
    /// SHA-256 of the data they come from.
    pub fingerprint: String,
    /// What the user should know about the data.
    pub notes: Vec<String>,
}

impl TrialData {
    /// Reads the data and divides them as `settings` say.
    ///
    /// # Errors
    /// Those of the readers and of the split.
    pub fn load(settings: &Settings) -> Result<Self> {
        let mut dataset = settings.source.load()?;
        let parts = assign(&dataset, &settings.split, settings.seed)?;
        dataset.ratings.timestamps = None;
        let mut split = divide(&dataset, &parts, false)?;
        split.test = Ratings::default();
        Ok(Self { split, fingerprint: dataset.fingerprint, notes: dataset.notes })
    }

    /// Bytes that training with `settings` needs beside the data, about.
    pub fn memory(&self, settings: &Settings, device: &Device) -> u64 {
        let sizes = Sizes { files: false, ..Sizes::of(&self.split, 0) };
        memory::of_training(settings, &sizes, device).total()
    }

    /// Trains as [`train`](super::train()) would before any refit, to the bit, but keeps no files. `settings` decide all
    /// but the data and the device.
    ///
    /// # Errors
    /// [`Error::Usage`] for ratings that the loss has no meaning for, [`Error::Interrupted`] soon after `stop` becomes
    /// true, and those of training and of the observer.
    pub fn train(
        &self,
        settings: &Settings,
        device: &Opened,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Progress> {
        let predictor = settings.predictor(&self.split);
        let mut values = self.split.train.values.iter().chain(&self.split.validation.values);
        if let Some((value, remedy)) = values.find_map(|&value| Some((value, settings.refuses(value)?))) {
            return Err(Error::Usage(format!("the rating {value}: {remedy}")));
        }
        let model = settings.initial_model(&self.split, &predictor, &device.device);
        let trainer = Trainer::new(settings.training.clone(), model, device.clone()).with_stop(stop);
        let data = TrainData { train: &self.split.train, validation: &self.split.validation, predictor: &predictor };
        Ok(trainer.fit(data, &mut [observer])?.progress)
    }
}
