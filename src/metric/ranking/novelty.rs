//! Novelty: the mean of −log₂ p_i over the first k, where p_i is the share of the training users who met item i, mean over
//! users (Zhou et al. 2010: self-information). 0 if everybody knows the items.

use super::cutoff::AtK;
use crate::metric::list::RankedList;
use crate::metric::measure::Needs;

/// Mean self-information of the recommended items.
pub struct Novelty;

impl AtK for Novelty {
    const NAME: &'static str = "novelty";
    const UNIT: &'static str = "bits";
    const IS_GOAL: bool = false;

    fn needs(k: usize) -> Needs {
        Needs::Lists { length: k }
    }

    fn of_list(list: &RankedList, _: usize) -> Option<f64> {
        let bits = list.items.iter().map(|&item| -list.catalog.popularity(item).log2());
        (!list.items.is_empty()).then(|| bits.sum::<f64>() / list.items.len() as f64)
    }
}
