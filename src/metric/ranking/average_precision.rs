//! Mean average precision: AP@k = Σ_{r_j ≤ k} (j / r_j) / min(k, R), mean over users (Manning, Raghavan & Schütze 2008,
//! section 8.4, there without k). In 0 … 1.

use super::cutoff::AtK;
use crate::metric::list::RankedList;

/// Mean over the relevant items of the precision at their ranks.
pub struct AveragePrecision;

impl AtK for AveragePrecision {
    const NAME: &'static str = "map";

    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        let precisions = (1..).zip(list.hits(k)).map(|(j, &place)| f64::from(j) / (f64::from(place) + 1.0));
        Some(precisions.sum::<f64>() / list.num_relevant().min(k) as f64)
    }
}
