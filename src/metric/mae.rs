//! Mean absolute error: Σ|r − r̂| / n.

use super::measure::{Metric, Pair};

/// Mean absolute error. Unit: ratings.
#[derive(Debug, Clone, Copy)]
pub struct Mae;

impl Metric for Mae {
    fn name(&self) -> &str {
        "mae"
    }

    fn unit(&self) -> &str {
        "ratings"
    }

    fn of_pair(&self, pair: &Pair) -> Option<f64> {
        Some((pair.target - pair.prediction).abs())
    }
}
