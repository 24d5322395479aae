//! The mapping between ids (used by files and people) and indices (rows of a parameter).

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::normal_form::composed;

/// Ids in order of first appearance; the position is the index.
///
/// Ids are kept back to back in one buffer, so a vocabulary costs its text plus 16 bytes per id.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    text: String,
    /// `ends[i]` is where id `i` ends in `text`.
    ends: Vec<u64>,
    lookup: HashTable<u32>,
}

/// Fixed keys: iteration order is never used, so nothing observable depends on them.
#[inline]
fn hash(id: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(id);
    hasher.finish()
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

    /// The index of the id of row or column `number` (from 1) of an unlabelled matrix, added as by
    /// [`insert`](Self::insert).
    pub(super) fn insert_number(&mut self, number: u64) -> u32 {
        self.insert(&number.to_string())
    }

    /// The vocabulary whose [`parts`](Self::parts) these are; `None` if no vocabulary has these parts.
    pub(super) fn from_parts(text: String, ends: Vec<u64>) -> Option<Self> {
        let mut lookup = HashTable::with_capacity(ends.len());
        let mut start = 0;
        for (index, &end) in ends.iter().enumerate() {
            let end = usize::try_from(end).ok()?;
            let id = text.get(start..end)?;
            match entry(&mut lookup, &text, &ends, id) {
                Entry::Occupied(_) => return None,
                Entry::Vacant(place) => place.insert(u32::try_from(index).ok()?),
            };
            start = end;
        }
        (start == text.len()).then_some(Self { text, ends, lookup })
    }

    /// All ids back to back, and where each of them ends.
    pub(super) fn parts(&self) -> (&str, &[u64]) {
        (&self.text, &self.ends)
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The index of `id`, added at the end if it is new.
    ///
    /// # Panics
    /// With more than `u32::MAX` ids.
    pub fn insert(&mut self, id: &str) -> u32 {
        match entry(&mut self.lookup, &self.text, &self.ends, id) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(place) => {
                let index = u32::try_from(self.ends.len()).expect("at most u32::MAX ids");
                place.insert(index);
                self.text.push_str(id);
                self.ends.push(self.text.len() as u64);
                index
            }
        }
    }

    /// The index of `id`, or else of what looks like it with its accents composed, as ids from files have them; `None` if
    /// both are unknown.
    pub fn index(&self, id: &str) -> Option<u32> {
        self.index_of(id.as_bytes()).or_else(|| match composed(id) {
            Cow::Borrowed(_) => None,
            Cow::Owned(id) => self.index_of(id.as_bytes()),
        })
    }

    /// The index of the id with these bytes.
    #[inline]
    pub(crate) fn index_of(&self, id: &[u8]) -> Option<u32> {
        self.lookup.find(hash(id), |&index| slice(&self.text, &self.ends, index) == id).copied()
    }

    /// The id of `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn id(&self, index: usize) -> &str {
        &self.text[span(&self.ends, index)]
    }

    /// All ids in index order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.id(index))
    }
}

/// The place of `id` in `lookup`.
fn entry<'a>(lookup: &'a mut HashTable<u32>, text: &str, ends: &[u64], id: &str) -> Entry<'a, u32> {
    let is_id = |&index: &u32| slice(text, ends, index) == id.as_bytes();
    lookup.entry(hash(id.as_bytes()), is_id, |&index| hash(slice(text, ends, index)))
}

/// The range of id `index` in the text.
#[inline]
fn span(ends: &[u64], index: usize) -> Range<usize> {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    start..ends[index] as usize
}

#[inline]
fn slice<'a>(text: &'a str, ends: &[u64], index: u32) -> &'a [u8] {
    &text.as_bytes()[span(ends, index as usize)]
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
    fn an_id_is_found_however_its_accents_are_typed() {
        let vocabulary = Vocabulary::from_ids(["a", "ä", "q\u{308}"]);
        assert_eq!((vocabulary.index("a\u{308}"), vocabulary.index("q\u{308}")), (Some(1), Some(2)));
        assert_eq!(vocabulary.index("o\u{308}"), None);
        // A vocabulary that holds the other form, as of an older model, is searched for that first.
        let both = Vocabulary::from_ids(["ä", "a\u{308}"]);
        assert_eq!((both.index("ä"), both.index("a\u{308}")), (Some(0), Some(1)));
    }

    #[test]
    fn parts_make_the_vocabulary_again_or_none() {
        let vocabulary = Vocabulary::from_ids(["b", "", "ä"]);
        let (text, ends) = vocabulary.parts();
        assert_eq!((text, ends), ("bä", &[1, 1, 3][..]));
        let again = Vocabulary::from_parts(text.into(), ends.to_vec()).unwrap();
        assert!(again.ids().eq(vocabulary.ids()) && again.index("ä") == Some(2));
        for (text, ends) in [("bä", &[1, 1, 2][..]), ("bä", &[1, 1]), ("bä", &[1, 0, 3]), ("bb", &[1, 2]), ("b", &[2])]
        {
            assert!(Vocabulary::from_parts(text.into(), ends.to_vec()).is_none(), "{text:?} {ends:?}");
        }
    }

    #[test]
    fn growing_past_the_first_allocation_keeps_every_id() {
        let vocabulary = Vocabulary::numbered(10_000);
        assert!((1..=10_000u32).all(|id| vocabulary.index(&id.to_string()) == Some(id - 1)));
    }
}
