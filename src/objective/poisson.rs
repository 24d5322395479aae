//! Poisson loss with log link: eˢ − r·s, prediction r̂ = eˢ.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Keys, Values};

/// Negative log-likelihood of a count r ~ Poisson(eˢ) without its constant log r!, as PyTorch's `PoissonNLLLoss`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Poisson {}

impl Poisson {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::default()
    }

    /// The loss set in a config.
    pub(super) fn of(_: &Values) -> Self {
        Self {}
    }
}

impl PointwiseLoss for Poisson {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        score.clone().exp() - rating * score
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        score.exp() - rating * score
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        score.exp() - rating
    }

    fn prediction(&self, score: f64) -> f64 {
        score.exp()
    }

    fn score(&self, rating: f64) -> f64 {
        rating.max(1e-6).ln()
    }

    fn has_link(&self) -> bool {
        true
    }

    fn refuses(&self, rating: f32) -> Option<&'static str> {
        (rating < 0.0).then_some("Poisson loss needs ratings of at least 0")
    }
}
