//! Rows of users or items that training never saw, with all other parameters as they are.
//!
//! The rows of a user minimize what training minimized, restricted to the interactions of that user, which no other new
//! user takes part in. Where scores are dot products and the loss is squared, the minimum is the solution of a small
//! linear system ([`OneSide`]); elsewhere [`Descent`] comes near it.

use std::sync::Arc;

use burn::tensor::Device;

use super::als::{AlsConfig, Confidence, Feedback, Inner, OneSide};
use super::dot_product::DotProduct;
use super::gradient::{Clip, GradientStep, UpdatedRows};
use super::learning_rate::LearningRate;
use super::mini_batch::MiniBatch;
use super::optimizer::Optimizer;
use super::regularization::Regularization;
use super::rule::UpdateRule;
use super::schedule::{Decay, Schedule};
use super::solve::Solver;
use super::step::{StepNumber, Stepped};
use crate::data::{Interactions, Role};
use crate::error::Result;
use crate::model::{AnyModel, Constraint};
use crate::objective::{Loss, Objective};

/// Steps of [`Descent`].
const STEPS: u64 = 300;

/// Size of its first steps, which falls to 0 by half a cosine.
const LEARNING_RATE: f64 = 0.1;

/// The solver of the rows of `role` for a model that minimizes `objective` with λ once an interaction, where they are
/// solutions of linear systems.
pub(super) fn linear(
    objective: &Arc<dyn Objective>,
    regularization: Regularization,
    role: Role,
    model: &AnyModel,
) -> Option<OneSide> {
    let squared = Loss::of_objective(&**objective).filter(|loss| matches!(loss, Loss::Squared(_)))?;
    DotProduct::read(model, "").is_ok().then(|| OneSide::new(squared, regularization, once_a_rating(), role))
}

/// Squared loss with λ once a rating, which is the objective of mini-batches.
fn once_a_rating() -> AlsConfig {
    AlsConfig {
        feedback: Feedback::Explicit,
        inner: Inner::Cholesky,
        count_exponent: 1.0,
        confidence: Confidence::default(),
    }
}

/// A fixed number of steps of Adam on all interactions at once, of a model in which only the rows to be found are trained.
/// Adam moves every number by its own gradients alone, so that no row depends on which others are found beside it.
pub struct Descent(MiniBatch);

impl Descent {
    /// A solver before its first step. `constraint` is that of the model.
    pub fn new(
        objective: Arc<dyn Objective>,
        regularization: Regularization,
        constraint: Constraint,
        device: &Device,
    ) -> Self {
        let optimizer = Optimizer::new(UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 });
        let (clip, rows) = (Clip::default(), UpdatedRows::All);
        let step = GradientStep { objective, regularization, clip, rows, optimizer };
        // What must not be below 0 is held there by each step.
        let rate = if constraint == Constraint::NonNegative { LEARNING_RATE / 2.0 } else { LEARNING_RATE };
        let schedule = Schedule { warmup: 0.0, decay: Decay::Cosine { last: 0.0 } };
        Self(MiniBatch::new(step, 0, LearningRate { rate, schedule, epochs: STEPS }, 0, device))
    }
}

impl Solver for Descent {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        self.0.begin(model, train)
    }

    fn step(&mut self, model: AnyModel, train: &Interactions, number: StepNumber) -> Stepped {
        let Stepped { model, outcome } = self.0.step(model, train, number);
        let outcome = outcome.map(|mut outcome| {
            outcome.is_converged = number.epoch == STEPS;
            outcome
        });
        Stepped { model, outcome }
    }
}
