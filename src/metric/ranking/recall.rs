//! Recall: the share of the relevant items that are among the first k, |{j : r_j ≤ k}| / R, mean over users. In 0 … 1. It
//! is divided by R also if R > k (Manning, Raghavan & Schütze 2008, section 8.3), not by min(k, R).

use super::cutoff::AtK;
use crate::metric::list::RankedList;

/// Share of the relevant items that the list holds.
pub struct Recall;

impl AtK for Recall {
    const NAME: &'static str = "recall";

    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        Some(list.hits(k).len() as f64 / list.num_relevant() as f64)
    }
}
