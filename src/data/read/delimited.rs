//! A rating a line: user, item and, where present, rating and timestamp.

use std::path::Path;

use super::bad_lines::{BadLines, LeftOut};
use super::columns::{Columns, Start};
use super::foreign::refuse;
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::roles::are_of_list;
use super::shared_keys::{
    HeaderLine, TIME_FORMAT, bad_lines_key, check_context, check_time_format, columns_key, context_key, delimiter_key,
    header_key, skip_key, time_format, time_format_key,
};
use super::text::{Lines, Row, Splitter, listed, splitter};
use crate::config::{Keys, Values};
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
    /// Whether the first line names the columns.
    pub header: HeaderLine,
    /// How timestamps are written, in the conversions of `strftime`, as in `"%d.%m.%Y %H:%M"`; `None` for seconds since 1970
    /// and dates that begin with the year.
    pub time_format: Option<String>,
    /// What becomes of lines that are no ratings.
    pub bad_lines: BadLines,
}

impl Reader for Delimited {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_lines(path, self.skip_lines, |lines| read(lines, self, dataset))
    }

    fn lines_of(&self, path: &Path, user: &str, item: &str) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        read_lines(path, self.skip_lines, |mut lines| {
            let Some(Layout { mut splitter, columns, .. }) = Layout::of(&mut lines, self)? else { return Ok(()) };
            while let Some(row) = splitter.next(&mut lines)? {
                let holds = |column: usize, id: &str| column < row.len() && row.text(column) == id;
                if holds(columns.user, user) && holds(columns.item, item) {
                    found.push(row.number_of_line());
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Whatever no other reader takes, but for forms that are known not to be read.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        refuse(path).map(|()| true)
    }
}

/// Whether the first line of a file names columns of users and items, as that of a list does.
///
/// # Errors
/// Those of reading it.
pub fn names_pairs(path: &Path) -> Result<bool> {
    let mut names = Vec::new();
    read_lines(path, 0, |mut lines| {
        let first =
            splitter(None, &lines)?.next(&mut lines)?.map(|row| row.texts().into_iter().map(Into::into).collect());
        names = first.unwrap_or_default();
        Ok(())
    })?;
    Ok(are_of_list(&names))
}

impl ReaderPart for Delimited {
    const NAME: &'static str = "delimited";

    fn keys() -> Keys {
        Keys::new([
            delimiter_key(),
            header_key(),
            columns_key(),
            time_format_key(),
            context_key(),
            skip_key(),
            bad_lines_key(),
        ])
        .rule(|values| check_context(values).into_iter().collect())
        .rule(|values| check_time_format(values).into_iter().collect())
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            columns: values.find("data.columns"),
            context: values.find("data.context").unwrap_or_default(),
            skip_lines: values.get("data.skip_lines"),
            header: values.get("data.header"),
            time_format: values.find(TIME_FORMAT),
            bad_lines: values.get("data.bad_lines"),
        }
    }
}

/// Lines after the first that tell what the columns hold.
const LOOKED_AT: usize = 20;

/// How the lines of a file are read.
struct Layout {
    splitter: Splitter,
    columns: Columns,
    start: Start,
}

impl Layout {
    /// The layout of `lines`, which go on with the first rating; `None` if there are none.
    fn of(lines: &mut Lines, options: &Delimited) -> Result<Option<Self>> {
        let mut splitter = splitter(options.delimiter.as_deref(), lines)?;
        let owned = |row: Row| row.texts().into_iter().map(Into::into).collect::<Vec<String>>();
        let Some(first) = splitter.next(lines)?.map(owned) else { return Ok(None) };
        let ahead = lines.ahead(LOOKED_AT);
        let rest = ahead.into_iter().filter_map(|line| splitter.split(line).ok().map(owned)).collect();
        let start = Start { first, rest };
        let columns = Columns::of(&start, options.columns.as_deref(), options.header, &options.context)?;
        let columns = columns.map_err(|what| lines.current().error(what))?;
        if !columns.has_header {
            lines.again();
        }
        Ok(Some(Self { splitter, columns, start }))
    }
}

/// Adds the ratings of `lines`, of which `options.skip_lines` are left out already.
pub(super) fn read(mut lines: Lines, options: &Delimited, dataset: &mut Dataset) -> Result<()> {
    let rough_count = lines.rough_count();
    let Some(Layout { mut splitter, columns, start }) = Layout::of(&mut lines, options)? else { return Ok(()) };
    dataset.notes.push(lines.note(&columns.told(&splitter.shown())));
    if columns.rating.is_none() {
        dataset.notes.push(lines.note("there is no column of ratings: every rating is 1"));
    }
    dataset.add_fields(&options.context);
    let before = dataset.interactions.len();
    let Dataset { interactions, entities, .. } = &mut *dataset;
    let [users, items, context @ ..] = &mut entities[..] else { unreachable!("readers begin with users and items") };
    interactions.columns.iter_mut().for_each(|column| column.reserve_exact(rough_count));
    interactions.targets.reserve_exact(rough_count);
    if columns.timestamp.is_some() {
        interactions.timestamps.get_or_insert_default().reserve_exact(rough_count);
    }
    let time_format = options.time_format.as_deref().map(time_format).transpose()?;
    let name = |column: usize| columns.names[column].as_str();
    let mut add = |row: &Row| {
        if row.len() != columns.names.len() {
            return Err(count_error(row, &columns, &start));
        }
        // A line that is left out must not leave an id behind, so everything else comes first.
        let value = columns.rating.map_or(Ok(1.0), |column| row.number(column, name(column)))?;
        let timestamp =
            columns.timestamp.map(|column| row.moment(column, name(column), time_format.as_ref())).transpose()?;
        for column in [columns.user, columns.item] {
            if row.is_empty(column) {
                return Err(row.error(column, name(column), "the id is empty; give one or remove the line"));
            }
        }
        let user = index(&mut users.ids, row, columns.user);
        let item = index(&mut items.ids, row, columns.item);
        interactions.push([user, item], value, timestamp);
        for ((&column, entity), indices) in
            columns.context.iter().zip(&mut *context).zip(&mut interactions.columns[2..])
        {
            // An empty field says nothing.
            indices.push(if row.is_empty(column) { UNKNOWN } else { index(&mut entity.ids, row, column) });
        }
        Ok(())
    };
    let mut left_out = LeftOut::new(options.bad_lines);
    loop {
        let added = match splitter.next(&mut lines) {
            Ok(None) => break,
            Ok(Some(row)) => add(&row),
            Err(error) => Err(error),
        };
        added.or_else(|error| left_out.add(error))?;
    }
    let kept = dataset.interactions.len() - before;
    let remedy = "set the delimiter, or say what the columns hold in data.columns";
    dataset.notes.extend(left_out.close(kept, remedy, &lines)?);
    Ok(())
}

/// The error for a line with another number of fields.
#[cold]
fn count_error(row: &Row, columns: &Columns, start: &Start) -> Error {
    let names = &columns.names;
    let remedy = start.looks_like().unwrap_or_else(|| "correct the line, or set the delimiter".into());
    row.line_error(format!(
        "expected {} fields ({}), found {}; {remedy}",
        names.len(),
        listed(names).replace('"', ""),
        row.len()
    ))
}

/// The index of the id in field `column`.
#[inline]
fn index(vocabulary: &mut Vocabulary, row: &Row, column: usize) -> u32 {
    // Bytes that are a known id need no decoding: ids are UTF-8 with composed accents, which decodes to itself.
    match vocabulary.index_of(&row.bytes(column)) {
        Some(index) => index,
        None => vocabulary.insert(&row.text(column)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReadOptions;
    use super::super::tests::{file, read, triple, triples};
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
            assert!(dataset.notes[1].ends_with("r: there is no column of ratings: every rating is 1"));
        }
    }

    #[test]
    fn given_columns_skip_a_header_but_never_a_rating() {
        let columns = with(&["item", "-", "user", "rating"]);
        for header in ["", "a,b,c,d\n", "item,when,user,3\n"] {
            let dataset = read("r.csv", format!("{header}x,?,7,2\n"), &columns).unwrap();
            assert_eq!(triples(&dataset), [triple("7", "x", 2.0)], "{header:?}");
        }
        for wrong in ["\"4,500\"", "", "?", "nan"] {
            let content = format!("x,?,7,{wrong}\n");
            assert!(read("r.csv", content, &columns).unwrap_err().starts_with("r.csv:1:7: column \"rating\": "));
        }
    }

    #[test]
    fn columns_in_the_wrong_order_make_no_header_of_a_rating() {
        let error = read("r.csv", "1,a,3\n1,b,4\n", &with(&["user", "rating", "item"])).unwrap_err();
        assert!(error.starts_with("r.csv:1:3: column \"rating\": invalid number \"a\""), "{error}");
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
        for (content, values) in [
            ("1;2;3,5\n1;3;4,5\n", [3.5, 4.5]),
            ("user;item;rating\n1;2;-3,25\n1;3;,5\n", [-3.25, 0.5]),
            ("1\t2\t3\n1\t3\t0,125\n", [3.0, 0.125]),
            ("1,2,\"3,5\"\n1,3,4.5\n", [3.5, 4.5]),
        ] {
            let dataset = read("r.csv", content, &ReadOptions::default()).unwrap();
            assert_eq!(dataset.interactions.targets, values, "{content:?}");
        }
        assert!(error("7;3,5\n8;4,5\n").contains("data.delimiter"));
        for ambiguous in ["1,234", "1,234,567", "1.234,5", "1,2,3", "3,"] {
            let error = error(&format!("1;2;3\n1;3;{ambiguous}\n"));
            assert!(error.starts_with("ratings.csv:2:5: column \"rating\": "), "{error}");
        }
        assert!(error("1;2;3\n1;3;1,234\n").ends_with("write it with a point or without the comma"));
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
            (
                "1,2,3,4\n\n1,3,\"4,500\",6\n",
                "4:5: column \"rating\": \"4,500\" may have a decimal comma or one between thousands",
            ),
            ("1,é,four,4\n", "2:5: column \"rating\": invalid number \"four\"; expected one like 3.5"),
            ("1,2,NaN,4\n", "2:5: column \"rating\": \"NaN\" is not a finite number; give one or remove the line"),
            ("1,2,1e99,4\n", "2:5: column \"rating\": \"1e99\" is not a finite number; give one or remove the line"),
            ("1,2,,4\n", "2:5: column \"rating\": the number is missing; give one or remove the line"),
            ("1,,3,4\n", "2:3: column \"item\": the id is empty; give one or remove the line"),
            ("1,2,3,12/1/2010 8:26\n", "2:7: column \"timestamp\": invalid time \"12/1/2010 8:26\"; "),
            ("1,2,3,\n", "2:7: column \"timestamp\": invalid time \"\"; "),
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
    fn times_are_seconds_however_they_are_written() {
        let content = "user,item,rating,date\n1,2,3,2010-12-01T08:26:00Z\n1,3,4,2010-12-01\n1,4,4,77\n";
        let dataset = read("r", content, &ReadOptions::default()).unwrap();
        assert_eq!(dataset.interactions.timestamps, Some(vec![1_291_191_960, 1_291_161_600, 77]));
        let with = |format: &str| {
            ReadOptions::of_reader(Delimited { time_format: Some(format.into()), ..Delimited::default() })
        };
        let content = "1,2,3,12/1/2010 8:26\n1,3,4,11/30/2010 0:00\n";
        let dataset = read("r", content, &with("%m/%d/%Y %H:%M")).unwrap();
        assert_eq!(dataset.interactions.timestamps, Some(vec![1_291_191_960, 1_291_075_200]));
        let error = read("r", content, &with("%d/%m/%Y %H:%M")).unwrap_err();
        assert!(
            error.starts_with("r:2:7: column \"timestamp\": the time \"11/30/2010 0:00\" is not written as"),
            "{error}"
        );
        assert!(read("r", content, &with("%Q")).unwrap_err().contains("data.time_format"));
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

    #[test]
    fn what_was_taken_for_what_is_told() {
        for (content, told) in [
            (
                "userId,movieId,note,rating,timestamp\n1,2,x,3,4\n",
                "\",\" between columns, with a header: user is column 1 \"userId\", item column 2 \"movieId\", rating column 4 \
                 \"rating\", time column 5 \"timestamp\"; skipped: 3 \"note\"",
            ),
            ("1\t2\t3\n", "tabs between columns, no header: user is column 1, item column 2, rating column 3"),
            (
                "a 1,b 2,stars,user,c,item,d,e\nx,y,3,1,x,2,y,z\n",
                "user is column 4 \"user\", item column 6 \"item\", rating column 3 \"stars\"; skipped: 1 \"a 1\", 2 \"b 2\", 5 \
                 \"c\" and 2 more",
            ),
        ] {
            let notes = read("r.csv", content, &ReadOptions::default()).unwrap().notes;
            assert!(notes[0].ends_with(told), "{notes:?}");
        }
        let given = read("r.csv", "who,what,how\nx,7,2\n", &with(&["item", "user", "rating"])).unwrap();
        assert!(
            given.notes[0]
                .ends_with("with a header: user is column 2 \"what\", item column 1 \"who\", rating column 3 \"how\"")
        );
    }

    #[test]
    fn of_several_columns_that_fit_none_is_chosen() {
        for (header, question) in [
            (
                "user_id,anime_id,rating_user,name,episodes,rating",
                "column 3 \"rating_user\" and column 6 \"rating\" can each be the rating",
            ),
            ("user_id,game_id,hours,rating", "column 3 \"hours\" and column 4 \"rating\" can each be the rating"),
            (
                "user_id,item_id,score_x,score_y,note",
                "column 3 \"score_x\" and column 4 \"score_y\" can each be the rating",
            ),
            (
                "user_id,reviewer_id,item,rating",
                "column 1 \"user_id\" and column 2 \"reviewer_id\" can each be the user",
            ),
            (
                "user,artist,track,album,plays",
                "column 2 \"artist\", column 3 \"track\" and column 4 \"album\" can each be the item",
            ),
            ("user,item,rating,date,time", "column 4 \"date\" and column 5 \"time\" can each be the timestamp"),
        ] {
            let line = vec!["1"; header.split(',').count()].join(",");
            let error = error(&format!("{header}\n{line}\n"));
            assert!(error.starts_with(&format!("ratings.csv:1: {question}; say which in data.columns")), "{error}");
            assert!(!error.contains("looks like"), "{error}");
        }
        let chosen =
            read("r.csv", "user,item,hours,rating\n1,2,900,4\n", &with(&["user", "item", "-", "rating"])).unwrap();
        assert_eq!(triples(&chosen), [triple("1", "2", 4.0)]);
        // A column of the context has no other role.
        let context = Delimited { context: vec!["hours".into()], ..Delimited::default() };
        let read = read("r.csv", "user,item,hours,rating\n1,2,9,4\n", &ReadOptions::of_reader(context)).unwrap();
        assert_eq!(read.interactions.targets, [4.0]);
    }

    #[test]
    fn an_unknown_header_is_no_rating() {
        for content in [
            "a\tb\n346\t0\n346\t7\n",
            "kunde,artikel\n1,2\n",
            "source,target\nC-1,A7\nC-2,A8\nC-3,A9\n",
            "who,what\nann,7\nbob,8\n",
        ] {
            let error = error(content);
            assert!(
                error.starts_with("ratings.csv:1: the first line (\"") && error.contains("seems to name the columns"),
                "{error}"
            );
            let no = Delimited { header: HeaderLine::No, ..Delimited::default() };
            let count = read("r", content, &ReadOptions::of_reader(no)).unwrap().interactions.len();
            assert_eq!(count, content.lines().count(), "{content:?}");
            let given = read("r", content, &with(&["user", "item"])).unwrap();
            assert_eq!(given.interactions.len() + 1, content.lines().count(), "{content:?}");
        }
        let known = read("r.csv", "customer_no,article\n1,2\n1,3\n", &ReadOptions::default()).unwrap();
        assert_eq!(triples(&known), [triple("1", "2", 1.0), triple("1", "3", 1.0)]);
        // Ids that look like each other are ids.
        for content in ["ann,cup\nbob,pan\n", "u1,i1\nu2,i2\nu3,i3\n", "ann,7\nbob,8\n"] {
            let read = read("r.csv", content, &ReadOptions::default()).unwrap();
            assert_eq!(read.interactions.len(), content.lines().count(), "{content:?}");
        }
    }

    #[test]
    fn whether_there_is_a_header_can_be_said() {
        let with = |header, columns: Option<&[&str]>| {
            let columns = columns.map(|columns| columns.iter().map(ToString::to_string).collect());
            ReadOptions::of_reader(Delimited { header, columns, ..Delimited::default() })
        };
        let content = "user,item,7\n1,2,3\n";
        let ids = |header, columns| triples(&read("r", content, &with(header, columns)).unwrap());
        let second = || triple("1", "2", 3.0);
        assert_eq!(ids(HeaderLine::Auto, None), [triple("user", "item", 7.0), second()]);
        assert_eq!(ids(HeaderLine::No, None), [triple("user", "item", 7.0), second()]);
        assert_eq!(ids(HeaderLine::Yes, Some(&["user", "item", "rating"])), [second()]);
        assert_eq!(ids(HeaderLine::No, Some(&["user", "item", "rating"])), [triple("user", "item", 7.0), second()]);
        assert!(
            read("r.csv", "1,2,3\n4,5,6\n", &with(HeaderLine::Yes, None)).unwrap_err().contains("say what they hold")
        );
    }

    #[test]
    fn bad_lines_can_be_left_out_and_are_counted() {
        let skip = |content: &str| {
            let options = Delimited { bad_lines: BadLines::Skip, ..Delimited::default() };
            read("r.csv", content, &ReadOptions::of_reader(options))
        };
        let bad = "1,b\n2,a,x,7\n,a,3,8\n2,,3,8\n2,c,,8\n2,\"d,3,8\n2,e,nan,8\n2,f,1,soon\n2,g,1,2,3\n";
        let content = format!("user,item,rating,timestamp\n1,a,3,5\n{bad}9,z,4,6\n");
        let dataset = skip(&content).unwrap();
        assert_eq!(triples(&dataset), [triple("1", "a", 3.0), triple("9", "z", 4.0)]);
        assert_eq!((dataset.users().len(), dataset.items().len()), (2, 2), "no id of a bad line is left");
        let note = dataset.notes.last().unwrap();
        assert!(
            note.ends_with(
                "r.csv: 9 of 11 lines are no ratings: line 3: expected 4 fields (user, item, rating, timestamp), found 2; \
                 line 4: column \"rating\": invalid number \"x\"; line 5: column \"user\": the id is empty; and 6 more; they are \
                 left out"
            ),
            "{note}"
        );
        let none = skip("user,item,rating\n1,a,x\n1,b\n").unwrap_err();
        assert!(none.starts_with("r.csv: 2 of 2 lines are no ratings: line 2: "), "{none}");
        assert!(skip("1,a,3\n2,b,4\n").unwrap().notes.iter().all(|note| !note.contains("left out")));
        assert!(skip("1,a,3\n\0\n").unwrap_err().contains("is not a text file"));
    }

    #[test]
    fn what_is_no_list_says_what_it_may_be() {
        let table: String = (0..5).map(|row| format!("{row},1.5,2,3,4,5\n")).collect();
        let baskets = "a b c d\na\nb c d e f g\na e\nb\n";
        let wide: String =
            (0..4).map(|row| (0..5000).map(|at| format!("{row}{at} ")).collect::<String>() + "\n").collect();
        for (content, hint) in
            [(table.as_str(), "data.format = \"dense\""), (baskets, "looks like baskets"), (&wide, "dense")]
        {
            let error = error(content);
            assert!(error.contains(hint), "{error}");
            assert!(error.len() < 600, "{error}");
        }
        // Of a short line, nothing more is known.
        assert!(!error("1,2,3\n1,2,3\n1,2\n").contains("looks like"));
    }

    #[test]
    fn lines_of_a_pair_are_found_again() {
        let content = "user,item,rating\n\n1,\"a\nb\",3\n2,c,4\n1,c\n1,\"a\nb\",5\n";
        let (_folder, path) = file("r.csv", content);
        assert_eq!(Delimited::default().lines_of(&path, "1", "a\nb").unwrap(), [3, 7]);
        assert_eq!(Delimited::default().lines_of(&path, "2", "z").unwrap(), [0; 0]);
    }
}
