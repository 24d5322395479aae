//! When to stop, and which epoch was best.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::words::joined;
use crate::config::{Key, KeyKind, Keys, Problem, Values};
use crate::data::split::SplitSpec;
use crate::error::{Error, Result};
use crate::metric::{Metric, Metrics, Scores};

/// Which epoch counts as best, and how long to wait for a better one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EarlyStopping {
    /// The validation metric that is watched.
    pub metric: Arc<dyn Metric>,
    /// Epochs without an improvement after which training stops; 0 never stops.
    pub patience: u64,
    /// An epoch is better only if it improves the metric by more than this.
    pub min_delta: f64,
    /// Whether each epoch counts as better than the one before, because the metric cannot tell which is.
    pub keeps_last: bool,
}

/// The best epoch so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Its validation metrics.
    pub scores: Scores,
}

impl EarlyStopping {
    /// Watches `metric`, and never stops.
    pub fn watching(metric: Arc<dyn Metric>) -> Self {
        Self { metric, patience: 0, min_delta: 0.0, keeps_last: false }
    }

    /// Its config keys; one of `metrics` is watched, by default the first that compares predictions with targets.
    pub fn keys(metrics: &Metrics) -> Keys {
        let metric = Key::new(
            "train.early_stopping.metric",
            KeyKind::Text,
            "The metric watched on the validation part: a name of evaluation.metrics.",
        );
        let patience = "Epochs without progress before training stops; 0 never stops.";
        let delta = "Improvements above this count as progress, in the metric's unit.";
        Keys::new([
            metric.default(&format!("'{}'", metrics.watched())),
            Key::new("train.early_stopping.patience", KeyKind::ANY_COUNT, patience).default("0"),
            Key::new("train.early_stopping.min_delta", KeyKind::NOT_NEGATIVE, delta).default("0.0"),
        ])
        .rule({
            let metrics = metrics.clone();
            move |values| {
                let name: String = values.get("train.early_stopping.metric");
                metrics.problem("train.early_stopping.metric", &name).into_iter().collect()
            }
        })
        .rule(|values| {
            let is_waiting = values.get::<u64>("train.early_stopping.patience") > 0;
            let needs = needs_validation(values, "train.early_stopping.patience", "0");
            needs.filter(|_| is_waiting).into_iter().collect()
        })
    }

    /// Early stopping as set in a config, by one of `metrics`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a metric that is not among them.
    pub fn of(values: &Values, metrics: &Metrics) -> Result<Self> {
        let name: String = values.get("train.early_stopping.metric");
        let metric = metrics.find(&name).ok_or_else(|| {
            let names: Vec<&str> = metrics.names().collect();
            Error::Usage(format!("train.early_stopping.metric = {name:?} is not one of {}", joined(&names, "and")))
        })?;
        Ok(Self {
            metric,
            patience: values.get("train.early_stopping.patience"),
            min_delta: values.get("train.early_stopping.min_delta"),
            keeps_last: false,
        })
    }

    /// Whether `scores` beat the best so far. Without a value of the metric they do not.
    pub fn is_better(&self, scores: &Scores, best: Option<&Best>) -> bool {
        let value = |scores: &Scores| scores.get(self.metric.name());
        let Some(new) = value(scores) else { return false };
        self.keeps_last
            || best
                .and_then(|best| value(&best.scores))
                .is_none_or(|old| self.metric.improves(new, old, self.min_delta))
    }

    /// Whether to stop after `epoch`.
    pub fn is_over(&self, epoch: u64, best: Option<&Best>) -> bool {
        // After a kill the best epoch may be one that is yet to be trained again.
        self.patience > 0 && best.is_some_and(|best| epoch.saturating_sub(best.epoch) >= self.patience)
    }
}

/// The problem that `key` is set although the split of the config has no validation part; `off` is the value that needs
/// none.
pub fn needs_validation(values: &Values, key: &str, off: &str) -> Option<Problem> {
    let reason = SplitSpec::without_validation(values)?;
    let message = format!("{key} needs a validation part, but {reason}; change that or set {key} = {off}");
    Some(Problem::new([key, "data.split.kind", "data.split.validation"], message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Mae;

    #[test]
    fn stops_after_patience_epochs_without_an_improvement() {
        let stopping = EarlyStopping { patience: 2, min_delta: 0.01, ..EarlyStopping::watching(Arc::new(Mae)) };
        let scores = |error| Scores { count: 1, values: vec![(Mae.name().into(), error)] };
        let mut best = None;
        let mut stopped = 0;
        for (epoch, error) in (1..).zip([1.0, 0.9, 0.895, 0.89, 0.5]) {
            if stopping.is_better(&scores(error), best.as_ref()) {
                best = Some(Best { epoch, scores: scores(error) });
            }
            stopped = epoch;
            if stopping.is_over(epoch, best.as_ref()) {
                break;
            }
        }
        // 0.89 is exactly min_delta below 0.9, which is not enough.
        assert_eq!((stopped, best.map(|best| best.epoch)), (4, Some(2)));
    }
}
