//! The options of a sweep, and the events it reports while it runs.

use std::sync::atomic::AtomicBool;

use toml::Value;

use crate::run::Resume;
use crate::sweep::directory::SweepDirectory;
use crate::sweep::journal::Record;

/// The options of a sweep beside its plan.
pub struct SweepOptions<'a> {
    /// Where to continue from.
    pub resume: Resume,
    /// Becomes true when the sweep should end; trials running then are not recorded.
    pub stop: &'a AtomicBool,
    /// Called once the data are read, before anything is written: only from then on is there something to lose.
    pub loaded: &'a (dyn Fn() + Sync),
    /// For `environment.json` of the winner's run.
    pub command_line: String,
    /// Receives notes for the user.
    pub note: &'a (dyn Fn(&str) + Sync),
    /// Receives events.
    pub watch: &'a (dyn Fn(&Event) + Sync),
}

/// An event.
#[derive(Debug)]
pub enum Event<'a> {
    /// Trials are about to begin.
    Began {
        /// The directory of the sweep.
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
        /// Epochs it may take, over all its trainings.
        epochs: u64,
    },
    /// An epoch of a trial is done.
    Epoch {
        /// Its number.
        trial: usize,
        /// Epochs done, over all its trainings.
        epoch: u64,
        /// Its metric if it ended now.
        metric: f64,
    },
    /// A trial ended.
    Ended(&'a Record),
    /// All trials are done; the winner is being trained.
    Winner,
}
