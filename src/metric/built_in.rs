//! The metrics of this crate, in one list.

use std::sync::Arc;

use super::classification;
use super::loss::ObjectiveLoss;
use super::mae::Mae;
use super::measure::{Metric, Metrics};
use super::ranking;
use super::rmse::Rmse;

/// The metrics that every config can name, in the order of the documentation.
pub fn built_in() -> Metrics {
    let of_interactions: [Arc<dyn Metric>; 3] = [Arc::new(ObjectiveLoss), Arc::new(Rmse), Arc::new(Mae)];
    Metrics(of_interactions.into_iter().chain(classification::built_in()).chain(ranking::built_in()).collect())
}
