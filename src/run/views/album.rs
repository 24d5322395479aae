//! The files of one folder that show something.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files;
use crate::report::plot::{Chart, Png};

/// A file to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Its name in the folder.
    pub file: String,
    /// What it shows.
    pub caption: String,
    /// The picture in it, for TensorBoard; `None` for a table, and after reading back.
    #[serde(skip)]
    pub picture: Option<Png>,
}

/// The pictures among some files, by name, for TensorBoard.
pub fn pictures(files: &[Shown]) -> impl Iterator<Item = (&str, &Png)> {
    files.iter().filter_map(|shown| Some((shown.file.as_str(), shown.picture.as_ref()?)))
}

/// Writes files and remembers them.
pub(super) struct Album<'a> {
    folder: &'a Path,
    pub files: Vec<Shown>,
}

impl<'a> Album<'a> {
    pub fn new(folder: &'a Path) -> Self {
        Self { folder, files: Vec::new() }
    }

    fn add(&mut self, file: &str, caption: &str, bytes: &[u8], picture: Option<Png>) -> Result<()> {
        files::write_bytes(&self.folder.join(file), bytes)?;
        self.files.push(Shown { file: file.into(), caption: caption.into(), picture });
        Ok(())
    }

    pub fn picture(&mut self, file: &str, caption: &str, picture: Png) -> Result<()> {
        self.add(file, caption, &picture.bytes.clone(), Some(picture))
    }

    pub fn chart(&mut self, file: &str, caption: &str, chart: &Chart) -> Result<()> {
        self.picture(file, caption, chart.png()?)
    }

    pub fn svg(&mut self, file: &str, caption: &str, chart: &Chart) -> Result<()> {
        self.add(file, caption, chart.svg().as_bytes(), None)
    }

    pub fn table(&mut self, file: &str, caption: &str, header: &[&str], lines: &[Vec<String>]) -> Result<()> {
        let failed = |e: &dyn std::fmt::Display| Error::Failed(format!("cannot write {file}: {e}"));
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(header).map_err(|e| failed(&e))?;
        lines.iter().try_for_each(|line| table.write_record(line)).map_err(|e| failed(&e))?;
        let bytes = table.into_inner().map_err(|e| failed(&e))?;
        self.add(file, caption, &bytes, None)
    }
}
