//! How long to train, as set in configs.

use std::sync::Arc;

use super::early_stopping::EarlyStopping;
use crate::config::{Effect, Key, KeyKind, Keys, Values};
use crate::error::Result;
use crate::metric::{Metric, Metrics};

/// How long to train, for any model and solver.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Epochs to train.
    pub epochs: u64,
    /// Which epoch is best, and when to stop early.
    pub early_stopping: EarlyStopping,
    /// Epochs between two checkpoints; 0 writes one at the end and on interruption only.
    pub checkpoint_every: u64,
}

impl TrainConfig {
    /// `epochs` epochs, the best of them by `metric` if there is validation; no early stopping.
    pub fn new(epochs: u64, metric: impl Metric + 'static) -> Self {
        Self { epochs, early_stopping: EarlyStopping::watching(Arc::new(metric)), checkpoint_every: 0 }
    }

    /// The config keys of training, which watches one of `metrics`.
    pub fn keys(metrics: &Metrics) -> Keys {
        let epochs = "Passes over the training ratings; svd takes one, an epoch is one iteration of hals and ten of \
                      multiplicative.";
        let every = "Epochs between two checkpoints; 0 writes one only at the end or when interrupted.";
        let every = Key::new("train.checkpoint_every", KeyKind::ANY_COUNT, every).default("1").effect(Effect::Nothing);
        Keys::new([Key::new("train.epochs", KeyKind::ANY_COUNT, epochs).default("30"), every])
            .and(EarlyStopping::keys(metrics))
    }

    /// How to train, as set in a config.
    ///
    /// # Errors
    /// Those of [`EarlyStopping::of`].
    pub fn of(values: &Values, metrics: &Metrics) -> Result<Self> {
        Ok(Self {
            epochs: values.get("train.epochs"),
            early_stopping: EarlyStopping::of(values, metrics)?,
            checkpoint_every: values.get("train.checkpoint_every"),
        })
    }
}
