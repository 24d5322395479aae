//! Paths in configs. A relative one is seen from the folder of the file that it stands in, or on the command line from
//! the current folder; as the value of a key it is absolute, so that a resolved config means the same anywhere.

use std::env;
use std::path::{self, Path, PathBuf};

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::key::{Key, KeyKind};
use super::schema::Schema;
use crate::files::STANDARD_INPUT;

/// The value of a key of paths, seen from `folder`: each absolute, unless it means standard input. Of other keys the value as
/// it is.
///
/// # Errors
/// What is wrong, beginning with the key.
pub fn absolute(key: &Key, value: Value, folder: &Path) -> Result<Value, String> {
    match (&key.kind, value) {
        (KeyKind::PathList, Value::Array(list)) => {
            let element = Key { kind: KeyKind::Path, ..key.clone() };
            let list: Result<Vec<_>, _> = list.into_iter().map(|value| absolute(&element, value, folder)).collect();
            list.map(Value::Array)
        }
        (KeyKind::Path, Value::String(text)) if text != STANDARD_INPUT => {
            let path = folder.join(&text);
            // Values are UTF-8. If the current folder is not, the path has to do as it is seen from there.
            let whole = path::absolute(&path).ok().and_then(|path| path.into_os_string().into_string().ok());
            whole.or_else(|| path.to_str().map(Into::into)).map(Value::from).ok_or_else(|| {
                let folder = folder.display();
                format!("{} is seen from {folder}, whose name is not UTF-8; rename that folder", key.path)
            })
        }
        (_, value) => Ok(value),
    }
}

/// An absolute path as people write it: seen from the current folder if it lies there.
pub fn from_here(path: PathBuf) -> PathBuf {
    match env::current_dir().ok().and_then(|here| path.strip_prefix(here).map(Path::to_path_buf).ok()) {
        Some(inside) if inside.as_os_str().is_empty() => ".".into(),
        Some(inside) => inside,
        None => path,
    }
}

/// The text of a config file in `folder` with the paths in it absolute, so that it can be moved.
pub fn with_absolute_paths(schema: &Schema, text: &str, folder: &Path) -> String {
    let Ok(table) = DeTable::parse(text) else { return text.into() };
    let mut found = Vec::new();
    for key in schema.keys().iter().filter(|key| matches!(key.kind, KeyKind::Path | KeyKind::PathList)) {
        let mut parts = key.path.split('.');
        let first = parts.next().and_then(|part| table.get_ref().get(part));
        let value = parts.fold(first, |value, part| match value?.get_ref() {
            DeValue::Table(table) => table.get(part),
            _ => None,
        });
        let Some(value) = value else { continue };
        let words: Vec<_> = match value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            _ => vec![value],
        };
        let element = Key { kind: KeyKind::Path, ..key.clone() };
        for (span, word) in words.into_iter().filter_map(|value| Some((value.span(), value.get_ref().as_str()?))) {
            if let Ok(whole) = absolute(&element, Value::from(word), folder) {
                found.push((span, whole.to_string()));
            }
        }
    }
    found.sort_by_key(|(span, _)| span.start);
    let mut text = text.to_string();
    // From the last to the first, so that the places of the others stay.
    found.into_iter().rev().for_each(|(span, whole)| text.replace_range(span, &whole));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Parts;

    #[test]
    fn paths_in_a_text_become_absolute_and_nothing_else_changes() {
        let text = "# data.path = \"x\"\nname = 'r.csv'\n[data]\npath = 'r.csv' # here\ntitles = { path = \"a/t.csv\" }\n\
                    test_path = \"/abs/t.csv\"\n[model]\nstart_from = [ 'a', \"/b\" ]\n";
        let expected = text
            .replace("path = 'r.csv'", "path = \"/here/r.csv\"")
            .replace("\"a/t.csv\"", "\"/here/a/t.csv\"")
            .replace("'a'", "\"/here/a\"");
        assert_eq!(with_absolute_paths(&Parts::built_in().schema(), text, Path::new("/here")), expected);
        assert_eq!(
            with_absolute_paths(&Parts::built_in().schema(), "data.path = [", Path::new("/here")),
            "data.path = ["
        );
    }

    #[test]
    fn what_lies_here_is_shown_from_here() {
        let here = env::current_dir().expect("a current folder");
        assert_eq!(from_here(here.join("a/r.csv")), Path::new("a/r.csv"));
        assert_eq!(from_here(here), Path::new("."));
        assert_eq!(from_here("/elsewhere/r.csv".into()), Path::new("/elsewhere/r.csv"));
    }
}
