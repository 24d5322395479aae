//! The folder of a sweep.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::files::Lock;

/// `<run.dir>/<name>-sweep-<n>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepDirectory {
    path: PathBuf,
}

impl SweepDirectory {
    /// The directory at `path`.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other processes from sweeping in this directory, as long as the value is there.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) with the process that is at work in it, and
    /// [`Error::Io`](crate::error::Error::Io).
    pub(super) fn own(&self) -> Result<Lock> {
        Lock::take(&self.path.join("lock"), &self.path)
    }

    /// The space file, complete; it sweeps the same again.
    pub fn space(&self) -> PathBuf {
        self.path.join("space.toml")
    }

    /// The base config that it names.
    pub fn base(&self) -> PathBuf {
        self.path.join("base.toml")
    }

    /// Every trial, one per line.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The trials as a table.
    pub fn table(&self) -> PathBuf {
        self.path.join("trials.csv")
    }

    /// Picture of the metric against each key.
    pub fn keys_picture(&self) -> PathBuf {
        self.path.join("keys.png")
    }

    /// Picture of the best metric over time.
    pub fn progress_picture(&self) -> PathBuf {
        self.path.join("progress.png")
    }

    /// Event files for TensorBoard's HParams.
    pub fn events(&self) -> PathBuf {
        self.path.join("trials")
    }

    /// The config of the best trial so far.
    pub fn best(&self) -> PathBuf {
        self.path.join("best.toml")
    }
}
