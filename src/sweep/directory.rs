//! The folder of a sweep.

use std::path::{Path, PathBuf};

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

    /// The complete space file; it reproduces the sweep.
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
