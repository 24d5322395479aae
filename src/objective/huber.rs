//! Huber loss: squared near zero, absolute beyond δ   (Huber 1964).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::pointwise::PointwiseLoss;
use crate::config::{Key, KeyKind, Keys, Values};

/// With residual e = r − r̂: ½e² if |e| ≤ δ, else δ(|e| − ½δ). The ½ is Huber's and PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Huber {
    /// δ > 0, in rating units: residuals beyond it count linearly.
    pub delta: f64,
}

impl Huber {
    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Key::new("loss.delta", KeyKind::POSITIVE, "Residual, in rating units, at which squared turns into absolute.")
            .default("1.0")
            .into()
    }

    /// The loss set in a config.
    pub(super) fn of(values: &Values) -> Self {
        Self { delta: values.get("loss.delta") }
    }
}

impl PointwiseLoss for Huber {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        // With c = min(|e|, δ) both branches are c(|e| − ½c), which needs no mask.
        let size = (rating - score).abs();
        let near = size.clone().clamp_max(self.delta);
        near.clone() * (size - near * 0.5)
    }

    #[inline]
    fn value(&self, score: f64, rating: f64) -> f64 {
        let size = (rating - score).abs();
        let near = size.min(self.delta);
        near * (size - 0.5 * near)
    }

    #[inline]
    fn slope(&self, score: f64, rating: f64) -> f64 {
        (score - rating).clamp(-self.delta, self.delta)
    }
}
