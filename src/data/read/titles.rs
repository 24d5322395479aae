//! Titles of items, for people.

use sha2::{Digest, Sha256};

use super::delimited::Role;
use super::options::TitleFile;
use super::text::{Lines, splitter};
use crate::data::Vocabulary;
use crate::error::{Error, Result};

/// The title of each of `items`, empty where `file` has none; how many that are goes to `notes`.
///
/// Fields beyond the two columns do not matter, and of two titles for one id the first counts.
pub(super) fn read(file: &TitleFile, items: &Vocabulary, notes: &mut Vec<String>) -> Result<Vec<String>> {
    let mut titles = vec![String::new(); items.len()];
    let mut missing = items.len();
    let mut hash = Sha256::new();
    let mut lines = Lines::open(&file.path, &mut hash)?;
    let mut splitter = splitter(file.delimiter.as_deref(), &lines)?;
    let Some(first) = splitter.next(&mut lines)? else {
        return Err(lines.error("is empty; expected lines of item and title"));
    };
    let header: Vec<String> = first.texts().into_iter().map(Into::into).collect();
    let (item, title) = match &file.columns {
        Some(columns) => {
            let place = |wanted: &str| columns.iter().position(|name| name == wanted);
            place("item").zip(place("title")).ok_or_else(|| {
                Error::Usage(format!("columns of {}: name one \"item\" and one \"title\"", file.path.display()))
            })?
        }
        None => {
            let place = |wanted| header.iter().position(|name| Role::of(name) == Some(wanted));
            place(Role::Item).zip(place(Role::Title)).unwrap_or((0, 1))
        }
    };
    // A header names no item, so that it does no harm to read it like any other line.
    lines.again();
    while let Some(row) = splitter.next(&mut lines)? {
        if row.len() <= item.max(title) {
            return Err(row.line_error(format!(
                "expected {} fields at least, found {}; set the delimiter and the columns of the titles",
                item.max(title) + 1,
                row.len()
            )));
        }
        if let Some(index) = items.index(&row.text(item)) {
            let known = &mut titles[index as usize];
            if known.is_empty() {
                *known = row.text(title).into_owned();
                missing -= usize::from(!known.is_empty());
            }
        }
    }
    if missing == items.len() {
        return Err(lines.error("gives no title to any item; set the delimiter and the columns of the titles"));
    }
    if missing > 0 {
        notes.push(format!("{}: {missing} of {} items have no title", file.path.display(), items.len()));
    }
    Ok(titles)
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
            assert!(notes.is_empty());
        }
    }

    #[test]
    fn missing_titles_are_counted() {
        let (titles, notes) = titles(b"x,y,3\n", None, Some(&["-", "title", "item"])).unwrap();
        assert_eq!(titles, ["", "y"]);
        assert!(notes[0].ends_with("titles: 1 of 2 items have no title"));
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
