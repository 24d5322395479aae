//! Tables for people, and the numbers in them.

/// Cells in columns as wide as the longest of them, two blanks apart; those of the columns for which `right` is true stand
/// to the right.
///
/// # Panics
/// If a row has another number of cells than `right`.
pub fn columns<'a>(rows: impl IntoIterator<Item = &'a Vec<String>>, right: &[bool]) -> String {
    let rows: Vec<&Vec<String>> = rows.into_iter().collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..right.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        assert_eq!(row.len(), right.len(), "a cell for each column");
        let cells =
            row.iter().zip(&widths).zip(right).map(|((cell, &width), &right)| {
                if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// `number` with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value with enough digits to tell it from 0.
pub fn number(value: f64) -> String {
    let is_common = value == 0.0 || !value.is_finite() || (1e-3..1e7).contains(&value.abs());
    if is_common { format!("{value:.4}") } else { format!("{value:.4e}") }
}

/// Lays out numbers of any size, `width` of them in a line.
pub fn matrix(values: &[f32], width: usize) -> String {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let is_common = largest == 0.0 || (0.01..1e7).contains(&largest);
    let cell = |value: &f32| if is_common { format!("{value:.5}") } else { format!("{value:.5e}") };
    let rows: Vec<Vec<String>> = values.chunks(width).map(|row| row.iter().map(cell).collect()).collect();
    columns(&rows, &vec![true; width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [["a", "1", "x"], ["bcd", "1,234,567,890,123", ""], ["", "−2", "ÄÖÜ"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        let expected = "\
a                    1  x
bcd  1,234,567,890,123
                    −2  ÄÖÜ
";
        assert_eq!(columns(&rows, &[false, true, false]), expected);
        assert_eq!(columns(&[], &[true]), "");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_small_or_large_number_keeps_its_digits() {
        let values = [0.0, 0.94, 1.2345e-5, 1.234_56e8, f64::NAN];
        assert_eq!(values.map(number), ["0.0000", "0.9400", "1.2345e-5", "1.2346e8", "NaN"]);
    }

    #[test]
    fn numbers_of_any_size_stand_apart() {
        assert_eq!(matrix(&[7919.0, 39729.0, -1.0, 0.5], 2), "7919.00000  39729.00000\n  -1.00000      0.50000\n");
        assert_eq!(matrix(&[1e-9, -3e-7], 2), "1.00000e-9  -3.00000e-7\n");
        for size in [1e-30_f32, 1e-3, 1.0, 99_999.99, 1e12, 3e38] {
            let text = matrix(&[size, -size, size, size / 3.0, 0.0, -size], 3);
            let read = |line: &str| line.split_whitespace().map(|cell| cell.parse().expect("a number")).collect();
            let rows: Vec<Vec<f32>> = text.lines().map(read).collect();
            assert!(rows.len() == 2 && rows.iter().all(|row| row.len() == 3), "{text}");
            assert!(
                (rows[0][1] / -size - 1.0).abs() < 1e-4 && (rows[1][0] / (size / 3.0) - 1.0).abs() < 1e-3,
                "{text}"
            );
        }
    }
}
