//! Root mean squared error: √(Σ(r − r̂)² / n).

use super::measure::{Metric, Pair};

/// Root mean squared error. Unit: ratings.
#[derive(Debug, Clone, Copy)]
pub struct Rmse;

impl Metric for Rmse {
    fn name(&self) -> &str {
        "rmse"
    }

    fn unit(&self) -> &str {
        "ratings"
    }

    fn of_pair(&self, pair: &Pair) -> Option<f64> {
        let residual = pair.target - pair.prediction;
        Some(residual * residual)
    }

    fn summary(&self, mean: f64) -> f64 {
        mean.sqrt()
    }
}
