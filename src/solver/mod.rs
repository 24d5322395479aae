//! Solvers: how parameters are found.

pub mod als;
mod dot_product;
pub mod gradient;
mod gradient_parts;
mod in_place;
mod method;
pub mod mini_batch;
pub mod nmf;
pub mod optimizer;
mod penalty;
mod prefetch;
pub mod regularization;
pub mod rule;
pub mod schedule;
pub mod step;
pub mod stratified;
pub mod svd;
mod touched;
pub mod whole_matrix;

use std::collections::BTreeMap;

pub use als::{Als, AlsConfig, Feedback, Inner};
pub use gradient::{Clip, GradientStep, Rows};
pub use method::{Gradient, Method};
pub use mini_batch::MiniBatch;
pub use optimizer::Optimizer;
pub use regularization::Regularization;
pub use rule::Rule;
pub use schedule::{Decay, Schedule};
pub use step::{Norms, StepSums};
pub use stratified::{RowRule, Stratified};
pub use whole_matrix::{MatrixMethod, NmfStart, WholeMatrix};

use crate::data::Ratings;
use crate::error::Result;
use crate::model::parameters::Values;

/// Moves a model's parameters, one step after another. What a step is, and how many make an epoch, is the solver's.
pub trait Solver<M> {
    /// Prepares for training `model` on `train`, in whose order nothing changes afterwards. Returns the steps of an epoch.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for a model that the solver is not for.
    fn begin(&mut self, model: &M, train: &Ratings) -> Result<u64>;

    /// Takes one step. The model is moved through it, so that its tensors have one owner and change in place.
    fn step(&mut self, model: M, train: &Ratings, at: Place, learning_rate: f64) -> Stepped<M>;

    /// The model with its parameters as they are now, for a solver that keeps them elsewhere while it works.
    fn settle(&self, model: M) -> M {
        model
    }

    /// Everything remembered between steps beside the parameters, as `<parameter>/<moment>` → values.
    fn memory(&self) -> BTreeMap<String, Values>;

    /// Goes on after `steps` steps from what [`memory`](Self::memory) gave; called before [`begin`](Self::begin).
    fn restore(&mut self, steps: u64, memory: &BTreeMap<String, Values>);
}

/// Which step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Step of the epoch, from 0.
    pub step: u64,
    /// Whether it is the epoch's last.
    pub is_last: bool,
}

/// What a step gives back.
pub struct Stepped<M> {
    /// The model.
    pub model: M,
    /// What the step saw.
    pub sums: StepSums,
    /// Norms of the gradients, where the solver has them and the step is an epoch's last: they cost a read-back.
    pub norms: Option<Norms>,
    /// Whether another epoch would change nothing that matters.
    pub is_converged: bool,
}
