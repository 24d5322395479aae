//! Opening what `RUN` names.

use std::path::PathBuf;

use super::RunArg;
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::run::{ModelFile, RunDirectory, Seen};

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
        let path = directory.model();
        if !path.is_file() {
            return Err(Error::Usage(format!(
                "{}: this run has no model yet; finish it with: lowrank train {} --resume",
                run.run.display(),
                directory.config().display()
            )));
        }
        (path, Some(directory))
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

    /// What users rated in training; `None` where the file is not beside the model.
    ///
    /// # Errors
    /// Those of the file.
    pub fn seen(&self) -> Result<Option<Seen>> {
        let path = self.path.with_file_name("seen.safetensors");
        path.is_file().then(|| Seen::read(&path, self.file.users.len())).transpose()
    }
}
