//! Logistic loss (binary cross-entropy on scores): log(1 + eˢ) − r·s, prediction r̂ = 1 / (1 + e⁻ˢ).
//!
//! Where positives are rare, each can count w times: (1 − r + w·r)·log(1 + eˢ) − w·r·s. The score that minimizes it is higher by ln w
//! than the logarithm of the odds (King & Zeng 2001), so that r̂ = 1 / (1 + e^(ln w − s)) stays a probability.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Key, KeyKind, Keys, Values};

/// −w·r·log σ(s) − (1 − r)·log(1 − σ(s)) with r in [0, 1], in the form that stays finite for any score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// w above 0: how many times a positive counts.
    pub positive_weight: f64,
}

const POSITIVE_WEIGHT: &str = "loss.positive_weight";

impl Logistic {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        let meaning = "How many times a positive counts in training, where positives are rare. Predictions stay probabilities: what \
                       the weight adds to scores is taken off.";
        Key::new(POSITIVE_WEIGHT, KeyKind::POSITIVE, meaning).default("1.0").into()
    }

    /// The loss set in a config.
    pub(super) fn of(values: &Values) -> Self {
        // Models of earlier versions have no weight.
        Self { positive_weight: values.find(POSITIVE_WEIGHT).unwrap_or(1.0) }
    }

    /// ln w, by which scores are higher than the logarithm of the odds.
    fn offset(&self) -> f64 {
        if self.positive_weight == 1.0 { 0.0 } else { self.positive_weight.ln() }
    }

    /// How many times a rating counts in all.
    fn weight(&self, rating: f64) -> f64 {
        1.0 + (self.positive_weight - 1.0) * rating
    }
}

impl PointwiseLoss for Logistic {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        // log(1 + eˢ) = max(s, 0) + log(1 + e^−|s|), with max(s, 0) = ½(s + |s|), whose slope at 0 is correctly ½.
        let size = score.clone().abs();
        let whole = (score.clone() + size.clone()) * 0.5 + (-size).exp().log1p();
        if self.positive_weight == 1.0 {
            return whole - rating * score;
        }
        whole * (rating.clone() * (self.positive_weight - 1.0) + 1.0) - rating * score * self.positive_weight
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        let whole = score.max(0.0) + (-score.abs()).exp().ln_1p();
        self.weight(rating) * whole - self.positive_weight * rating * score
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        self.weight(rating) * (1.0 / (1.0 + (-score).exp())) - self.positive_weight * rating
    }

    fn prediction(&self, score: f64) -> f64 {
        1.0 / (1.0 + (self.offset() - score).exp())
    }

    fn score(&self, rating: f64) -> f64 {
        let rating = rating.clamp(1e-6, 1.0 - 1e-6);
        (rating / (1.0 - rating)).ln() + self.offset()
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
