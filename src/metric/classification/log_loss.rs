//! Logarithmic loss of probabilities: −(1/n) Σ [r log r̂ + (1 − r) log(1 − r̂)] with targets r in 0 … 1 (Good 1952). In nats; r̂ is
//! kept 10⁻¹⁵ away from 0 and 1. A constant prediction reaches the entropy of the targets at best.

use crate::config::{Keys, Problem};
use crate::metric::measure::{Metric, Pair};

/// Mean logarithmic loss. Unit: nats.
#[derive(Debug, Clone, Copy)]
pub struct LogLoss;

/// Predictions of 0 and 1 would cost infinitely much where they are wrong.
const LEAST: f64 = 1e-15;

impl Metric for LogLoss {
    fn name(&self) -> &str {
        "log-loss"
    }

    fn unit(&self) -> &str {
        "nats"
    }

    fn is_default(&self) -> bool {
        false
    }

    /// Predictions have to be probabilities.
    fn keys(&self) -> Keys {
        Keys::default().rule(|values| {
            let (metrics, loss): (Vec<String>, String) = (values.get("evaluation.metrics"), values.get("loss.kind"));
            let has_other = metrics.iter().any(|name| name == Self.name())
                && ["squared", "absolute", "huber", "quantile", "poisson", "glove"].contains(&loss.as_str());
            let message = || {
                let name = Self.name();
                format!(
                    "{name} is of probabilities, but with loss.kind = {loss:?} predictions are none; take \"logistic\""
                )
            };
            has_other.then(|| Problem::new(["evaluation.metrics", "loss.kind"], message())).into_iter().collect()
        })
    }

    fn of_pair(&self, pair: &Pair) -> Option<f64> {
        let prediction = pair.prediction.clamp(LEAST, 1.0 - LEAST);
        let is_share = (0.0..=1.0).contains(&pair.target);
        is_share.then(|| -pair.target * prediction.ln() - (1.0 - pair.target) * (-prediction).ln_1p())
    }
}
