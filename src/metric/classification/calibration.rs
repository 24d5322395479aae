//! Expected calibration error: Σ_b n_b/n |mean of r̂ − mean of r| over the interactions in each of ten groups b by prediction, as many
//! in one as in another (Nguyen & O'Connor 2015, with the mean of absolute differences of Naeini, Cooper & Hauskrecht 2015). In 0 … 1;
//! 0 if of what is predicted with probability p a share of p happens. Ties at a border are in one group.

use std::ops::Range;

use crate::metric::measure::{Metric, Needs, Placed};

/// Expected calibration error.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationError;

/// Groups.
const GROUPS: usize = 10;

impl Metric for CalibrationError {
    fn name(&self) -> &str {
        "calibration-error"
    }

    fn is_default(&self) -> bool {
        false
    }

    /// Predicting the mean for all is calibrated, and tells nothing.
    fn is_goal(&self) -> bool {
        false
    }

    fn needs(&self) -> Needs {
        Needs::Order
    }

    fn of_order(&self, pairs: &[Placed]) -> Option<f64> {
        let residual = |pair: &Placed| f64::from(pair.prediction) - f64::from(pair.target);
        let of_group = |group: Range<usize>| pairs[group].iter().map(residual).sum::<f64>().abs();
        let sum: f64 = groups(pairs).into_iter().map(of_group).sum();
        (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
    }
}

/// The groups of pairs in the order of their predictions, none of them empty.
pub(super) fn groups(pairs: &[Placed]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut found = Vec::new();
    for group in 1..=GROUPS {
        let mut end = (pairs.len() * group / GROUPS).max(start);
        while end > start && end < pairs.len() && pairs[end].prediction == pairs[end - 1].prediction {
            end += 1;
        }
        if end > start {
            found.push(start..end);
        }
        start = end;
    }
    found
}
