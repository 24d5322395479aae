//! `metrics.jsonl`: one JSON object per epoch, for programs.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::plot::Series;
use crate::error::{Error, Result};
use crate::files;
use crate::metric::Scores;
use crate::train::{EpochReport, Observer};

/// Appends each epoch to a file.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
}

impl JsonLines {
    /// Opens `path` for epochs after `epochs_done`: lines of later epochs, left by a run that was killed after its last
    /// checkpoint, are dropped, because those epochs will be trained again.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: &Path, epochs_done: u64) -> Result<Self> {
        let kept: String = if path.exists() {
            let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
            let is_done = |line: &&str| {
                let epoch = serde_json::from_str::<Value>(line).ok().and_then(|line| line["epoch"].as_u64());
                epoch.is_some_and(|epoch| epoch <= epochs_done)
            };
            text.lines().filter(is_done).flat_map(|line| [line, "\n"]).collect()
        } else {
            String::new()
        };
        files::write_bytes(path, kept.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(|e| Error::io("open", path, e))?;
        Ok(Self { path: path.to_path_buf(), file })
    }
}

impl Observer for JsonLines {
    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        let object = |scores: &Scores| -> Value {
            let values = scores.values.iter().map(|(name, value)| (name.clone(), json!(value)));
            Value::Object(values.collect())
        };
        let mut line = json!({
            "epoch": report.epoch,
            "step": report.step,
            "ratings_seen": report.ratings_seen,
            "seconds": report.seconds,
            "train": object(report.train),
        });
        if let Some(learning_rate) = report.learning_rate {
            line["learning_rate"] = json!(learning_rate);
        }
        if let Some(scores) = report.validation {
            line["validation"] = object(scores);
        }
        writeln!(self.file, "{line}").map_err(|e| Error::io("write", &self.path, e))
    }
}

/// The training and validation curves of one metric in a `metrics.jsonl`, over epochs.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn curves(path: &Path, metric: &str) -> Result<Vec<Series>> {
    let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let curve = |part: &str| -> Vec<(f64, f64)> {
        lines.iter().filter_map(|line| Some((line["epoch"].as_f64()?, line[part][metric].as_f64()?))).collect()
    };
    let series = |part: &str| Series { name: part.to_string(), points: thinned(curve(part)) };
    Ok(["train", "validation"].map(series).into_iter().filter(|series| !series.points.is_empty()).collect())
}

/// At most a thousand points, first and last included: more cannot be distinguished in a picture.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(1000).max(1);
    let last = points.len().saturating_sub(1);
    points.into_iter().enumerate().filter(|(at, _)| at % every == 0 || *at == last).map(|(_, point)| point).collect()
}
