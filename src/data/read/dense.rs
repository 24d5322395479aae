//! A table of numbers: each row a user, each column an item, every cell a rating.
//!
//! A first line without numbers labels the columns, a first column without them the rows; labels become ids, and without
//! labels rows and columns are numbered from 1. A column of numbers labels the rows where its place in the header is
//! empty, names users, or is left out. Cells that say so are missing. One column may hold the classes of the rows.

use std::path::Path;

use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::roles::Role;
use super::shared_keys::{delimiter_key, skip_key};
use super::text::{Lines, Row, parse_number, splitter};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::{Dataset, Layout, PairMut};
use crate::error::Result;

/// A table of numbers: a row a user, a column an item, every cell a rating.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DenseTable {
    /// What stands between cells; `None` detects it. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// Which column, from 1, is no number but the class of its row, whose id becomes `class/id`, as
    /// [`class_of`](crate::data::class_of) understands it.
    pub class_column: Option<usize>,
    /// Lines at the start of the file to leave out, before a header.
    pub skip_lines: usize,
}

impl Reader for DenseTable {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_lines(path, self.skip_lines, |lines| read(lines, self, dataset))
    }
}

impl ReaderPart for DenseTable {
    const NAME: &'static str = "dense";

    fn keys() -> Keys {
        let class = "Which column, from 1, is no number but the class of its row; the row is then called class/id.";
        Keys::new([delimiter_key(), Key::new("data.class_column", KeyKind::AT_LEAST_ONE, class), skip_key()])
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            class_column: values.find("data.class_column"),
            skip_lines: values.get("data.skip_lines"),
        }
    }
}

/// Whether a cell says that it was not observed.
fn is_missing(cell: &[u8]) -> bool {
    matches!(cell, b"" | b"?") || [&b"na"[..], b"n/a", b"nan"].iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Whether field `index` can only be a label.
fn is_label(row: &Row, index: usize) -> bool {
    let cell = row.bytes(index);
    !is_missing(&cell) && parse_number(&cell).is_none()
}

/// The labels in the first line, where it has them.
fn column_labels(first: &Row) -> Option<Vec<String>> {
    // The first field may be the corner, which can hold anything.
    let from = first.len().min(2) - 1;
    (from..first.len()).all(|index| is_label(first, index)).then(|| first.texts().into_iter().map(Into::into).collect())
}

/// Adds the cells of `lines` to `dataset`, row by row.
fn read(mut lines: Lines, options: &DenseTable, dataset: &mut Dataset) -> Result<()> {
    let rough_size = lines.rough_size();
    let mut splitter = splitter(options.delimiter.as_deref(), &lines)?;
    let Some(first) = splitter.next(&mut lines)? else { return Ok(()) };
    let mut labels = column_labels(&first);
    if labels.is_none() {
        lines.again();
    }
    let Some(line) = lines.next()? else { return Ok(()) };
    let first = splitter.split(line)?;
    let width = first.len();
    // A cell takes two bytes at least, with what stands between it and the next.
    let rough_cells = (rough_size / 2).min(rough_size.saturating_mul(width) / (line.bytes.len() + 1));
    let class = options.class_column.map(|column| column.wrapping_sub(1));
    let rows_labelled = class != Some(0)
        && (is_label(&first, 0)
            || labels.as_ref().is_some_and(|labels| {
                labels.len() + 1 == width || labels[0].is_empty() || Role::of(&labels[0]) == Some(Role::User)
            }));
    let first_cell = usize::from(rows_labelled);
    if let Some(labels) = &mut labels {
        // The corner names no item.
        if rows_labelled && labels.len() == width {
            labels.remove(0);
        }
        if labels.len() + first_cell != width {
            return Err(
                first.line_error(format!("expected {} fields as in the first line, found {width}", labels.len()))
            );
        }
    }
    if let Some(class) = class.filter(|&class| class < first_cell || class >= width) {
        return Err(first.line_error(format!(
            "column {} cannot hold the class: it is from {} to {width}",
            class.wrapping_add(1),
            first_cell + 1
        )));
    }
    lines.again();

    dataset.layout = Layout::Table;
    let PairMut { interactions, users, items, notes } = dataset.pair_mut();
    // Fields that are cells, with their items.
    let columns: Vec<(usize, u32)> = (first_cell..width)
        .filter(|&field| Some(field) != class)
        .map(|field| match &labels {
            Some(labels) => (field, items.insert(&labels[field - first_cell])),
            None => (field, items.insert_number((field + 1 - first_cell) as u64)),
        })
        .collect();
    interactions.columns.iter_mut().for_each(|column| column.reserve(rough_cells));
    interactions.targets.reserve(rough_cells);
    let (mut height, mut missing) = (0, 0_u64);
    while let Some(row) = splitter.next(&mut lines)? {
        height += 1;
        if row.len() != width {
            return Err(row.line_error(format!(
                "expected {width} fields as in the first row, found {}; write NA for a missing cell",
                row.len()
            )));
        }
        let label = if rows_labelled { Some(row.id(0, "row label")?) } else { None };
        let user = match (class, label) {
            (None, None) => users.insert_number(height),
            (None, Some(label)) => users.insert(&label),
            (Some(class), None) => users.insert(&format!("{}/{height}", row.id(class, "class")?)),
            (Some(class), Some(label)) => users.insert(&format!("{}/{label}", row.id(class, "class")?)),
        };
        for &(field, item) in &columns {
            match parse_number(&row.bytes(field)) {
                Some(value) if value.is_finite() => interactions.push([user, item], value, None),
                _ if is_missing(&row.bytes(field)) => missing += 1,
                _ => return Err(row.number_error(field, items.id(item as usize))),
            }
        }
    }
    if missing > 0 {
        notes.push(lines.note(&format!("{missing} of {} cells are missing", height * columns.len() as u64)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::ReadOptions;
    use super::super::tests::{read as read_named, triple, triples};
    use super::*;

    fn read(content: &str) -> Result<Dataset, String> {
        read_named("d.csv", content, &ReadOptions::of_reader(DenseTable::default()))
    }

    #[test]
    fn labels_are_found() {
        let plain = [triple("1", "1", 1.0), triple("1", "2", 2.0), triple("2", "1", 3.0), triple("2", "2", 4.0)];
        for content in ["1,2\n3,4\n", "1 2\n3 4\n", "1\t2\n3\t4"] {
            assert_eq!(triples(&read(content).unwrap()), plain, "{content:?}");
        }
        let columns = [triple("1", "a", 1.0), triple("1", "b", 2.0), triple("2", "a", 3.0), triple("2", "b", 4.0)];
        assert_eq!(triples(&read("a,b\n1,2\n3,4\n").unwrap()), columns);
        let rows = [triple("u", "1", 1.0), triple("u", "2", 2.0), triple("7", "1", 3.0), triple("7", "2", 4.0)];
        assert_eq!(triples(&read("u,1,2\n7,3,4\n").unwrap()), rows);
        let both = [triple("5", "a", 1.0), triple("5", "b", 2.0), triple("7", "a", 3.0), triple("7", "b", 4.0)];
        for corner in [",a,b", "user,a,b", "a,b"] {
            assert_eq!(triples(&read(&format!("{corner}\n5,1,2\n7,3,4\n")).unwrap()), both, "{corner:?}");
        }
        let worded = [triple("x", "a", 1.0), triple("x", "b", 2.0)];
        assert_eq!(triples(&read("gene,a,b\nx,1,2\n").unwrap()), worded);
    }

    #[test]
    fn labels_stand_in_quotes_whatever_separates_them() {
        let cells = [
            triple("1_at", "S 1", 1.5),
            triple("1_at", "S\n2", 2.0),
            triple("x\"", "S 1", 3.0),
            triple("x\"", "S\n2", 4.0),
        ];
        for delimiter in [",", "\t", "|", " "] {
            let content = "\"ID\",\"S 1\",\"S\n2\"\n\"1_at\",1.5,2\n\"x\"\"\",3,4\n".replace(',', delimiter);
            assert_eq!(triples(&read(&content).unwrap()), cells, "{delimiter:?}");
        }
    }

    #[test]
    fn a_column_holds_classes() {
        let with = |content, column| {
            let options = ReadOptions::of_reader(DenseTable { class_column: Some(column), ..Default::default() });
            read_named("d.csv", content, &options)
        };
        let numbered =
            [triple("7/1", "1", 1.0), triple("7/1", "2", 2.0), triple("8/2", "1", 3.0), triple("8/2", "2", 4.0)];
        assert_eq!(triples(&with("1,2,7\n3,4,8\n", 3).unwrap()), numbered);
        let first = [triple("x/1", "2", 1.0), triple("x/1", "3", 2.0)];
        assert_eq!(triples(&with("x,1,2\n", 1).unwrap()), first);
        let named = [triple("x/u", "a", 1.0), triple("x/u", "b", 2.0)];
        assert_eq!(triples(&with("id,a,kind,b\nu,1,x,2\n", 3).unwrap()), named);
        for (content, column, expected) in [
            ("1,2\n", 3, "d.csv:1: column 3 cannot hold the class: it is from 1 to 2"),
            ("u,2\n", 0, "d.csv:1: column 0 cannot hold the class: it is from 2 to 2"),
            ("1,\n", 2, "d.csv:1:3: column \"class\": the id is empty; give one or remove the line"),
        ] {
            assert_eq!(with(content, column).unwrap_err(), expected);
        }
    }

    #[test]
    fn missing_cells_are_not_observed() {
        let dataset = read("1,NA\n,4\nnan,?\n").unwrap();
        assert_eq!(triples(&dataset), [triple("1", "1", 1.0), triple("2", "2", 4.0)]);
        assert!(dataset.notes[0].ends_with("d.csv: 4 of 6 cells are missing"));
    }

    #[test]
    fn one_column() {
        assert_eq!(triples(&read("1\n2\n").unwrap()), [triple("1", "1", 1.0), triple("2", "1", 2.0)]);
        assert_eq!(triples(&read("a\n2\n").unwrap()), [triple("1", "a", 2.0)]);
    }

    #[test]
    fn errors_name_the_place() {
        for (content, expected) in [
            ("1,2\n3\n", "d.csv:2: expected 2 fields as in the first row, found 1; write NA for a missing cell"),
            ("a,b\n1,2\n3,x\n", "d.csv:3:3: column \"b\": invalid number \"x\"; expected one like 3.5"),
            ("1,inf\n", "d.csv:1:3: column \"2\": \"inf\" is not a finite number; give one or remove the line"),
            ("a,b,c\n1\n", "d.csv:2: expected 3 fields as in the first line, found 1"),
            ("u,1\n,2\n", "d.csv:2:1: column \"row label\": the id is empty; give one or remove the line"),
        ] {
            assert_eq!(read(content).unwrap_err(), expected);
        }
    }
}
