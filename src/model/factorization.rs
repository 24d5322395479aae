//! What a model is asked.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Int, Tensor};

use super::table::Table;
use crate::data::batch::Batch;

/// Where a model's parameters may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// Anywhere.
    None,
    /// Every trained parameter is at least zero; kept by projection after each step.
    NonNegative,
}

/// A model: a burn module that scores (user, item) pairs.
///
/// A score becomes a prediction through the loss's link; for all losses but logistic and Poisson they are the same.
pub trait Factorization: Module {
    /// Scores of a batch of pairs.
    ///
    /// # Shapes
    /// - output: `[batch]`
    fn forward(&self, batch: &Batch) -> Tensor<1>;

    /// Scores of every item for each of `users`, where one matrix product gives them; `None` (the default) where each
    /// pair has to go through [`forward`](Self::forward).
    ///
    /// # Shapes
    /// - `users`: `[users]`, indices
    /// - output: `[users, num_items]`
    fn forward_all(&self, users: Tensor<1, Int>) -> Option<Tensor<2>> {
        let _ = users;
        None
    }

    /// The tables that a batch indexes: each has its share of the penalty λ‖row‖² per observed rating.
    fn tables(&self) -> Vec<&Table>;

    /// Dense layers, whose weight matrices have the λ called `weights`.
    fn layers(&self) -> Vec<&Linear> {
        Vec::new()
    }

    /// Where parameters may lie.
    fn constraint(&self) -> Constraint {
        Constraint::None
    }

    /// μ, where the score is μ + b_u + b_i + p_uᵀ q_i with a table of factors of each side, at most one of biases, and
    /// nothing else that is trained; `None` (the default) for other models. Some solvers know more of such models than
    /// their gradients.
    fn dot_product(&self) -> Option<f32> {
        None
    }
}
