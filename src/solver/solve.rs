//! What a solver is.

use std::collections::BTreeMap;

use super::step::{StepNumber, Stepped};
use crate::data::Interactions;
use crate::error::Result;
use crate::model::{AnyModel, HostTensor};

/// Moves a model's parameters, one step after another. What a step is, and how many make an epoch, is the solver's.
pub trait Solver {
    /// Prepares for training `model` on `train`, in whose order nothing changes afterwards. Returns the steps of an epoch.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for a model that the solver is not for.
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64>;

    /// Takes one step. The model is moved through it, so that its tensors have one owner and change in place; a step that
    /// fails gives it back too.
    fn step(&mut self, model: AnyModel, train: &Interactions, number: StepNumber) -> Stepped;

    /// The model with its parameters as they are now, for a solver that keeps them elsewhere while it works.
    fn write_back(&self, model: AnyModel) -> AnyModel {
        model
    }

    /// The learning rate of a step; `None` (the default) for a solver that has none.
    fn learning_rate(&self, number: StepNumber) -> Option<f64> {
        let _ = number;
        None
    }

    /// Everything remembered between steps beside the parameters, as `<parameter>/<moment>` → values; nothing by default.
    fn memory(&self) -> BTreeMap<String, HostTensor> {
        BTreeMap::new()
    }

    /// Goes on after `steps` steps from what [`memory`](Self::memory) gave; called before [`begin`](Self::begin).
    fn restore(&mut self, steps: u64, memory: &BTreeMap<String, HostTensor>) {
        let _ = (steps, memory);
    }
}
