//! Standard output for results, standard error for messages.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write, stdout};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::metric::{Metric, ObjectiveLoss, Scores};
use crate::solver::Predictions;
use crate::tables::columns;

/// Writes a result for people. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Result<()> {
    write(&printable(text, "\n\t"))
}

/// Writes a result as JSON.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    print_json_text(&(serde_json::to_string_pretty(value).map_err(|e| Error::Failed(e.to_string()))? + "\n"))
}

/// Writes JSON. Control characters, of which JSON itself allows some, are escaped in its own way.
pub fn print_json_text(json: &str) -> Result<()> {
    let escape = |c: char| format!("\\u{:04x}", u32::from(c));
    write(&replaced(json, |c| c.is_control() && c != '\n', escape))
}

/// Rows under a header as comma-separated values.
pub fn csv<const N: usize>(header: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Error::Failed(error.to_string());
    csv.write_record(header).map_err(failed)?;
    for row in rows {
        csv.write_record(&row).map_err(failed)?;
    }
    let bytes = csv.into_inner().map_err(|error| Error::Failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a result for other programs as it is.
pub fn print_raw(text: &str) -> Result<()> {
    if stdout().is_terminal() { print(text) } else { write(text) }
}

fn write(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::io("write", "standard output", error)),
        _ => Ok(()),
    }
}

/// Writes a message to people.
pub fn message(text: &str) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", printable(text, "\n\t"));
}

/// An id or a title as a part of a line.
pub fn in_line(text: &str) -> Cow<'_, str> {
    printable(text, "")
}

/// `text` with its control characters, but for `kept`, as Rust escapes them: what comes out of files must not command
/// the terminal.
fn printable<'t>(text: &'t str, kept: &str) -> Cow<'t, str> {
    replaced(text, |c| c.is_control() && !kept.contains(c), |c| c.escape_default().to_string())
}

fn replaced(text: &str, is_wrong: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(&is_wrong) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_wrong(c) { escape(c) } else { c.to_string() }).collect()
}

/// Lays out rows under a header: the first column left-aligned, numbers right-aligned.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|name| in_line(name).into_owned()).collect();
    let in_lines = |row: &Vec<String>| row.iter().map(|cell| in_line(cell).into_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(in_lines).collect();
    let is_number = |column: usize| {
        !rows.is_empty() && rows.iter().all(|row| row[column].parse::<f64>().is_ok() || row[column].is_empty())
    };
    let right: Vec<bool> = (0..header.len()).map(is_number).collect();
    columns(std::iter::once(&header).chain(&rows), &right)
}

/// Says how many pairs have an id that training never saw, and what is predicted for them; empty if there are none.
pub fn unknown(users: usize, items: usize, predictions: Predictions) -> String {
    if users + items == 0 {
        return String::new();
    }
    let how = match predictions {
        Predictions::Targets => "predicted by biases only",
        Predictions::Preferences => "predicted as 0, without a sign of a preference",
        Predictions::Order => "their score is taken as 0",
    };
    format!("\nnot seen in training: the user of {users} and the item of {items} ratings; {how}\n")
}

/// Says how many pairs have a user or item that is known by features alone; empty if there are none.
pub fn cold(users: usize, items: usize) -> String {
    if users + items == 0 {
        return String::new();
    }
    format!("\nknown by their features alone: the user of {users} and the item of {items} ratings\n")
}

/// Warnings, a paragraph each.
pub fn warnings(doubts: &[String]) -> String {
    doubts.iter().map(|doubt| format!("\nwarning: {doubt}\n")).collect()
}

/// How this program was called, without the subcommand.
pub fn program() -> String {
    if std::env::var_os("CARGO").is_some() { "cargo run --release --".into() } else { "lowrank".into() }
}

/// The command line, with what is not UTF-8 in it replaced.
pub fn command_line() -> String {
    std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The metrics of a table: all but the objective, which has no unit that people know.
pub fn metrics(scores: &Scores) -> impl Iterator<Item = &(String, f64)> {
    scores.values.iter().filter(|(name, _)| name != ObjectiveLoss.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let text = "a\u{1b}[31mb\u{7}\u{9b}2J\u{7f}\r\nc\td\u{85}é";
        assert_eq!(printable(text, "\n\t"), "a\\u{1b}[31mb\\u{7}\\u{9b}2J\\u{7f}\\r\nc\td\\u{85}é");
        assert_eq!(in_line("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(table(&["x"], &[vec!["\u{1b}]0;t\n".into()]]), "x\n\\u{1b}]0;t\\n\n");
        assert!(matches!(in_line("plain é"), Cow::Borrowed(_)));
    }

    #[test]
    fn text_stands_left_and_numbers_right() {
        let rows = vec![vec!["a".into(), "1.5".into()], vec!["bcd".into(), "10.25".into()]];
        assert_eq!(table(&["name", "value"], &rows), "name  value\na       1.5\nbcd   10.25\n");
    }
}
