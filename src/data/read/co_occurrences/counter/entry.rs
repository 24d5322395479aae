//! Pairs of words with their units, packed in 64 bits.

/// The largest vocabulary: of the 64 bits 20 are left then for units, which hold the weight 1.
pub const MOST_WORDS: usize = 1 << 22;

/// Where a pair and its units stand in an entry: from the highest bits down the first word, the second and the units,
/// so that sorted entries are in the order of pairs.
#[derive(Debug, Clone, Copy)]
pub struct Packing {
    word_bits: u32,
    unit_bits: u32,
}

impl Packing {
    /// The layout for a vocabulary of so many words.
    ///
    /// # Panics
    /// If they are more than [`MOST_WORDS`].
    pub fn new(words: usize) -> Self {
        assert!(words <= MOST_WORDS, "{words} words are more than {MOST_WORDS}");
        let word_bits = words.next_power_of_two().ilog2().max(1);
        Self { word_bits, unit_bits: u64::BITS - 2 * word_bits }
    }

    /// The entry of a pair. The units fit if they are at most those of the weight 1.
    #[inline]
    pub fn entry(self, first: u32, second: u32, units: u32) -> u64 {
        (u64::from(first) << self.word_bits | u64::from(second)) << self.unit_bits | u64::from(units)
    }

    /// Both words of an entry as one number, which is below `u64::MAX`.
    #[inline]
    pub fn pair(self, entry: u64) -> u64 {
        entry >> self.unit_bits
    }

    /// The words of a pair.
    pub fn words(self, pair: u64) -> (u32, u32) {
        ((pair >> self.word_bits) as u32, (pair & ((1 << self.word_bits) - 1)) as u32)
    }

    /// Units of entries together.
    pub fn units(self, entries: &[u64]) -> u64 {
        entries.iter().map(|entry| entry & self.most_units()).sum()
    }

    /// Sorted entries by pair.
    pub fn by_pair(self, sorted: &[u64]) -> impl Iterator<Item = &[u64]> {
        sorted.chunk_by(move |a, b| self.pair(*a) == self.pair(*b))
    }

    /// Makes one entry of the sorted entries of a pair, or as few as can hold its units.
    pub fn combine(self, sorted: &mut Vec<u64>) {
        let (mut at, mut end) = (0, 0);
        while let Some(&entry) = sorted.get(at) {
            let pair = self.pair(entry);
            let length = sorted[at..].iter().take_while(|other| self.pair(**other) == pair).count();
            let mut units = self.units(&sorted[at..at + length]);
            at += length;
            while units > 0 {
                sorted[end] = pair << self.unit_bits | units.min(self.most_units());
                units -= units.min(self.most_units());
                end += 1;
            }
        }
        sorted.truncate(end);
    }

    fn most_units(self) -> u64 {
        (1 << self.unit_bits) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_units_come_back_from_entries() {
        for words in [0, 1, 2, 3, 1000, 1024, 1025, MOST_WORDS] {
            let layout = Packing::new(words);
            let last = words.saturating_sub(1) as u32;
            for (first, second) in [(0, 0), (0, last), (last, 0), (last, last)] {
                let entry = layout.entry(first, second, 720_720);
                assert_eq!(layout.words(layout.pair(entry)), (first, second), "{words} words");
                assert_eq!(layout.units(&[entry]), 720_720);
                assert!(layout.pair(entry) < u64::MAX);
            }
        }
    }

    #[test]
    fn units_that_no_entry_holds_make_several() {
        let layout = Packing::new(MOST_WORDS);
        let mut entries = [vec![layout.entry(1, 2, 1)], vec![layout.entry(3, 4, 720_720); 5]].concat();
        entries.push(layout.entry(3, 5, 7));
        layout.combine(&mut entries);
        assert!(entries.len() == 6 && layout.units(&entries[1..5]) == 5 * 720_720, "{entries:?}");
        let pairs: Vec<_> = layout.by_pair(&entries).map(|entries| layout.words(layout.pair(entries[0]))).collect();
        assert_eq!(pairs, [(1, 2), (3, 4), (3, 5)]);
    }

    #[test]
    #[should_panic(expected = "more than")]
    fn a_vocabulary_can_be_too_large() {
        Packing::new(MOST_WORDS + 1);
    }
}
