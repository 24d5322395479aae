//! The epochs of training: their steps, and what follows each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::checkpoint::{Checkpoint, Checkpoints, EpochSums, Progress};
use super::config::TrainConfig;
use super::early_stopping::Best;
use super::observer::{EpochReport, Observer};
use crate::data::Interactions;
use crate::device::{Opened, to_vec};
use crate::error::{Error, Result};
use crate::eval::Evaluator;
use crate::metric::{Metric, ObjectiveLoss, Rmse, Scores};
use crate::model::{AnyModel, HostTensor, parameters};
use crate::solver::{Norms, Solver, StepNumber, StepOutcome, StepSums};

/// Training data, and data held out to choose the best epoch.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// Interactions to train on; every index is known.
    pub train: &'a Interactions,
    /// Interactions to choose the best epoch by; may be empty.
    pub validation: &'a Interactions,
    /// Turns scores into predictions and evaluates them.
    pub evaluator: &'a Evaluator,
}

/// Everything about training except the model, which is moved through each step.
pub(super) struct Session<'a> {
    pub(super) config: TrainConfig,
    pub(super) device: Opened,
    pub(super) checkpoints: Option<Checkpoints>,
    pub(super) stop: Option<&'a AtomicBool>,
    pub(super) best_model: Option<AnyModel>,
    pub(super) solver: Box<dyn Solver>,
    pub(super) progress: Progress,
}

/// Results of an epoch beside the sums: the norms of its last gradients and the learning rate of its last step.
struct EpochEnd {
    norms: Norms,
    learning_rate: Option<f64>,
}

/// Steps between two reads of the loss on an asynchronous device.
const STEPS_BETWEEN_READS: usize = 64;

impl Session<'_> {
    pub(super) fn is_done(&self) -> bool {
        self.progress.epoch >= self.config.epochs || self.progress.stopped
    }

    /// Refuses a checkpoint that is between no two steps of this training, of which an epoch has `steps`.
    pub(super) fn check_steps(&self, steps: u64) -> Result<()> {
        let Progress { epoch, batch, step, .. } = self.progress;
        let expected = epoch.checked_mul(steps).and_then(|before| before.checked_add(batch));
        match &self.checkpoints {
            Some(checkpoints) if batch >= steps.max(1) || expected != Some(step) => Err(Error::model_file(
                checkpoints.last(),
                format!(
                    "is after step {step}, which is not batch {batch} after epoch {epoch} of {steps} steps; train anew"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// What is left of an epoch, its report and its checkpoint.
    pub(super) fn whole_epoch(
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
            // Cells that are not in the data count in a mean, but are not interactions.
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

    /// Reads back the sums of the steps since the last read, and fails if they are not finite.
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
            let cause = format!("parameter {name} is not finite");
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

    /// Means of the sums of the epoch, which are reset.
    fn train_scores(&mut self, evaluator: &Evaluator) -> Scores {
        let EpochSums { count, loss, squared } = std::mem::take(&mut self.progress.sums);
        let penalty = std::mem::take(&mut self.progress.penalty);
        let mean = |sum: f64| sum / count as f64;
        let mut values = vec![(ObjectiveLoss.name().into(), mean(loss)), ("objective".into(), mean(loss + penalty))];
        // Of scores, which are no predictions where there is a link between the two.
        if evaluator.predictor.objective.pointwise().is_some_and(|loss| !loss.has_link()) {
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

    /// Names the parameter responsible for a loss that is not finite.
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
            Some((name, f32::INFINITY)) => format!("parameter {name} has values that are not finite"),
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

/// Euclidean norms by name, from sums in `f64`.
fn parameter_norms(parameters: &[(String, HostTensor)]) -> Norms {
    let norm = |values: &HostTensor| values.data.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    parameters.iter().map(|(name, values)| (name.clone(), norm(values))).collect()
}
