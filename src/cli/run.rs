//! Opening what `RUN` names.

use std::path::{Path, PathBuf};

use super::arguments::RunArg;
use super::output;
use crate::config::Config;
use crate::data::Dataset;
use crate::data::read::{Duplicates, ReadOptions, read_dataset};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::run::views::Fitted;
use crate::run::{ModelFile, RunDirectory, Seen, schema};

/// A model ready to predict.
pub struct OpenRun {
    /// The model.
    pub file: ModelFile,
    /// Where it lives.
    pub device: Opened,
    /// Its run directory; `None` for a model file that lies elsewhere.
    pub directory: Option<RunDirectory>,
    path: PathBuf,
}

/// Opens a run directory or a model file.
///
/// # Errors
/// Those of the device and the model file.
pub fn open(run: &RunArg) -> Result<OpenRun> {
    let device = run.device.parse::<crate::device::DeviceSpec>()?.open()?;
    let (path, directory) = if run.run.is_dir() {
        let directory = RunDirectory::open(&run.run)?;
        (directory.finished(directory.model())?, Some(directory))
    } else if !run.run.exists() {
        return Err(Error::Usage(format!(
            "{}: there is no such run directory or model file; `lowrank train CONFIG` makes one",
            run.run.display()
        )));
    } else {
        (run.run.clone(), run.run.parent().and_then(|parent| RunDirectory::open(parent).ok()))
    };
    Ok(OpenRun { file: ModelFile::read(&path, &device.device)?, device, directory, path })
}

impl OpenRun {
    /// Index of a user id.
    ///
    /// # Errors
    /// [`Error::Usage`] where training never saw it.
    pub fn user(&self, id: &str) -> Result<u32> {
        self.file.users.index(id).ok_or_else(|| {
            Error::Usage(format!("user {id:?} is not among the {} users of this model", self.file.users.len()))
        })
    }

    /// Its factors.
    ///
    /// # Errors
    /// [`Error::Usage`] where its score is no dot product.
    pub fn fitted(&self) -> Result<Fitted<'_>> {
        Fitted::of(&self.file).ok_or_else(|| {
            Error::Usage(format!(
                "{}: the score of this model is no dot product of factors, so that it has no components; train mf, \
                 biased-mf or nmf",
                self.path.display()
            ))
        })
    }

    /// Reads ratings or pairs that come in the layout of the run's own file, as far as that is known, and passes on what
    /// the reader noted.
    ///
    /// # Errors
    /// Those of the config and the reader.
    pub fn read(&self, path: &Path, overrides: &[String], duplicates: Option<Duplicates>) -> Result<Dataset> {
        let mut options = match &self.directory {
            Some(directory) => ReadOptions::of(Config::load(&schema(), &directory.config(), overrides)?.values()),
            None => ReadOptions::default(),
        };
        options.duplicates = duplicates.unwrap_or(options.duplicates);
        let dataset = read_dataset(path, None, &options)?;
        dataset.notes.iter().for_each(|note| output::message(note));
        Ok(dataset)
    }

    /// What users rated in training; `None` where the file is not beside the model.
    ///
    /// # Errors
    /// Those of the file.
    pub fn seen(&self) -> Result<Option<Seen>> {
        let path = self.path.with_file_name("seen.safetensors");
        path.is_file().then(|| Seen::read(&path, self.file.users.len())).transpose()
    }
}
