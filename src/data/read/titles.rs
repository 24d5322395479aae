//! Titles of items, for people.

use std::borrow::Cow;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::columns::several_fit;
use super::options::TitleFile;
use super::roles::Role;
use super::text::{Lines, splitter};
use crate::data::Vocabulary;
use crate::error::{Error, Result};

/// The title of each of `items`, empty if `file` has none; what was taken for what, and how many have none, goes to `notes`.
///
/// Fields beyond the two columns do not matter, and of two titles for one id the first counts.
pub(super) fn read(file: &TitleFile, items: &Vocabulary, notes: &mut Vec<String>) -> Result<Vec<String>> {
    let mut hash = Sha256::new();
    let mut lines = Lines::open(&file.path, &mut hash)?;
    let mut splitter = splitter(file.delimiter.as_deref(), &lines)?;
    let Some(first) = splitter.next(&mut lines)? else {
        return Err(lines.error("is empty; expected lines of item and title"));
    };
    let header: Vec<String> = first.texts().into_iter().map(Into::into).collect();
    let Places { ids, title, has_header } = match &file.columns {
        Some(columns) => Places::given(columns, file)?,
        None => Places::found(&header).map_err(|what| lines.current().error(what))?,
    };
    let mut found: Vec<Titles> = ids.iter().map(|&at| Titles::of(at, items.len())).collect();
    let needed = ids.iter().chain([&title]).max().map_or(0, |most| most + 1);
    // A header names no item, so that it does no harm to read it like any other line.
    lines.again();
    while let Some(row) = splitter.next(&mut lines)? {
        if row.len() < needed {
            return Err(row.line_error(format!(
                "expected {needed} fields at least, found {}; set the delimiter and the columns of the titles",
                row.len()
            )));
        }
        for titles in &mut found {
            if let Some(index) = items.index(&row.text(titles.ids)) {
                titles.add(index, row.text(title));
            }
        }
    }
    found.retain(|titles| titles.missing < items.len());
    let [titles] = &mut found[..] else {
        return Err(match found.is_empty() {
            true => lines.error("gives no title to any item; set the delimiter and the columns of the titles"),
            false => {
                let ids: Vec<usize> = found.iter().map(|titles| titles.ids).collect();
                lines.error(format!("{}; {ANSWER}", several_fit(&header, Role::Item, &ids)))
            }
        });
    };
    let named = |at: usize| match has_header {
        true => format!("{} {:?}", at + 1, header[at]),
        false => format!("{}", at + 1),
    };
    notes.push(lines.note(&format!("item is column {}, title column {}", named(titles.ids), named(title))));
    if titles.missing > 0 {
        notes.push(lines.note(&format!("{} of {} items have no title", titles.missing, items.len())));
    }
    Ok(std::mem::take(&mut titles.titles))
}

/// The class of each of `ids`, empty if the file at `path` has none: what a table of titles would have as titles. `columns` names
/// one column "id" and one "class".
///
/// # Errors
/// Those of reading it, and [`Error::Usage`] for other names.
pub fn read_classes(
    path: &Path,
    columns: Option<&[String]>,
    ids: &Vocabulary,
    note: &mut dyn FnMut(&str),
) -> Result<Vec<String>> {
    let renamed = |name: &String| match name.as_str() {
        "id" => "item".into(),
        "class" => "title".into(),
        other => other.into(),
    };
    let columns: Option<Vec<String>> = columns.map(|names| names.iter().map(renamed).collect());
    if let Some(columns) = &columns
        && !["item", "title"].iter().all(|name| columns.iter().any(|own| own == name))
    {
        return Err(Error::Usage("the columns of classes: name one \"id\" and one \"class\"".into()));
    }
    // Of two columns, whatever they are called, the second is the class.
    let columns = columns.unwrap_or_else(|| ["item", "title"].map(String::from).into());
    let file = TitleFile { path: path.into(), delimiter: None, columns: Some(columns) };
    let mut notes = Vec::new();
    let classes = read(&file, ids, &mut notes)?;
    let missing = classes.iter().filter(|class| class.is_empty()).count();
    if missing > 0 {
        note(&format!("{}: {missing} of {} ids have no class and are left out", path.display(), ids.len()));
    }
    Ok(classes)
}

/// How to say what the columns of titles hold.
const ANSWER: &str = "say what the columns hold in data.titles.columns, as in [\"item\", \"-\", \"title\"]";

/// Which columns hold what.
struct Places {
    /// Those that can hold the ids of items.
    ids: Vec<usize>,
    title: usize,
    has_header: bool,
}

impl Places {
    fn given(columns: &[String], file: &TitleFile) -> Result<Self> {
        let place = |wanted: &str| columns.iter().position(|name| name == wanted);
        let (item, title) = place("item").zip(place("title")).ok_or_else(|| {
            Error::Usage(format!("columns of {}: name one \"item\" and one \"title\"", file.path.display()))
        })?;
        Ok(Self { ids: vec![item], title, has_header: false })
    }

    /// Those that the first line names, or else the first two.
    fn found(header: &[String]) -> Result<Self, String> {
        let of_role = |role| -> Vec<usize> {
            let is_id = |name: &str| role == Role::Item && name.eq_ignore_ascii_case("id");
            (0..header.len()).filter(|&at| Role::of(&header[at]) == Some(role) || is_id(&header[at])).collect()
        };
        match (of_role(Role::Item), &of_role(Role::Title)[..]) {
            (ids, &[title]) if !ids.is_empty() => Ok(Self { ids, title, has_header: true }),
            (ids, several @ [_, _, ..]) if !ids.is_empty() => {
                Err(format!("{}; {ANSWER}", several_fit(header, Role::Title, several)))
            }
            _ => Ok(Self { ids: vec![0], title: 1, has_header: false }),
        }
    }
}

/// The titles that are found by one column of ids.
struct Titles {
    ids: usize,
    titles: Vec<String>,
    missing: usize,
}

impl Titles {
    fn of(ids: usize, items: usize) -> Self {
        Self { ids, titles: vec![String::new(); items], missing: items }
    }

    fn add(&mut self, item: u32, title: Cow<str>) {
        let known = &mut self.titles[item as usize];
        if known.is_empty() {
            *known = title.into_owned();
            self.missing -= usize::from(!known.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn titles(content: &[u8], delimiter: Option<&str>, columns: Option<&[&str]>) -> Result<(Vec<String>, Vec<String>)> {
        let (_folder, path) = file("titles", content);
        let columns = columns.map(|names| names.iter().map(ToString::to_string).collect());
        let file = TitleFile { path, delimiter: delimiter.map(Into::into), columns };
        let mut notes = Vec::new();
        let items = Vocabulary::from_ids(["7", "3"]);
        read(&file, &items, &mut notes).map(|titles| (titles, notes))
    }

    #[test]
    fn common_files_need_no_settings() {
        for content in [
            &b"3|Caf\xe9|01-Jan-1995||x|0|0\n7|A, \"B\" (1)|02-Jan-1995||y|1|0\n"[..],
            "3::Café::x|y\n7::A, \"B\" (1)::x\n9::?::z\n".as_bytes(),
            "movieId,title,genres\n3,Café,x|y\n7,\"A, \"\"B\"\" (1)\",z\n".as_bytes(),
            "Game_ID\tGame Name\n3\tCafé\n7\tA, \"B\" (1)\n7\tlater\n".as_bytes(),
            "Book_ID\tISBN\tBook-Title\n3\t1\tCafé\n7\t2\tA, \"B\" (1)\n".as_bytes(),
        ] {
            let (titles, notes) = titles(content, None, None).unwrap();
            assert_eq!(titles, ["A, \"B\" (1)", "Café"]);
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].contains(": item is column 1"), "{notes:?}");
        }
    }

    #[test]
    fn ids_are_those_that_the_data_have_and_the_choice_is_told() {
        for (content, told) in [
            ("track_id,album,name\n3,Blue,Café\n7,Red,B\n", "item is column 1 \"track_id\", title column 3 \"name\""),
            ("album,name,id\nBlue,Café,3\nRed,B,7\n", "item is column 3 \"id\", title column 2 \"name\""),
            ("year,title,movieId\n3,Café,3\n7,B,7\n", "item is column 3 \"movieId\", title column 2 \"title\""),
            ("3,Café\n7,B\n", "item is column 1, title column 2"),
        ] {
            let (titles, notes) = titles(content.as_bytes(), None, None).unwrap();
            assert_eq!(titles, ["B", "Café"]);
            assert!(notes[0].ends_with(told), "{notes:?}");
        }
    }

    #[test]
    fn several_that_fit_are_a_question() {
        for (content, expected) in [
            (
                "movieId,title,original_title\n3,a,b\n",
                ":1: column 2 \"title\" and column 3 \"original_title\" can each be the title; say",
            ),
            (
                "track_id,artist_name,track_name\n3,a,b\n",
                ":1: column 2 \"artist_name\" and column 3 \"track_name\" can each",
            ),
            (
                "isbn,book_id,title\n3,7,a\n7,3,b\n",
                ": column 1 \"isbn\" and column 2 \"book_id\" can each be the item; say",
            ),
        ] {
            let error = titles(content.as_bytes(), None, None).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("data.titles.columns"), "{error}");
        }
        let columns = Some(&["item", "-", "title"][..]);
        assert_eq!(titles(b"movieId,title,original_title\n3,a,b\n", None, columns).unwrap().0, ["", "b"]);
    }

    #[test]
    fn missing_titles_are_counted() {
        let (titles, notes) = titles(b"x,y,3\n", None, Some(&["-", "title", "item"])).unwrap();
        assert_eq!(titles, ["", "y"]);
        assert!(notes[1].ends_with("titles: 1 of 2 items have no title"), "{notes:?}");
    }

    #[test]
    fn useless_files_are_refused() {
        for (content, columns, expected) in [
            (&b""[..], None, "titles: is empty"),
            (b"1,a\n2,b\n", None, "titles: gives no title to any item"),
            (b"3,a\n7\n", None, "titles:2: expected 2 fields at least, found 1"),
            (b"3,a\n", Some(&["item", "name"][..]), "name one \"item\" and one \"title\""),
        ] {
            let error = titles(content, None, columns).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
