//! What a sweep is given, and what it tells of while it runs.

use std::sync::atomic::AtomicBool;

use toml::Value;

use crate::run::Resume;
use crate::sweep::directory::SweepDirectory;
use crate::sweep::journal::Record;

/// What a sweep is given beside its plan.
pub struct SweepOptions<'a> {
    /// Where to go on from.
    pub resume: Resume,
    /// Becomes true when the sweep should end; trials that are running then are not written down.
    pub stop: &'a AtomicBool,
    /// Called once the data are read, before anything is written: only from then on is there something to lose.
    pub loaded: &'a (dyn Fn() + Sync),
    /// For `environment.json` of the winner's run.
    pub command_line: String,
    /// Told things that the user should know.
    pub note: &'a (dyn Fn(&str) + Sync),
    /// Told what happens.
    pub watch: &'a (dyn Fn(&Event) + Sync),
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Trials are about to begin; these were there already.
    Began {
        /// Where everything is kept.
        directory: &'a SweepDirectory,
        /// Trials of earlier calls.
        records: &'a [Record],
        /// Most trials.
        trials: usize,
        /// Seconds that the sweep has taken so far.
        elapsed: f64,
    },
    /// A trial began.
    Trial {
        /// Its number.
        trial: usize,
        /// Its values.
        settings: &'a [(String, Value)],
        /// Epochs it may take, of all its trainings.
        epochs: u64,
    },
    /// An epoch of a trial is done.
    Epoch {
        /// Its number.
        trial: usize,
        /// Epochs that lie behind it, of all its trainings.
        epoch: u64,
        /// Its metric if it ended now.
        metric: f64,
    },
    /// A trial ended.
    Ended(&'a Record),
    /// All trials are done; the winner is being trained.
    Winner,
}
