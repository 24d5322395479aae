//! Files with a line of features for each user or item.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::columns::several_fit;
use super::hash::Hash;
use super::missing::Markers;
use super::roles::Role;
use super::text::{Lines, Row, listed, splitter};
use crate::data::context::JOINT;
use crate::data::{self, Vocabulary};
use crate::error::Result;

/// A file with a line of features for each user or item.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureTable {
    /// The file.
    pub path: PathBuf,
    /// What stands between columns; `None` finds out. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// The names of the columns, from the first on: `"user"` or `"item"` is the id, `"-"` is skipped, and `"genre=Action"`
    /// holds whether Action is a genre of the row. `None` takes the names of the first line.
    pub columns: Option<Vec<String>>,
}

/// The cells of a [`FeatureTable`].
#[derive(Debug, Default)]
pub(in crate::data) struct Cells {
    /// The ids, each once.
    pub ids: Vocabulary,
    /// For each column that was asked for, the cell of each id; empty if it is missing.
    pub columns: Vec<Vec<String>>,
    /// The hash of the file's content.
    pub hash: Hash,
    /// What was taken for what.
    pub notes: Vec<String>,
}

impl FeatureTable {
    /// The cells of the columns `wanted`, for the ids of `role`. Of several lines with one id the first counts. Columns
    /// like `genre=Action` become one, `genre`, with the values that apply between [`JOINT`]s. `section` is where a
    /// config says all this, for messages.
    ///
    /// # Errors
    /// [`Error::Data`](crate::error::Error::Data) for a column that is missing, a line that is too short or without an id, or a flag that is neither
    /// set nor not.
    pub(in crate::data) fn read(&self, role: data::Role, wanted: &[&str], section: &str) -> Result<Cells> {
        let mut hash = Sha256::new();
        let mut lines = Lines::open(&self.path, &mut hash)?;
        let mut splitter = splitter(self.delimiter.as_deref(), &lines)?;
        let Some(first) = splitter.next(&mut lines)? else {
            return Err(lines.error("is empty; expected a line of features for each id"));
        };
        let first: Vec<String> = first.texts().into_iter().map(Into::into).collect();
        let places = Places::of(&first, self.columns.as_deref(), role, wanted, section);
        let Places { id, names, columns, has_header } = places.map_err(|what| lines.current().error(what))?;
        let needed = columns.iter().flatten().map(|flag| flag.at).chain([id]).max().map_or(0, |most| most + 1);
        let markers = Markers::of(None);
        let mut cells = Cells { columns: vec![Vec::new(); wanted.len()], ..Cells::default() };
        let (mut repeated, mut first_repeated) = (0_usize, None);
        if !has_header {
            lines.again();
        }
        while let Some(row) = splitter.next(&mut lines)? {
            if row.len() < needed {
                return Err(row.line_error(format!(
                    "expected {needed} columns at least, found {}; set {section}.delimiter and {section}.columns",
                    row.len()
                )));
            }
            let text = row.id(id, &names[id])?;
            let at = cells.ids.insert(&text) as usize;
            let is_new = cells.columns.first().is_none_or(|column| at == column.len());
            for (column, flags) in cells.columns.iter_mut().zip(&columns) {
                let cell = joined(&row, flags, &names, &markers)?;
                if is_new {
                    column.push(cell);
                } else if column[at] != cell {
                    repeated += 1;
                    first_repeated.get_or_insert_with(|| (row.number_of_line(), text.to_string()));
                }
            }
        }
        let told = |at: usize| match has_header {
            true => format!("{} {:?}", at + 1, first[at]),
            false => format!("{}", at + 1),
        };
        let noun = role.noun();
        let of_features = wanted.iter().zip(&columns).map(|(name, flags)| match &flags[..] {
            [one] => format!("{name} column {}", told(one.at)),
            several => format!("{name} {} columns", several.len()),
        });
        let of_features: Vec<String> = of_features.collect();
        cells.notes.push(lines.note(&format!("{noun} is column {}, {}", told(id), of_features.join(", "))));
        if let Some((line, id)) = first_repeated {
            cells.notes.push(lines.note(&format!(
                "{repeated} cells differ from those of the same {noun} in an earlier line, which counts; the first are \
                 those of {id:?} in line {line}"
            )));
        }
        drop(lines);
        cells.hash = hash.finalize().into();
        Ok(cells)
    }
}

/// A column, and the value that it holds the flag of.
#[derive(Debug, PartialEq)]
struct Flag {
    at: usize,
    value: Option<String>,
}

/// Which columns hold what.
struct Places {
    id: usize,
    /// What all columns are called.
    names: Vec<String>,
    /// Those of each feature: one, or a flag each.
    columns: Vec<Vec<Flag>>,
    has_header: bool,
}

impl Places {
    fn of(
        first: &[String],
        given: Option<&[String]>,
        role: data::Role,
        wanted: &[&str],
        section: &str,
    ) -> Result<Self, String> {
        let noun = role.noun();
        let own = match role {
            data::Role::User => Role::User,
            data::Role::Item => Role::Item,
        };
        let names = given.unwrap_or(first);
        let is_id = |name: &String| match given {
            Some(_) => name == noun,
            None => Role::of(name) == Some(own) || name.eq_ignore_ascii_case("id"),
        };
        let ids: Vec<usize> = (0..names.len()).filter(|&at| is_id(&names[at])).collect();
        let answer = format!(
            "name all columns in {section}.columns, as in [\"{noun}\", \"-\", \"genre\"], with \"-\" for one to skip"
        );
        let id = match ids[..] {
            [id] => id,
            [] if given.is_some() => return Err(format!("{section}.columns names no \"{noun}\"")),
            [] => {
                return Err(format!("no column of the first line ({}) is that of the {noun}; {answer}", listed(first)));
            }
            _ => return Err(format!("{}; {answer}", several_fit(names, own, &ids))),
        };
        let flag = |name: &str| name.split_once('=').map(|(feature, value)| (feature.to_string(), value.to_string()));
        let place = |wanted: &&str| {
            let flags = (0..names.len()).filter_map(|at| {
                let (feature, value) = flag(&names[at])?;
                (feature == **wanted).then_some(Flag { at, value: Some(value) })
            });
            let flags: Vec<Flag> = flags.collect();
            let whole: Vec<usize> = (0..names.len()).filter(|&at| names[at] == **wanted).collect();
            match (whole[..].len(), flags.len()) {
                (1, 0) => Ok(vec![Flag { at: whole[0], value: None }]),
                (0, 1..) => Ok(flags),
                (0, 0) => {
                    let known: Vec<String> = names.iter().filter(|name| *name != "-").cloned().collect();
                    let of = if given.is_some() { format!("{section}.columns") } else { "the first line".into() };
                    Err(format!("no column is called {wanted:?}; those of {of} are {}", listed(&known)))
                }
                _ => Err(format!("several columns are called {wanted:?}; {answer}")),
            }
        };
        let columns = wanted.iter().map(place).collect::<Result<_, _>>()?;
        // A header that nobody needs is no line of features either.
        let named = first.get(id).is_some_and(|text| Role::of(text) == Some(own) || text.eq_ignore_ascii_case("id"));
        Ok(Self { id, names: names.to_vec(), columns, has_header: given.is_none() || named })
    }
}

/// The cell of a feature.
fn joined(row: &Row, flags: &[Flag], names: &[String], markers: &Markers) -> Result<String> {
    let mut cell = String::new();
    for Flag { at, value } in flags {
        let bytes = row.bytes(*at);
        let is_missing = markers.mark(&bytes);
        match value {
            None if is_missing => {}
            None => cell.push_str(row.text(*at).trim()),
            Some(value) => {
                let is_set = match &bytes.to_ascii_lowercase()[..] {
                    b"1" | b"1.0" | b"true" | b"t" | b"yes" | b"y" | b"x" => true,
                    b"0" | b"0.0" | b"false" | b"f" | b"no" | b"n" => false,
                    _ if is_missing => false,
                    _ => {
                        let message = format!(
                            "{:?} says neither that it is so nor that it is not; expected 1 or 0",
                            row.text(*at)
                        );
                        return Err(row.error(*at, &names[*at], message));
                    }
                };
                if is_set {
                    if !cell.is_empty() {
                        cell.push(JOINT);
                    }
                    cell.push_str(value);
                }
            }
        }
    }
    Ok(cell)
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn read(content: &str, columns: Option<&[&str]>, wanted: &[&str]) -> Result<Cells, String> {
        let (folder, path) = file("items.txt", content);
        let columns = columns.map(|names| names.iter().map(ToString::to_string).collect());
        let table = FeatureTable { path, delimiter: None, columns };
        let prefix = format!("{}/", folder.path().display());
        let cells = table.read(data::Role::Item, wanted, "data.item_features");
        let mut cells = cells.map_err(|error| error.to_string().replace(&prefix, ""))?;
        cells.notes.iter_mut().for_each(|note| *note = note.replace(&prefix, ""));
        Ok(cells)
    }

    #[test]
    fn columns_are_found_by_the_header_or_as_given() {
        for (content, columns) in [
            ("movieId,title,genre\n7,A,x|y\n3,B,\n", None),
            ("7|A|x|y\n".replace("x|y", "x;y").as_str(), Some(&["item", "title", "genre"][..])),
            ("item;title;genre\n7;A;x|y\n3;B;NA\n", Some(&["item", "-", "genre"][..])),
        ] {
            let cells = read(content, columns, &["genre"]).expect(content);
            assert_eq!(cells.ids.id(0), "7", "{content}");
            assert_eq!(cells.columns[0][0].replace(';', "|"), "x|y", "{content}");
            if cells.ids.len() > 1 {
                assert_eq!((cells.ids.id(1), cells.columns[0][1].as_str()), ("3", ""), "{content}");
            }
        }
    }

    #[test]
    fn flags_become_one_column() {
        let columns = ["item", "genre=a", "genre=b", "-", "genre=c"];
        let cells = read("1,1,0,5,true\n2,0,,5,0\n1,1,0,5,1\n", Some(&columns), &["genre"]).expect("flags");
        assert_eq!(cells.columns, [["a\u{1f}c", ""]]);
        assert_eq!(cells.notes, ["items.txt: item is column 1, genre 3 columns"]);
        let error = read("1,1,2,5,1\n", Some(&columns), &["genre"]).unwrap_err();
        assert_eq!(
            error,
            "items.txt:1:5: column \"genre=b\": \"2\" says neither that it is so nor that it is not; expected 1 or 0"
        );
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (content, columns, expected) in [
            ("", None, "items.txt: is empty"),
            ("a,b\n1,2\n", None, "no column of the first line (\"a\", \"b\") is that of the item; name all columns in"),
            ("item,b\n1,2\n", None, "no column is called \"genre\"; those of the first line are \"item\", \"b\""),
            ("1,2\n", Some(&["a", "genre"][..]), "data.item_features.columns names no \"item\""),
            ("1,2\n3\n", Some(&["item", "genre"][..]), "items.txt:2: expected 2 columns at least, found 1"),
            ("1,2\n,3\n", Some(&["item", "genre"][..]), "items.txt:2:1: column \"item\": the id is empty"),
            ("item,genre,genre\n1,2,3\n", None, "several columns are called \"genre\""),
            ("item,movie,genre\n1,2,3\n", None, "name all columns in data.item_features.columns"),
        ] {
            let error = read(content, columns, &["genre"]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_first_of_several_lines_counts() {
        let cells = read("item,x\n1,a\n1,a\n2,b\n1,c\n", None, &["x"]).expect("cells");
        assert_eq!(cells.columns, [["a", "b"]]);
        let expected = "1 cells differ from those of the same item in an earlier line, which counts; the first are those of \
                        \"1\" in line 5";
        assert!(cells.notes[1].ends_with(expected), "{:?}", cells.notes);
    }
}
