//! Tables and numbers for people.

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
}
