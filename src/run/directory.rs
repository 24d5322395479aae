//! The run directory: where each file of a run lies.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::files;

/// `<run.dir>/<name>-<n>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the first `<parent>/<name>-<n>`, n from 1, that does not exist yet.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be made.
    pub fn create(parent: &Path, name: &str) -> Result<Self> {
        files::create_folder(parent)?;
        let mut number = Self::numbers(parent, name)?.into_iter().max().unwrap_or(0) + 1;
        loop {
            let path = parent.join(format!("{name}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                // Another run of the same name was quicker.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io("create the run directory", path, error)),
            }
        }
    }

    /// The newest run called `name`.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is none.
    pub fn newest(parent: &Path, name: &str) -> Result<Self> {
        let numbers = if parent.is_dir() { Self::numbers(parent, name)? } else { Vec::new() };
        match numbers.into_iter().max() {
            Some(number) => Ok(Self { path: parent.join(format!("{name}-{number}")) }),
            None => Err(Error::Usage(format!(
                "there is no run {name}-<n> in {} to resume; train without --resume first",
                parent.display()
            ))),
        }
    }

    /// An existing run directory, as the user named it.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is none.
    pub fn open(path: &Path) -> Result<Self> {
        let directory = Self { path: path.to_path_buf() };
        if directory.config().is_file() {
            return Ok(directory);
        }
        Err(Error::Usage(format!("{}: is not a run directory (it has no config.toml)", path.display())))
    }

    /// Refuses data that are not those the run began with.
    ///
    /// # Errors
    /// [`Error::Usage`] where their hash differs, [`Error::Io`] and [`Error::Data`] where the run's own is not readable.
    pub fn check_data(&self, dataset: &Dataset) -> Result<()> {
        let path = self.environment();
        let text = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
        let environment: Value =
            serde_json::from_str(&text).map_err(|e| Error::data(&path, format!("is not JSON: {e}")))?;
        if environment["data_sha256"] == dataset.fingerprint.as_str() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{}: the data changed since this run began, so its split cannot be made again; train anew",
            self.path.display()
        )))
    }

    /// A file that only a finished run has.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is not there, with the command that finishes the run.
    pub fn finished(&self, file: PathBuf) -> Result<PathBuf> {
        if file.is_file() {
            return Ok(file);
        }
        Err(Error::Usage(format!(
            "{}: this run is not finished; finish it with: lowrank train {} --resume",
            self.path.display(),
            self.config().display()
        )))
    }

    fn numbers(parent: &Path, name: &str) -> Result<Vec<u64>> {
        let entries = fs::read_dir(parent).map_err(|e| Error::io("list", parent, e))?;
        let number = |entry: std::io::Result<fs::DirEntry>| {
            entry.ok()?.file_name().to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
        };
        Ok(entries.filter_map(number).collect())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved config; training it again reproduces the run.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Versions, device, data hash, command line.
    pub fn environment(&self) -> PathBuf {
        self.path.join("environment.json")
    }

    /// One JSON object an epoch.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Checkpoints of training.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Checkpoints, metrics and events of training again on all of the training fold.
    pub fn refit(&self) -> Self {
        Self { path: self.path.join("refit") }
    }

    /// The model.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// What each user rated.
    pub fn seen(&self) -> PathBuf {
        self.path.join("seen.safetensors")
    }

    /// The result.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// Picture of the training curve.
    pub fn curve(&self) -> PathBuf {
        self.path.join("training.png")
    }
}
