//! Standard output for results, standard error for messages.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::metric::{Metric, ObjectiveLoss, Scores};

/// Writes a result. A closed pipe (`| head`) is not an error.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::io("write", "standard output", error)),
        _ => Ok(()),
    }
}

/// Writes a result as JSON.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Failed(e.to_string()))?;
    print(&(text + "\n"))
}

/// Writes a message for people.
pub fn message(text: &str) {
    // If standard error is closed, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Lays out rows under a header: the first column left-aligned, numbers right-aligned.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let is_number = |column: usize| rows.iter().all(|row| row[column].parse::<f64>().is_ok() || row[column].is_empty());
    let mut text = String::new();
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&header).chain(rows) {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if is_number(column) && !rows.is_empty() { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Says how many pairs have an id that training never saw; empty if there are none.
pub fn unknown(users: usize, items: usize) -> String {
    if users + items == 0 {
        return String::new();
    }
    format!("\nnot seen in training: the user of {users} and the item of {items} ratings; predicted by biases only\n")
}

/// How this program was called, without the subcommand.
pub fn program() -> String {
    if std::env::var_os("CARGO").is_some() { "cargo run --release --".into() } else { "lowrank".into() }
}

/// The metrics of a table: all but the objective, which has no familiar unit.
pub fn metrics(scores: &Scores) -> impl Iterator<Item = &(String, f64)> {
    scores.values.iter().filter(|(name, _)| name != ObjectiveLoss.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_left_and_numbers_right() {
        let rows = vec![vec!["a".into(), "1.5".into()], vec!["bcd".into(), "10.25".into()]];
        assert_eq!(table(&["name", "value"], &rows), "name  value\na       1.5\nbcd   10.25\n");
    }
}
