//! A table of numbers: each row a user, each column an item, every cell a rating.
//!
//! Labels become ids, and without labels rows and columns are numbered from 1. The first lines tell a header, the column
//! with the labels of the rows, and columns of ids and other annotation, unless `data.header` and `data.columns` say it.
//! Cells that say so are missing.

use std::path::Path;

use super::dense_layout::{Holds, TableLayout};
use super::hash::Hash;
use super::missing::{Markers, USUAL, doubtful};
use super::reader::{Reader, ReaderPart, read_lines};
use super::shared_keys::{HeaderLine, columns_key, delimiter_key, header_key, skip_key};
use super::text::{KeptLine, Lines, splitter};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::{Dataset, ITEM, Layout, PairMut, USER};
use crate::error::Result;

/// A table of numbers: a row a user, a column an item, every cell a rating.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DenseTable {
    /// What stands between cells; `None` detects it. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// Whether the first line names the columns.
    pub header: HeaderLine,
    /// What each column holds: `"label"`, the id of the row; `"class"`, its class; `"data"`; `"-"`, what is left out. `"..."`
    /// stands for as many of the word before it as the table needs. `None` goes by the first lines.
    pub columns: Option<Vec<String>>,
    /// Which column, from 1, is no number but the class of its row, whose id becomes `class/id`, as
    /// [`class_of`](crate::data::class_of) understands it. The same as `"class"` in `columns`.
    pub class_column: Option<usize>,
    /// What missing cells hold, whatever the case of letters and however a number is written; `None` for the usual words,
    /// and then a value that looks like a marker is an error.
    pub missing: Option<Vec<String>>,
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
        let usual: Vec<String> = USUAL.iter().map(|word| format!("\"{word}\"")).collect();
        let missing = format!(
            "What missing cells hold, as in [\"\", \"NA\", \"99\"]; a number counts however it is written. If absent: {}, \
             and a value that looks like a marker is asked about.",
            usual.join(", ")
        );
        Keys::new([
            delimiter_key(),
            header_key(),
            columns_key(),
            Key::new("data.class_column", KeyKind::AT_LEAST_ONE, class),
            Key::new("data.missing", KeyKind::TextList, &missing),
            skip_key(),
        ])
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            header: values.get("data.header"),
            columns: values.find("data.columns"),
            class_column: values.find("data.class_column"),
            missing: values.find("data.missing"),
            skip_lines: values.get("data.skip_lines"),
        }
    }
}

/// Lines that tell the layout, and about how many bytes of them are enough: a line can be as long as a file.
const SAMPLE: (usize, usize) = (50, 1 << 20);

/// Whether the first column of data may count the observed cells of each row.
#[derive(Default)]
struct Counting {
    rows: usize,
    smallest: usize,
    largest: usize,
    has_failed: bool,
}

impl Counting {
    /// Takes in a row, with the number in its first column of data and the number of other cells that it has.
    fn see(&mut self, first: Option<f32>, others: usize) {
        self.smallest = if self.rows == 0 { others } else { self.smallest.min(others) };
        self.largest = self.largest.max(others);
        self.rows += 1;
        self.has_failed |= first != Some(others as f32);
    }

    /// Whether it did so in all rows, and not by chance.
    fn counts(&self) -> bool {
        !self.has_failed && self.rows > 2 && self.smallest < self.largest
    }
}

/// Adds the cells of `lines` to `dataset`, row by row.
fn read(mut lines: Lines, options: &DenseTable, dataset: &mut Dataset) -> Result<()> {
    let rough_size = lines.rough_size();
    let markers = Markers::of(options.missing.as_deref());
    let mut splitter = splitter(options.delimiter.as_deref(), &lines)?;
    let mut sample: Vec<KeptLine> = Vec::new();
    let mut fields: Vec<Vec<String>> = Vec::new();
    let mut length = 0;
    while sample.len() < 2 || sample.len() < SAMPLE.0 && length < SAMPLE.1 {
        let Some(row) = splitter.next(&mut lines)? else { break };
        length += row.line().bytes.len();
        fields.push(row.texts().into_iter().map(Into::into).collect());
        sample.push(row.line().keep());
    }
    let layout = TableLayout::of(&fields, options.header, options.columns.as_deref(), options.class_column, &markers)
        .map_err(|(line, message)| sample[line].line().error(message))?;
    let width = layout.holds.len();
    if width == 0 {
        return Ok(());
    }
    // A cell takes two bytes at least, with what stands between it and the next.
    let rough_cells = (rough_size / 2).min(rough_size.saturating_mul(width * sample.len()) / (length + 1));
    let (label, class) = (layout.column(Holds::Label), layout.column(Holds::Class));

    dataset.layout = Layout::Table;
    let PairMut { interactions, users, items, notes } = dataset.pair_mut();
    // Fields that are cells, with their items.
    let mut columns: Vec<(usize, u32)> = Vec::with_capacity(width);
    let mut skipped = 0;
    for (field, holds) in layout.holds.iter().enumerate() {
        match (holds, &layout.names) {
            (Holds::Data, Some(names)) => columns.push((field, items.insert(&names[field]))),
            (Holds::Data, None) => columns.push((field, items.insert_number((field + 1 - skipped) as u64))),
            (Holds::Label | Holds::Nothing, _) => skipped += 1,
            (Holds::Class, _) => {}
        }
    }
    interactions.columns.iter_mut().for_each(|column| column.reserve(rough_cells));
    interactions.targets.reserve(rough_cells);
    let before = interactions.len();
    let (mut height, mut missing) = (0, 0_u64);
    let mut counting = Counting::default();
    let mut kept = sample.iter().skip(usize::from(layout.names.is_some()));
    loop {
        let row = match kept.next() {
            Some(kept) => splitter.split(kept.line())?,
            None => match splitter.next(&mut lines)? {
                Some(row) => row,
                None => break,
            },
        };
        height += 1;
        if row.len() != width {
            return Err(row.line_error(format!(
                "expected {width} fields as in the first row, found {}; write NA for a missing cell",
                row.len()
            )));
        }
        let label = label.map(|label| row.id(label, "row label")).transpose()?;
        let user = match (class, label) {
            (None, None) => users.insert_number(height),
            (None, Some(label)) => users.insert(&label),
            (Some(class), None) => users.insert(&format!("{}/{height}", row.id(class, "class")?)),
            (Some(class), Some(label)) => users.insert(&format!("{}/{label}", row.id(class, "class")?)),
        };
        let row_start = interactions.len();
        for &(field, item) in &columns {
            let cell = row.bytes(field);
            match markers.number(&cell) {
                Some(value) => interactions.push([user, item], value, None),
                None if markers.mark(&cell) => missing += 1,
                None => return Err(row.number_error(field, items.id(item as usize))),
            }
        }
        let first = interactions.column(ITEM).get(row_start).filter(|&&item| item == columns[0].1);
        let others = interactions.len() - row_start - usize::from(first.is_some());
        counting.see(first.map(|_| interactions.targets[row_start]), others);
    }
    let cells = height * columns.len() as u64;
    if missing > 0 {
        notes.push(lines.note(&format!("{missing} of {cells} cells are missing")));
    }
    notes.push(lines.note(&layout.taken()));
    notes.extend(layout.doubts.iter().map(|doubt| lines.note(doubt)));
    if options.columns.is_none() && counting.counts() {
        return Err(lines.error(format!(
            "{} counts the cells of each row that are not missing; leave it out with \"-\" in data.columns, or name it \
             \"data\" there, as in [\"data\", \"...\"] for all",
            layout.described(columns[0].0)
        )));
    }
    if options.missing.is_some() {
        return Ok(());
    }
    let (of_rows, of_columns) = (interactions.column(USER), interactions.column(ITEM));
    let values = (before..interactions.len()).map(|at| (of_columns[at], interactions.targets[at]));
    let Some(found) = doubtful(items.len(), values) else { return Ok(()) };
    let first = (before..interactions.len()).find(|&at| interactions.targets[at] == found.value);
    let first = first.expect("what was found is among the values");
    let value = found.value;
    Err(lines.error(format!(
        "{value} occurs {} times, first in row {:?}, column {:?}, and is far from all other values there ({} to {}), as a \
         marker of missing cells is; if it is one, set data.missing = [\"\", \"NA\", \"{value}\"], and if it is a value, \
         data.missing = [\"\", \"NA\"]",
        found.count,
        users.id(of_rows[first] as usize),
        items.id(of_columns[first] as usize),
        found.others.0,
        found.others.1
    )))
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

    fn read_with(content: &str, table: DenseTable) -> Result<Dataset, String> {
        read_named("d.csv", content, &ReadOptions::of_reader(table))
    }

    fn texts(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_header_may_be_numbers() {
        let pandas = read(",0,1,2\n0,5.0,1.0,2.0\n1,3.0,4.0,0.5\n2,2.5,2.0,6.0\n").unwrap();
        assert_eq!(triples(&pandas)[..2], [triple("0", "0", 5.0), triple("0", "1", 1.0)]);
        let years = read("gene,2001,2002\nABC1,5.0,1.0\nXYZ2,3.0,4.0\n").unwrap();
        assert_eq!(triples(&years)[..2], [triple("ABC1", "2001", 5.0), triple("ABC1", "2002", 1.0)]);
        assert_eq!((pandas.users().len(), years.users().len()), (3, 2));
        let said = |header| {
            let table = DenseTable { header, ..Default::default() };
            read_with("1,2\n3,4\n", table).unwrap()
        };
        assert_eq!(triples(&said(HeaderLine::Yes)), [triple("1", "1", 3.0), triple("1", "2", 4.0)]);
        assert_eq!(said(HeaderLine::No).interactions.len(), 4);
        assert!(said(HeaderLine::No).notes[0].contains("the first line is taken for data"));
    }

    #[test]
    fn ids_are_labels_and_annotation_is_left_out() {
        let table = "Hugo_Symbol\tEntrez_Gene_Id\tT1\tT2\nTP53\t7157\t3.5\t5.25\nMYC\t4609\t6.5\t3.25\n";
        let found = read(table).unwrap();
        assert_eq!(triples(&found)[..2], [triple("TP53", "T1", 3.5), triple("TP53", "T2", 5.25)]);
        assert!(found.notes[0].contains("column 2 \"Entrez_Gene_Id\" is left out"), "{:?}", found.notes);
        let said = DenseTable { columns: texts(&["-", "label", "data", "..."]), ..Default::default() };
        assert_eq!(triples(&read_with(table, said).unwrap())[3], triple("4609", "T2", 3.25));
        let said = DenseTable { columns: texts(&["label", "data", "..."]), ..Default::default() };
        assert_eq!(triples(&read_with(table, said).unwrap())[0], triple("TP53", "Entrez_Gene_Id", 7157.0));
        let classes = DenseTable { columns: texts(&["data", "...", "class", "label"]), ..Default::default() };
        let found = read_with("1,2,x,u\n3,4,y,v\n", classes).unwrap();
        assert_eq!(triples(&found)[..2], [triple("x/u", "1", 1.0), triple("x/u", "2", 2.0)]);
        let few = DenseTable { columns: texts(&["label", "data"]), ..Default::default() };
        let error = read_with("a,b,c\n1,2,3\n", few).unwrap_err();
        assert!(error.starts_with("d.csv:2: data.columns names 2 columns, and the table has 3; "), "{error}");
    }

    /// Ratings from −10 to 10 of jokes, 99 where there is none, after their number: the form of Jester.
    const JESTER: &str = "3,-7.5,99,8.25,1.5\n2,99,4.0,99,-9.25\n4,0.5,-3.75,6.0,2.25\n";

    #[test]
    fn a_value_that_looks_like_a_marker_is_asked_about() {
        let table = "a,b,c\n1.5,99,2\n3,4,99\n99,2.5,5\n";
        assert_eq!(
            read(table).unwrap_err(),
            "d.csv: 99 occurs 3 times, first in row \"1\", column \"b\", and is far from all other values there (1.5 to 5), \
             as a marker of missing cells is; if it is one, set data.missing = [\"\", \"NA\", \"99\"], and if it is a value, \
             data.missing = [\"\", \"NA\"]"
        );
        let with = |missing| read_with(table, DenseTable { missing: texts(missing), ..Default::default() }).unwrap();
        assert_eq!(with(&["", "NA", "99"]).interactions.targets, [1.5, 2.0, 3.0, 4.0, 2.5, 5.0]);
        assert_eq!(with(&["", "NA"]).interactions.len(), 9);
        let degrees = "day,x,y\nmo,-999,20.5\ntu,18,21\nwe,17,-999\nth,19,20\n";
        assert!(
            read(degrees).unwrap_err().starts_with("d.csv: -999 occurs 2 times, first in row \"mo\", column \"x\"")
        );
        assert!(read(JESTER).unwrap_err().starts_with("d.csv: 99 occurs 3 times"));
    }

    #[test]
    fn words_beside_the_usual_can_mark_missing_cells() {
        let table = DenseTable { missing: texts(&["-", "-1"]), ..Default::default() };
        assert_eq!(read_with("1,-,3\n-1.0,2,4\n", table.clone()).unwrap().interactions.targets, [1.0, 3.0, 2.0, 4.0]);
        let error = read_with("1,NA,3\n", table).unwrap_err();
        assert!(error.starts_with("d.csv:1: column 2 holds text, such as \"NA\"; say in data.columns"), "{error}");
        assert_eq!(read("null,2\n3,None\n").unwrap().interactions.targets, [2.0, 3.0]);
    }

    #[test]
    fn a_column_that_counts_the_others_is_asked_about() {
        let known = |columns| {
            let missing = texts(&["99"]);
            read_with(JESTER, DenseTable { missing, columns, ..Default::default() })
        };
        let error = known(None).unwrap_err();
        assert!(
            error.starts_with("d.csv: column 1 counts the cells of each row that are not missing; leave"),
            "{error}"
        );
        assert_eq!(known(texts(&["-", "data", "..."])).unwrap().interactions.targets[..3], [-7.5, 8.25, 1.5]);
        assert_eq!(known(texts(&["data", "..."])).unwrap().interactions.targets[..3], [3.0, -7.5, 8.25]);
        // Without a missing cell a column of the same number says nothing.
        assert!(read("2,1,5\n2,4,3\n2,6,7\n").is_ok());
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
