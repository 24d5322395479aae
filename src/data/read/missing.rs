//! Cells of a table without a value: how they are written, and values that look as if they said so.

use std::collections::HashMap;

use super::text::finite_number as value;

/// What a missing cell holds unless it is said, whatever the case of its letters.
pub(super) const USUAL: [&str; 9] = ["", "?", "na", "n/a", "nan", "null", "none", "<na>", "#n/a"];

/// Whether a cell holds what usually says that there is no value.
pub(in crate::data) fn is_missing(cell: &str) -> bool {
    USUAL.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// What missing cells hold.
pub(super) struct Markers {
    words: Vec<Vec<u8>>,
    /// Those that are numbers, however the number is written.
    numbers: Vec<f32>,
}

impl Markers {
    /// These words, or the usual ones.
    pub fn of(given: Option<&[String]>) -> Self {
        let (numbers, words): (Vec<_>, Vec<_>) = match given {
            Some(words) => {
                words.iter().map(|word| word.to_lowercase().into_bytes()).partition(|word| value(word).is_some())
            }
            None => (Vec::new(), USUAL.iter().map(|word| word.as_bytes().to_vec()).collect()),
        };
        Self { words, numbers: numbers.iter().filter_map(|word| value(word)).collect() }
    }

    /// The number in `cell`, if it holds one that is finite and says nothing else.
    #[inline]
    pub fn number(&self, cell: &[u8]) -> Option<f32> {
        value(cell).filter(|number| !self.numbers.contains(number))
    }

    /// Whether `cell` says that there is no value.
    pub fn mark(&self, cell: &[u8]) -> bool {
        self.words.iter().any(|word| cell.eq_ignore_ascii_case(word))
            || value(cell).is_some_and(|number| self.numbers.contains(&number))
    }
}

/// A value that may stand for missing cells.
#[derive(Debug, PartialEq)]
pub(super) struct Doubtful {
    pub value: f32,
    /// How often it occurs.
    pub count: usize,
    /// Smallest and largest of the other values in the same columns.
    pub others: (f32, f32),
}

/// Other values that a column must have before one of its values is far from them.
const FEWEST_OTHERS: usize = 3;

/// The value, if there is one, that is too frequent and too far from all others to be one of them: −999 among
/// temperatures, or 99 among grades from −10 to 10. `cells` are columns and values.
///
/// It is the largest or smallest of its columns, a whole number other than 0, and as far from the next value as those are
/// from each other. One of nines alone has to occur twice, any other in a hundredth of the cells.
pub(super) fn doubtful(columns: usize, cells: impl Iterator<Item = (u32, f32)> + Clone) -> Option<Doubtful> {
    let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); columns];
    let mut total = 0;
    for (column, value) in cells.clone() {
        let (low, high) = &mut ranges[column as usize];
        (*low, *high) = (low.min(value), high.max(value));
        total += 1;
    }
    let end = |of: fn(&(f32, f32)) -> f32| most_common(ranges.iter().map(of));
    let ends = [end(|range| range.1)?, end(|range| range.0)?];
    ends.into_iter().find_map(|candidate| {
        let is_end = |range: &(f32, f32)| range.0 == candidate || range.1 == candidate;
        let mut others: Vec<f32> = Vec::new();
        let (mut low, mut high, mut count) = (f32::INFINITY, f32::NEG_INFINITY, 0);
        for (_, value) in cells.clone().filter(|&(column, _)| is_end(&ranges[column as usize])) {
            if value == candidate {
                count += 1;
                continue;
            }
            (low, high) = (low.min(value), high.max(value));
            if others.len() < FEWEST_OTHERS && !others.contains(&value) {
                others.push(value);
            }
        }
        let gap = if candidate > high { candidate - high } else { low - candidate };
        let is_whole = candidate.fract() == 0.0 && candidate != 0.0;
        let is_frequent = if is_nines(candidate) { count >= 2 } else { count >= 3 && 100 * count >= total };
        let is_far = others.len() == FEWEST_OTHERS && gap > high - low;
        (is_whole && is_frequent && is_far).then_some(Doubtful { value: candidate, count, others: (low, high) })
    })
}

/// Whether a number is written with nines alone, at least two: 99, −999.
fn is_nines(number: f32) -> bool {
    let digits = number.abs().to_string();
    digits.len() > 1 && digits.bytes().all(|digit| digit == b'9')
}

/// The value that occurs most often; of equals the one farthest from 0.
fn most_common(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    // 0 and −0 are one value.
    values.filter(|value| value.is_finite()).for_each(|value| *counts.entry((value + 0.0).to_bits()).or_default() += 1);
    let size = |bits: u32| f32::from_bits(bits).abs();
    let first =
        |a: &(u32, usize), b: &(u32, usize)| a.1.cmp(&b.1).then(size(a.0).total_cmp(&size(b.0))).then(a.0.cmp(&b.0));
    counts.into_iter().max_by(first).map(|(bits, _)| f32::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_words_or_numbers_however_written() {
        let usual = Markers::of(None);
        for cell in ["", "?", "NA", "n/A", "NaN", "NULL", "None", "#N/A", "<NA>"] {
            assert!(usual.mark(cell.as_bytes()) && usual.number(cell.as_bytes()).is_none(), "{cell:?}");
        }
        for cell in ["0", "99", "x", "inf", " "] {
            assert!(!usual.mark(cell.as_bytes()), "{cell:?}");
        }
        let given = Markers::of(Some(&["99".into(), "Missing".into()]));
        for cell in ["99", "99.0", "+99", "9.9e1", "missing", "MISSING"] {
            assert!(given.mark(cell.as_bytes()) && given.number(cell.as_bytes()).is_none(), "{cell:?}");
        }
        for cell in ["", "NA", "9.9", "-99"] {
            assert!(!given.mark(cell.as_bytes()), "{cell:?}");
        }
        assert_eq!(given.number(b"9.9"), Some(9.9));
    }

    /// What is doubtful in rows of `width` cells.
    fn in_rows(width: usize, cells: &[f32]) -> Option<f32> {
        doubtful(width, cells.iter().enumerate().map(|(at, &value)| ((at % width) as u32, value)))
            .map(|found| found.value)
    }

    #[test]
    fn what_is_frequent_and_far_from_all_others_is_doubtful() {
        // The second column counts, as the first of Jester does, and reaches beyond the marker.
        let jester = [-9.5, 100.0, 99.0, 99.0, 3.0, 2.0, 4.5, 99.0, 99.0, 74.0, 7.25, -1.0];
        assert_eq!(in_rows(4, &jester), Some(99.0));
        assert_eq!(in_rows(3, &[-999.0, 20.5, 18.0, 21.0, -999.0, 17.5, 19.0, 22.0, 20.0]), Some(-999.0));
        // No nines: it has to be frequent.
        let mut frequent = vec![1.0, 2.0, 3.0, 4.0, 5.0, -32768.0, -32768.0, -32768.0];
        assert_eq!(in_rows(1, &frequent), Some(-32768.0));
        frequent.extend((0..400).map(|at| (at % 5) as f32));
        assert_eq!(in_rows(1, &frequent), None);
        let found = doubtful(1, [(0, 1.0), (0, 2.0), (0, 99.0), (0, 5.0), (0, 99.0)].into_iter());
        assert_eq!(found, Some(Doubtful { value: 99.0, count: 2, others: (1.0, 5.0) }));
    }

    #[test]
    fn values_among_others_are_not() {
        for values in [
            // Grades, zeros beside large values, one outlier, two kinds of answer, a fraction, hundreds among hundreds.
            &[1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0][..],
            &[0.0, 0.0, 0.0, 0.0, 100.0, 101.0, 102.0],
            &[1.0, 2.0, 3.0, 99.0],
            &[0.0, 0.0, 99.0, 99.0],
            &[1.0, 2.0, 3.0, 99.5, 99.5, 99.5],
            &[95.0, 96.0, 97.5, 99.0, 99.0, 80.0],
            &[],
        ] {
            assert_eq!(in_rows(1, values), None, "{values:?}");
        }
    }
}
