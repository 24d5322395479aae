//! Baskets, or lists of neighbours: a line each, with its id and then its items, of which there may be any number.
//!
//! The id stands before a colon, as in `anna: milk bread`, or is the first field, as in `anna,milk,bread`; or there is none,
//! and a basket is called by the number of its line. Every item of a basket is an interaction with the rating 1.

use std::path::Path;

use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::shared_keys::{delimiter_key, skip_key};
use super::text::{Line, Lines, Row, Splitter};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::{Dataset, PairMut};
use crate::error::Result;

/// A basket a line: its id, if there is one, and its items.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Baskets {
    /// What stands between items; `None` detects it. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// Whether a line begins with the id of its basket. If not, a basket is called by the number of its line.
    pub has_ids: bool,
    /// Lines at the start of the file to leave out.
    pub skip_lines: usize,
}

impl Default for Baskets {
    fn default() -> Self {
        Self { delimiter: None, has_ids: true, skip_lines: 0 }
    }
}

impl Reader for Baskets {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_lines(path, self.skip_lines, |lines| read(lines, self, dataset))
    }
}

impl ReaderPart for Baskets {
    const NAME: &'static str = "baskets";

    fn keys() -> Keys {
        let ids = "Whether a line begins with the id of its basket, as in \"id: a b c\" or \"id,a,b,c\". If not, a basket is \
                   called by the number of its line.";
        Keys::new([delimiter_key(), Key::new("data.basket_ids", KeyKind::Bool, ids).default("true"), skip_key()])
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            has_ids: values.get("data.basket_ids"),
            skip_lines: values.get("data.skip_lines"),
        }
    }
}

/// Lines that are looked at to find out how they are written.
const LOOKED_AT: usize = 20;

/// Delimiters that are detected, the most telling first.
const DETECTED: [&str; 6] = ["::", "\t", ",", ";", "|", " "];

/// The first delimiter that a good part of the lines have; a basket of one item has none.
fn detected(lines: &[Line]) -> &'static str {
    let has =
        |line: &Line, delimiter: &str| memchr::memmem::find(line.bytes.trim_ascii(), delimiter.as_bytes()).is_some();
    let is_common = |delimiter: &&str| 4 * lines.iter().filter(|line| has(line, delimiter)).count() >= lines.len();
    DETECTED.into_iter().find(is_common).unwrap_or(",")
}

/// Whether a colon ends the ids: all lines have one in their first field, which is at its end or the only one of the line.
fn ends_ids_with_colons(lines: &[Line], splitter: &mut Splitter) -> Result<bool> {
    let (mut are_at_the_end, mut are_alone) = (true, true);
    for &line in lines {
        let row = splitter.split(line)?;
        let has_colon = |field: usize| row.bytes(field).contains(&b':');
        if !has_colon(0) {
            return Ok(false);
        }
        are_at_the_end &= row.bytes(0).ends_with(b":");
        are_alone &= !(1..row.len()).any(has_colon);
    }
    Ok(are_at_the_end || are_alone)
}

/// Adds the items of `lines` to `dataset`.
fn read(mut lines: Lines, options: &Baskets, dataset: &mut Dataset) -> Result<()> {
    let ahead = lines.ahead(LOOKED_AT);
    let mut splitter = Splitter::new(options.delimiter.as_deref().unwrap_or_else(|| detected(&ahead)))?;
    let has_colons = options.has_ids && ends_ids_with_colons(&ahead, &mut splitter)?;
    let PairMut { interactions, users, items, notes } = dataset.pair_mut();
    let mut empty = 0;
    let number = |row: &Row| row.line().number;
    while let Some(line) = lines.next()? {
        let row = splitter.split(line)?;
        let first = row.text(0);
        // What stands before the items, and an item that stands in the same field.
        let (id, beside) = match (options.has_ids, has_colons) {
            (true, true) => {
                first.split_once(':').map(|(id, beside)| (id.trim_end(), beside.trim_start())).ok_or_else(|| {
                    row.line_error("expected the basket's id and a colon, as in \"id: a b c\"; correct the line")
                })?
            }
            (true, false) => (&*first, ""),
            (false, _) => ("", &*first),
        };
        let user = match (options.has_ids, id) {
            (true, "") => return Err(row.error(0, "basket", "the id is empty; give one or remove the line")),
            (true, id) => users.insert(id),
            (false, _) => users.insert_number(number(&row)),
        };
        let rest = (1..row.len()).map(|field| row.text(field));
        let before = interactions.len();
        // Spreadsheets fill up short lines with empty fields.
        for item in std::iter::once(beside.into()).chain(rest).filter(|item| !item.is_empty()) {
            interactions.push([user, items.insert(&item)], 1.0, None);
        }
        empty += usize::from(interactions.len() == before);
    }
    if empty > 0 {
        let what = if empty == 1 { "basket is" } else { "baskets are" };
        notes.push(lines.note(&format!("{empty} {what} empty")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read as read_named, triple, triples};
    use super::super::{Duplicates, ReadOptions};
    use super::*;

    fn read(content: &str, baskets: Baskets) -> Result<Dataset, String> {
        read_named("b.txt", content, &ReadOptions::of_reader(baskets))
    }

    fn with_ids(content: &str) -> Result<Dataset, String> {
        read(content, Baskets::default())
    }

    fn without_ids(content: &str) -> Result<Dataset, String> {
        read(content, Baskets { has_ids: false, ..Baskets::default() })
    }

    #[test]
    fn an_id_and_then_items() {
        let expected = [
            triple("u 1", "a", 1.0),
            triple("u 1", "b", 1.0),
            triple("u 1", "c", 1.0),
            triple("v", "b", 1.0),
            triple("w", "d", 1.0),
            triple("w", "a", 1.0),
        ];
        for content in [
            "u 1,a,b,c\nv,b\nw,d,a\n",
            "u 1\ta\tb\tc\r\nv\tb\r\n\r\nw\td\ta",
            "u 1: a, b, c\nv: b\nw: d, a\n",
            "u 1:a;b;c\nv:b\nw:d;a\n",
            "u 1 : a|b|c\nv : b\nw : d|a\n",
            "u 1,a,b,c\nv,b,,\nw,d,a,\n",
            "\"u 1\",a,\"b\",c\nv,b\nw,d,a\n",
        ] {
            assert_eq!(triples(&with_ids(content).unwrap()), expected, "{content:?}");
        }
        let plain = [triple("u", "a", 1.0), triple("u", "b", 1.0), triple("v", "c", 1.0)];
        for content in ["u a b\nv c\n", "u: a b\nv: c\n", "u:\ta\tb\nv:\tc\n", "u::a::b\nv::c\n", "u:a b\nv:c\n"] {
            assert_eq!(triples(&with_ids(content).unwrap()), plain, "{content:?}");
        }
    }

    #[test]
    fn a_colon_may_belong_to_ids() {
        let named = with_ids("user:1,item:1,item:2\nuser:2,item:1\n").unwrap();
        let expected =
            [triple("user:1", "item:1", 1.0), triple("user:1", "item:2", 1.0), triple("user:2", "item:1", 1.0)];
        assert_eq!(triples(&named), expected);
        let items = with_ids("1: a:x b:y\n2: a:x\n").unwrap();
        assert_eq!(triples(&items), [triple("1", "a:x", 1.0), triple("1", "b:y", 1.0), triple("2", "a:x", 1.0)]);
    }

    #[test]
    fn without_ids_a_basket_is_its_line() {
        let expected = [triple("1", "whole milk", 1.0), triple("3", "bread", 1.0), triple("3", "whole milk", 1.0)];
        assert_eq!(triples(&without_ids("whole milk\n\nbread,whole milk\n").unwrap()), expected);
        let skipped = Baskets { has_ids: false, skip_lines: 1, delimiter: Some(" ".into()) };
        assert_eq!(
            triples(&read("items:\na b,c\n", skipped).unwrap()),
            [triple("2", "a", 1.0), triple("2", "b,c", 1.0)]
        );
    }

    #[test]
    fn empty_baskets_are_told_of() {
        let data = with_ids("u: a b\nv:\nw: b\n").unwrap();
        assert_eq!(triples(&data), [triple("u", "a", 1.0), triple("u", "b", 1.0), triple("w", "b", 1.0)]);
        assert!(data.notes[0].ends_with("b.txt: 1 basket is empty"), "{:?}", data.notes);
        assert_eq!(with_ids("u:\nv:\n").unwrap_err(), "b.txt: holds no ratings; expected at least one");
    }

    #[test]
    fn repeated_items_are_duplicates() {
        let of = |duplicates| {
            read_named(
                "b.txt",
                "u,a,b,a\nu,b\n",
                &ReadOptions { duplicates, ..ReadOptions::of_reader(Baskets::default()) },
            )
        };
        let once = of(Duplicates::Last).unwrap();
        assert_eq!(triples(&once), [triple("u", "a", 1.0), triple("u", "b", 1.0)]);
        let error = of(Duplicates::Error).unwrap_err();
        assert!(error.starts_with("b.txt: 2 ratings repeat a user and item rated before"), "{error}");
    }

    #[test]
    fn errors_name_the_place() {
        let many: String = (0..30).map(|at| format!("u{at}: a b\n")).collect();
        for (content, expected) in [
            (format!("{many}v a b\n"), "b.txt:31: expected the basket's id and a colon, as in \"id: a b c\""),
            ("u,a\n,b\n".into(), "b.txt:2:1: column \"basket\": the id is empty; give one or remove the line"),
            ("u: a\n: b\n".into(), "b.txt:2:1: column \"basket\": the id is empty"),
            ("u,\"a\nv,b\n".into(), "b.txt:1:3: "),
            (String::new(), "b.txt: holds no ratings"),
        ] {
            let error = with_ids(&content).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
