//! Intra-list diversity: the mean of 1 − cos(i, j) over the pairs of the first k, mean over users (Ziegler et al. 2005; Smyth &
//! McClave 2001), where an item is the vector of the training users who met it. In 0 … 1.

use super::cutoff::AtK;
use crate::metric::list::RankedList;
use crate::metric::measure::Needs;

/// How different the items of a list are from each other.
pub struct Diversity;

impl AtK for Diversity {
    const NAME: &'static str = "diversity";
    const IS_GOAL: bool = false;

    fn needs(k: usize) -> Needs {
        Needs::Lists { length: k }
    }

    fn of_list(list: &RankedList, _: usize) -> Option<f64> {
        let items = list.items;
        let pairs = items.iter().enumerate().flat_map(|(at, &one)| items[..at].iter().map(move |&other| (one, other)));
        let count = items.len() * items.len().saturating_sub(1) / 2;
        let different = pairs.map(|(one, other)| 1.0 - list.catalog.similarity(one, other));
        (count > 0).then(|| different.sum::<f64>() / count as f64)
    }
}
