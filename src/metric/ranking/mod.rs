//! Metrics of ranked lists.
//!
//! Each user of a split gets a list: all items that training did not see with the user, best score first. An item of the
//! split is *relevant*. It stands behind every other item with the same score, so that a model which cannot tell items
//! apart gains nothing by their order. Relevant items that training never saw are in no list and count as missed. A user
//! without a relevant item, or whom training never saw, is not measured.
//!
//! R is the number of relevant items, N that of all candidates, and r_1 < r_2 < … are the ranks of the relevant ones, from
//! 1. The sums of a metric at k go over the ranks up to k.

mod auc;
mod average_precision;
mod coverage;
mod cutoff;
mod diversity;
mod gini;
mod hit_rate;
mod ndcg;
mod novelty;
mod precision;
mod recall;
mod reciprocal_rank;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::measure::Metric;
use cutoff::Cutoff;

/// Length of the lists of metrics that a config names without one.
const LENGTH: usize = 10;

/// The metrics of ranked lists, in the order of the documentation.
pub fn built_in() -> Vec<Arc<dyn Metric>> {
    vec![
        Cutoff::<ndcg::Ndcg>::metric(LENGTH),
        Cutoff::<hit_rate::HitRate>::metric(LENGTH),
        Cutoff::<precision::Precision>::metric(LENGTH),
        Cutoff::<recall::Recall>::metric(LENGTH),
        Cutoff::<average_precision::AveragePrecision>::metric(LENGTH),
        Cutoff::<reciprocal_rank::ReciprocalRank>::metric(LENGTH),
        Arc::new(auc::Auc),
        Cutoff::<coverage::Coverage>::metric(LENGTH),
        Cutoff::<gini::Gini>::metric(LENGTH),
        Cutoff::<novelty::Novelty>::metric(LENGTH),
        Cutoff::<diversity::Diversity>::metric(LENGTH),
    ]
}
