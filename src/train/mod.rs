//! The training loop.
//!
//! For each epoch: one step per batch, then evaluate, tell the observers, write a checkpoint, perhaps stop.

mod checkpoint;
mod config;
mod early_stopping;
mod observer;
mod session;
mod tensor_file;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

pub use checkpoint::{Checkpoint, Checkpoints, EpochSums, Progress};
pub use config::TrainConfig;
pub(crate) use early_stopping::needs_validation;
pub use early_stopping::{Best, EarlyStopping};
pub use observer::{EpochReport, Observer};
use session::Session;
pub use session::TrainData;
pub(crate) use tensor_file::{FileForm, Tensor, read_tensors, write_tensors};

use crate::device::{Opened, to_vec};
use crate::error::{Error, Result};
use crate::model::{AnyModel, HostTensor, parameters};
use crate::solver::{Solver, StepNumber, Stepped};

/// The result of training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model of the best epoch, or of the last one without a validation split. Without autodiff.
    pub model: AnyModel,
    /// The progress of training.
    pub progress: Progress,
}

/// How fast training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Steps that were timed.
    pub steps: u64,
    /// Seconds for the steps of an epoch.
    pub seconds_training: f64,
    /// Seconds for the validation after an epoch.
    pub seconds_validation: f64,
    /// Interactions trained on per second.
    pub ratings_per_second: f64,
}

/// Trains one model.
pub struct Trainer<'a> {
    /// Up to date after the solver has written back.
    model: AnyModel,
    session: Session<'a>,
}

impl<'a> Trainer<'a> {
    /// A trainer for an untrained model on `device`.
    pub fn new(config: TrainConfig, solver: Box<dyn Solver>, model: AnyModel, device: Opened) -> Self {
        let model = model.to_training(&device.device.clone().autodiff());
        let progress = Progress::default();
        let session = Session { config, device, checkpoints: None, stop: None, best_model: None, solver, progress };
        Self { model, session }
    }

    /// Keeps checkpoints.
    pub fn with_checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.session.checkpoints = Some(checkpoints);
        self
    }

    /// Writes a checkpoint and returns [`Error::Interrupted`] soon after `stop` becomes true.
    pub fn with_stop(mut self, stop: &'a AtomicBool) -> Self {
        self.session.stop = Some(stop);
        self
    }

    /// Continues from the last checkpoint, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] for a checkpoint that cannot be read or belongs to another model.
    pub fn resume(self) -> Result<Self> {
        let Self { mut model, mut session } = self;
        let Some(checkpoints) = &session.checkpoints else { return Ok(Self { model, session }) };
        let last = checkpoints.last();
        if !last.exists() {
            return Ok(Self { model, session });
        }
        let checkpoint = Checkpoint::read(&last)?;
        let restore = |model: AnyModel, path: &Path, values: &BTreeMap<String, HostTensor>| {
            parameters::restore(model, values)
                .map_err(|cause| Error::model_file(path, format!("{cause}; the checkpoint belongs to another model")))
        };
        model = restore(model, &last, &checkpoint.parameters)?;
        let Checkpoint { progress, optimizer, .. } = checkpoint;
        if progress.epoch > session.config.epochs {
            let cause = format!("is of epoch {}, beyond the last; it is a checkpoint of another run", progress.epoch);
            return Err(Error::model_file(&last, cause));
        }
        session.solver.restore(progress.step, &optimizer);
        if let Some(named) = &progress.best {
            let path = checkpoints.best();
            let best = Checkpoint::read(&path)?;
            let found = best.progress.best.filter(|found| found.epoch == best.progress.epoch);
            // A kill between the two files leaves a best epoch that training has yet to come to again, and will then find
            // better than the named one, whose place its model has taken.
            let is_ahead =
                !progress.stopped && (progress.epoch + 1..=session.config.epochs).contains(&best.progress.epoch);
            if !found.is_some_and(|found| found == *named || is_ahead) {
                let cause = format!("is not the best epoch, {}, that last.safetensors names; train anew", named.epoch);
                return Err(Error::model_file(&path, cause));
            }
            session.best_model = Some(restore(model.clone(), &path, &best.parameters)?.valid());
        }
        session.progress = progress;
        Ok(Self { model, session })
    }

    /// Whole epochs done so far.
    pub fn epochs_done(&self) -> u64 {
        self.session.progress.epoch
    }

    /// Seconds of steps and interactions trained on so far.
    pub fn pace(&self) -> (f64, u64) {
        (self.session.progress.seconds, self.session.progress.ratings_seen)
    }

    /// Whether all epochs are done, or training ended by early stopping or convergence of the solver.
    pub fn is_done(&self) -> bool {
        self.session.is_done()
    }

    /// Trains until all epochs are done, early stopping ends it, or the solver has converged.
    ///
    /// # Errors
    /// [`Error::Usage`] without training interactions, [`Error::Diverged`] as soon as a number is not finite,
    /// [`Error::Interrupted`], and the errors of the solver, of checkpoints and of observers.
    pub fn fit(self, data: TrainData, observers: &mut [&mut dyn Observer]) -> Result<Trained> {
        let Self { mut model, mut session } = self;
        if data.train.is_empty() {
            return Err(no_interactions());
        }
        if !session.is_done() {
            let started = Instant::now();
            let steps = session.solver.begin(&model, data.train)?;
            session.progress.seconds += started.elapsed().as_secs_f64();
            session.check_steps(steps)?;
            while !session.is_done() {
                model = session.whole_epoch(model, steps, data, observers)?;
            }
        }
        let Session { best_model, progress, .. } = session;
        Ok(Trained { model: best_model.unwrap_or_else(|| model.valid()), progress })
    }

    /// How long an epoch takes, measured by steps that are discarded: as many as `seconds` allow, at least one of each
    /// kind. An epoch's first step is a kind of its own, because it draws the order of the interactions.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit) before its first step, and of the solver.
    pub fn probe(self, data: TrainData, seconds: f64) -> Result<Pace> {
        let Self { mut model, mut session } = self;
        if data.train.is_empty() {
            return Err(no_interactions());
        }
        let steps = session.solver.begin(&model, data.train)?;
        let mut timed = |model, epoch, step| -> Result<(AnyModel, f64)> {
            let started = Instant::now();
            let Stepped { model, outcome } = session.solver.step(model, data.train, StepNumber { epoch, step, steps });
            // Waits for the device.
            to_vec(outcome?.sums.sums);
            Ok((model, started.elapsed().as_secs_f64()))
        };
        // Creates everything that is used for the first time: moments, buffers, pages of memory.
        (model, _) = timed(model, 1, 0)?;
        let started = Instant::now();
        let (mut first, mut others) = (Vec::new(), Vec::new());
        let numbers = (2..).flat_map(|epoch| (0..steps).map(move |step| (epoch, step)));
        for (epoch, step) in numbers {
            let of_step;
            (model, of_step) = timed(model, epoch, step)?;
            if step == 0 {
                first.push(of_step)
            } else {
                others.push(of_step)
            }
            if started.elapsed().as_secs_f64() >= seconds && (steps == 1 || !others.is_empty()) {
                break;
            }
        }
        let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len().max(1) as f64;
        let training = mean(&first) + (steps - 1) as f64 * mean(&others);
        let model = session.solver.write_back(model);
        let started = Instant::now();
        data.evaluator.evaluate(&model.valid(), &session.device.device, data.validation);
        Ok(Pace {
            steps: (first.len() + others.len()) as u64,
            seconds_training: training,
            seconds_validation: started.elapsed().as_secs_f64(),
            ratings_per_second: data.train.len() as f64 / training.max(f64::MIN_POSITIVE),
        })
    }
}

fn no_interactions() -> Error {
    Error::Usage("there are no training ratings".into())
}
