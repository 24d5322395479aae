//! Precision: the share of the first k that is relevant, P@k = |{j : r_j ≤ k}| / k, mean over users. In 0 … 1; a list that
//! is shorter than k is divided by k all the same (Manning, Raghavan & Schütze 2008, section 8.4).

use super::cutoff::AtK;
use crate::metric::list::RankedList;

/// Share of the list that is relevant.
pub struct Precision;

impl AtK for Precision {
    const NAME: &'static str = "precision";

    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        Some(list.hits(k).len() as f64 / k as f64)
    }
}
