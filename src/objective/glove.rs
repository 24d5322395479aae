//! Weighted squares of logarithms of counts: f(r)(s − ln r)², prediction r̂ = eˢ   (Pennington, Socher & Manning 2014).

use std::ops::Bound;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Key, KeyKind, Keys, Values};

/// f(r)(s − ln r)² with f(r) = min(1, (r / x_max)^α): eq. 8 and 9 of the paper, without the ½ of its program. With the score
/// s = b_u + b_i + p·q of words and their contexts this is GloVe. Small counts are mostly chance and weigh little, and none
/// weighs more than 1, however often a pair occurs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Glove {
    /// The count from which a cell has weight 1.
    pub x_max: f64,
    /// α.
    pub alpha: f64,
}

impl Glove {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        let x_max = "The count from which a cell has its full weight, 1.";
        let alpha = "Power of count / loss.x_max that smaller counts weigh; 0 gives all the same weight.";
        let share = KeyKind::Float(Bound::Included(0.0), Bound::Included(1.0));
        Keys::new([
            Key::new("loss.x_max", KeyKind::POSITIVE, x_max).default("100.0"),
            Key::new("loss.alpha", share, alpha).default("0.75"),
        ])
        // No penalty is part of it.
        .default_for("solver.regularization.<entity>_factors", "0.0")
        .default_for("solver.regularization.<entity>_biases", "0.0")
    }

    /// The loss set in a config.
    pub(super) fn of(values: &Values) -> Self {
        Self { x_max: values.get("loss.x_max"), alpha: values.get("loss.alpha") }
    }

    /// f of the count whose logarithm this is.
    #[inline(always)]
    fn weight(&self, logarithm: f64) -> f64 {
        (self.alpha * (logarithm - self.x_max.ln())).exp().min(1.0)
    }
}

impl PointwiseLoss for Glove {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        let logarithm = rating.log();
        let weight = ((logarithm.clone() - self.x_max.ln()) * self.alpha).exp().clamp_max(1.0);
        let residual = logarithm - score;
        weight * residual.clone() * residual
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        let logarithm = rating.ln();
        self.weight(logarithm) * (logarithm - score).powi(2)
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        let logarithm = rating.ln();
        2.0 * self.weight(logarithm) * (score - logarithm)
    }

    fn prediction(&self, score: f64) -> f64 {
        score.exp()
    }

    fn score(&self, rating: f64) -> f64 {
        rating.max(1e-6).ln()
    }

    fn as_weighted_square(&self, rating: f32) -> Option<(f32, f32)> {
        let logarithm = f64::from(rating).ln();
        Some((logarithm as f32, self.weight(logarithm) as f32))
    }

    fn has_link(&self) -> bool {
        true
    }

    fn refuses(&self, rating: f32) -> Option<&'static str> {
        (rating <= 0.0).then_some("glove loss takes logarithms, so that it needs counts above 0")
    }
}
