//! Items that an interaction is ranked among.

use rand::seq::index::sample;
use rayon::prelude::*;

use super::unseen::Unseen;
use super::{ITEM, Interactions, UNKNOWN, USER};
use crate::random::stream;

/// An interaction and the items that its own is ranked among; each may be [`UNKNOWN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateList {
    /// The user.
    pub user: u32,
    /// The user's item.
    pub item: u32,
    /// The other items.
    pub others: Vec<u32>,
}

impl CandidateList {
    /// For each of the interactions `count` of the user's `unseen` items, drawn alike without repetition from the stream
    /// `candidates/<number>`; all of them if there are fewer. What the user met in these interactions is not unseen either.
    pub fn drawn(interactions: &Interactions, unseen: &Unseen, count: usize, seed: u64) -> Vec<Self> {
        let pairs = interactions.column(USER).par_iter().zip(interactions.column(ITEM)).enumerate();
        let list = |(at, (&user, &item)): (usize, (&u32, &u32))| {
            let all = if user == UNKNOWN { 0 } else { unseen.count(user) };
            let points = sample(&mut stream(seed, &format!("candidates/{at}")), all, count.min(all));
            Self { user, item, others: points.into_iter().map(|point| unseen.at(user, point as u64)).collect() }
        };
        pairs.map(list).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn drawn_candidates_are_new_to_the_user() {
        let (mut train, mut test) = (Interactions::default(), Interactions::default());
        (0..4).for_each(|item| train.push([0, item], 1.0, None));
        train.push([1, 9], 1.0, None);
        for (user, item) in [(0, 5), (0, 6), (1, 8), (UNKNOWN, 3), (1, UNKNOWN)] {
            test.push([user, item], 1.0, None);
        }
        let unseen = Unseen::new([&train, &test], 2, 10);
        let lists = CandidateList::drawn(&test, &unseen, 4, 1);
        assert_eq!(lists, CandidateList::drawn(&test, &unseen, 4, 1));
        assert_ne!(lists, CandidateList::drawn(&test, &unseen, 4, 2));
        assert_eq!(lists.iter().map(|list| list.others.len()).collect::<Vec<_>>(), [4, 4, 4, 0, 4]);
        for list in &lists[..2] {
            // All that are left of ten: neither the four met nor the two held out.
            assert_eq!(list.others.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([4, 7, 8, 9]));
        }
        let few = CandidateList::drawn(&test, &unseen, 100, 1);
        assert_eq!(few.iter().map(|list| list.others.len()).collect::<Vec<_>>(), [4, 4, 8, 0, 8]);
    }
}
