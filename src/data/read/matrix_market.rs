//! Matrix Market files: <https://math.nist.gov/MatrixMarket/formats.html>.
//!
//! Row `i` is user `"i"`, column `j` item `"j"`, and there are as many as the size line says, also without an entry. Every
//! explicit entry is a rating, also one that is zero; entries for one place add up. The array form lists every cell, so
//! every cell is a rating.

use std::path::Path;

use super::folder::has_extension;
use super::hash::Hash;
use super::places::{add_up, check_size, insert_numbers};
use super::reader::{Reader, ReaderPart, read_lines};
use super::shared_keys::skip_key;
use super::text::{Line, Lines, Row, Splitter, shown};
use crate::config::{Keys, Values};
use crate::data::interactions::check_count;
use crate::data::{Dataset, Layout};
use crate::error::Result;

/// A Matrix Market file (Boisvert, Pozo & Remington 1996): explicit entries are ratings.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct MatrixMarket {
    /// Lines at the start of the file to leave out.
    pub skip_lines: usize,
}

impl Reader for MatrixMarket {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        let start = dataset.interactions.len();
        let hash = read_lines(path, self.skip_lines, |lines| read(lines, path, dataset))?;
        add_up(path, start, dataset);
        Ok(hash)
    }

    /// By the name: `.mtx`, or that of a compressed file.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(has_extension(path, &["mtx"]))
    }
}

impl ReaderPart for MatrixMarket {
    const NAME: &'static str = "matrix-market";

    fn keys() -> Keys {
        skip_key().into()
    }

    fn of(values: &Values) -> Self {
        Self { skip_lines: values.get("data.skip_lines") }
    }
}

/// What the first line says.
struct Header {
    /// Entries with their places, rather than every cell.
    coordinate: bool,
    /// Entries without a value.
    pattern: bool,
    /// Entry (i, j) is (j, i) as well, and only one of them is given.
    symmetric: bool,
}

impl Header {
    fn of(line: Line) -> Result<Self> {
        let text = String::from_utf8_lossy(line.bytes).to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let [banner, object, form, field, symmetry] = words[..] else {
            return Err(line.error(
                "a Matrix Market file begins with a line like \"%%MatrixMarket matrix coordinate real general\"",
            ));
        };
        let refuse = |what: &str, word: &str, known: &str| {
            Err(line.error(format!("{what} {word:?} is not supported; expected {known}")))
        };
        match (banner, object, form, field, symmetry) {
            (banner, ..) if banner != "%%matrixmarket" => refuse("the banner", banner, "\"%%MatrixMarket\""),
            (_, object, ..) if object != "matrix" => refuse("the object", object, "\"matrix\""),
            (_, _, "array", "pattern", _) => refuse("an array of", field, "\"real\" or \"integer\""),
            (.., "coordinate" | "array", "real" | "integer" | "pattern", "general" | "symmetric") => Ok(Self {
                coordinate: form == "coordinate",
                pattern: field == "pattern",
                symmetric: symmetry == "symmetric",
            }),
            (.., "coordinate" | "array", "real" | "integer" | "pattern", symmetry) => {
                refuse("the symmetry", symmetry, "\"general\" or \"symmetric\"")
            }
            (.., "coordinate" | "array", field, _) => {
                refuse("the field", field, "\"real\", \"integer\" or \"pattern\"")
            }
            (.., form, _, _) => refuse("the form", form, "\"coordinate\" or \"array\""),
        }
    }
}

/// Adds the entries of `lines` to `dataset`.
fn read(mut lines: Lines, path: &Path, dataset: &mut Dataset) -> Result<()> {
    let Some(line) = lines.next()? else { return Ok(()) };
    let header = Header::of(line)?;
    let mut splitter = Splitter::new(" ")?;
    let Some(line) = next_line(&mut lines)? else {
        return Err(lines.error("ends before the line that gives the size"));
    };
    let row = splitter.split(line)?;
    let names = if header.coordinate { &["rows", "columns", "entries"][..] } else { &["rows", "columns"] };
    expect_fields(&row, names)?;
    let rows = count(&row, 0, "rows", u64::from(u32::MAX))?;
    let columns = count(&row, 1, "columns", u64::from(u32::MAX))?;
    if header.symmetric && rows != columns {
        return Err(row.line_error(format!("a symmetric matrix is square, not {rows} × {columns}")));
    }
    check_size(rows, columns).map_err(|message| row.line_error(message))?;
    let cells = match header.symmetric {
        // The lower triangle alone is given.
        true => rows * (rows + 1) / 2,
        false => rows * columns,
    };
    if !header.coordinate {
        check_count(path, usize::try_from(rows * columns).unwrap_or(usize::MAX))?;
    }
    let entries = if header.coordinate { count(&row, 2, "entries", cells)? } else { cells };
    if header.pattern {
        dataset.notes.push(lines.note("the matrix is a pattern without values: every rating is 1"));
    }

    dataset.layout = Layout::Matrix;
    insert_numbers(dataset, rows, columns);
    let interactions = &mut dataset.interactions;
    let mut push = |i: u64, j: u64, value| interactions.push([i - 1, j - 1].map(|place| place as u32), value, None);
    let names = match (header.coordinate, header.pattern) {
        (true, true) => &["row", "column"][..],
        (true, false) => &["row", "column", "value"],
        (false, _) => &["value"],
    };
    let mut read = 0;
    // The place of the next value of an array, which goes down the columns.
    let (mut i, mut j) = (0, 1);
    while let Some(line) = next_line(&mut lines)? {
        let row = splitter.split(line)?;
        if read == entries {
            return Err(row.line_error(format!("only {entries} entries were announced; correct the size line")));
        }
        expect_fields(&row, names)?;
        if header.coordinate {
            i = position(&row, 0, names[0], rows)?;
            j = position(&row, 1, names[1], columns)?;
        } else if i < rows {
            i += 1;
        } else {
            j += 1;
            i = if header.symmetric { j } else { 1 };
        }
        let value = if header.pattern { 1.0 } else { row.number(names.len() - 1, "value")? };
        push(i, j, value);
        if header.symmetric && i != j {
            push(j, i, value);
        }
        read += 1;
    }
    if read < entries {
        let line = lines.number();
        return Err(lines.error(format!("ends after {read} of {entries} entries (line {line}); is the file complete?")));
    }
    Ok(())
}

/// The next line that is no comment.
fn next_line<'a>(lines: &'a mut Lines) -> Result<Option<Line<'a>>> {
    while lines.advance()? {
        if !lines.current().bytes.starts_with(b"%") {
            return Ok(Some(lines.current()));
        }
    }
    Ok(None)
}

fn expect_fields(row: &Row, names: &[&str]) -> Result<()> {
    if row.len() == names.len() {
        return Ok(());
    }
    Err(row.line_error(format!(
        "expected {} {} ({}), found {}",
        names.len(),
        if names.len() == 1 { "number" } else { "numbers" },
        names.join(", "),
        row.len()
    )))
}

/// A count from 0 to `most`.
fn count(row: &Row, field: usize, name: &str, most: u64) -> Result<u64> {
    whole(row, field, name, 0, most)
}

/// A position from 1 to `most`.
fn position(row: &Row, field: usize, name: &str, most: u64) -> Result<u64> {
    whole(row, field, name, 1, most)
}

fn whole(row: &Row, field: usize, name: &str, least: u64, most: u64) -> Result<u64> {
    let bytes = row.bytes(field);
    match std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()) {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        _ => {
            let value = shown(&bytes);
            Err(row.error(field, name, format!("{value} is not a whole number from {least} to {most}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, read, triple, triples};
    use super::super::{ReadOptions, read_dataset};
    use crate::data::Layout;

    fn error(content: &str) -> String {
        read("m.mtx", content, &ReadOptions::default()).unwrap_err()
    }

    fn cells(content: &str) -> Vec<(String, String, f32)> {
        triples(&read("m.mtx", content, &ReadOptions::default()).unwrap())
    }

    #[test]
    fn coordinate() {
        let general = "%%MatrixMarket matrix coordinate real general\n% made by hand\n\n3 2 2\n3 1 -1.5e1\n1 2 0\n";
        assert_eq!(cells(general), [triple("3", "1", -15.0), triple("1", "2", 0.0)]);
        let symmetric = "%%MatrixMarket matrix coordinate integer symmetric\n3 3 2\n2 2 4\n3 1 5\n";
        assert_eq!(cells(symmetric), [triple("2", "2", 4.0), triple("3", "1", 5.0), triple("1", "3", 5.0)]);
        let pattern = "%%matrixmarket MATRIX coordinate pattern general\n3 2 1\n3 2\n";
        assert_eq!(cells(pattern), [triple("3", "2", 1.0)]);
    }

    #[test]
    fn the_size_line_is_the_size() {
        let data = read(
            "m.mtx",
            "%%MatrixMarket matrix coordinate real general\n6 4 3\n5 1 4\n2 3 1\n1 1 5\n",
            &ReadOptions::default(),
        )
        .unwrap();
        assert_eq!((data.users().len(), data.items().len(), data.layout), (6, 4, Layout::Matrix));
        assert_eq!(triples(&data), [triple("5", "1", 4.0), triple("2", "3", 1.0), triple("1", "1", 5.0)]);
        assert!(data.notes[0].contains("m.mtx: 3 of 6 rows and 2 of 4 columns have no entry"), "{:?}", data.notes);
        let full = "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 4\n";
        assert!(read("m.mtx", full, &ReadOptions::default()).unwrap().notes.is_empty());
    }

    #[test]
    fn entries_for_one_place_add_up() {
        let general = "%%MatrixMarket matrix coordinate real general\n3 2 5\n1 1 1\n2 1 2\n1 1 0.5\n1 2 4\n1 1 -3\n";
        let data = read("m.mtx", general, &ReadOptions::default()).unwrap();
        assert_eq!(triples(&data), [triple("1", "1", -1.5), triple("2", "1", 2.0), triple("1", "2", 4.0)]);
        assert!(data.notes.iter().any(|note| note.contains("2 entries repeat places")), "{:?}", data.notes);
        let symmetric = "%%MatrixMarket matrix coordinate pattern symmetric\n2 2 3\n2 1\n2 1\n1 1\n";
        assert_eq!(cells(symmetric), [triple("2", "1", 2.0), triple("1", "2", 2.0), triple("1", "1", 1.0)]);
    }

    #[test]
    fn a_test_file_may_be_larger() {
        let matrix =
            |size: &str, entry: &str| format!("%%MatrixMarket matrix coordinate real general\n{size} 1\n{entry}\n");
        let (_one, train) = file("train.mtx", matrix("2 3", "2 1 5"));
        let (_other, test) = file("test.mtx", matrix("3 2", "3 1 4"));
        let data = read_dataset(&train, Some(&test), &ReadOptions::default()).unwrap();
        assert_eq!((data.users().len(), data.items().len(), data.test_start), (3, 3, Some(1)));
        assert_eq!(triples(&data), [triple("2", "1", 5.0), triple("3", "1", 4.0)]);
    }

    #[test]
    fn a_size_that_needs_too_much_memory_is_refused() {
        for (content, expected) in [
            (
                "coordinate real general\n4000000000 3 1\n1 1 1\n",
                "m.mtx:2: a matrix of 4000000000 × 3 has more than 20000000",
            ),
            ("coordinate real general\n3 4000000000 0\n", "m.mtx:2: a matrix of 3 × 4000000000 has more than"),
            (
                "array real general\n4000000000 4000000000\n1\n",
                "m.mtx:2: a matrix of 4000000000 × 4000000000 has more than",
            ),
            ("array real general\n1000000 1000000\n1\n", "m.mtx: more than 4294967295 ratings"),
        ] {
            let error = error(&format!("%%MatrixMarket matrix {content}"));
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn array_goes_down_the_columns() {
        let general = "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n";
        assert_eq!(
            cells(general),
            [triple("1", "1", 1.0), triple("2", "1", 2.0), triple("1", "2", 3.0), triple("2", "2", 4.0)]
        );
        let symmetric = "%%MatrixMarket matrix array real symmetric\n2 2\n1\n2\n3\n";
        assert_eq!(
            cells(symmetric),
            [triple("1", "1", 1.0), triple("2", "1", 2.0), triple("1", "2", 2.0), triple("2", "2", 3.0)]
        );
    }

    #[test]
    fn errors_name_the_place() {
        let coordinate = "%%MatrixMarket matrix coordinate real general\n";
        for (content, expected) in [
            ("1 2 3\n".to_string(), "m.mtx:1: a Matrix Market file begins with"),
            ("%%MatrixMarket matrix coordinate complex general\n".into(), "m.mtx:1: the field \"complex\" is not"),
            ("%%MatrixMarket matrix array real hermitian\n".into(), "m.mtx:1: the symmetry \"hermitian\" is not"),
            ("%%MatrixMarket matrix array pattern general\n".into(), "m.mtx:1: an array of \"pattern\" is not"),
            (coordinate.into(), "m.mtx: ends before the line that gives the size"),
            (format!("{coordinate}2 2 5\n"), "m.mtx:2:5: column \"entries\": \"5\" is not a whole number from 0 to 4"),
            (format!("{coordinate}2 2\n"), "m.mtx:2: expected 3 numbers (rows, columns, entries), found 2"),
            (format!("{coordinate}2 2 1\n1 3 4\n"), "m.mtx:3:3: column \"column\": \"3\" is not a whole number from 1"),
            (format!("{coordinate}2 2 1\n1 2 x\n"), "m.mtx:3:5: column \"value\": invalid number \"x\""),
            (format!("{coordinate}2 2 1\n1 2 1\n1 1 1\n"), "m.mtx:4: only 1 entries were announced"),
            (format!("{coordinate}2 2 2\n1 2 1\n"), "m.mtx: ends after 1 of 2 entries (line 3)"),
            ("%%MatrixMarket matrix array real symmetric\n2 3\n".into(), "m.mtx:2: a symmetric matrix is square"),
        ] {
            let error = error(&content);
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
