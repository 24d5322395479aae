//! `journal.jsonl`: every finished trial, one JSON object per line, append-only.
//!
//! The first line identifies the sweep. A line is written at once and reaches the disk before the next trial begins, so
//! that a sweep killed at any moment loses no finished trial; an incomplete last line, left by a kill during writing,
//! is removed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Location, Result};
use crate::files::{self, Lock};

/// Version of the format; others are rejected.
const VERSION: u32 = 1;

/// The outcome of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Trained to the end.
    Finished,
    /// Stopped because others were better.
    Pruned,
    /// Diverged, or could not be trained at all.
    Failed,
}

impl Status {
    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Pruned => "pruned",
            Self::Failed => "failed",
        }
    }
}

/// One training of a trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Training {
    /// The validation metric of the best epoch so far.
    pub best: f64,
    /// That epoch, from 1.
    pub best_epoch: u64,
    /// The validation metric of each epoch.
    pub curve: Vec<f64>,
}

/// A trial that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number, from 1.
    pub trial: usize,
    /// Its outcome.
    pub status: Status,
    /// The mean of the best metrics of its trainings so far; none if it failed.
    pub metric: Option<f64>,
    /// Value of each searched config key that applied, and of keys tied to them.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// One per repeat that began.
    pub trainings: Vec<Training>,
    /// The metric at each rung that was reached, by epochs.
    pub rungs: BTreeMap<u64, f64>,
    /// Seconds from the start of the sweep to the start of the trial, without time in which no sweep ran.
    pub began: f64,
    /// The same to its end.
    pub ended: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
}

impl Record {
    /// Epochs trained, of all trainings.
    pub fn epochs(&self) -> u64 {
        self.trainings.iter().map(|training| training.curve.len() as u64).sum()
    }
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`] of the program that began it.
    version: u32,
    /// Everything that determines the trials.
    pub sweep: BTreeMap<String, String>,
    /// SHA-256 of the data of each repeat.
    pub data_sha256: Vec<String>,
}

impl Header {
    /// The header of a new sweep.
    pub fn new(sweep: BTreeMap<String, String>, data_sha256: Vec<String>) -> Self {
        Self { version: VERSION, sweep, data_sha256 }
    }
}

/// An open journal. No other process can open it at the same time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Of the sweep's folder.
    _lock: Lock,
}

impl Journal {
    /// A new journal, with its first line, in the folder that `lock` is of.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: &Path, header: &Header, lock: Lock) -> Result<Self> {
        let line = line(path, header)?;
        files::write_bytes(path, line.as_bytes())?;
        Ok(Self { path: path.to_path_buf(), file: open(path)?, _lock: lock })
    }

    /// An existing journal with what it holds, to continue, in the folder that `lock` is of.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Data`] if a line is not what was written.
    pub fn resume(path: &Path, lock: Lock) -> Result<(Self, Header, Vec<Record>)> {
        let file = open(path)?;
        let text = files::read_text(path)?;
        let whole = text.rfind('\n').map_or(0, |newline| newline + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(|e| Error::io("write", path, e))?;
        }
        let wrong = |number: usize, cause: String| Error::Data {
            location: Location::at(path, number as u64 + 1, 0),
            message: format!("{cause}; the file was altered, so the sweep cannot continue"),
        };
        let mut lines = text[..whole].lines().enumerate();
        let header: Header = match lines.next() {
            Some((number, line)) => serde_json::from_str(line).map_err(|e| wrong(number, e.to_string()))?,
            None => return Err(wrong(0, "the first line is missing".into())),
        };
        if header.version != VERSION {
            let cause = format!("format version {}, but this program reads version {VERSION}", header.version);
            return Err(wrong(0, cause));
        }
        let mut records: Vec<Record> = Vec::new();
        for (number, line) in lines {
            let record: Record = serde_json::from_str(line).map_err(|e| wrong(number, e.to_string()))?;
            if records.iter().any(|other| other.trial == record.trial) {
                return Err(wrong(number, format!("trial {} is repeated", record.trial)));
            }
            records.push(record);
        }
        Ok((Self { path: path.to_path_buf(), file, _lock: lock }, header, records))
    }

    /// Writes a trial; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let line = line(&self.path, record)?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|e| Error::io("write", &self.path, e))
    }
}

fn line(path: &Path, value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|e| Error::Failed(format!("{}: {e}", path.display())))?;
    Ok(text + "\n")
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().append(true).open(path).map_err(|e| Error::io("open", path, e))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn record(trial: usize) -> Record {
        Record {
            trial,
            status: Status::Pruned,
            metric: Some(0.1 + 0.2),
            settings: BTreeMap::from([("model.rank".into(), 8.into())]),
            trainings: vec![Training { best: 0.3, best_epoch: 2, curve: vec![0.5, 0.3] }],
            rungs: BTreeMap::from([(1, 0.5)]),
            began: 0.25,
            ended: 1.5,
            message: None,
        }
    }

    /// The lock of the folder of a journal.
    fn lock(path: &Path) -> Lock {
        let lock = path.with_file_name("lock");
        Lock::take(&lock, &lock).expect("free")
    }

    fn header() -> Header {
        Header::new(BTreeMap::from([("seed".into(), "1".into())]), vec!["abc".into()])
    }

    #[test]
    fn what_was_written_comes_back_and_goes_on() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::create(&path, &header(), lock(&path)).expect("created");
        journal.append(&record(1)).expect("appended");
        drop(journal);
        let (mut journal, found, records) = Journal::resume(&path, lock(&path)).expect("resumed");
        assert_eq!((found, records), (header(), vec![record(1)]));
        journal.append(&record(3)).expect("appended");
        drop(journal);
        assert_eq!(Journal::resume(&path, lock(&path)).expect("resumed").2, [record(1), record(3)]);
        assert_eq!(fs::read_to_string(&path).expect("text").lines().count(), 3);
    }

    #[test]
    fn a_kill_at_any_byte_loses_no_whole_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::create(&path, &header(), lock(&path)).expect("created");
        journal.append(&record(1)).expect("appended");
        let second_from = fs::metadata(&path).expect("a file").len() as usize;
        journal.append(&record(2)).expect("appended");
        drop(journal);
        let whole = fs::read(&path).expect("bytes");
        for length in second_from..whole.len() {
            fs::write(&path, &whole[..length]).expect("cut");
            let (mut journal, _, records) = Journal::resume(&path, lock(&path)).expect("resumed");
            assert_eq!(records, [record(1)], "{length}");
            journal.append(&record(2)).expect("appended");
            assert_eq!(fs::read(&path).expect("bytes"), whole, "{length}");
        }
    }

    #[test]
    fn damage_and_another_version_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::create(&path, &header(), lock(&path)).expect("created");
        drop(journal);
        let first = fs::read_to_string(&path).expect("text");
        let trial = serde_json::to_string(&record(1)).expect("JSON");
        for (text, part) in [
            (format!("{first}{{}}\n"), ":2: missing field"),
            (format!("{first}{trial}\n{trial}\n"), ":3: trial 1 is repeated"),
            (first.replace("\"version\":1", "\"version\":9"), ":1: format version 9"),
            (String::new(), ":1: the first line is missing"),
        ] {
            fs::write(&path, text).expect("written");
            let message = Journal::resume(&path, lock(&path)).expect_err("damaged").to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
