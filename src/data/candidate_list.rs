//! Items that an interaction is ranked among.

use rand::seq::SliceRandom;

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
    /// For each of the interactions `count` items that its user has met neither there nor in training, drawn alike without
    /// repetition, from the stream `candidates/<number>`; all of them if there are fewer.
    pub fn drawn(interactions: &Interactions, unseen: &Unseen, count: usize, seed: u64) -> Vec<Self> {
        let (users, items) = (interactions.column(USER), interactions.column(ITEM));
        let known = || users.iter().zip(items).filter(|&(&user, _)| user != UNKNOWN);
        let mut held_out = vec![Vec::new(); known().map(|(&user, _)| user as usize + 1).max().unwrap_or(0)];
        known().for_each(|(&user, &item)| held_out[user as usize].push(item));
        let list = |(at, (&user, &item)): (usize, (&u32, &u32))| {
            let others = match user {
                UNKNOWN => Vec::new(),
                _ => {
                    let is_free = |other: &u32| !held_out[user as usize].contains(other);
                    let all = (0..unseen.count(user) as u64).map(|point| unseen.at(user, point)).filter(is_free);
                    let mut all: Vec<u32> = all.collect();
                    let (drawn, _) = all.partial_shuffle(&mut stream(seed, &format!("candidates/{at}")), count);
                    drawn.to_vec()
                }
            };
            Self { user, item, others }
        };
        users.iter().zip(items).enumerate().map(list).collect()
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
        let unseen = Unseen::new(&train, 2, 10);
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
