//! The end of a sweep: its best trial, retrained and tested.

use std::path::PathBuf;

use toml::Value;

use super::event::Event;
use super::shared::Study;
use crate::error::{Error, Result};
use crate::files;
use crate::run::{self, Resume, RunDirectory, Summary, TrainOptions};
use crate::sweep::directory::SweepDirectory;
use crate::sweep::journal::Record;
use crate::sweep::report;

/// A finished sweep.
pub struct Swept {
    /// Where everything is kept.
    pub directory: SweepDirectory,
    /// All trials by number.
    pub records: Vec<Record>,
    /// The best trial.
    pub winner: Record,
    /// The winner's run of each repeat, with its test; empty if the plan has none.
    pub tested: Vec<(PathBuf, Summary)>,
}

impl Study<'_> {
    /// Trains and tests the winner, unless already done.
    pub(super) fn conclude(self) -> Result<Swept> {
        let records: Vec<Record> = self.state().records.values().cloned().collect();
        let Some(winner) = report::winner(&records, &*self.plan.metric).cloned() else {
            let failed = records.iter().find_map(|record| record.message.as_deref());
            return Err(Error::Failed(match failed {
                Some(message) => format!("none of {} trials finished; the first that failed: {message}", records.len()),
                None => format!("none of {} trials finished", records.len()),
            }));
        };
        let mut tested = Vec::new();
        for repeat in (0..self.plan.repeats.len()).filter(|_| self.plan.settings.refit) {
            if repeat == 0 {
                (self.options.watch)(&Event::Winner);
            }
            tested.push(self.test(&winner, repeat)?);
        }
        Ok(Swept { directory: self.directory, records, winner, tested })
    }

    /// The winner's run of a repeat, which a resumed sweep finds again.
    fn test(&self, winner: &Record, repeat: usize) -> Result<(PathBuf, Summary)> {
        const NAME: &str = "best";
        let folder = self.directory.path().to_string_lossy().into_owned();
        let more = [("name", Value::from(NAME)), ("run.dir", folder.into()), ("train.refit", true.into())];
        let point = self.plan.space.point_of(&winner.settings).expect("a trial of this space");
        let config = self.plan.config(&point, repeat, &more)?;
        let mut resume = Resume::New;
        for number in 1.. {
            let path = self.directory.path().join(format!("{NAME}-{number}"));
            if !path.is_dir() {
                break;
            }
            let run = RunDirectory::open(&path).ok().filter(|run| run.environment().is_file());
            let Some(run) = run else {
                // Killed before it could be resumed.
                std::fs::remove_dir_all(&path).map_err(|e| Error::io("remove", &path, e))?;
                continue;
            };
            if files::read_text(&run.config())? == config.to_toml() {
                if run.summary().is_file() {
                    return Ok((path, Summary::read(&run.summary())?));
                }
                resume = Resume::Run(path);
                break;
            }
        }
        let finished = run::train(
            &config,
            &self.plan.parts,
            TrainOptions {
                resume,
                stop: self.options.stop,
                loaded: &|| {},
                command_line: self.options.command_line.clone(),
                // Notes about the data and the device were given before the first trial.
                note: &mut |_| {},
                observer: &|_| None,
            },
        );
        let finished = finished.map_err(|error| match error {
            Error::Interrupted { .. } => self.interrupted(),
            error => error,
        })?;
        let reached = finished.summary.validation.as_ref().and_then(|scores| scores.get(self.plan.metric.name()));
        let expected = winner.trainings[repeat].best;
        if reached != Some(expected) {
            (self.options.note)(&format!(
                "the winner's run reached {} = {reached:?} on the validation part, but its trial {expected:?}: this \
                 device does not reproduce its results",
                self.plan.metric.name(),
            ));
        }
        Ok((finished.directory.path().to_path_buf(), finished.summary))
    }
}
