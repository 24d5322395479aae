//! Normalized discounted cumulative gain with binary relevance (Järvelin & Kekäläinen 2002):
//! NDCG@k = Σ_{r_j ≤ k} 1 / log₂(1 + r_j)  /  Σ_{j ≤ min(k, R)} 1 / log₂(1 + j), mean over users. In 0 … 1.

use super::cutoff::AtK;
use crate::metric::list::RankedList;

/// Normalized discounted cumulative gain.
pub struct Ndcg;

impl AtK for Ndcg {
    const NAME: &'static str = "ndcg";

    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let found: f64 = list.hits(k).iter().map(|&place| gain(place as usize)).sum();
        let ideal: f64 = (0..list.num_relevant().min(k)).map(gain).sum();
        Some(found / ideal)
    }
}
