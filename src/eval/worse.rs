//! Whether a model is worse than a trivial prediction.

use std::sync::Arc;

use crate::config::words::joined;
use crate::metric::{Metric, Metrics, Needs, Scores};
use crate::tables;

/// Differences below this part of a value are rounding.
const ROUNDING: f64 = 1e-6;

/// By which of `metrics` `scores` are worse than those of `trivial` predictions, called `name`, if by any: `worse than biases
/// only by RMSE (0.9400 against 0.9138)`.
pub fn worse_than(scores: &Scores, name: &str, trivial: &Scores, metrics: &Metrics) -> Option<String> {
    let is_lost = |metric: &&Arc<dyn Metric>| {
        let values = scores.get(metric.name()).zip(trivial.get(metric.name()));
        let values = values.filter(|_| metric.is_goal());
        values.is_some_and(|(own, other)| metric.improves(other, own, ROUNDING * own.abs().max(other.abs())))
    };
    let mut lost: Vec<&Arc<dyn Metric>> = metrics.0.iter().filter(is_lost).collect();
    // The objective's unit says little to people, who are told of it only if there is nothing else.
    if lost.iter().any(|metric| metric.needs() != Needs::Loss) {
        lost.retain(|metric| metric.needs() != Needs::Loss);
    }
    let value =
        |scores: &Scores, metric: &Arc<dyn Metric>| scores.get(metric.name()).map_or(String::new(), tables::number);
    let of_metric = |metric: &&Arc<dyn Metric>| {
        format!("{} ({} against {})", metric.label(), value(scores, metric), value(trivial, metric))
    };
    let lost: Vec<String> = lost.iter().map(of_metric).collect();
    (!lost.is_empty()).then(|| format!("worse than {name} by {}", joined(&lost, "and")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Direction, Mae, ObjectiveLoss, Rmse};

    #[derive(Debug)]
    struct Hits;
    impl Metric for Hits {
        fn name(&self) -> &str {
            "hits"
        }
        fn direction(&self) -> Direction {
            Direction::Larger
        }
    }

    #[test]
    fn each_metric_is_compared_in_its_own_direction() {
        let metrics = Metrics(vec![Arc::new(Rmse), Arc::new(Mae), Arc::new(Hits)]);
        let scores = |values: [f64; 3]| Scores {
            count: 9,
            values: ["rmse", "mae", "hits"].into_iter().map(String::from).zip(values).collect(),
        };
        let own = scores([0.94, 0.5, 0.25]);
        let worse = |other| worse_than(&own, "biases only", &scores(other), &metrics);
        assert_eq!(worse([0.95, 0.6, 0.2]), None);
        assert_eq!(worse([0.94, 0.5, 0.25]), None, "the same is not worse");
        assert_eq!(worse([0.94 * (1.0 - 1e-8), 0.5, 0.25]), None, "nor is rounding");
        assert_eq!(
            worse([0.9138, 0.6, 0.2]).as_deref(),
            Some("worse than biases only by RMSE (0.9400 against 0.9138)")
        );
        let both = "worse than biases only by MAE (0.5000 against 0.4000) and HITS (0.2500 against 0.3000)";
        assert_eq!(worse([0.95, 0.4, 0.3]).as_deref(), Some(both));
        assert_eq!(worse_than(&own, "x", &Scores::default(), &metrics), None, "nothing to compare with");
        let of = |loss: f64, rmse: f64| {
            let values = [("loss", loss), ("rmse", rmse)].map(|(name, value)| (name.to_string(), value));
            Scores { count: 9, values: values.to_vec() }
        };
        let metrics = Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(Rmse)]);
        let worse = |own: Scores| worse_than(&own, "x", &of(1.0, 1.0), &metrics).unwrap_or_default();
        assert_eq!(worse(of(2.0, 2.0)), "worse than x by RMSE (2.0000 against 1.0000)");
        assert_eq!(worse(of(2.0, 0.5)), "worse than x by loss (2.0000 against 1.0000)");
    }
}
