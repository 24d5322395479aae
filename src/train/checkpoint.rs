//! Checkpoints: everything that training needs to continue exactly where it stopped.
//!
//! A checkpoint is one safetensors file: parameters under `parameters/<name>`, moments under
//! `optimizer/<name>/<moment>`, and progress as JSON in the metadata key `lowrank`. Random streams need no state: each
//! is recreated from the seed and the epoch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::early_stopping::Best;
use super::tensor_file::{FileForm, Tensor, read_tensors, write_tensors};
use crate::error::{Error, Result};
use crate::files;
use crate::model::HostTensor;

/// Sums over the steps of an epoch, each computed before its step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochSums {
    /// Interactions, or cells that count as such.
    pub count: u64,
    /// Σ loss.
    pub loss: f64,
    /// Σ (r − s)².
    pub squared: f64,
}

/// The progress of training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Whole epochs done.
    pub epoch: u64,
    /// Batches done in the current epoch.
    pub batch: u64,
    /// Steps taken.
    pub step: u64,
    /// Ratings trained on.
    pub ratings_seen: u64,
    /// Seconds spent in steps.
    pub seconds: f64,
    /// Sums of the unfinished epoch: loss and squared difference.
    pub sums: EpochSums,
    /// Σ of penalty · batch size of the unfinished epoch.
    pub penalty: f64,
    /// Best epoch so far.
    pub best: Option<Best>,
    /// Whether early stopping or convergence ended training.
    pub stopped: bool,
}

/// The contents of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The progress of training.
    pub progress: Progress,
    /// Parameters by name.
    pub parameters: BTreeMap<String, HostTensor>,
    /// The optimizer's state by `<parameter>/<moment>`; its step is `progress.step`.
    pub optimizer: BTreeMap<String, HostTensor>,
}

/// Checkpoints.
const FORM: FileForm = FileForm { version: 1, mark: "progress" };

#[derive(Serialize, Deserialize)]
struct Header {
    format_version: u32,
    progress: Progress,
}

/// The folder where a run's checkpoints are kept: `last.safetensors` and `best.safetensors`.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// Checkpoints in `folder`, which is created.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be created.
    pub fn create(folder: &Path) -> Result<Self> {
        files::create_folder(folder)?;
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// The newest state.
    pub fn last(&self) -> PathBuf {
        self.folder.join("last.safetensors")
    }

    /// The parameters of the best epoch, without an optimizer.
    pub fn best(&self) -> PathBuf {
        self.folder.join("best.safetensors")
    }
}

impl Checkpoint {
    /// Writes the checkpoint atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(self, path: &Path) -> Result<()> {
        // Each is dropped once it is converted to bytes, so that only one exists twice.
        let tensors = |prefix: &str, values: BTreeMap<String, HostTensor>| -> Vec<(String, Tensor)> {
            values.into_iter().map(|(name, values)| (format!("{prefix}/{name}"), Tensor::floats(&values))).collect()
        };
        let mut all = tensors("parameters", self.parameters);
        all.extend(tensors("optimizer", self.optimizer));
        write_tensors(path, &all, &Header { format_version: FORM.version, progress: self.progress })
    }

    /// Reads a checkpoint back.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::ModelFile`] if it is damaged or of another version.
    pub fn read(path: &Path) -> Result<Self> {
        let (tensors, header) = read_tensors::<Header>(path, FORM)?;
        if let Some((name, _)) = tensors.iter().find(|(_, tensor)| !tensor.is_finite()) {
            let cause = format!("is no whole checkpoint: {name} holds numbers that are not finite; train anew");
            return Err(Error::model_file(path, cause));
        }
        if header.progress.best.as_ref().is_some_and(|best| !(1..=header.progress.epoch).contains(&best.epoch)) {
            let cause = "is no whole checkpoint: its best epoch is none of those that were trained; train anew";
            return Err(Error::model_file(path, cause));
        }
        let under = |prefix: &str| {
            let strip =
                |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_string(), tensor.values()?));
            tensors.iter().filter_map(strip).collect()
        };
        Ok(Self { progress: header.progress, parameters: under("parameters/"), optimizer: under("optimizer/") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let values = |data: &[f32]| HostTensor { shape: vec![data.len()], data: data.to_vec() };
        Checkpoint {
            progress: Progress { epoch: 3, batch: 2, step: 17, seconds: 0.1 + 0.2, ..Progress::default() },
            parameters: BTreeMap::from([("user_factors".into(), values(&[1.0, f32::MIN_POSITIVE, -0.1]))]),
            optimizer: BTreeMap::from([("user_factors/first_moment".into(), values(&[0.5]))]),
        }
    }

    #[test]
    fn reads_back_what_it_wrote_with_the_same_bytes_each_time() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        checkpoint().write(&a).expect("write");
        Checkpoint::read(&a).expect("read").write(&b).expect("write again");
        assert_eq!(Checkpoint::read(&a).expect("read"), checkpoint());
        assert_eq!(std::fs::read(a).expect("a"), std::fs::read(b).expect("b"));
    }

    #[test]
    fn a_truncated_file_is_refused_at_every_length() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("last.safetensors");
        checkpoint().write(&path).expect("write");
        let bytes = std::fs::read(&path).expect("bytes");
        for length in [0, 1, 7, 8, 100, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).expect("truncate");
            let message = Checkpoint::read(&path).expect_err("truncated").to_string();
            assert!(message.contains("last.safetensors: is damaged, truncated"), "{message}");
        }
    }

    #[test]
    fn another_version_is_refused_by_number() {
        #[derive(Serialize)]
        struct Other {
            format_version: u32,
            progress: u32,
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model.safetensors");
        write_tensors(&path, &[], &Other { format_version: 99, progress: 0 }).expect("write");
        let message = Checkpoint::read(&path).expect_err("version 99").to_string();
        assert!(message.contains("format version 99"), "{message}");
    }
}
