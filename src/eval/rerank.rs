//! Lists that are made of more than scores: popular items may count less, and items that are alike may.

use super::lists::best;
use crate::metric::Catalog;

/// How the list of a user is made.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ListOptions {
    /// Number of items.
    pub number: usize,
    /// γ: an item is ranked by its score − γ · log₂(1 + n), n training users having met it. 0 for none.
    pub popularity_penalty: f64,
    /// λ of maximal marginal relevance (Carbonell & Goldstein 1998): the next item of a list is that with the highest
    /// (1 − λ) · relevance − λ · similarity. Relevance is the score between that of the worst (0) and the best (1) of ten
    /// times as many candidates, similarity the largest cosine with an item already in the list, each a vector of the
    /// training users who met it. From 0, scores alone, to 1.
    pub diversity: f64,
}

/// Candidates for each place of a list of different items.
const CANDIDATES: usize = 10;

/// The list of a user with these scores of all items, without those in `excluded` (sorted indices): items with the scores
/// that they have in `scores`.
pub fn list(scores: &[f32], excluded: &[u32], options: ListOptions, catalog: &Catalog) -> Vec<(u32, f32)> {
    let ListOptions { number, popularity_penalty, diversity } = options;
    let wanted = if diversity > 0.0 { number.saturating_mul(CANDIDATES) } else { number };
    let penalized: Vec<f32> = match popularity_penalty == 0.0 {
        true => Vec::new(),
        false => {
            let penalty = |item: usize| popularity_penalty * (1.0 + catalog.num_users_of(item) as f64).log2();
            scores.iter().enumerate().map(|(item, &score)| (f64::from(score) - penalty(item)) as f32).collect()
        }
    };
    let ranked = best(if penalized.is_empty() { scores } else { &penalized }, excluded, wanted);
    let ranked = if diversity > 0.0 { different(ranked, number, diversity, catalog) } else { ranked };
    ranked.into_iter().map(|(item, _)| (item, scores[item as usize])).collect()
}

/// Maximal marginal relevance; `ranked` are the candidates, best first. Of equals the better one comes first.
fn different(ranked: Vec<(u32, f32)>, number: usize, lambda: f64, catalog: &Catalog) -> Vec<(u32, f32)> {
    let (Some(&(_, high)), Some(&(_, low))) = (ranked.first(), ranked.last()) else { return ranked };
    let range = f64::from(high) - f64::from(low);
    let relevance = |score: f32| if range > 0.0 { (f64::from(score) - f64::from(low)) / range } else { 1.0 };
    // The candidates that are left, with their largest similarity so far.
    let mut left: Vec<(u32, f32, f64)> = ranked.into_iter().map(|(item, score)| (item, score, 0.0)).collect();
    let mut list: Vec<(u32, f32)> = Vec::new();
    while list.len() < number && !left.is_empty() {
        let value = |&(_, score, similar): &(u32, f32, f64)| (1.0 - lambda) * relevance(score) - lambda * similar;
        let next = (1..left.len()).fold(0, |best, at| if value(&left[at]) > value(&left[best]) { at } else { best });
        let (item, score, _) = left.remove(next);
        left.iter_mut().for_each(|other| other.2 = other.2.max(catalog.similarity(item, other.0)));
        list.push((item, score));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Groups;

    /// Items 0 and 1 were met by the same two users, 2 by another one, 3 by all three.
    fn catalog() -> Catalog {
        let met = [(0, 0), (0, 1), (0, 3), (1, 0), (1, 1), (1, 3), (2, 2), (2, 3)];
        Catalog::new(&Groups::new(3, met.into_iter()), 4)
    }

    fn items(options: ListOptions, excluded: &[u32]) -> Vec<u32> {
        let scores = [1.0, 0.9, 0.5, 0.8];
        list(&scores, excluded, options, &catalog()).into_iter().map(|(item, _)| item).collect()
    }

    #[test]
    fn popular_items_count_less() {
        let of = |popularity_penalty| ListOptions { number: 4, popularity_penalty, diversity: 0.0 };
        assert_eq!(items(of(0.0), &[]), [0, 1, 3, 2]);
        // 1 − 1.58, 0.9 − 1.58, 0.5 − 1, 0.8 − 2.
        assert_eq!(items(of(1.0), &[]), [2, 0, 1, 3]);
        assert_eq!(items(of(1.0), &[2]), [0, 1, 3]);
        let scores = [1.0, 0.9, 0.5, 0.8];
        assert_eq!(list(&scores, &[], of(1.0), &catalog())[0], (2, 0.5), "its own score");
    }

    #[test]
    fn alike_items_do_not_follow_each_other() {
        let of = |number, diversity| ListOptions { number, popularity_penalty: 0.0, diversity };
        assert_eq!(items(of(4, 0.0), &[]), [0, 1, 3, 2]);
        // After 0: item 1 has relevance 0.8 and similarity 1, 3 has 0.6 and 2/√6, 2 has 0 and 0.
        assert_eq!(items(of(4, 0.5), &[]), [0, 2, 1, 3]);
        assert_eq!(items(of(2, 0.2), &[]), [0, 1]);
        assert!(items(of(0, 0.5), &[]).is_empty());
        assert!(list(&[], &[], of(3, 0.5), &Catalog::new(&Groups::new(0, std::iter::empty()), 0)).is_empty());
    }
}
