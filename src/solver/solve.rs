//! The trait of solvers.

use std::collections::BTreeMap;

use super::step::{StepNumber, Stepped};
use crate::data::Interactions;
use crate::error::Result;
use crate::model::{AnyModel, HostTensor};

/// Updates a model's parameters, step by step. What a step is, and how many make an epoch, is up to the solver.
pub trait Solver {
    /// Prepares for training `model` on `train`, whose order does not change afterwards. Returns the steps per epoch.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for an unsupported model.
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64>;

    /// Takes one step. The model is moved through it, so that its tensors have one owner and change in place; a failed
    /// step also returns it.
    fn step(&mut self, model: AnyModel, train: &Interactions, number: StepNumber) -> Stepped;

    /// The model with its current parameters, for a solver that keeps them elsewhere while it works.
    fn write_back(&self, model: AnyModel) -> AnyModel {
        model
    }

    /// The learning rate of a step; `None` (the default) for a solver that has none.
    fn learning_rate(&self, number: StepNumber) -> Option<f64> {
        let _ = number;
        None
    }

    /// The state between steps beside the parameters, as `<parameter>/<moment>` → values; empty by default.
    fn memory(&self) -> BTreeMap<String, HostTensor> {
        BTreeMap::new()
    }

    /// Continues after `steps` steps from the result of [`memory`](Self::memory); called before [`begin`](Self::begin).
    fn restore(&mut self, steps: u64, memory: &BTreeMap<String, HostTensor>) {
        let _ = (steps, memory);
    }
}
