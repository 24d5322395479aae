//! The training loop.
//!
//! For each epoch, for each batch: one step. Then evaluate, tell the observers, write a checkpoint, perhaps stop.

mod checkpoint;
mod early_stopping;
mod observer;
mod tensor_file;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub use checkpoint::{Checkpoint, Checkpoints, EpochSums, Progress};
pub use early_stopping::{Best, EarlyStopping, needs_validation};
pub use observer::{EpochReport, Observer};
pub use tensor_file::{FileForm, Tensor, read_tensors, write_tensors};

use crate::config::{Effect, Key, KeyKind, Keys, Values};
use crate::data::Interactions;
use crate::device::{Opened, to_vec};
use crate::error::{Error, Result};
use crate::eval::Evaluator;
use crate::metric::{Metric, Metrics, ObjectiveLoss, Rmse, Scores};
use crate::model::{AnyModel, HostTensor, parameters};
use crate::solver::{Norms, Solver, StepNumber, StepOutcome, StepSums, Stepped};

/// How long to train, whatever the model and the solver.
#[derive(Debug, Clone)]
pub struct TrainConfig {
    /// Epochs to train.
    pub epochs: u64,
    /// What is best, and when to stop waiting for better.
    pub early_stopping: EarlyStopping,
    /// Epochs between two checkpoints; 0 writes one at the end and on interruption only.
    pub checkpoint_every: u64,
}

impl TrainConfig {
    /// So many epochs, of which the best by `metric` counts if there is validation; no early stopping.
    pub fn new(epochs: u64, metric: impl Metric + 'static) -> Self {
        Self { epochs, early_stopping: EarlyStopping::watching(std::sync::Arc::new(metric)), checkpoint_every: 0 }
    }

    /// The config keys of training, of which one of `metrics` is watched.
    pub fn keys(metrics: &Metrics) -> Keys {
        let epochs = "Passes over the training ratings; svd takes one, an epoch of hals is one iteration, of multiplicative \
                      ten.";
        let every = "Epochs between two checkpoints; 0 writes one only at the end or when interrupted.";
        let every = Key::new("train.checkpoint_every", KeyKind::ANY_COUNT, every).default("1").effect(Effect::Nothing);
        Keys::new([Key::new("train.epochs", KeyKind::ANY_COUNT, epochs).default("30"), every])
            .and(EarlyStopping::keys(metrics))
    }

    /// How to train, as a config asks for it.
    ///
    /// # Errors
    /// Those of [`EarlyStopping::of`].
    pub fn of(values: &Values, metrics: &Metrics) -> Result<Self> {
        Ok(Self {
            epochs: values.get("train.epochs"),
            early_stopping: EarlyStopping::of(values, metrics)?,
            checkpoint_every: values.get("train.checkpoint_every"),
        })
    }
}

/// Training data, and what is held out to choose the best epoch.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// Interactions to train on; every index is known.
    pub train: &'a Interactions,
    /// Interactions to choose the best epoch by; may be empty.
    pub validation: &'a Interactions,
    /// Turns scores into predictions and judges them.
    pub evaluator: &'a Evaluator,
}

/// What came of training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model of the best epoch, or of the last one without a validation split. Without autodiff.
    pub model: AnyModel,
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
    /// Interactions trained on a second.
    pub ratings_per_second: f64,
}

/// Trains one model.
pub struct Trainer<'a> {
    /// Up to date where the solver has written back.
    model: AnyModel,
    session: Session<'a>,
}

/// Everything about training but the model, which moves through each step.
struct Session<'a> {
    config: TrainConfig,
    device: Opened,
    checkpoints: Option<Checkpoints>,
    stop: Option<&'a AtomicBool>,
    best_model: Option<AnyModel>,
    solver: Box<dyn Solver>,
    progress: Progress,
}

/// What an epoch leaves beside the sums: the norms of its last gradients and the learning rate of its last step.
struct EpochEnd {
    norms: Norms,
    learning_rate: Option<f64>,
}

/// Steps between two reads of the loss on a device that would have to be waited for.
const STEPS_BETWEEN_READS: usize = 64;

impl<'a> Trainer<'a> {
    /// A trainer for a model on `device` that has not been trained yet.
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

    /// Goes on from the last checkpoint, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] for a checkpoint that cannot be read or is of another model.
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
                .map_err(|cause| Error::model_file(path, format!("{cause}: it is a checkpoint of another model")))
        };
        model = restore(model, &last, &checkpoint.parameters)?;
        session.solver.restore(checkpoint.progress.step, &checkpoint.optimizer);
        if checkpoint.progress.best.is_some() {
            let path = checkpoints.best();
            let best = Checkpoint::read(&path)?;
            session.best_model = Some(restore(model.clone(), &path, &best.parameters)?.valid());
        }
        session.progress = checkpoint.progress;
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

    /// Whether all epochs are done, or training was ended by early stopping or because the solver has converged.
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
            while !session.is_done() {
                model = session.whole_epoch(model, steps, data, observers)?;
            }
        }
        let Session { best_model, progress, .. } = session;
        Ok(Trained { model: best_model.unwrap_or_else(|| model.valid()), progress })
    }

    /// How long an epoch takes, by steps that are not kept: as many as `seconds` allow, and at least one of each kind.
    /// An epoch's first step is a kind of its own, because it draws the order of the interactions.
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
        // What is used for the first time is made now: moments, buffers, pages of memory.
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

impl Session<'_> {
    fn is_done(&self) -> bool {
        self.progress.epoch >= self.config.epochs || self.progress.stopped
    }

    /// What is left of an epoch, its report and its checkpoint.
    fn whole_epoch(
        &mut self,
        model: AnyModel,
        steps: u64,
        data: TrainData,
        observers: &mut [&mut dyn Observer],
    ) -> Result<AnyModel> {
        let epoch = self.progress.epoch + 1;
        let (model, end) = self.steps(model, epoch, steps, data.train, observers)?;
        self.report(&model, epoch, data, &end, observers)?;
        let every = self.config.checkpoint_every;
        let is_last = self.is_done();
        if is_last || (every > 0 && epoch.is_multiple_of(every)) {
            self.save(&model)?;
        }
        if !is_last && self.is_told_to_stop() {
            return Err(self.interrupted(&model));
        }
        Ok(model)
    }

    /// The steps of one epoch.
    fn steps(
        &mut self,
        mut model: AnyModel,
        epoch: u64,
        steps: u64,
        train: &Interactions,
        observers: &mut [&mut dyn Observer],
    ) -> Result<(AnyModel, EpochEnd)> {
        let reads_at_once = self.device.is_host();
        let mut pending: Vec<StepSums> = Vec::new();
        let mut end = EpochEnd { norms: Norms::new(), learning_rate: None };
        for step in self.progress.batch..steps {
            let started = Instant::now();
            let number = StepNumber { epoch, step, steps };
            // Moved through the step rather than cloned, so that its tensors have one owner and are updated in place.
            let stepped = self.solver.step(model, train, number);
            model = stepped.model;
            let StepOutcome { sums, norms, is_converged } = stepped.outcome?;
            self.progress.stopped |= is_converged;
            end.norms = norms.unwrap_or(end.norms);
            end.learning_rate = self.solver.learning_rate(number);
            self.progress.batch = step + 1;
            self.progress.step += 1;
            // Cells that are not in the data count in a mean, but are no interactions.
            self.progress.ratings_seen += sums.count.min(train.len()) as u64;
            pending.push(sums);
            if reads_at_once || number.is_last() || pending.len() >= STEPS_BETWEEN_READS {
                model = self.read_sums(model, number, &mut pending)?;
            }
            if number.is_last() {
                model = self.solver.write_back(model);
            }
            self.progress.seconds += started.elapsed().as_secs_f64();
            observers.iter_mut().for_each(|observer| observer.batch(epoch, step + 1, steps));
            if !number.is_last() && self.is_told_to_stop() {
                model = self.read_sums(model, number, &mut pending)?;
                model = self.solver.write_back(model);
                return Err(self.interrupted(&model));
            }
        }
        Ok((model, end))
    }

    /// Reads the sums of the steps since the last read back, and refuses to go on where they are not finite.
    fn read_sums(&mut self, model: AnyModel, number: StepNumber, pending: &mut Vec<StepSums>) -> Result<AnyModel> {
        let first_step = self.progress.step + 1 - pending.len() as u64;
        for (step, sums) in (first_step..).zip(pending.drain(..)) {
            let values = to_vec(sums.sums);
            let [loss, penalty, squared] = [values[0], values[1], values[2]].map(f64::from);
            if !(loss + penalty).is_finite() {
                let model = self.solver.write_back(model);
                return Err(self.diverged(&model, number, step, loss, penalty));
            }
            self.progress.sums.count += sums.count as u64;
            self.progress.sums.loss += loss;
            self.progress.sums.squared += squared;
            self.progress.penalty += penalty;
        }
        Ok(model)
    }

    /// Evaluates, decides whether this epoch is the best and the last, and tells the observers.
    fn report(
        &mut self,
        model: &AnyModel,
        epoch: u64,
        data: TrainData,
        end: &EpochEnd,
        observers: &mut [&mut dyn Observer],
    ) -> Result<()> {
        let model = model.valid();
        let evaluation = data.evaluator.evaluate(&model, &self.device.device, data.validation);
        let train = self.train_scores(data.evaluator);
        self.progress.epoch = epoch;
        self.progress.batch = 0;
        let parameter_norms = parameter_norms(&parameters::collect(&model));
        if let Some((name, _)) = parameter_norms.iter().find(|(_, norm)| !norm.is_finite()) {
            let cause = format!("parameter {name} is no longer finite");
            return Err(self.diverged_because(epoch, self.progress.step, cause, end.learning_rate.is_some()));
        }
        let mut is_best = false;
        if let Some(scores) = &evaluation.scores {
            is_best = self.config.early_stopping.is_better(scores, self.progress.best.as_ref());
            if is_best {
                self.progress.best = Some(Best { epoch, scores: scores.clone() });
                self.best_model = Some(model.clone());
                if let Some(checkpoints) = &self.checkpoints {
                    let parameters = parameters::collect(&model).into_iter().collect();
                    let progress = self.progress.clone();
                    Checkpoint { progress, parameters, optimizer: BTreeMap::new() }.write(&checkpoints.best())?;
                }
            }
            self.progress.stopped |= self.config.early_stopping.is_over(epoch, self.progress.best.as_ref());
        }
        let report = EpochReport {
            epoch,
            epochs: self.config.epochs,
            is_last: self.is_done(),
            step: self.progress.step,
            ratings_seen: self.progress.ratings_seen,
            seconds: self.progress.seconds,
            learning_rate: end.learning_rate,
            train: &train,
            validation: evaluation.scores.as_ref(),
            watched: self.config.early_stopping.metric.name(),
            validation_predictions: &evaluation.predictions,
            is_best,
            gradient_norms: &end.norms,
            parameter_norms: &parameter_norms,
            parameters: &|| parameters::collect(&model),
        };
        observers.iter_mut().try_for_each(|observer| observer.epoch(&report))
    }

    /// Means of the sums of the epoch, which start anew.
    fn train_scores(&mut self, evaluator: &Evaluator) -> Scores {
        let EpochSums { count, loss, squared } = std::mem::take(&mut self.progress.sums);
        let penalty = std::mem::take(&mut self.progress.penalty);
        let mean = |sum: f64| sum / count as f64;
        let mut values = vec![(ObjectiveLoss.name().into(), mean(loss)), ("objective".into(), mean(loss + penalty))];
        if evaluator.predictor.objective.pointwise().is_some() {
            values.push((Rmse.name().into(), Rmse.summary(mean(squared))));
        }
        Scores { count, values }
    }

    fn save(&self, model: &AnyModel) -> Result<()> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(()) };
        let checkpoint = Checkpoint {
            progress: self.progress.clone(),
            parameters: parameters::collect(model).into_iter().collect(),
            optimizer: self.solver.memory(),
        };
        checkpoint.write(&checkpoints.last())
    }

    fn is_told_to_stop(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn interrupted(&self, model: &AnyModel) -> Error {
        match self.save(model) {
            Ok(()) => Error::Interrupted { resume: "the same command with --resume".into() },
            Err(error) => error,
        }
    }

    /// Names the parameter that is to blame for a loss that is not finite.
    fn diverged(&self, model: &AnyModel, number: StepNumber, step: u64, loss: f64, penalty: f64) -> Error {
        let what = if loss.is_finite() { ("penalty", penalty) } else { ("loss", loss) };
        let largest = parameters::collect(model)
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
        let has_rate = self.solver.learning_rate(number).is_some();
        self.diverged_because(number.epoch, step, format!("the {} is {}; {blame}", what.0, what.1), has_rate)
    }

    fn diverged_because(&self, epoch: u64, step: u64, cause: String, has_learning_rate: bool) -> Error {
        let kept = match &self.checkpoints {
            Some(checkpoints) if checkpoints.last().exists() => {
                format!("The last good checkpoint is kept: {}. ", checkpoints.last().display())
            }
            _ => String::new(),
        };
        let remedy = match has_learning_rate {
            true => "Lower solver.learning_rate, set solver.clip_norm, or raise solver.regularization.",
            false => "Raise solver.regularization.",
        };
        let remedy = format!("{kept}{remedy}");
        Error::Diverged { epoch, step, cause, remedy }
    }
}

fn no_interactions() -> Error {
    Error::Usage("there are no training ratings".into())
}

/// Euclidean norms by name, from sums in `f64`.
fn parameter_norms(parameters: &[(String, HostTensor)]) -> Norms {
    let norm = |values: &HostTensor| values.data.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    parameters.iter().map(|(name, values)| (name.clone(), norm(values))).collect()
}
