//! A loss that is squared near zero and absolute far from it, without a kink.

use lowrank::burn::tensor::Tensor;
use lowrank::config::{Key, KeyKind, Keys, Values};
use lowrank::error::Result;
use lowrank::objective::{ObjectivePart, PointwiseLoss};

/// log cosh(s·e) / s with residual e = r − r̂.
#[derive(Debug, Clone, Copy)]
pub struct LogCosh {
    /// s > 0: the larger, the nearer to the absolute residual.
    sharpness: f64,
}

impl ObjectivePart for LogCosh {
    const NAME: &'static str = "log-cosh";

    fn keys() -> Keys {
        let meaning = "The larger, the nearer the loss is to the absolute residual.";
        Key::new("loss.sharpness", KeyKind::POSITIVE, meaning).default("1.0").into()
    }

    fn of(values: &Values) -> Result<Self> {
        Ok(Self { sharpness: values.get("loss.sharpness") })
    }
}

impl PointwiseLoss for LogCosh {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        // log cosh x = |x| + log(1 + exp(−2|x|)) − log 2, which never overflows.
        let size = (rating - score).abs() * self.sharpness;
        let rest = (size.clone() * -2.0).exp().log1p();
        (size + rest - std::f64::consts::LN_2) / self.sharpness
    }

    fn value(&self, score: f64, rating: f64) -> f64 {
        let size = (rating - score).abs() * self.sharpness;
        (size + (-2.0 * size).exp().ln_1p() - std::f64::consts::LN_2) / self.sharpness
    }

    fn slope(&self, score: f64, rating: f64) -> f64 {
        ((score - rating) * self.sharpness).tanh()
    }
}
