//! The run directory: where each file of a run is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::files::{self, Lock};

/// `<run.dir>/<name>-<n>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Creates the first `<parent>/<name>-<n>`, n from 1, that does not exist yet.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be created.
    pub fn create(parent: &Path, name: &str) -> Result<Self> {
        files::create_folder(parent)?;
        let mut number = Self::numbers(parent, name)?.into_iter().max().unwrap_or(0) + 1;
        loop {
            let path = parent.join(format!("{name}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                // Another run of the same name was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io("create the run directory", path, error)),
            }
        }
    }

    /// The directories called `<name>-<n>`, the newest first.
    ///
    /// # Errors
    /// [`Error::Io`] if the parent cannot be listed.
    pub fn newest_first(parent: &Path, name: &str) -> Result<Vec<Self>> {
        let mut numbers = if parent.is_dir() { Self::numbers(parent, name)? } else { Vec::new() };
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers.into_iter().map(|number| Self { path: parent.join(format!("{name}-{number}")) }).collect())
    }

    /// The newest run called `name` that can go on. `note` is told of newer ones that cannot.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is none.
    pub fn newest(parent: &Path, name: &str, note: &mut dyn FnMut(&str)) -> Result<Self> {
        for directory in Self::newest_first(parent, name)? {
            match directory.missing() {
                None => return Ok(directory),
                Some(file) => note(&format!(
                    "{}: is skipped, because it ended before its {file} was written; remove it",
                    directory.path.display()
                )),
            }
        }
        Err(Error::Usage(format!(
            "there is no run {name}-<n> in {} to resume; train without --resume first",
            parent.display()
        )))
    }

    /// The run that the config at `path` is the resolved config of.
    ///
    /// # Errors
    /// [`Error::Usage`] if that run ended before it could go on.
    pub fn of_config(path: &Path) -> Result<Option<Self>> {
        let Some(parent) = path.parent() else { return Ok(None) };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let directory = Self { path: parent.to_path_buf() };
        let is_its = path.file_name() == directory.config().file_name();
        match directory.missing() {
            None => Ok(Some(directory)),
            // Other files of a run that began say what it is.
            Some(file) if is_its && (directory.lock().exists() || directory.checkpoints().exists()) => {
                Err(Error::Usage(format!(
                    "{}: has no {file}, so this run cannot go on; remove the folder and train anew",
                    parent.display()
                )))
            }
            Some(_) => Ok(None),
        }
    }

    /// The first of the two files without which a run cannot go on that is not there.
    fn missing(&self) -> Option<&'static str> {
        let files = [(self.config(), "config.toml"), (self.environment(), "environment.json")];
        files.into_iter().find(|(path, _)| !path.is_file()).map(|(_, name)| name)
    }

    /// Keeps other processes from training in this directory, as long as the value is there.
    ///
    /// # Errors
    /// [`Error::Usage`] with the process that is at work in it, [`Error::Io`].
    pub fn own(&self) -> Result<Lock> {
        Lock::take(&self.lock(), &self.path)
    }

    /// A folder that may become a run directory.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// An existing run directory, as the user named it.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not one.
    pub fn open(path: &Path) -> Result<Self> {
        let directory = Self { path: path.to_path_buf() };
        if directory.config().is_file() {
            return Ok(directory);
        }
        Err(Error::Usage(format!("{}: is not a run directory (it has no config.toml)", path.display())))
    }

    /// The model file that people name by a run directory or by its own path, and the run directory, if it lies in one.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is none.
    pub fn find_model(path: &Path) -> Result<(PathBuf, Option<Self>)> {
        if path.is_dir() {
            let directory = Self::open(path)?;
            return Ok((directory.finished(directory.model())?, Some(directory)));
        }
        if !path.exists() {
            return Err(Error::Usage(format!(
                "{}: there is no such run directory or model file; `lowrank train CONFIG` creates one",
                path.display()
            )));
        }
        Ok((path.to_path_buf(), path.parent().and_then(|parent| Self::open(parent).ok())))
    }

    /// Rejects data other than those the run began with.
    ///
    /// # Errors
    /// [`Error::Usage`] if their hash differs, [`Error::Io`] and [`Error::Data`] if the run's hash cannot be read.
    pub fn check_data(&self, dataset: &Dataset) -> Result<()> {
        let path = self.environment();
        let text = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
        let environment: Value =
            serde_json::from_str(&text).map_err(|e| Error::data(&path, format!("is not JSON: {e}")))?;
        if environment["data_sha256"] == dataset.fingerprint.as_str() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{}: the data changed since this run began, so its split cannot be reproduced; start a new run",
            self.path.display()
        )))
    }

    /// A file that only a finished run has.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is missing, with the command that finishes the run.
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

    /// There while a process is at work here; holds its id.
    fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// One JSON object an epoch.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Checkpoints of training.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Checkpoints, metrics and events of the refit on training and validation.
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
