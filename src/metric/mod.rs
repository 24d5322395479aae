//! How good predictions are.
//!
//! A metric is a value: it measures each pair of prediction and target, or each ranked list, and turns the mean into
//! one number; those of lists are in `ranking`, those of probabilities in `classification`. Nothing is averaged over batches: a [`Tally`] holds counts and `f64` sums over a whole split. No tensors
//! here.

mod built_in;
mod catalog;
mod classification;
mod list;
mod loss;
mod mae;
mod measure;
mod ranking;
mod rmse;
mod tally;

pub use built_in::built_in;
pub use catalog::{Catalog, popularity_scores};
pub use classification::{CalibrationGroup, Decision, calibration_curve, decisions};
pub use list::RankedList;
pub use loss::ObjectiveLoss;
pub use mae::Mae;
pub(crate) use measure::label;
pub use measure::{Direction, Metric, Metrics, Needs, Pair, Placed, Sum};
pub use rmse::Rmse;
pub use tally::{Scores, Tally};
