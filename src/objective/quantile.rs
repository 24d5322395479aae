//! Quantile (pinball) loss   (Koenker & Bassett 1978).

use std::ops::Bound;

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Key, KeyKind, Keys, Values};

/// With residual e = r − r̂ and level τ: τ·e if e ≥ 0, else (τ − 1)·e. Its minimizer is the conditional τ-quantile; τ =
/// ½ is half the absolute error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// τ in (0, 1).
    pub level: f64,
}

impl Quantile {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        let level = KeyKind::Float(Bound::Excluded(0.0), Bound::Excluded(1.0));
        Key::new("loss.level", level, "The quantile to predict; 0.5 is the median.").default("0.5").into()
    }

    /// The loss set in a config.
    pub(super) fn of(values: &Values) -> Self {
        Self { level: values.get("loss.level") }
    }
}

impl PointwiseLoss for Quantile {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        let residual = rating - score;
        activation::relu(residual.clone()) * self.level + activation::relu(-residual) * (1.0 - self.level)
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        let residual = rating - score;
        if residual >= 0.0 { self.level * residual } else { (self.level - 1.0) * residual }
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        match rating - score {
            residual if residual > 0.0 => -self.level,
            residual if residual < 0.0 => 1.0 - self.level,
            _ => 0.0,
        }
    }
}
