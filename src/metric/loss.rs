//! The training objective on a split: mean of the loss, without the penalty.

use super::measure::{Metric, Needs, Pair};

/// Mean loss. Unit: the loss's.
#[derive(Debug, Clone, Copy)]
pub struct ObjectiveLoss;

impl Metric for ObjectiveLoss {
    fn name(&self) -> &str {
        "loss"
    }

    fn needs(&self) -> Needs {
        Needs::Loss
    }

    fn of_pair(&self, pair: &Pair) -> Option<f64> {
        pair.loss
    }
}
