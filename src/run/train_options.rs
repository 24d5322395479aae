//! What a run of training is told beside its config.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::train::Observer;

/// Where a run continues from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// Nowhere: a new run directory is created.
    New,
    /// The newest run of the config's name.
    Newest,
    /// This run directory.
    Run(PathBuf),
}

/// The options of a run beside its config.
pub struct TrainOptions<'a> {
    /// Where to continue from.
    pub resume: Resume,
    /// Becomes true when the run should write a checkpoint and end.
    pub stop: &'a AtomicBool,
    /// Called once the data are read, before anything is written: only from then on is there something to lose.
    pub loaded: &'a (dyn Fn() + Sync),
    /// For `environment.json`.
    pub command_line: String,
    /// Receives notes for the user, before training.
    pub note: &'a mut (dyn FnMut(&str) + Send),
    /// Creates an observer for each phase of training; receives the number of epochs.
    pub observer: &'a (dyn Fn(u64) -> Option<Box<dyn Observer>> + Sync),
}
