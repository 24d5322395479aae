//! Metrics of probabilities.
//!
//! An interaction is *positive* if its target is at least `evaluation.relevant_from`, by default ½, and negative otherwise; the
//! prediction is its score. A split of one class only has no order to measure. P is the number of positive interactions, N that of
//! negative ones. Unlike those of ranked lists, these metrics compare interactions of all users with each other.

mod area_under_roc;
mod calibration;
mod decisions;
mod log_loss;
mod positive;
mod precision_recall;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::measure::Metric;

pub use decisions::{CalibrationGroup, Decision, calibration_curve, decisions};
use log_loss::LogLoss;
use positive::Classes;

/// The metrics of probabilities, in the order of the documentation.
pub fn built_in() -> Vec<Arc<dyn Metric>> {
    vec![
        Arc::new(LogLoss),
        Classes::<area_under_roc::AreaUnderRoc>::metric(),
        Classes::<precision_recall::PrecisionRecall>::metric(),
        Arc::new(calibration::CalibrationError),
    ]
}
