//! Input of TensorBoard's embedding projector: factors and labels as tab-separated text, and a config that names them.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::files;

/// Most rows that are written: the projector shows no more, and loads all of them into the browser.
pub const MAX_POINTS: usize = 100_000;

const CONFIG: &str = "projector_config.pbtxt";

/// Writes the table `name` (such as `item_factors`) into `folder` and names it in the folder's projector config.
///
/// `labels` has the id and the title of each row, `values` the rows one after the other, `dimension` numbers each. An
/// empty title shows the id. Tables written earlier stay in the config; one of the same name is replaced.
///
/// Returns the number of rows written: the first [`MAX_POINTS`] of a longer table. A table without numbers is not
/// written.
///
/// # Errors
/// [`Error::Io`] if a file cannot be written.
///
/// # Panics
/// If `values` does not have `dimension` numbers per label.
pub fn write(folder: &Path, name: &str, labels: &[(&str, &str)], dimension: usize, values: &[f32]) -> Result<usize> {
    assert_eq!(values.len(), labels.len() * dimension, "a label for each row");
    if values.is_empty() {
        return Ok(0);
    }
    let rows = labels.len().min(MAX_POINTS);
    let (tensor, metadata) = (format!("{name}.tensor.tsv"), format!("{name}.metadata.tsv"));
    write_text(&folder.join(&tensor), |out| {
        values.chunks_exact(dimension).take(rows).try_for_each(|row| {
            let (first, rest) = row.split_first().expect("a row is not empty");
            write!(out, "{first}")?;
            rest.iter().try_for_each(|value| write!(out, "\t{value}"))?;
            writeln!(out)
        })
    })?;
    write_text(&folder.join(&metadata), |out| {
        writeln!(out, "id\ttitle")?;
        labels[..rows].iter().try_for_each(|(id, title)| {
            let title = if title.is_empty() { id } else { title };
            writeln!(out, "{}\t{}", cell(id), cell(title))
        })
    })?;

    let path = folder.join(CONFIG);
    let old = match fs::read_to_string(&path) {
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        result => result.map_err(|e| Error::io("read", &path, e))?,
    };
    let key = format!("tensor_name: \"{name}\"\n");
    let mut config: String = old.split_inclusive("}\n").filter(|block| !block.contains(&key)).collect();
    let _ = write!(
        config,
        "embeddings {{\n  {key}  tensor_shape: {rows}\n  tensor_shape: {dimension}\n  \
         tensor_path: \"{tensor}\"\n  metadata_path: \"{metadata}\"\n}}\n"
    );
    files::write_bytes(&path, config.as_bytes())?;
    Ok(rows)
}

fn write_text(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    files::write_atomic(path, |out| write(out).map_err(|e| Error::io("write", path, e)))
}

/// One cell of a file without quoting: characters that would end the cell or the line become spaces.
fn cell(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).expect(name)
    }

    #[test]
    fn two_tables_share_a_config_and_a_rewrite_replaces_its_own() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let users = [("7", ""), ("a\tb", "two\nlines")];
        assert_eq!(write(folder, "users", &users, 2, &[1.0, -0.5, 1e-12, 2.0]).expect("users"), 2);
        write(folder, "items", &[("1", "One")], 1, &[1.0]).expect("items");
        write(folder, "users", &users[..1], 2, &[3.0, 4.0]).expect("users again");

        let config = read(folder, CONFIG);
        assert_eq!(config.matches("embeddings {").count(), 2);
        assert!(config.contains("\"items\"\n  tensor_shape: 1\n  tensor_shape: 1\n"), "{config}");
        assert!(config.contains("\"users\"\n  tensor_shape: 1\n  tensor_shape: 2\n"), "{config}");
        assert_eq!(read(folder, "users.tensor.tsv"), "3\t4\n");
        assert_eq!(read(folder, "users.metadata.tsv"), "id\ttitle\n7\t7\n");
        assert_eq!(read(folder, "items.metadata.tsv"), "id\ttitle\n1\tOne\n");
    }

    #[test]
    fn labels_stay_in_their_cell() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), "x", &[("a\tb", "two\r\nlines\u{85}")], 1, &[0.25]).expect("write");
        assert_eq!(read(folder.path(), "x.metadata.tsv"), "id\ttitle\na b\ttwo  lines \n");
    }

    #[test]
    fn long_tables_are_cut_and_empty_ones_left_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let labels = vec![("id", "title"); MAX_POINTS + 1];
        let rows = write(folder.path(), "x", &labels, 1, &vec![0.0; MAX_POINTS + 1]).expect("long");
        assert_eq!(rows, MAX_POINTS);
        assert_eq!(read(folder.path(), "x.tensor.tsv").lines().count(), MAX_POINTS);
        assert_eq!(read(folder.path(), "x.metadata.tsv").lines().count(), MAX_POINTS + 1);
        assert_eq!(write(folder.path(), "y", &[], 4, &[]).expect("empty"), 0);
        assert!(!read(folder.path(), CONFIG).contains("\"y\""));
    }
}
