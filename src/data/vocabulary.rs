//! The one mapping between ids (what files and people use) and indices (rows of a parameter).

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Ids in order of first appearance; the position is the index.
///
/// Ids are kept back to back in one buffer, so a vocabulary costs its text plus 16 bytes an id.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    text: String,
    /// `ends[i]` is where id `i` stops in `text`.
    ends: Vec<u64>,
    lookup: HashTable<u32>,
}

/// Fixed keys: iteration order is never used, so nothing observable depends on them.
fn hash(id: &str) -> u64 {
    FixedState::with_seed(0).hash_one(id)
}

impl Vocabulary {
    /// A vocabulary of `ids`; a repeated id keeps its first index.
    pub fn from_ids<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Self {
        let mut vocabulary = Self::default();
        for id in ids {
            vocabulary.insert(id.as_ref());
        }
        vocabulary
    }

    /// The ids `"1"`, `"2"`, … `count`.
    pub fn numbered(count: usize) -> Self {
        Self::from_ids((1..=count).map(|id| id.to_string()))
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no id at all.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The index of `id`, adding it at the end where it is new.
    ///
    /// # Panics
    /// With more than `u32::MAX` ids.
    pub fn insert(&mut self, id: &str) -> u32 {
        let (text, ends) = (&self.text, &self.ends);
        let entry = self.lookup.entry(
            hash(id),
            |&index| slice(text, ends, index as usize) == id,
            |&index| hash(slice(text, ends, index as usize)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(place) => {
                let index = u32::try_from(ends.len()).expect("at most u32::MAX ids");
                place.insert(index);
                self.text.push_str(id);
                self.ends.push(self.text.len() as u64);
                index
            }
        }
    }

    /// The index of `id`, or `None` where it is unknown.
    pub fn index(&self, id: &str) -> Option<u32> {
        self.lookup.find(hash(id), |&index| self.id(index as usize) == id).copied()
    }

    /// The id of `index`.
    ///
    /// # Panics
    /// Where `index` is not below [`len`](Self::len).
    pub fn id(&self, index: usize) -> &str {
        slice(&self.text, &self.ends, index)
    }

    /// All ids in index order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.id(index))
    }
}

fn slice<'a>(text: &'a str, ends: &[u64], index: usize) -> &'a str {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &text[start..ends[index] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_indices_are_inverse() {
        let vocabulary = Vocabulary::from_ids(["b", "a", "", "b", "ä"]);
        assert_eq!(vocabulary.ids().collect::<Vec<_>>(), ["b", "a", "", "ä"]);
        for index in 0..vocabulary.len() {
            assert_eq!(vocabulary.index(vocabulary.id(index)), Some(index as u32));
        }
        assert_eq!(vocabulary.index("c"), None);
    }

    #[test]
    fn growing_past_the_first_allocation_keeps_every_id() {
        let vocabulary = Vocabulary::numbered(10_000);
        assert!((1..=10_000u32).all(|id| vocabulary.index(&id.to_string()) == Some(id - 1)));
    }
}
