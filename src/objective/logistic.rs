//! Logistic loss (binary cross-entropy on scores): log(1 + eˢ) − r·s, prediction r̂ = 1 / (1 + e⁻ˢ).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Keys, Values};

/// −r·log r̂ − (1 − r)·log(1 − r̂) with r in [0, 1], in the form that stays finite for any score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Logistic {}

impl Logistic {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::default()
    }

    /// The loss set in a config.
    pub(super) fn of(_: &Values) -> Self {
        Self {}
    }
}

impl PointwiseLoss for Logistic {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        // log(1 + eˢ) = max(s, 0) + log(1 + e^−|s|), with max(s, 0) = ½(s + |s|), whose slope at 0 is correctly ½.
        let size = score.clone().abs();
        (score.clone() + size.clone()) * 0.5 + (-size).exp().log1p() - rating * score
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        score.max(0.0) + (-score.abs()).exp().ln_1p() - rating * score
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        self.prediction(score) - rating
    }

    fn prediction(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-score).exp())
    }

    fn score(&self, rating: f64) -> f64 {
        let rating = rating.clamp(1e-6, 1.0 - 1e-6);
        (rating / (1.0 - rating)).ln()
    }

    fn has_link(&self) -> bool {
        true
    }

    fn refuses(&self, rating: f32) -> Option<&'static str> {
        (!(0.0..=1.0).contains(&rating)).then_some(
            "logistic loss needs ratings from 0 to 1; set data.binarize to the lowest rating that counts as positive",
        )
    }
}
