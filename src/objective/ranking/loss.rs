//! The trait of losses that compare an interaction with candidates.

use std::fmt;

use burn::tensor::Tensor;

use crate::config::{Keys, Values};

/// A loss of one interaction's score and those of its candidates.
pub trait RankingLoss: fmt::Debug + Send + Sync + 'static {
    /// Loss of each interaction, not reduced.
    ///
    /// # Shapes
    /// - `scores`: `[positions, 1 + candidates]`, the interaction's own first
    /// - output: `[positions]`
    fn forward(&self, scores: Tensor<2>) -> Tensor<1>;

    /// The loss of one interaction, and in `slopes` ∂ loss / ∂ score of each of `scores`, its own first.
    fn value_and_slopes(&self, scores: &[f32], slopes: &mut [f32]) -> f64;

    /// Whether candidates are drawn until one scores more than the interaction's own score less this; that one alone is
    /// then compared, and the loss is weighted by [`rank_weight`](super::rank_weight) of the number of draws.
    fn margin(&self) -> Option<f32> {
        None
    }

    /// Whether each candidate stands for all unseen items, so that its score is corrected by how often it is drawn.
    fn is_corrected(&self) -> bool {
        false
    }
}

/// A ranking objective that a config can name.
pub(super) trait RankingPart: RankingLoss + Sized {
    /// `loss.kind`.
    const NAME: &'static str;
    /// Candidates of an interaction unless the config says.
    const CANDIDATES: usize;
    /// λ of factors and biases unless the config says, in TOML.
    const LAMBDA: &str;

    /// Its keys beside those of how candidates are drawn.
    fn keys() -> Keys {
        Keys::default()
    }

    /// The loss set in a config.
    fn of(values: &Values) -> Self;
}
