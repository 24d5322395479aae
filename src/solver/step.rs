//! The input and the outcome of a step.

use burn::tensor::{Device, Tensor};

use crate::error::Result;
use crate::model::AnyModel;

/// The number of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepNumber {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Step of the epoch, from 0.
    pub step: u64,
    /// Steps of the epoch.
    pub steps: u64,
}

impl StepNumber {
    /// Whether it is the epoch's last.
    pub fn is_last(self) -> bool {
        self.step + 1 == self.steps
    }
}

/// The result of a step. It has the model even if the step failed.
pub struct Stepped {
    /// The model.
    pub model: AnyModel,
    /// The outcome of the step, or why it failed.
    pub outcome: Result<StepOutcome>,
}

impl Stepped {
    /// A successful step.
    pub fn new(model: AnyModel, sums: StepSums) -> Self {
        Self { model, outcome: Ok(StepOutcome { sums, norms: None, is_converged: false }) }
    }
}

/// The outcome of a step.
#[derive(Debug, Clone)]
pub struct StepOutcome {
    /// Sums over the step.
    pub sums: StepSums,
    /// Norms of the gradients, if the solver has them and the step is the last of its epoch: they cost a read-back.
    pub norms: Option<Norms>,
    /// Whether another epoch would change nothing significant.
    pub is_converged: bool,
}

/// Euclidean norms by parameter name.
pub type Norms = Vec<(String, f64)>;

/// Sums over one step, still on the device: nothing is read back until needed. ALS counts an epoch's ratings in the
/// last step, with the model after it.
#[derive(Debug, Clone)]
pub struct StepSums {
    /// `[3]`: Σ loss, penalty · |B|, Σ (r − s)² over the batch, before the step.
    pub sums: Tensor<1>,
    /// Number of interactions.
    pub count: usize,
}

impl StepSums {
    /// Σ loss, penalty · count and Σ (r − s)² of `count` interactions, from a solver on the CPU.
    pub fn on_host(sums: [f64; 3], count: usize, device: &Device) -> Self {
        let sums = Tensor::from_floats(sums.map(|sum| sum as f32), &device.clone().without_autodiff());
        Self { sums, count }
    }

    /// The sums over a batch of `count` interactions; `penalty` is the mean over them.
    pub(super) fn new(loss: &Tensor<1>, penalty: Option<&Tensor<1>>, squared: Tensor<1>, count: usize) -> Self {
        let loss = loss.clone().inner();
        let penalty = penalty.map_or_else(|| loss.zeros_like(), |penalty| penalty.clone().inner() * count as f64);
        Self { sums: Tensor::cat(vec![loss, penalty, squared], 0), count }
    }
}
