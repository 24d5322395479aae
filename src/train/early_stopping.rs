//! When to stop, and which epoch was best.

use serde::{Deserialize, Serialize};

use crate::config::{Key, KeyKind, Keys, Problem, Values};
use crate::data::split::SplitSpec;
use crate::metric::{Metric, Scores};

/// Which epoch counts as best, and how long to wait for a better one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// The validation metric that is watched.
    pub metric: Metric,
    /// Epochs without an improvement after which training stops; 0 never stops.
    pub patience: u64,
    /// An epoch is better only where it improves the metric by more than this.
    pub min_delta: f64,
}

/// The best epoch so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Its validation metrics.
    pub scores: Scores,
}

impl EarlyStopping {
    /// Its config keys.
    pub fn keys() -> Keys {
        let metric = Key::new(
            "train.early_stopping.metric",
            KeyKind::choice(Metric::NAMES.to_vec()),
            "What is watched on the validation part.",
        );
        let patience = "Epochs without progress before it stops; 0 never stops.";
        let delta = "What counts as progress, in the metric's unit.";
        Keys::new([
            metric.default("'rmse'"),
            Key::new("train.early_stopping.patience", KeyKind::ANY_COUNT, patience).default("0"),
            Key::new("train.early_stopping.min_delta", KeyKind::NOT_NEGATIVE, delta).default("0.0"),
        ])
        .rule(|values| {
            let is_waiting = values.get::<u64>("train.early_stopping.patience") > 0;
            let needs = needs_validation(values, "train.early_stopping.patience", "0");
            needs.filter(|_| is_waiting).into_iter().collect()
        })
    }

    /// What a config asks for.
    pub fn of(values: &Values) -> Self {
        Self {
            metric: values.get("train.early_stopping.metric"),
            patience: values.get("train.early_stopping.patience"),
            min_delta: values.get("train.early_stopping.min_delta"),
        }
    }

    /// Whether `scores` beat the best so far.
    pub fn is_better(&self, scores: &Scores, best: Option<&Best>) -> bool {
        best.is_none_or(|best| {
            self.metric.improves(scores.get(self.metric), best.scores.get(self.metric), self.min_delta)
        })
    }

    /// Whether to stop after `epoch`.
    pub fn is_over(&self, epoch: u64, best: Option<&Best>) -> bool {
        self.patience > 0 && best.is_some_and(|best| epoch - best.epoch >= self.patience)
    }
}

/// The problem of `key`, which is set although the split of the config has no validation part; `off` is its value that
/// needs none.
pub fn needs_validation(values: &Values, key: &str, off: &str) -> Option<Problem> {
    let reason = SplitSpec::without_validation(values)?;
    let message = format!("{key} needs a validation part, but {reason}; change that or set {key} = {off}");
    Some(Problem::new([key, "data.split.kind", "data.split.validation"], message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_after_patience_epochs_without_an_improvement() {
        let stopping = EarlyStopping { metric: Metric::Rmse, patience: 2, min_delta: 0.01 };
        let scores = |rmse| Scores { count: 1, loss: 0.0, rmse, mae: 0.0 };
        let mut best = None;
        let mut stopped = 0;
        for (epoch, rmse) in (1..).zip([1.0, 0.9, 0.895, 0.89, 0.5]) {
            if stopping.is_better(&scores(rmse), best.as_ref()) {
                best = Some(Best { epoch, scores: scores(rmse) });
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
