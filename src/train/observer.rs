//! Observers of training.

use crate::error::Result;
use crate::metric::Scores;
use crate::model::HostTensor;
use crate::solver::Norms;

/// Everything known at the end of an epoch.
pub struct EpochReport<'a> {
    /// Epochs finished, from 1.
    pub epoch: u64,
    /// Epochs planned.
    pub epochs: u64,
    /// Whether training ends with this epoch.
    pub is_last: bool,
    /// Steps taken since the start.
    pub step: u64,
    /// Ratings trained on since the start, repetitions included: the x-axis of curves.
    pub ratings_seen: u64,
    /// Seconds spent in steps since the start, evaluation and reporting excluded.
    pub seconds: f64,
    /// Learning rate of the epoch's last step; `None` for a solver that has none.
    pub learning_rate: Option<f64>,
    /// Training metrics: means over the epoch's steps, each computed before its step; for [`Als`](crate::solver::Als),
    /// after the last one. `loss` without the penalty, `objective` with it, which is minimized; and if the objective
    /// compares a score with a target, √ of their mean squared difference.
    pub train: &'a Scores,
    /// Metrics after the epoch; `None` without a validation split.
    pub validation: Option<&'a Scores>,
    /// The validation metric by which epochs are compared.
    pub watched: &'a str,
    /// Predictions of the validation split, in its order.
    pub validation_predictions: &'a [f32],
    /// Whether these parameters are the best so far.
    pub is_best: bool,
    /// Norms of the epoch's last gradients, before clipping.
    pub gradient_norms: &'a Norms,
    /// Norms of all trained parameters after the epoch.
    pub parameter_norms: &'a Norms,
    /// Reads all parameters back, by name.
    pub parameters: &'a dyn Fn() -> Vec<(String, HostTensor)>,
}

/// Is told about each batch and each epoch. It can stop training only by failing.
pub trait Observer {
    /// `done` of `total` batches of epoch `epoch` are done.
    fn batch(&mut self, epoch: u64, done: u64, total: u64) {
        let _ = (epoch, done, total);
    }

    /// An epoch is done.
    ///
    /// # Errors
    /// If the observer cannot do its work, for example because the disk is full; training stops with this error.
    fn epoch(&mut self, report: &EpochReport) -> Result<()>;
}
