//! Mean reciprocal rank: 1 / r_1 if r_1 ≤ k, else 0, mean over users (Voorhees 1999). In 0 … 1.

use super::cutoff::AtK;
use crate::metric::list::RankedList;

/// Reciprocal of the rank of the first relevant item.
pub struct ReciprocalRank;

impl AtK for ReciprocalRank {
    const NAME: &'static str = "mrr";

    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        Some(list.hits(k).first().map_or(0.0, |&place| 1.0 / (f64::from(place) + 1.0)))
    }
}
