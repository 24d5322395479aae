//! `lowrank config explain`: the schema for people.

use super::schema::{self, DefaultValue, Key, Schema};
use crate::error::{Error, Result};

/// Longest line, in characters.
const WIDTH: usize = 110;

/// Every key of `schema` with type, range, default, condition and meaning, a section after the other.
///
/// `filter` chooses a section (`"solver"`), a key (`"solver.kind"`) or all keys of a name (`"kind"`).
///
/// # Errors
/// [`Error::Usage`] where `filter` matches nothing, with the nearest path.
pub fn explain(schema: &Schema, filter: Option<&str>) -> Result<String> {
    let filter = filter.unwrap_or_default();
    let keys: Vec<_> = schema
        .keys
        .iter()
        .filter(|key| key.path == filter || key.name() == filter || schema::is_inside(key.path, filter))
        .collect();
    if keys.is_empty() {
        let candidates = schema.keys.iter().flat_map(|key| [key.path, key.section(), key.name()]);
        let remedy = schema::did_you_mean(schema::nearest(filter, candidates));
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
            wrap(&mut text, "", indent, key.meaning);
        }
    }
    Ok(text)
}

/// Type, range, default and condition in one line.
fn facts(key: &Key) -> String {
    let mut facts = match key.default {
        DefaultValue::Absent => format!("{}; optional", key.kind),
        DefaultValue::Toml(text) => format!("{}; default {}", key.kind, text.replace('\'', "\"")),
        DefaultValue::FileName => format!("{}; default: the config file's name", key.kind),
        DefaultValue::ByChoice(cases, otherwise) => {
            let mut text = format!("{}; default ", key.kind);
            for (when, value) in cases {
                text += &format!("{} with {when}, else ", value.replace('\'', "\""));
            }
            text + &otherwise.replace('\'', "\"")
        }
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
    use super::super::schema::{CONFIG, KEYS};
    use super::*;

    #[test]
    fn every_key_is_explained_within_the_width() {
        let text = explain(&CONFIG, None).expect("everything");
        for key in KEYS {
            let head = format!("  {} ", key.name());
            assert!(text.lines().any(|line| line.starts_with(&head)), "{}", key.path);
        }
        for section in CONFIG.sections() {
            assert_eq!(text.matches(&format!("\n[{section}]\n")).count(), usize::from(!section.is_empty()));
        }
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && line.trim_end() == line));
    }

    #[test]
    fn a_key_is_explained_with_type_range_default_and_condition() {
        assert_eq!(
            explain(&CONFIG, Some("solver.momentum")).expect("a key"),
            "[solver]\n  momentum  a number at least 0 and below 1; default 0.9; \
             only with solver.kind = \"sgd\"\n            \
             Share of the last step that is taken again; 0 is plain SGD.\n"
        );
    }

    #[test]
    fn a_filter_is_a_section_a_key_or_a_name() {
        let sections = |filter| {
            let text = explain(&CONFIG, Some(filter)).expect("matches");
            text.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(sections("solver"), ["[solver]", "[solver.regularization]", "[solver.schedule]"]);
        assert_eq!(sections("data.split"), ["[data.split]"]);
        assert_eq!(sections("rank"), ["[data.synthetic]", "[model]"]);
    }

    #[test]
    fn a_filter_that_matches_nothing_names_the_nearest() {
        let message = explain(&CONFIG, Some("solver.shedule")).expect_err("no such section").to_string();
        assert_eq!(message, "no config key or section \"solver.shedule\"; did you mean \"solver.schedule\"?");
    }
}
