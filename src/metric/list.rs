//! What a metric gets to see of one user.

use super::catalog::Catalog;

/// The ranking of a user's candidates: all items but those that training saw with the user.
#[derive(Debug, Clone, Copy)]
pub struct RankedList<'a> {
    /// The best candidates, best first: as many as the metric needs, or fewer if there are no more.
    pub items: &'a [u32],
    /// The relevant candidates, ascending.
    pub relevant: &'a [u32],
    /// How many candidates stand before each relevant one, ascending. One with the same score stands before it, unless it
    /// is relevant, too.
    pub places: &'a [u32],
    /// Number of relevant items that training never saw. They are no candidates.
    pub unknown: usize,
    /// Number of candidates.
    pub candidates: usize,
    /// What training saw of the items.
    pub catalog: &'a Catalog,
}

impl<'a> RankedList<'a> {
    /// R: the number of relevant items, those that training never saw included.
    pub fn num_relevant(&self) -> usize {
        self.places.len() + self.unknown
    }

    /// The places of the relevant items among the first `length` candidates.
    pub fn hits(&self, length: usize) -> &'a [u32] {
        &self.places[..self.places.partition_point(|&place| (place as usize) < length)]
    }
}
