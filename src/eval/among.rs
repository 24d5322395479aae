//! Sampled ranking: the place of an interaction's item among given candidates. It is what many published figures are, and
//! says less than a ranking of all items: of two models, the better one there may be the worse one here (Krichene & Rendle
//! 2020).

use crate::data::{CandidateList, UNKNOWN};

/// A user's candidates, best first, and the place of the user's own item.
pub(super) struct Among {
    /// The best of them.
    pub items: Vec<u32>,
    /// How many candidates stand before the user's item; `None` if training never saw it.
    pub place: Option<u32>,
    /// Number of candidates.
    pub candidates: usize,
}

impl Among {
    /// The `length` best, given the score of the list's item and then those of the others; of equals the list's own item is
    /// last. An item that training never saw, and one whose score is NaN, stands behind all others.
    pub fn new(list: &CandidateList, scores: &[f32], length: usize) -> Self {
        let score = |item: u32, score: f32| if item == UNKNOWN || score.is_nan() { f32::NEG_INFINITY } else { score };
        let own = score(list.item, scores[0]);
        let others = list.others.iter().zip(&scores[1..]).map(|(&item, &other)| (item, score(item, other)));
        let before = others.clone().filter(|&(item, score)| item != UNKNOWN && score >= own).count();
        let mut ranked: Vec<(u32, f32)> = others.filter(|&(item, _)| item != UNKNOWN).collect();
        // A stable sort leaves the own item behind its equals.
        ranked.extend((list.item != UNKNOWN).then_some((list.item, own)));
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(length);
        Self {
            items: ranked.into_iter().map(|(item, _)| item).collect(),
            place: (list.item != UNKNOWN).then_some(before as u32),
            candidates: 1 + list.others.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_item_stands_behind_its_equals_and_before_unknown_ones() {
        let list = CandidateList { user: 0, item: 7, others: vec![1, UNKNOWN, 2, 3] };
        let Among { items, place, candidates } = Among::new(&list, &[0.5, 0.5, 9.0, f32::NAN, 0.7], 3);
        assert_eq!((items, place, candidates), (vec![3, 1, 7], Some(2), 5));
        let unknown = Among::new(&CandidateList { item: UNKNOWN, ..list }, &[9.0, 0.5, 9.0, 0.1, 0.7], 10);
        assert_eq!((unknown.items, unknown.place), (vec![3, 1, 2], None));
    }
}
