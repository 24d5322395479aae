//! Candidates of the interactions of a block: items of its part that the user has not met.

use rand_chacha::ChaCha8Rng;

use super::grid::Cell;
use crate::data::unseen::Unseen;
use crate::objective::negatives::{TRIES, below, one_of};
use crate::objective::{NegativeSampler, Negatives};

/// What the candidates of a block's interactions are drawn from.
pub struct Candidates<'a> {
    /// What each user has not met.
    pub unseen: &'a Unseen,
    /// Rows of the table, by row of the user part.
    pub users: &'a [u32],
    /// The same of the item part.
    pub items: &'a [u32],
    /// How many there are for an interaction, at most, and how they are drawn.
    pub negatives: Negatives,
    /// Whether scores are corrected by how often a candidate is drawn.
    pub is_corrected: bool,
}

/// Draws candidates in a block.
pub struct CandidateDraws<'a> {
    /// What they are drawn from.
    pub candidates: Candidates<'a>,
    cells: &'a [Cell],
    met: Met,
    stream: ChaCha8Rng,
    /// Mass of the items of the part before each, and of all, unless all have the same.
    masses: Vec<u64>,
}

impl<'a> CandidateDraws<'a> {
    /// Draws for the interactions of a block.
    pub fn new(candidates: Candidates<'a>, cells: &'a [Cell], stream: ChaCha8Rng) -> Self {
        let masses = match candidates.negatives.sampler {
            NegativeSampler::Popularity { .. } => candidates.masses_before(),
            NegativeSampler::Uniform | NegativeSampler::InBatch => Vec::new(),
        };
        let met = Met::of(cells, candidates.users.len(), candidates.items.len());
        Self { candidates, cells, met, stream, masses }
    }

    /// An item of the part that the user has not met and that is not among `chosen`.
    #[inline(always)]
    pub fn next(&mut self, user: u32, chosen: &[u32]) -> Option<u32> {
        let Candidates { items, negatives: Negatives { sampler, .. }, .. } = self.candidates;
        for _ in 0..TRIES {
            let item = match sampler {
                NegativeSampler::Uniform => below(&mut self.stream, items.len() as u64) as u32,
                NegativeSampler::InBatch => self.cells[below(&mut self.stream, self.cells.len() as u64) as usize].item,
                NegativeSampler::Popularity { .. } => {
                    let point = below(&mut self.stream, self.masses[items.len()]);
                    self.masses.partition_point(|&mass| mass <= point) as u32 - 1
                }
            };
            if !chosen.contains(&item) && !self.has_met(user, item) {
                return Some(item);
            }
        }
        self.one_of_the_rest(user, chosen)
    }

    /// The same if the user has met most of the part.
    #[cold]
    fn one_of_the_rest(&mut self, user: u32, chosen: &[u32]) -> Option<u32> {
        let Candidates { unseen, items, negatives: Negatives { sampler, .. }, .. } = self.candidates;
        if sampler == NegativeSampler::InBatch {
            return None;
        }
        let is_left = |item: &u32| !chosen.contains(item) && !self.has_met(user, *item);
        let left: Vec<u32> = (0..items.len() as u32).filter(is_left).collect();
        one_of(left.into_iter(), |item| unseen.mass_of(items[item as usize]), &mut self.stream)
    }

    /// Whether a user met an item in training, both as rows of their parts.
    #[inline(always)]
    fn has_met(&self, user: u32, item: u32) -> bool {
        let Candidates { unseen, items, .. } = self.candidates;
        match &self.met {
            Met::Listed => unseen.has_met(self.candidates.user(user), items[item as usize]),
            Met::Marked { marks, num_items } => {
                let at = user as usize * num_items + item as usize;
                marks[at / 64] >> (at % 64) & 1 == 1
            }
        }
    }
}

/// How to tell whether a user met an item of the part: a mark for each pair is faster than a search, where it is small
/// enough. The interactions of a block are all that its users have with its items.
enum Met {
    /// By the list of each user.
    Listed,
    /// A bit for each pair, user by user.
    Marked { marks: Vec<u64>, num_items: usize },
}

impl Met {
    /// Words of marks that any block may have, and for each of its interactions.
    const WORDS: usize = 1 << 16;

    fn of(cells: &[Cell], num_users: usize, num_items: usize) -> Self {
        let words = num_users.saturating_mul(num_items).div_ceil(64);
        if words > Self::WORDS.max(4 * cells.len()) {
            return Self::Listed;
        }
        let mut marks = vec![0; words];
        for cell in cells {
            let at = cell.user as usize * num_items + cell.item as usize;
            marks[at / 64] |= 1 << (at % 64);
        }
        Self::Marked { marks, num_items }
    }
}

impl Candidates<'_> {
    /// The row of a user of the part.
    #[inline(always)]
    pub fn user(&self, user: u32) -> u32 {
        self.users[user as usize]
    }

    /// Mass of the items of the part before each, and of all.
    fn masses_before(&self) -> Vec<u64> {
        let mut before = vec![0];
        for &item in self.items {
            before.push(before[before.len() - 1] + self.unseen.mass_of(item));
        }
        before
    }

    /// What is added to the score of a candidate.
    pub fn correction(&self, user: u32, item: u32) -> f32 {
        if !self.is_corrected {
            return 0.0;
        }
        self.negatives.correction(self.unseen, self.user(user), self.items[item as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Interactions;
    use crate::random::stream;

    #[test]
    fn marks_say_what_lists_say() {
        let (users, items) = ([5, 0, 3], [4, 1, 7, 2]);
        let mut met = Interactions::default();
        let mut cells = Vec::new();
        for (at, (user, item)) in [(0, 2), (0, 3), (1, 0), (2, 1), (2, 3)].into_iter().enumerate() {
            met.push([users[user], items[item]], 1.0, None);
            cells.push(Cell { user: user as u32, item: item as u32, value: at as f32 });
        }
        // Items of other parts are in no block of this one.
        met.push([5, 0], 1.0, None);
        let unseen = Unseen::new([&met], 6, 8);
        let draw = |met| {
            let negatives = Negatives { count: 1, sampler: NegativeSampler::Uniform };
            let (users, items) = (&users[..], &items[..]);
            let candidates = Candidates { unseen: &unseen, users, items, negatives, is_corrected: false };
            CandidateDraws { candidates, cells: &[], met, stream: stream(1, "marks"), masses: Vec::new() }
        };
        let marked = Met::of(&cells, users.len(), items.len());
        assert!(matches!(marked, Met::Marked { .. }) && matches!(Met::of(&cells, 1 << 20, 1 << 20), Met::Listed));
        let (marked, listed) = (draw(marked), draw(Met::Listed));
        for (user, item) in (0..3).flat_map(|user| (0..4).map(move |item| (user, item))) {
            assert_eq!(marked.has_met(user, item), listed.has_met(user, item), "{user} {item}");
        }
    }

    #[test]
    fn a_user_who_met_nearly_everything_gets_the_rest() {
        let mut met = Interactions::default();
        (0..200_u32).filter(|item| item % 100 != 7).for_each(|item| met.push([0, item], 1.0, None));
        met.push([1, 7], 1.0, None);
        met.push([1, 107], 1.0, None);
        let unseen = Unseen::new([&met], 2, 200).by_popularity(1.0);
        let all = Vec::from_iter(0..200);
        for sampler in [NegativeSampler::Uniform, NegativeSampler::Popularity { exponent: 1.0 }] {
            let candidates = Candidates {
                unseen: &unseen,
                users: &[0, 1],
                items: &all,
                negatives: Negatives { count: 3, sampler },
                is_corrected: false,
            };
            let masses = candidates.masses_before();
            let mut draw =
                CandidateDraws { candidates, cells: &[], met: Met::Listed, stream: stream(1, "rest"), masses };
            let first = draw.next(0, &[3]).expect("one of two");
            let second = draw.next(0, &[3, first]).expect("the other");
            assert_eq!(first.min(second) + first.max(second), 7 + 107);
            assert_eq!(draw.next(0, &[3, first, second]), None);
        }
    }
}
