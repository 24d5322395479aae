//! The metrics of this crate, in one list.

use std::sync::Arc;

use super::loss::ObjectiveLoss;
use super::mae::Mae;
use super::measure::Metrics;
use super::rmse::Rmse;

/// The metrics that every config can name, in the order of the documentation.
pub fn built_in() -> Metrics {
    Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(Rmse), Arc::new(Mae)])
}
