//! Mini-batch gradient descent: an epoch is a pass over all ratings in a new random order, a step is one batch of them.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::gradient::GradientStep;
use super::optimizer::Optimizer;
use super::{Place, Solver, Stepped};
use crate::data::Ratings;
use crate::data::batch::{Samples, epoch_order};
use crate::error::Result;
use crate::loss::PointwiseLoss;
use crate::model::Factorization;
use crate::model::parameters::Values;

/// The solver: one gradient step a batch.
#[derive(Debug, Clone)]
pub struct MiniBatch<L> {
    step: GradientStep<L>,
    /// Ratings a step; 0 for all of them.
    batch_size: usize,
    seed: u64,
    /// With autodiff.
    device: Device,
    /// The epoch that is under way and its order.
    order: (u64, Vec<u32>),
}

impl<L> MiniBatch<L> {
    /// Steps of `batch_size` ratings (0 for all of them) in an order that follows from `seed`.
    pub fn new(step: GradientStep<L>, batch_size: usize, seed: u64, device: &Device) -> Self {
        Self { step, batch_size, seed, device: device.clone().autodiff(), order: (0, Vec::new()) }
    }

    fn size(&self, train: &Ratings) -> usize {
        if self.batch_size == 0 { train.len() } else { self.batch_size.min(train.len()) }
    }
}

impl<M: Factorization, L: PointwiseLoss> Solver<M> for MiniBatch<L> {
    fn begin(&mut self, _: &M, train: &Ratings) -> Result<u64> {
        Ok(train.len().div_ceil(self.size(train)) as u64)
    }

    fn step(&mut self, model: M, train: &Ratings, at: Place, learning_rate: f64) -> Stepped<M> {
        if self.order.0 != at.epoch {
            self.order = (at.epoch, epoch_order(train.len(), self.seed, at.epoch));
        }
        let size = self.size(train);
        let start = at.step as usize * size;
        let positions = &self.order.1[start..(start + size).min(train.len())];
        let samples = Samples::gather(train, positions);
        let (model, sums, norms) = self.step.step(model, &samples, &self.device, learning_rate, at.is_last);
        Stepped { model, sums, norms, is_converged: false }
    }

    fn memory(&self) -> BTreeMap<String, Values> {
        self.step.optimizer.save()
    }

    fn restore(&mut self, steps: u64, memory: &BTreeMap<String, Values>) {
        let device = self.device.clone().without_autodiff();
        self.step.optimizer = Optimizer::restore(self.step.optimizer.rule(), steps, memory, &device);
    }
}
