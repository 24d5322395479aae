//! A rating a line: user, item and, where present, rating and timestamp.

use std::path::Path;

use super::foreign::refuse;
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::shared_keys::{columns_key, context_key, delimiter_key, skip_key};
use super::text::{Lines, Row, parse_number, splitter};
use crate::config::{Keys, Problem, Values};
use crate::data::{Dataset, UNKNOWN, Vocabulary};
use crate::error::{Error, Result};

/// A file with a rating a line: user, item and, if there are any, rating and timestamp.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Delimited {
    /// What stands between fields; `None` detects it. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// What the columns hold: `"user"`, `"item"`, `"rating"`, `"timestamp"`, or `"-"` to skip one. `None` goes by the
    /// header, or else by position: user, item, rating, timestamp.
    pub columns: Option<Vec<String>>,
    /// Columns that describe an interaction beside user and item, called as in the header or in `columns`: each becomes a
    /// field with an entity of its own.
    pub context: Vec<String>,
    /// Lines at the start of the file to leave out, before a header.
    pub skip_lines: usize,
}

impl Reader for Delimited {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_lines(path, self.skip_lines, |lines| read(lines, self, dataset))
    }

    /// Whatever no other reader takes, but for forms that are known not to be read.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        refuse(path).map(|()| true)
    }
}

impl ReaderPart for Delimited {
    const NAME: &'static str = "delimited";

    fn keys() -> Keys {
        Keys::new([delimiter_key(), columns_key(), context_key(), skip_key()])
            .rule(|values| check_context(values).into_iter().collect())
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            columns: values.find("data.columns"),
            context: values.find("data.context").unwrap_or_default(),
            skip_lines: values.get("data.skip_lines"),
        }
    }
}

/// A column of the context is named once, and is none of those that every rating has.
fn check_context(values: &Values) -> Option<Problem> {
    let names: Vec<String> = values.find("data.context")?;
    let taken = |name: &&String| BY_POSITION.contains(&name.as_str()) || name.as_str() == "-";
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name);
    let message = match (names.iter().find(taken), twice) {
        (Some(name), _) => format!("data.context: {name:?} is not a column beside user, item, rating and timestamp"),
        (None, Some(name)) => format!("data.context names {name:?} twice"),
        (None, None) => return None,
    };
    Some(Problem::new(["data.context"], message))
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    User,
    Item,
    Rating,
    Timestamp,
    Title,
}

impl Role {
    /// What a column called `name` holds, as far as the name tells; case and punctuation do not count.
    pub fn of(name: &str) -> Option<Self> {
        let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        match name.strip_suffix("id").unwrap_or(&name) {
            "user" | "u" | "reviewer" | "customer" | "member" | "visitor" | "reader" | "listener" => Some(Self::User),
            "item" | "i" | "movie" | "film" | "game" | "page" | "book" | "product" | "artist" | "track" | "song"
            | "album" | "anime" | "business" | "joke" | "isbn" | "asin" => Some(Self::Item),
            "score" | "stars" | "hours" | "value" | "count" | "plays" | "playcount" | "listens" | "weight"
            | "overall" => Some(Self::Rating),
            "timestamp" | "time" | "unixtime" | "unixreviewtime" => Some(Self::Timestamp),
            "name" => Some(Self::Title),
            other if other.ends_with("rating") => Some(Self::Rating),
            other if other.ends_with("title") || other.ends_with("name") => Some(Self::Title),
            _ => None,
        }
    }
}

/// Where a line has what.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    user: usize,
    item: usize,
    rating: Option<usize>,
    timestamp: Option<usize>,
    /// Of each context, in the order of the options.
    context: Vec<usize>,
    /// What the columns are called, for messages.
    names: Vec<String>,
}

/// Names of the columns where neither a header nor the user gives any.
const BY_POSITION: [&str; 4] = ["user", "item", "rating", "timestamp"];

impl Layout {
    /// Finds the roles in `names`, in which `context` is called as there; the first column of a role has it.
    fn new(names: Vec<String>, role: impl Fn(&str) -> Option<Role>, context: &[String]) -> Option<Self> {
        let is_context = |name: &String| context.contains(name);
        let place = |wanted| names.iter().position(|name| !is_context(name) && role(name) == Some(wanted));
        Some(Self {
            context: context.iter().map(|name| names.iter().position(|other| other == name)).collect::<Option<_>>()?,
            user: place(Role::User)?,
            item: place(Role::Item)?,
            rating: place(Role::Rating),
            timestamp: place(Role::Timestamp),
            names,
        })
    }

    /// The layout that `columns` of the options spells out.
    fn given(columns: &[String], context: &[String]) -> Result<Self> {
        let is_known = |name: &String| BY_POSITION.contains(&name.as_str()) || context.contains(name);
        let unknown = |name: &&String| name.as_str() != "-" && !is_known(name);
        if let Some(name) = columns.iter().find(unknown) {
            return Err(Error::Usage(format!(
                "columns: unknown name {name:?}; use \"user\", \"item\", \"rating\", \"timestamp\", names of data.context, \
                 and \"-\" to skip one"
            )));
        }
        let of_all = BY_POSITION.into_iter().chain(context.iter().map(String::as_str));
        if let Some(name) = of_all.into_iter().find(|role| columns.iter().filter(|name| name == role).count() > 1) {
            return Err(Error::Usage(format!("columns: {name:?} stands twice; name the other one \"-\"")));
        }
        if let Some(name) = context.iter().find(|name| !columns.contains(name)) {
            return Err(Error::Usage(format!("columns: none is called {name:?}, which data.context names")));
        }
        Self::new(columns.to_vec(), Role::of, context)
            .ok_or_else(|| Error::Usage("columns: name one \"user\" and one \"item\"".into()))
    }

    /// The layout that the first line tells, and whether that line is a header.
    fn found(first: &Row, context: &[String]) -> Result<(Self, bool)> {
        let fields: Vec<String> = first.texts().into_iter().map(Into::into).collect();
        let layout = Self::new(fields.clone(), Role::of, context);
        let names = || fields.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        if let Some(name) = context.iter().find(|name| !fields.contains(name)) {
            return Err(first.line_error(format!(
                "data.context names {name:?}, but the first line ({}) does not; give the names of the file's header, or say \
                 what the columns hold in columns",
                names()
            )));
        }
        match layout {
            Some(layout) if !is_value(first, 2) => {
                let all_known = layout.names.iter().all(|name| Role::of(name).is_some() || context.contains(name));
                if layout.rating.is_none() && !all_known {
                    return Err(first.line_error(format!(
                        "the header names no rating that is known ({}); say what the columns hold in columns, \
                         as in [\"user\", \"item\", \"rating\"], with \"-\" for one to skip",
                        names()
                    )));
                }
                Ok((layout, true))
            }
            _ if first.len() == 1 => Err(first.line_error(format!(
                "only one field is found ({}); set the delimiter that stands between user and item",
                names()
            ))),
            _ if first.len() > BY_POSITION.len() || first.len() > 2 && is_name(first, 2) => {
                Err(first.line_error(format!(
                    "the first line ({}) is neither a header with known names nor user, item, rating and timestamp; \
                     say what the columns hold in columns, as in [\"user\", \"item\", \"rating\"], \
                     with \"-\" for one to skip",
                    names()
                )))
            }
            _ => {
                let names = BY_POSITION[..first.len()].iter().map(ToString::to_string).collect();
                let layout = Self::new(names, Role::of, &[]).expect("two columns at least");
                Ok((layout, false))
            }
        }
    }

    /// Whether `first`, the first line of a file whose columns are given, is a header.
    fn is_header(&self, first: &Row) -> bool {
        first.len() == self.names.len()
            && (self.rating.is_some_and(|rating| is_name(first, rating))
                || Role::of(&first.text(self.user)) == Some(Role::User)
                    && Role::of(&first.text(self.item)) == Some(Role::Item))
    }

    /// The error for a line with another number of fields.
    fn count_error(&self, row: &Row) -> Error {
        row.line_error(format!(
            "expected {} fields ({}), found {}; correct the line, or set the delimiter",
            self.names.len(),
            self.names.join(", "),
            row.len()
        ))
    }
}

/// Whether field `index` is a number.
fn is_value(row: &Row, index: usize) -> bool {
    index < row.len() && parse_number(&row.bytes(index)).is_some()
}

/// Whether field `index` can only be a name: it begins with a letter and is no number ("nan" is one).
fn is_name(row: &Row, index: usize) -> bool {
    !is_value(row, index) && row.text(index).starts_with(char::is_alphabetic)
}

/// Adds the ratings of `lines` to `dataset`.
fn read(mut lines: Lines, options: &Delimited, dataset: &mut Dataset) -> Result<()> {
    let rough_count = lines.rough_count();
    let mut splitter = splitter(options.delimiter.as_deref(), &lines)?;
    let Some(first) = splitter.next(&mut lines)? else { return Ok(()) };
    let (layout, is_header) = match &options.columns {
        Some(columns) => {
            let layout = Layout::given(columns, &options.context)?;
            let is_header = layout.is_header(&first);
            (layout, is_header)
        }
        None => Layout::found(&first, &options.context)?,
    };
    if !is_header {
        lines.again();
    }
    if layout.rating.is_none() {
        dataset.notes.push(lines.note("there is no column of ratings: every rating is 1"));
    }
    dataset.add_fields(&options.context);
    let Dataset { interactions, entities, .. } = dataset;
    let [users, items, context @ ..] = &mut entities[..] else { unreachable!("readers begin with users and items") };
    interactions.columns.iter_mut().for_each(|column| column.reserve_exact(rough_count));
    interactions.targets.reserve_exact(rough_count);
    if layout.timestamp.is_some() {
        interactions.timestamps.get_or_insert_default().reserve_exact(rough_count);
    }
    let name = |column: usize| layout.names[column].as_str();
    while let Some(row) = splitter.next(&mut lines)? {
        if row.len() != layout.names.len() {
            return Err(layout.count_error(&row));
        }
        let user = index(&mut users.ids, &row, layout.user, name(layout.user))?;
        let item = index(&mut items.ids, &row, layout.item, name(layout.item))?;
        let value = layout.rating.map_or(Ok(1.0), |column| row.number(column, name(column)))?;
        let timestamp = layout.timestamp.map(|column| row.integer(column, name(column))).transpose()?;
        interactions.push([user, item], value, timestamp);
        for ((&column, entity), indices) in layout.context.iter().zip(&mut *context).zip(&mut interactions.columns[2..])
        {
            // An empty field says nothing.
            let is_missing = row.bytes(column).is_empty();
            indices.push(if is_missing { UNKNOWN } else { index(&mut entity.ids, &row, column, name(column))? });
        }
    }
    Ok(())
}

/// The index of the id in field `column`, which is called `name`.
#[inline]
fn index(vocabulary: &mut Vocabulary, row: &Row, column: usize, name: &str) -> Result<u32> {
    // Bytes that are a known id need no decoding: ids are UTF-8 with composed accents, which decodes to itself.
    match vocabulary.index_of(&row.bytes(column)) {
        Some(index) => Ok(index),
        None => Ok(vocabulary.insert(&row.id(column, name)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReadOptions;
    use super::super::tests::{read, triple, triples};
    use super::*;

    fn with(columns: &[&str]) -> ReadOptions {
        let columns = Some(columns.iter().map(ToString::to_string).collect());
        ReadOptions::of_reader(Delimited { columns, ..Default::default() })
    }

    fn error(content: &str) -> String {
        read("ratings.csv", content, &ReadOptions::default()).unwrap_err()
    }

    #[test]
    fn common_files_need_no_settings() {
        let expected = [triple("7", "x", 4.5), triple("8", "y", -1.0)];
        for content in [
            "7,x,4.5\n8,y,-1\n",
            "7\tx\t4.5\n8\ty\t-1\n",
            "7::x::4.5::3\n8::y::-1::4",
            "7 x  4.5 \n 8 y -1",
            "7;x;4.5\r\n8;y;-1\r\n",
            "7|x|4.5\n8|y|-1\n",
            "userId,movieId,rating,timestamp\n7,x,4.5,3\n8,y,-1,4\n",
            "User_ID\tGame_ID\tHours\n7\tx\t4.5\n8\ty\t-1\n",
            "Hours\tnote\tGame_ID\tUser_ID\n4.5\t?\tx\t7\n-1\t!\ty\t8\n",
            "\"User-ID\";\"ISBN\";\"Book-Rating\"\n\"7\";\"x\";\"4.5\"\n\"8\";\"y\";\"-1\"\n",
        ] {
            let dataset = read("r", content, &ReadOptions::default()).unwrap_or_else(|e| panic!("{content:?}: {e}"));
            assert_eq!(triples(&dataset), expected, "{content:?}");
            let timestamps = content.contains("4.5::3").then(|| vec![3, 4]);
            let timestamps = timestamps.or_else(|| content.contains("timestamp").then(|| vec![3, 4]));
            assert_eq!(dataset.interactions.timestamps, timestamps, "{content:?}");
        }
    }

    #[test]
    fn without_ratings_every_rating_is_one() {
        for content in ["user\tpage\n0\t1\n0\t2\n", "0,1\n0,2\n", "user,item,timestamp\n0,1,5\n0,2,6\n"] {
            let dataset = read("r", content, &ReadOptions::default()).unwrap();
            assert_eq!(triples(&dataset), [triple("0", "1", 1.0), triple("0", "2", 1.0)]);
            assert!(dataset.notes[0].ends_with("r: there is no column of ratings: every rating is 1"));
        }
    }

    #[test]
    fn given_columns_skip_a_header_but_never_a_rating() {
        let columns = with(&["item", "-", "user", "rating"]);
        for header in ["", "a,b,c,d\n", "item,when,user,3\n"] {
            let dataset = read("r.csv", format!("{header}x,?,7,2\n"), &columns).unwrap();
            assert_eq!(triples(&dataset), [triple("7", "x", 2.0)], "{header:?}");
        }
        for wrong in ["\"4,5\"", "", "?", "nan"] {
            let content = format!("x,?,7,{wrong}\n");
            assert!(read("r.csv", content, &columns).unwrap_err().starts_with("r.csv:1:7: column \"rating\": "));
        }
    }

    #[test]
    fn given_columns_must_make_sense() {
        for (columns, message) in [
            (&["user", "item", "stars"][..], "columns: unknown name \"stars\""),
            (&["user", "item", "user"], "columns: \"user\" stands twice"),
            (&["user", "rating"], "columns: name one \"user\" and one \"item\""),
        ] {
            let error = read("r.csv", "1,2,3\n", &with(columns)).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn options_override_what_would_be_found() {
        let reader = Delimited { skip_lines: 2, delimiter: Some("--".into()), ..Default::default() };
        let options = ReadOptions::of_reader(reader);
        let dataset = read("r", "# made by hand\n\n1--a,b--3\n", &options).unwrap();
        assert_eq!(triples(&dataset), [triple("1", "a,b", 3.0)]);
    }

    #[test]
    fn quotes_enclose_ids_whatever_separates_the_columns() {
        let expected = [triple("u1", "i 1", 3.0), triple("u2", "a\nb", 4.5)];
        for delimiter in [",", ";", "\t", "|", "::", " "] {
            let lines = ["\"user\",\"item\",\"rating\"", "\"u1\",\"i 1\",3", "\"u2\",\"a\nb\",\"4.5\"", ""];
            let dataset = read("r", lines.join("\n").replace(',', delimiter), &ReadOptions::default()).unwrap();
            assert_eq!(triples(&dataset), expected, "{delimiter:?}");
        }
    }

    #[test]
    fn a_decimal_comma_is_no_delimiter() {
        for content in ["1;2;3,5\n1;3;4,5\n", "user;item;rating\n1;2;3,5\n", "1;2;3\n1;3;4,5\n"] {
            let error = error(content);
            assert!(error.contains(":5: column \"rating\": invalid number \""), "{content:?}: {error}");
            assert!(error.ends_with("write it with a point"), "{content:?}: {error}");
        }
        assert!(error("7;3,5\n8;4,5\n").contains("data.delimiter"));
        let read = read("r.csv", "1;2;3.5\n1;3;4,5\n", &ReadOptions::default()).unwrap_err();
        assert!(read.starts_with("r.csv:2:5: "), "{read}");
    }

    #[test]
    fn latin_1_ids() {
        let dataset = read("r", b"1,caf\xe9,3\n2,caf\xc3\xa9,4\n", &ReadOptions::default()).unwrap();
        assert_eq!(triples(&dataset), [triple("1", "café", 3.0), triple("2", "café", 4.0)]);
    }

    #[test]
    fn errors_name_the_place_and_the_remedy() {
        let header = "user,item,rating,timestamp\n";
        let cases = [
            ("1,2,3,4\n\n1,3,\"4,5\",6\n", "4:5: column \"rating\": invalid number \"4,5\"; write it with a point"),
            ("1,é,four,4\n", "2:5: column \"rating\": invalid number \"four\"; expected one like 3.5"),
            ("1,2,NaN,4\n", "2:5: column \"rating\": \"NaN\" is not a finite number; give one or remove the line"),
            ("1,2,1e99,4\n", "2:5: column \"rating\": \"1e99\" is not a finite number; give one or remove the line"),
            ("1,2,,4\n", "2:5: column \"rating\": the number is missing; give one or remove the line"),
            ("1,,3,4\n", "2:3: column \"item\": the id is empty; give one or remove the line"),
            ("1,2,3,2001-05-01\n", "2:7: column \"timestamp\": invalid whole number \"2001-05-01\"; "),
            (
                "1,2,3\n",
                "2: expected 4 fields (user, item, rating, timestamp), found 3; correct the line, or set the delimiter",
            ),
        ];
        for (line, expected) in cases {
            let error = error(&format!("{header}{line}"));
            assert!(error.starts_with(&format!("ratings.csv:{expected}")), "{error}");
        }
    }

    #[test]
    fn messages_use_the_names_of_the_header() {
        let error = error("User_ID,Game_ID,Hours\n1,2,x\n");
        assert!(error.starts_with("ratings.csv:2:5: column \"Hours\": invalid number \"x\""), "{error}");
    }

    #[test]
    fn a_layout_that_cannot_be_told_is_refused() {
        let unknown_rating = error("user,item,thumbs\n1,2,3\n");
        assert!(
            unknown_rating.starts_with("ratings.csv:1: the header names no rating that is known (\"user\", \"item\"")
        );
        let unknown_names = error("who,what,how\n1,2,3\n");
        assert!(unknown_names.starts_with("ratings.csv:1: the first line (\"who\", \"what\", \"how\") is neither"));
        assert!(error("1,2,3,4,5\n").starts_with("ratings.csv:1: the first line (\"1\", "));
        assert!(error("12345\n").starts_with("ratings.csv:1: only one field is found (\"12345\")"));
    }

    #[test]
    fn fractions_of_a_second_are_cut_off() {
        let dataset = read("r", "1,2,3,978300760.9\n", &ReadOptions::default()).unwrap();
        assert_eq!(dataset.interactions.timestamps, Some(vec![978_300_760]));
    }

    #[test]
    fn columns_of_context_are_fields_with_entities_of_their_own() {
        let options = |columns: Option<&[&str]>| {
            let columns = columns.map(|columns| columns.iter().map(ToString::to_string).collect());
            let context = vec!["hour".into(), "place".into()];
            ReadOptions::of_reader(Delimited { context, columns, ..Delimited::default() })
        };
        let header = "user,place,item,rating,hour\n";
        let lines = "1,home,a,3,08\n2,,a,4,20\n1,work,b,5,08\n";
        let columns = ["user", "place", "item", "rating", "hour"];
        for (text, columns) in [(format!("{header}{lines}"), None), (lines.to_string(), Some(&columns[..]))] {
            let dataset = read("r.csv", text, &options(columns)).unwrap();
            let names: Vec<&str> = dataset.fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(names, ["user", "item", "hour", "place"]);
            assert_eq!(dataset.interactions.columns, [[0, 1, 0], [0, 0, 1], [0, 1, 0], [0, UNKNOWN, 1]]);
            assert!(dataset.entities[3].ids.ids().eq(["home", "work"]));
        }
        let error = |text: &str, columns: Option<&[&str]>| read("r.csv", text, &options(columns)).unwrap_err();
        assert!(
            error("user,item,hour\n1,a,8\n", None).starts_with("r.csv:1: data.context names \"place\", but the first")
        );
        assert!(error(lines, Some(&columns[..4])).contains("none is called \"hour\", which data.context names"));
    }
}
