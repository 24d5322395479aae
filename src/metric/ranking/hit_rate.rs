//! Hit rate: the share of users with a relevant item among the first k, HR@k = mean of [r_1 ≤ k]. In 0 … 1.

use super::cutoff::AtK;
use crate::metric::list::RankedList;

/// Share of users with a relevant item in their list.
pub struct HitRate;

impl AtK for HitRate {
    const NAME: &'static str = "hit-rate";

    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        Some(f64::from(u8::from(!list.hits(k).is_empty())))
    }
}
