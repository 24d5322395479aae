//! What the cells of a table look like.

use super::missing::Markers;
use super::text::{finite_number, parse_number};

/// The number in a cell, if it is nothing else.
pub(super) fn number(cell: &str) -> Option<f32> {
    finite_number(cell.as_bytes())
}

/// Whether a cell can only be a label.
pub(super) fn is_label(cell: &str, markers: &Markers) -> bool {
    !markers.mark(cell.as_bytes()) && parse_number(cell.as_bytes()).is_none()
}

/// The numbers in these cells, if all are whole and no two the same.
pub(super) fn are_whole_and_different<'a>(cells: impl Iterator<Item = &'a String>) -> Option<Vec<i64>> {
    let numbers: Vec<i64> = cells
        .map(|cell| number(cell).filter(|number| number.fract() == 0.0).map(|number| number as i64))
        .collect::<Option<_>>()?;
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.array_windows().all(|[a, b]| a != b).then_some(numbers)
}

/// Whether numbers may be the names of columns: one more each time, or years.
pub(super) fn count_up(cells: &[String]) -> bool {
    let Some(numbers) = are_whole_and_different(cells.iter()) else { return false };
    let by_one = numbers.array_windows().all(|[a, b]| a + 1 == *b);
    let years = numbers.iter().all(|number| (1500..2200).contains(number)) && numbers.is_sorted();
    numbers.len() > 1 && (by_one || years)
}

/// What the letters and digits of a label look like: `A9` for `ABC12`.
pub(super) fn shape(label: &str) -> String {
    let class = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c => c,
    };
    let mut shape: Vec<char> = label.chars().map(class).collect();
    shape.dedup();
    shape.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<String> {
        text.split(' ').map(Into::into).collect()
    }

    #[test]
    fn names_of_columns_count_up_or_are_years() {
        for text in ["0 1 2", "7 8", "1990 2000 2010", "2001 2002 2005"] {
            assert!(count_up(&cells(text)), "{text}");
        }
        for text in ["1", "5 1 2", "1.5 2.5", "1990 1980", "1 3 5", "a b", "1 1"] {
            assert!(!count_up(&cells(text)), "{text}");
        }
    }

    #[test]
    fn labels_of_one_kind_have_one_shape() {
        assert_eq!(
            (shape("ABC1"), shape("X22"), shape("gene"), shape("s-1")),
            ("A9".into(), "A9".into(), "a".into(), "a-9".into())
        );
    }
}
