//! `lowrank config explain`: the schema for people.

use super::key::{Key, Otherwise};
use super::schema::{Schema, is_inside};
use super::words::{did_you_mean, nearest};
use crate::error::{Error, Result};

/// Longest line, in characters.
const WIDTH: usize = 110;

/// Every key of `schema` with type, range, default, condition and meaning, section by section.
///
/// `filter` chooses a section (`"solver"`), a key (`"solver.kind"`) or all keys of one name (`"kind"`).
///
/// # Errors
/// [`Error::Usage`] if `filter` matches nothing, with the nearest path.
pub fn explain(schema: &Schema, filter: Option<&str>) -> Result<String> {
    let filter = filter.unwrap_or_default();
    let keys: Vec<_> = schema
        .keys()
        .iter()
        .filter(|key| key.path == filter || key.name() == filter || is_inside(&key.path, filter))
        .collect();
    if keys.is_empty() {
        let candidates = schema.keys().iter().flat_map(|key| [key.path.as_str(), key.section(), key.name()]);
        let remedy = did_you_mean(nearest(filter, candidates));
        return Err(Error::Usage(format!("no config key or section \"{filter}\"{remedy}")));
    }
    let indent = 2 + keys.iter().map(|key| key.name().len()).max().unwrap_or_default() + 2;
    let mut text = String::new();
    for section in schema.sections() {
        let mut members = keys.iter().filter(|key| key.section() == section).peekable();
        if members.peek().is_some() {
            let gap = if text.is_empty() { "" } else { "\n" };
            let title = if section.is_empty() { "above all sections".into() } else { format!("[{section}]") };
            text += &format!("{gap}{title}\n");
        }
        for key in members {
            wrap(&mut text, &format!("  {}", key.name()), indent, &facts(key));
            wrap(&mut text, "", indent, &key.meaning);
        }
    }
    Ok(text)
}

/// Type, range, default and condition on one line.
fn facts(key: &Key) -> String {
    let mut facts = key.kind.to_string();
    let cases: String = key
        .default
        .cases
        .iter()
        .map(|(when, value)| format!("{} with {when}, else ", value.replace('\'', "\"")))
        .collect();
    facts += &match &key.default.otherwise {
        Otherwise::Absent if cases.is_empty() => "; optional".into(),
        Otherwise::Absent => format!("; default {cases}absent"),
        Otherwise::Toml(text) => format!("; default {cases}{}", text.replace('\'', "\"")),
        Otherwise::FileName => format!("; default: {cases}the config file's name"),
    };
    for (position, when) in key.when.iter().enumerate() {
        facts += if position == 0 { "; only with " } else { " and " };
        facts += &when.to_string();
    }
    facts
}

/// Adds `words` in lines of at most [`WIDTH`] characters, `indent` from the left, `head` before the first.
fn wrap(text: &mut String, head: &str, indent: usize, words: &str) {
    let mut line = format!("{head:indent$}");
    let mut used = line.chars().count();
    let mut is_first = true;
    for word in words.split(' ') {
        let length = word.chars().count();
        if !is_first && used + 1 + length > WIDTH {
            *text += &line;
            text.push('\n');
            line = " ".repeat(indent);
            used = indent;
            is_first = true;
        }
        if !is_first {
            line.push(' ');
            used += 1;
        }
        line += word;
        used += length;
        is_first = false;
    }
    *text += &line;
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Parts;

    #[test]
    fn every_key_is_explained_within_the_width() {
        let text = explain(&Parts::built_in().schema(), None).expect("everything");
        for key in Parts::built_in().schema().keys() {
            let head = format!("  {} ", key.name());
            assert!(text.lines().any(|line| line.starts_with(&head)), "{}", key.path);
        }
        for section in Parts::built_in().schema().sections() {
            assert_eq!(text.matches(&format!("\n[{section}]\n")).count(), usize::from(!section.is_empty()));
        }
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && line.trim_end() == line));
    }

    #[test]
    fn a_key_is_explained_with_type_range_default_and_condition() {
        assert_eq!(
            explain(&Parts::built_in().schema(), Some("solver.momentum")).expect("a key"),
            "[solver]\n  momentum  a number at least 0 and below 1; default 0.9; only with solver.kind = \"sgd\"\n            \
             Share of the last step that is repeated; 0 is plain SGD.\n"
        );
    }

    #[test]
    fn a_filter_is_a_section_a_key_or_a_name() {
        let sections = |filter| {
            let text = explain(&Parts::built_in().schema(), Some(filter)).expect("matches");
            text.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(sections("solver"), ["[solver]", "[solver.regularization]", "[solver.schedule]"]);
        assert_eq!(sections("data.split"), ["[data.split]"]);
        assert_eq!(sections("rank"), ["[data.synthetic]", "[model]"]);
    }

    #[test]
    fn a_filter_that_matches_nothing_names_the_nearest() {
        let message =
            explain(&Parts::built_in().schema(), Some("solver.shedule")).expect_err("no such section").to_string();
        assert_eq!(message, "no config key or section \"solver.shedule\"; did you mean \"solver.schedule\"?");
    }
}
