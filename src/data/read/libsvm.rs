//! The forms of libSVM, libFM and libFFM: a target a line and the indices of what describes it, as `1 0:1 17:1 4019:0.5`, or
//! `1 0:0:1 1:17:1` with the number of a field before each index.

use std::path::Path;

use super::bad_lines::BadLines;
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::records::{Record, add_records};
use super::shared_keys::{bad_lines_key, check_context, context_key, skip_key};
use super::text::{Line, Lines, decode, finite_number};
use crate::config::{Key, KeyKind, Keys, Problem, Values};
use crate::data::Dataset;
use crate::data::context::{JOINT, WEIGHT};
use crate::error::Result;

/// A target a line and indices with values. The first column is the user, the second the item, the others are those of the context,
/// in their order. A column is one field of libFFM, the indices from one of `field_starts` to the next, or, without these, what stands
/// at one place in every line.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Libsvm {
    /// Columns that describe an interaction beside user and item, in the order of the file.
    pub context: Vec<String>,
    /// The first index of each column, ascending; empty if lines have one index for each.
    pub field_starts: Vec<u64>,
    /// Lines at the start of the file to leave out.
    pub skip_lines: usize,
    /// What becomes of lines that cannot be read so.
    pub bad_lines: BadLines,
}

impl Reader for Libsvm {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_lines(path, self.skip_lines, |lines| {
            let has_fields = lines.ahead(1).first().is_some_and(|&line| has_fields(line));
            let way = match (has_fields, self.field_starts.is_empty()) {
                (true, _) => "a field of libFFM is a column",
                (false, true) => "what stands at one place of all lines is a column",
                (false, false) => "data.field_starts divides the indices into columns",
            };
            dataset.notes.push(
                lines.note(&format!("a target and indices a line: {way}, the first the user, the second the item")),
            );
            let remedy = format!("give the first index of each column in {FIELD_STARTS}");
            add_records(lines, self.bad_lines, &self.context, dataset, &remedy, |line| self.record(line))
        })
    }

    fn lines_of(&self, path: &Path, user: &str, item: &str) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        read_lines(path, self.skip_lines, |mut lines: Lines| {
            while let Some(line) = lines.next()? {
                if self.record(line).is_ok_and(|own| own.user == user && own.item == item) {
                    found.push(line.number);
                }
            }
            Ok(())
        })?;
        Ok(found)
    }
}

const FIELD_STARTS: &str = "data.field_starts";

impl ReaderPart for Libsvm {
    const NAME: &'static str = "libsvm";

    fn keys() -> Keys {
        let starts = "The first index of each column of libsvm data, ascending: that of users, of items and of each column of \
                      data.context. If absent, each line has one index for each column, or numbers of fields.";
        let starts = Key::new(FIELD_STARTS, KeyKind::IntList(0..=i64::from(u32::MAX)), starts);
        Keys::new([starts, context_key(), skip_key(), bad_lines_key()])
            .rule(|values| check_context(values).into_iter().collect())
            .rule(|values| check_starts(values).into_iter().collect())
    }

    fn of(values: &Values) -> Self {
        Self {
            context: values.find(&context_key().path).unwrap_or_default(),
            field_starts: values.find(FIELD_STARTS).unwrap_or_default(),
            skip_lines: values.get("data.skip_lines"),
            bad_lines: values.get("data.bad_lines"),
        }
    }
}

/// There is an index for each column.
fn check_starts(values: &Values) -> Option<Problem> {
    let starts: Vec<u64> = values.find(FIELD_STARTS)?;
    let columns = 2 + values.find::<Vec<String>>(&context_key().path).unwrap_or_default().len();
    let message = if starts.len() != columns {
        format!(
            "{FIELD_STARTS} has {} numbers, but there are {columns} columns: user, item and data.context",
            starts.len()
        )
    } else if !starts.is_sorted_by(|one, next| one < next) {
        format!("{FIELD_STARTS} must ascend")
    } else {
        return None;
    };
    Some(Problem::new([FIELD_STARTS], message))
}

/// Whether the first index of a line has a field.
fn has_fields(line: Line) -> bool {
    decode(line.bytes).split_ascii_whitespace().nth(1).is_some_and(|part| part.split(':').count() == 3)
}

impl Libsvm {
    /// The interaction of a line.
    fn record(&self, line: Line) -> Result<Record> {
        let text = decode(line.bytes);
        let mut parts = text.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let target = parts.next().unwrap_or_default();
        let rating = finite_number(target.as_bytes())
            .ok_or_else(|| line.error(format!("begins with {target:?}; expected a number, the target")))?;
        let count = 2 + self.context.len();
        let mut cells: Vec<String> = vec![String::new(); count];
        let mut place = 0;
        for part in parts {
            let wrong = || line.error(format!("has {part:?}; expected INDEX:VALUE, or FIELD:INDEX:VALUE"));
            let fields: Vec<&str> = part.split(':').collect();
            let (field, index, value) = match fields[..] {
                [index, value] => (None, index, value),
                [field, index, value] => (Some(field.parse::<usize>().map_err(|_| wrong())?), index, value),
                _ => return Err(wrong()),
            };
            let number: u64 = index.parse().map_err(|_| wrong())?;
            let weight = finite_number(value.as_bytes()).ok_or_else(wrong)?;
            let column = match field {
                Some(field) => Some(field),
                None if self.field_starts.is_empty() => Some(place),
                None => self.field_starts.partition_point(|&start| start <= number).checked_sub(1),
            };
            place += 1;
            let Some(cell) = column.and_then(|column| cells.get_mut(column)) else {
                let columns = format!("there are {count} columns: user, item and those of data.context");
                return Err(line.error(format!("has {part:?} in none of its columns; {columns}")));
            };
            if weight == 0.0 {
                continue;
            }
            if !cell.is_empty() {
                cell.push(JOINT);
            }
            cell.push_str(index);
            if weight != 1.0 {
                cell.push(WEIGHT);
                cell.push_str(value);
            }
        }
        if self.field_starts.is_empty() && !has_fields(line) && place != count {
            return Err(line.error(format!(
                "has {place} indices for {count} columns; give the first index of each column in {FIELD_STARTS}"
            )));
        }
        let mut cells = cells.into_iter();
        let mut id = |noun: &str| match cells.next() {
            Some(cell) if !cell.is_empty() && !cell.contains([JOINT, WEIGHT]) => Ok(cell),
            _ => Err(line.error(format!("has not one index of the value 1 for the {noun}"))),
        };
        let (user, item) = (id("user")?, id("item")?);
        Ok(Record { user, item, rating, timestamp: None, context: cells.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReadOptions;
    use super::super::tests::{file, read as read_named, triple, triples};
    use super::*;
    use crate::data::FieldId;

    fn read(content: &str, context: &[&str], field_starts: &[u64]) -> Result<Dataset, String> {
        let context = context.iter().map(ToString::to_string).collect();
        let options = Libsvm { context, field_starts: field_starts.to_vec(), ..Libsvm::default() };
        read_named("r.libsvm", content, &ReadOptions::of_reader(options))
    }

    fn cells(dataset: &Dataset) -> Vec<&str> {
        let ids = &dataset.entity(FieldId(2)).ids;
        let column = &dataset.interactions.columns[2];
        column.iter().map(|&at| if at == crate::data::UNKNOWN { "" } else { ids.id(at as usize) }).collect()
    }

    #[test]
    fn a_place_a_field_or_a_range_is_a_column() {
        let expected = [triple("0", "17", 1.0), triple("1", "18", -1.0)];
        for (content, starts) in [
            ("1 0:1 17:1 40:1\n-1 1:1 18:1 41:1 # seen twice\n", &[][..]),
            ("1 0:0:1 1:17:1 2:40:1\n-1 2:41:1 0:1:1 1:18:1\n", &[]),
            ("1 0:1 17:1 40:1\n-1 41:1 1:1 18:1\n", &[0, 17, 40]),
        ] {
            let dataset = read(content, &["hour"], starts).unwrap();
            assert_eq!((triples(&dataset), cells(&dataset)), (expected.to_vec(), vec!["40", "41"]), "{content}");
        }
        let (_folder, path) = file("r.libsvm", "1 0:1 17:1\n1 0:1 18:1\n");
        assert_eq!(Libsvm::default().lines_of(&path, "0", "18").unwrap(), [2]);
    }

    #[test]
    fn columns_may_have_several_indices_with_values_or_none() {
        let dataset =
            read("1 0:1 17:1 40:0.5 41:1\n0 1:1 18:1\n0 1:1 18:1 42:0 43:1\n", &["tags"], &[0, 17, 40]).unwrap();
        assert_eq!(cells(&dataset), ["40\u{1e}0.5\u{1f}41", "", "43"]);
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (content, starts, what) in [
            ("x 0:1 1:1 2:1\n", &[][..], "begins with \"x\"; expected a number"),
            ("1 0:1 1:1 qid\n", &[], "has \"qid\"; expected INDEX:VALUE"),
            ("1 0:1 1:1 2:1 3:1\n", &[], "has \"3:1\" in none of its columns; there are 3 columns"),
            ("1 0:1 1:1\n", &[], "has 2 indices for 3 columns; give the first index"),
            ("1 0:1 1:1 2:nan\n", &[], "has \"2:nan\"; expected"),
            ("1 0:1 1:1 5:1\n", &[0, 5, 9], "has not one index of the value 1 for the user"),
            ("1 0:0.5 5:1\n", &[0, 5, 9], "has not one index of the value 1 for the user"),
            ("1 0:1 9:1\n", &[0, 5, 9], "has not one index of the value 1 for the item"),
        ] {
            let message = read(content, &["hour"], starts).unwrap_err();
            assert!(message.starts_with(&format!("r.libsvm:1: {what}")), "{message}");
        }
    }
}
