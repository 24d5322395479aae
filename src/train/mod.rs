//! The training loop.
//!
//! For each epoch, for each batch: one step. Then evaluate, tell the observers, write a checkpoint, perhaps stop.

mod checkpoint;
mod early_stopping;
mod observer;
mod tensor_file;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub use checkpoint::{Checkpoint, Checkpoints, Progress};
pub use early_stopping::{Best, EarlyStopping, needs_validation};
pub use observer::{EpochReport, Observer, TrainScores};
pub use tensor_file::{FORMAT_VERSION, Tensor, read_tensors, write_tensors};

use crate::config::{Effect, Key, KeyKind, Keys, Values as Config};
use crate::data::Ratings;
use crate::device::{Opened, to_vec};
use crate::error::{Error, Result};
use crate::eval::Predictor;
use crate::loss::Loss;
use crate::metric::Metric;
use crate::model::Factorization;
use crate::model::parameters::{self, Values};
use crate::solver::{
    Als, Decay, Gradient, GradientStep, Method, MiniBatch, Norms, Optimizer, Place, Regularization, Schedule, Solver,
    StepSums, Stepped, Stratified, WholeMatrix,
};

/// How to train, whatever the model.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// Epochs to train.
    pub epochs: u64,
    /// Seed of the order of ratings.
    pub seed: u64,
    /// Loss of one rating.
    pub loss: Loss,
    /// λ.
    pub regularization: Regularization,
    /// What a step is.
    pub method: Method,
    /// Learning rate η before the schedule. Neither has a meaning for [`Method::Als`] and
    /// [`Method::WholeMatrix`].
    pub learning_rate: f64,
    /// Epochs that the schedule spans; more than `epochs` where training is to stop on the way.
    pub schedule_epochs: u64,
    /// What η is multiplied by.
    pub schedule: Schedule,
    /// What is best, and when to stop waiting for better.
    pub early_stopping: EarlyStopping,
    /// Epochs between two checkpoints; 0 writes one at the end and on interruption only.
    pub checkpoint_every: u64,
}

impl TrainConfig {
    /// The config keys of training.
    pub fn keys() -> Keys {
        let epochs = "Passes over the training ratings; svd takes one, an epoch of hals is one iteration, of multiplicative \
                      ten.";
        let every = "Epochs between two checkpoints; 0 writes one only at the end or when interrupted.";
        let every = Key::new("train.checkpoint_every", KeyKind::ANY_COUNT, every).default("1").effect(Effect::Nothing);
        Keys::new([Key::new("train.epochs", KeyKind::ANY_COUNT, epochs).default("30"), every])
            .and(EarlyStopping::keys())
    }

    /// How to train, as a config asks for it.
    pub fn of(values: &Config) -> Self {
        let defaults = Self::new(Loss::of(values));
        Self {
            epochs: values.get("train.epochs"),
            seed: values.get("seed"),
            regularization: Regularization::of_config(values),
            method: Method::of(values),
            // What a solver without a learning rate is not asked for.
            learning_rate: values.find("solver.learning_rate").unwrap_or(defaults.learning_rate),
            schedule_epochs: values.get("train.epochs"),
            schedule: Schedule::of(values),
            early_stopping: EarlyStopping::of(values),
            checkpoint_every: values.get("train.checkpoint_every"),
            ..defaults
        }
    }

    /// Adam at rate 0.001 on batches of 1024 for 30 epochs, and nothing else: no penalty, no schedule, no limits, no
    /// early stopping, seed 42.
    pub fn new(loss: Loss) -> Self {
        Self {
            epochs: 30,
            seed: 42,
            loss,
            regularization: Regularization::default(),
            method: Method::MiniBatch(Gradient::default()),
            learning_rate: 0.001,
            schedule_epochs: 30,
            schedule: Schedule { warmup: 0.0, decay: Decay::Constant },
            early_stopping: EarlyStopping { metric: Metric::Rmse, patience: 0, min_delta: 0.0 },
            checkpoint_every: 0,
        }
    }
}

/// Training data, and what is held out to choose the best epoch.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// Ratings to train on; every index is known.
    pub train: &'a Ratings,
    /// Ratings to choose the best epoch by; may be empty.
    pub validation: &'a Ratings,
    /// Turns scores into predictions.
    pub predictor: &'a Predictor,
}

/// What came of training.
#[derive(Debug, Clone)]
pub struct Trained<M> {
    /// The model of the best epoch, or of the last one without a validation split. Without autodiff.
    pub model: M,
    /// How far training went.
    pub progress: Progress,
}

/// How fast training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Steps that were timed.
    pub steps: u64,
    /// Seconds of an epoch's steps.
    pub seconds_training: f64,
    /// Seconds of the validation after an epoch.
    pub seconds_validation: f64,
    /// Ratings trained on a second.
    pub ratings_per_second: f64,
}

/// Trains one model.
pub struct Trainer<'a, M> {
    config: TrainConfig,
    device: Opened,
    checkpoints: Option<Checkpoints>,
    stop: Option<&'a AtomicBool>,
    /// Taken out only while a step moves it; up to date where the solver has settled.
    model: Option<M>,
    best_model: Option<M>,
    solver: Box<dyn Solver<M>>,
    progress: Progress,
}

/// Steps between two looks at the loss on a device that would have to be waited for.
const STEPS_BETWEEN_LOOKS: usize = 64;

impl<'a, M: Factorization> Trainer<'a, M> {
    /// A trainer for a model on `device` that has not been trained yet.
    pub fn new(config: TrainConfig, model: M, device: Opened) -> Self {
        let TrainConfig { loss, regularization, seed, .. } = config;
        let solver: Box<dyn Solver<M>> = match config.method {
            Method::MiniBatch(Gradient { batch_size, rows, rule, clip }) => {
                let step = GradientStep { loss, regularization, clip, rows, optimizer: Optimizer::new(rule) };
                Box::new(MiniBatch::new(step, batch_size, seed, &device.device))
            }
            Method::Stratified(rule) => Box::new(Stratified::new(loss, regularization, rule, seed)),
            Method::Als(als) => Box::new(Als::new(loss, regularization, als)),
            Method::WholeMatrix(method) => Box::new(WholeMatrix::new(loss, regularization, method, seed)),
        };
        Self {
            model: Some(model.to_device(&device.device.clone().autodiff()).train()),
            config,
            device,
            checkpoints: None,
            stop: None,
            best_model: None,
            solver,
            progress: Progress::default(),
        }
    }

    /// Keeps checkpoints.
    pub fn with_checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = Some(checkpoints);
        self
    }

    /// Writes a checkpoint and returns [`Error::Interrupted`] soon after `stop` becomes true.
    pub fn with_stop(mut self, stop: &'a AtomicBool) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Goes on from the last checkpoint, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] for a checkpoint that cannot be read or is of another model.
    pub fn resume(mut self) -> Result<Self> {
        let Some(checkpoints) = self.checkpoints.clone() else { return Ok(self) };
        let last = checkpoints.last();
        if !last.exists() {
            return Ok(self);
        }
        let checkpoint = Checkpoint::read(&last)?;
        let restore = |model: M, path: &std::path::Path, values: &BTreeMap<String, Values>| {
            parameters::restore(model, values)
                .map_err(|cause| Error::model_file(path, format!("{cause}: it is a checkpoint of another model")))
        };
        let model = restore(self.model().clone(), &last, &checkpoint.parameters)?;
        self.solver.restore(checkpoint.progress.step, &checkpoint.optimizer);
        if checkpoint.progress.best.is_some() {
            let path = checkpoints.best();
            let best = Checkpoint::read(&path)?;
            self.best_model = Some(restore(model.clone(), &path, &best.parameters)?.valid());
        }
        self.model = Some(model);
        self.progress = checkpoint.progress;
        Ok(self)
    }

    fn model(&self) -> &M {
        self.model.as_ref().expect("put back after every step")
    }

    /// Whole epochs done so far.
    pub fn epochs_done(&self) -> u64 {
        self.progress.epoch
    }

    /// Seconds of steps and ratings trained on so far.
    pub fn pace(&self) -> (f64, u64) {
        (self.progress.seconds, self.progress.ratings_seen)
    }

    /// Whether all epochs are done, or training was ended by early stopping or because the solver has converged.
    pub fn is_done(&self) -> bool {
        self.progress.epoch >= self.config.epochs || self.progress.stopped
    }

    /// Trains until all epochs are done, early stopping ends it, or the solver has converged.
    ///
    /// # Errors
    /// [`Error::Usage`] without training ratings, [`Error::Diverged`] as soon as a number is not finite,
    /// [`Error::Interrupted`], and the errors of checkpoints and observers.
    pub fn fit(mut self, data: TrainData, observers: &mut [&mut dyn Observer]) -> Result<Trained<M>> {
        if data.train.is_empty() {
            return Err(no_ratings());
        }
        if self.is_done() {
            return Ok(self.trained());
        }
        let started = Instant::now();
        let model = self.model.as_ref().expect("put back after every step");
        let steps = self.solver.begin(model, data.train)?;
        self.progress.seconds += started.elapsed().as_secs_f64();
        while !self.is_done() {
            let epoch = self.progress.epoch + 1;
            let (gradient_norms, learning_rate) = self.epoch(epoch, steps, data.train, observers)?;
            self.report(epoch, data, &gradient_norms, learning_rate, observers)?;
            let every = self.config.checkpoint_every;
            let is_last = self.is_done();
            if is_last || (every > 0 && epoch.is_multiple_of(every)) {
                self.save()?;
            }
            if !is_last && self.is_told_to_stop() {
                return Err(self.interrupted());
            }
        }
        Ok(self.trained())
    }

    /// How long an epoch takes, by steps that are not kept: as many as `seconds` allow, and at least one of each kind.
    /// An epoch's first step is a kind of its own, because it draws the order of the ratings.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit) before its first step.
    pub fn probe(mut self, data: TrainData, seconds: f64) -> Result<Pace> {
        if data.train.is_empty() {
            return Err(no_ratings());
        }
        let model = self.model.as_ref().expect("put back after every step");
        let steps = self.solver.begin(model, data.train)?;
        let timed = |trainer: &mut Self, epoch, step| {
            let started = Instant::now();
            let place = Place { epoch, step, is_last: step + 1 == steps };
            let rate = trainer.config.learning_rate;
            let (sums, _) = trainer.step(place, data.train, rate);
            // Waits for the device.
            to_vec(sums.sums);
            started.elapsed().as_secs_f64()
        };
        // What is used for the first time is made now: moments, buffers, pages of memory.
        timed(&mut self, 1, 0);
        let started = Instant::now();
        let (mut first, mut others) = (Vec::new(), Vec::new());
        let places = (2..).flat_map(|epoch| (0..steps).map(move |step| (epoch, step)));
        for (epoch, step) in places {
            let of_step = timed(&mut self, epoch, step);
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
        self.settle();
        let started = Instant::now();
        data.predictor.evaluate(&self.model().valid(), &self.device.device, data.validation);
        Ok(Pace {
            steps: (first.len() + others.len()) as u64,
            seconds_training: training,
            seconds_validation: started.elapsed().as_secs_f64(),
            ratings_per_second: data.train.len() as f64 / training.max(f64::MIN_POSITIVE),
        })
    }

    fn trained(self) -> Trained<M> {
        let model = self.best_model.unwrap_or_else(|| self.model.expect("put back after every step").valid());
        Trained { model, progress: self.progress }
    }

    /// Brings the model up to date.
    fn settle(&mut self) {
        let model = self.model.take().expect("put back after every step");
        self.model = Some(self.solver.settle(model));
    }

    /// The steps of one epoch. Returns the norms of the last gradients and the last learning rate.
    fn epoch(
        &mut self,
        epoch: u64,
        steps: u64,
        train: &Ratings,
        observers: &mut [&mut dyn Observer],
    ) -> Result<(Norms, Option<f64>)> {
        let looks_at_once = self.device.is_host();
        let mut pending: Vec<StepSums> = Vec::new();
        let mut last_norms = Norms::new();
        let mut learning_rate = 0.0;
        for step in self.progress.batch..steps {
            let started = Instant::now();
            let elapsed = (epoch - 1) as f64 + step as f64 / steps as f64;
            let factor = self.config.schedule.factor(elapsed, 1.0 / steps as f64, self.config.schedule_epochs as f64);
            learning_rate = self.config.learning_rate * factor;
            let is_last = step + 1 == steps;
            let (sums, norms) = self.step(Place { epoch, step, is_last }, train, learning_rate);
            last_norms = norms.unwrap_or(last_norms);
            self.progress.batch = step + 1;
            self.progress.step += 1;
            // Cells that are not in the data count in a mean, but are no ratings.
            self.progress.ratings_seen += sums.count.min(train.len()) as u64;
            pending.push(sums);
            if looks_at_once || is_last || pending.len() >= STEPS_BETWEEN_LOOKS {
                self.look(epoch, &mut pending)?;
            }
            if is_last {
                self.settle();
            }
            self.progress.seconds += started.elapsed().as_secs_f64();
            observers.iter_mut().for_each(|observer| observer.batch(epoch, step + 1, steps));
            if !is_last && self.is_told_to_stop() {
                self.look(epoch, &mut pending)?;
                self.settle();
                return Err(self.interrupted());
            }
        }
        Ok((last_norms, self.config.method.has_learning_rate().then_some(learning_rate)))
    }

    fn step(&mut self, at: Place, train: &Ratings, learning_rate: f64) -> (StepSums, Option<Norms>) {
        // Moved through the step rather than cloned, so that its tensors have one owner and are updated in place.
        let model = self.model.take().expect("put back after every step");
        let Stepped { model, sums, norms, is_converged } = self.solver.step(model, train, at, learning_rate);
        self.model = Some(model);
        self.progress.stopped |= is_converged;
        (sums, norms)
    }

    /// Reads the sums of the steps since the last look back, and refuses to go on where they are not finite.
    fn look(&mut self, epoch: u64, pending: &mut Vec<StepSums>) -> Result<()> {
        let first_step = self.progress.step + 1 - pending.len() as u64;
        for (step, sums) in (first_step..).zip(pending.drain(..)) {
            let values = to_vec(sums.sums);
            let [loss, penalty, squared] = [values[0], values[1], values[2]].map(f64::from);
            if !(loss + penalty).is_finite() {
                self.settle();
                return Err(self.diverged(epoch, step, loss, penalty));
            }
            self.progress.sums.count += sums.count as u64;
            self.progress.sums.loss += loss;
            self.progress.sums.squared += squared;
            self.progress.penalty += penalty;
        }
        Ok(())
    }

    /// Evaluates, decides whether this epoch is the best and the last, and tells the observers.
    fn report(
        &mut self,
        epoch: u64,
        data: TrainData,
        gradient_norms: &Norms,
        learning_rate: Option<f64>,
        observers: &mut [&mut dyn Observer],
    ) -> Result<()> {
        let model = self.model().valid();
        let evaluation = data.predictor.evaluate(&model, &self.device.device, data.validation);
        let validation = evaluation.sums.scores();
        let sums = std::mem::take(&mut self.progress.sums);
        let penalty = std::mem::take(&mut self.progress.penalty);
        self.progress.epoch = epoch;
        self.progress.batch = 0;
        let parameter_norms = parameter_norms(&parameters::collect(&model));
        if let Some((name, _)) = parameter_norms.iter().find(|(_, norm)| !norm.is_finite()) {
            let cause = format!("parameter {name} is no longer finite");
            return Err(self.diverged_because(epoch, self.progress.step, cause));
        }
        let mut is_best = false;
        if let Some(scores) = validation {
            let stopping = &self.config.early_stopping;
            is_best = stopping.is_better(&scores, self.progress.best.as_ref());
            if is_best {
                self.progress.best = Some(Best { epoch, scores });
                self.best_model = Some(model.clone());
                if let Some(checkpoints) = &self.checkpoints {
                    let parameters = parameters::collect(&model).into_iter().collect();
                    let progress = self.progress.clone();
                    Checkpoint { progress, parameters, optimizer: BTreeMap::new() }.write(&checkpoints.best())?;
                }
            }
            self.progress.stopped |= stopping.is_over(epoch, self.progress.best.as_ref());
        }
        let mean = |sum: f64| sum / sums.count as f64;
        let report = EpochReport {
            epoch,
            epochs: self.config.epochs,
            is_last: self.is_done(),
            step: self.progress.step,
            ratings_seen: self.progress.ratings_seen,
            seconds: self.progress.seconds,
            learning_rate,
            train: TrainScores {
                loss: mean(sums.loss),
                objective: mean(sums.loss + penalty),
                rmse: mean(sums.squared).sqrt(),
            },
            validation,
            validation_predictions: &evaluation.predictions,
            is_best,
            gradient_norms,
            parameter_norms: &parameter_norms,
            parameters: &|| parameters::collect(&model),
        };
        observers.iter_mut().try_for_each(|observer| observer.epoch(&report))
    }

    fn save(&self) -> Result<()> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(()) };
        let checkpoint = Checkpoint {
            progress: self.progress.clone(),
            parameters: parameters::collect(self.model()).into_iter().collect(),
            optimizer: self.solver.memory(),
        };
        checkpoint.write(&checkpoints.last())
    }

    fn is_told_to_stop(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn interrupted(&self) -> Error {
        match self.save() {
            Ok(()) => Error::Interrupted { resume: "the same command with --resume".into() },
            Err(error) => error,
        }
    }

    /// Names the parameter that is to blame for a loss that is not finite.
    fn diverged(&self, epoch: u64, step: u64, loss: f64, penalty: f64) -> Error {
        let what = if loss.is_finite() { ("penalty", penalty) } else { ("loss", loss) };
        let largest = parameters::collect(self.model())
            .into_iter()
            .map(|(name, values)| {
                let size = values
                    .data
                    .iter()
                    .fold(0.0_f32, |size, value| if value.is_finite() { size.max(value.abs()) } else { f32::INFINITY });
                (name, size)
            })
            .reduce(|a, b| if b.1 > a.1 { b } else { a });
        let blame = match largest {
            Some((name, f32::INFINITY)) => format!("parameter {name} holds numbers that are not finite"),
            Some((name, size)) => format!("the largest parameter is {name} with {size:.3e}"),
            None => "the model has no parameters".into(),
        };
        self.diverged_because(epoch, step, format!("the {} is {}; {blame}", what.0, what.1))
    }

    fn diverged_because(&self, epoch: u64, step: u64, cause: String) -> Error {
        let kept = match &self.checkpoints {
            Some(checkpoints) if checkpoints.last().exists() => {
                format!("The last good checkpoint is kept: {}. ", checkpoints.last().display())
            }
            _ => String::new(),
        };
        let remedy = match self.config.method.has_learning_rate() {
            true => "Lower solver.learning_rate, set solver.clip_norm, or raise solver.regularization.",
            false => "Raise solver.regularization.",
        };
        let remedy = format!("{kept}{remedy}");
        Error::Diverged { epoch, step, cause, remedy }
    }
}

fn no_ratings() -> Error {
    Error::Usage("there are no training ratings".into())
}

/// Euclidean norms by name, from sums in `f64`.
fn parameter_norms(parameters: &[(String, Values)]) -> Norms {
    let norm = |values: &Values| values.data.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    parameters.iter().map(|(name, values)| (name.clone(), norm(values))).collect()
}
