//! Mini-batch gradient descent: an epoch is a pass over all interactions in a new random order, a step is one batch of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::Device;
use rand::RngExt;

use super::factored::FactoredStep;
use super::gradient::GradientStep;
use super::learning_rate::LearningRate;
use super::optimizer::Optimizer;
use super::solve::Solver;
use super::step::{StepNumber, StepOutcome, Stepped};
use crate::data::batch::{Dropout, EpochOrder, Samples};
use crate::data::unseen::Unseen;
use crate::data::{FieldId, ITEM, Interactions, UNKNOWN, USER};
use crate::device::to_vec;
use crate::error::Result;
use crate::model::{AnyModel, HostTensor};
use crate::objective::Draw;
use crate::random;

/// The solver: one gradient step per batch.
#[derive(Debug, Clone)]
pub struct MiniBatch {
    step: GradientStep,
    /// The same steps without autodiff, for models that have them, once training has begun.
    factored: Option<FactoredStep>,
    /// Interactions per step; 0 for all.
    batch_size: usize,
    learning_rate: LearningRate,
    seed: u64,
    /// With autodiff.
    device: Device,
    /// The current epoch and its order.
    order: (u64, EpochOrder),
    /// What candidates are drawn from, if the objective draws any.
    unseen: Option<Arc<Unseen>>,
    /// Fields, and the share of their rows whose own vectors are hidden in a step.
    identity_dropout: Vec<(FieldId, f64)>,
}

impl MiniBatch {
    /// Steps of `batch_size` interactions (0 for all) in an order that follows from `seed`.
    pub fn new(step: GradientStep, batch_size: usize, learning_rate: LearningRate, seed: u64, device: &Device) -> Self {
        let device = device.clone().autodiff();
        Self {
            step,
            factored: None,
            batch_size,
            learning_rate,
            seed,
            device,
            order: (0, EpochOrder::default()),
            unseen: None,
            identity_dropout: Vec::new(),
        }
    }

    /// The same with identity dropout: for each score of a step, a row of one of these fields, which has features, shows
    /// these alone with its field's probability. So they learn to speak for rows without interactions, and the own vectors
    /// to say what they cannot   (Volkovs, Yu & Poutanen 2017).
    pub fn with_identity_dropout(self, shares: Vec<(FieldId, f64)>) -> Self {
        Self { identity_dropout: shares, ..self }
    }

    /// Hides own vectors in a step.
    fn hide(&self, samples: &mut Samples, number: StepNumber) {
        for &(field, share) in self.identity_dropout.iter().filter(|(_, share)| *share > 0.0) {
            let name = format!("identity/{}/{}/{}", field.0, number.epoch, number.step);
            let mut random = random::stream(self.seed, &name);
            let hide = |&row: &u32| if random.random_bool(share) { UNKNOWN } else { row };
            samples.hidden.push((field, samples.column(field).iter().map(hide).collect()));
        }
    }

    fn size(&self, train: &Interactions) -> usize {
        if self.batch_size == 0 { train.len() } else { self.batch_size.min(train.len()) }
    }
}

impl Solver for MiniBatch {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        self.step.optimizer.check(model)?;
        self.factored = FactoredStep::of(model, &self.step, &self.device);
        let candidates = self.step.objective.candidates();
        // Items that are known by their features alone are nobody's choice against others.
        let users = model.rows(USER).unwrap_or_else(|| train.rows(USER));
        let items = model.trained_rows(ITEM).unwrap_or_else(|| train.rows(ITEM));
        self.unseen = candidates.map(|negatives| Arc::new(negatives.unseen(train, [users, items])));
        Ok(train.len().div_ceil(self.size(train)) as u64)
    }

    fn step(&mut self, model: AnyModel, train: &Interactions, number: StepNumber) -> Stepped {
        if self.order.0 != number.epoch {
            self.order = (number.epoch, EpochOrder::new(train.len(), self.seed, number.epoch));
        }
        let size = self.size(train);
        let start = number.step as usize * size;
        let positions = self.order.1.positions(start..(start + size).min(train.len()));
        let rate = self.learning_rate.at(number);
        if let Some(factored) = &mut self.factored {
            let rule = self.step.optimizer.rule();
            let (sums, norms) = factored.step(train, &positions, rule, rate, number.is_last(), &self.device);
            return Stepped { model, outcome: Ok(StepOutcome { sums, norms, is_converged: false }) };
        }
        let scorer = |samples: &Arc<Samples>| to_vec(model.forward(&samples.to_device(&self.device)).inner());
        let draw = Draw { seed: self.seed, epoch: number.epoch, scorer: &scorer, unseen: self.unseen.as_deref() };
        let mut samples = self.step.objective.draw(train, &positions, &draw);
        self.hide(&mut samples, number);
        samples.dropout = Some(Dropout { seed: self.seed, epoch: number.epoch, step: number.step });
        let samples = Arc::new(samples);
        let (model, sums, norms) = self.step.step(model, &samples, &self.device, rate, number.is_last());
        Stepped { model, outcome: Ok(StepOutcome { sums, norms, is_converged: false }) }
    }

    fn learning_rate(&self, number: StepNumber) -> Option<f64> {
        Some(self.learning_rate.at(number))
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        match &self.factored {
            None => model,
            Some(factored) => factored.write_back(model),
        }
    }

    fn memory(&self) -> BTreeMap<String, HostTensor> {
        self.factored.as_ref().map_or_else(|| self.step.optimizer.save(), FactoredStep::memory)
    }

    fn restore(&mut self, steps: u64, memory: &BTreeMap<String, HostTensor>) {
        let device = self.device.clone().without_autodiff();
        self.step.optimizer = Optimizer::restore(self.step.optimizer.rule(), steps, memory, &device);
    }
}
