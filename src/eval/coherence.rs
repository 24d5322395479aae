//! How well the words of a topic fit together.
//!
//! The coherence of a topic is the mean normalized pointwise mutual information of the pairs of its top words (Bouma
//! 2009; Lau, Newman & Baldwin 2014), with p the share of documents in which a word, or both words, appear:
//!
//! > NPMI(v, w) = ln(p(v, w) / (p(v) p(w))) / −ln p(v, w)
//!
//! It is −1 for words that never meet, 0 for words that meet as often as by chance, 1 for words that appear only
//! together. Co-occurrence is counted in the documents themselves, not in a larger corpus, so values can be compared
//! only between topics of the same documents.

use hashbrown::HashMap;

use crate::data::{ITEM, Interactions, USER};

/// The documents (rows) in which some terms (columns) appear, as bits.
struct Occurrences {
    documents: HashMap<u32, Vec<u64>>,
    count: f64,
}

impl Occurrences {
    fn of(cells: &Interactions, num_documents: usize, terms: impl Iterator<Item = u32>) -> Self {
        let mut documents: HashMap<u32, Vec<u64>> =
            terms.map(|term| (term, vec![0; num_documents.div_ceil(64)])).collect();
        for ((&document, term), &value) in cells.column(USER).iter().zip(cells.column(ITEM)).zip(&cells.targets) {
            if value != 0.0
                && let Some(bits) = documents.get_mut(term)
            {
                bits[document as usize / 64] |= 1 << (document % 64);
            }
        }
        Self { documents, count: num_documents as f64 }
    }

    /// The share of documents that have both terms; for a term and itself, the share that has it.
    fn share(&self, one: u32, other: u32) -> f64 {
        let bits = self.documents[&one].iter().zip(&self.documents[&other]);
        bits.map(|(one, other)| (one & other).count_ones()).sum::<u32>() as f64 / self.count
    }

    fn npmi(&self, one: u32, other: u32) -> f64 {
        let together = self.share(one, other);
        if together == 0.0 {
            return -1.0;
        }
        // Two words that are in all documents: the limit of two that appear only together.
        if together == 1.0 {
            return 1.0;
        }
        (together / (self.share(one, one) * self.share(other, other))).ln() / -together.ln()
    }
}

/// The mean NPMI over the pairs of each topic's words, in −1 … 1; `None` for a topic of fewer than two words. A word is
/// in a document if the cell is stored and not zero. `cells` has documents as users and terms as items.
///
/// # Panics
/// If a document is not below `num_documents`.
pub fn coherence(cells: &Interactions, num_documents: usize, topics: &[Vec<u32>]) -> Vec<Option<f64>> {
    let occurrences = Occurrences::of(cells, num_documents, topics.iter().flatten().copied());
    let mean = |words: &Vec<u32>| {
        let pairs =
            words.iter().enumerate().flat_map(|(at, &one)| words[at + 1..].iter().map(move |&other| (one, other)));
        let values: Vec<f64> = pairs.map(|(one, other)| occurrences.npmi(one, other)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    topics.iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 documents: terms 0 and 1 in the first 10, term 2 in the last 20, term 3 in every second, term 4 in all.
    fn cells() -> Interactions {
        let mut cells = Interactions::default();
        for document in 0..100 {
            for (term, present) in
                [document < 10, document < 10, document >= 80, document % 2 == 0, true].iter().enumerate()
            {
                if *present {
                    cells.push([document, term as u32], 2.0, None);
                }
            }
        }
        cells.push([0, 2], 0.0, None);
        cells
    }

    #[test]
    fn the_three_corners_of_npmi() {
        let topics = [vec![0, 1], vec![0, 2], vec![0, 3], vec![0, 4], vec![4, 4], vec![0]];
        let found = coherence(&cells(), 100, &topics);
        for (value, expected) in found.iter().zip([Some(1.0), Some(-1.0), Some(0.0), Some(0.0), Some(1.0), None]) {
            match (value, expected) {
                (Some(value), Some(expected)) => assert!((value - expected).abs() < 1e-12, "{found:?}"),
                _ => assert_eq!(*value, expected),
            }
        }
    }

    #[test]
    fn a_topic_has_the_mean_over_its_pairs() {
        let found = coherence(&cells(), 100, &[vec![0, 1, 2]])[0].expect("three words");
        assert!((found - (1.0 - 1.0 - 1.0) / 3.0).abs() < 1e-12, "{found}");
        // 20 of 100 documents have term 2, 10 of them term 3.
        let found = coherence(&cells(), 100, &[vec![2, 3]])[0].expect("two words");
        assert!(found.abs() < 1e-12);
    }
}
