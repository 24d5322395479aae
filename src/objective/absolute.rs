//! Absolute error: |r − r̂|.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Keys, Values};

/// |r − r̂|. Its minimizer is the conditional median; outliers pull no harder than other ratings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Absolute {}

impl Absolute {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::default()
    }

    /// The loss set in a config.
    pub(super) fn of(_: &Values) -> Self {
        Self {}
    }
}

impl PointwiseLoss for Absolute {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        (rating - score).abs()
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        (rating - score).abs()
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        // Not `signum`, which maps 0 to 1.
        f64::from(score > rating) - f64::from(score < rating)
    }
}
