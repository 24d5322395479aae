//! Squared error: (r − r̂)², without a ½.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Keys, Values};

/// (r − r̂)². Its minimizer is the conditional mean; the mean over a batch is PyTorch's `MSELoss`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Squared {}

impl Squared {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::default()
    }

    /// The loss set in a config.
    pub(super) fn of(_: &Values) -> Self {
        Self {}
    }
}

impl PointwiseLoss for Squared {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        let residual = rating - score;
        residual.clone() * residual
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        (rating - score).powi(2)
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        2.0 * (score - rating)
    }
}
