//! The trait of metrics.

use std::fmt;
use std::sync::Arc;

use super::list::RankedList;
use crate::config::words::joined;
use crate::config::{Keys, Problem, Values};

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smaller ones.
    Smaller,
    /// The larger ones.
    Larger,
}

/// What a metric needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The training loss of each prediction.
    Loss,
    /// A prediction beside each target.
    Pairs,
    /// All pairs of a split, in the order of their predictions.
    Order,
    /// The ranking of each user's candidates.
    Lists {
        /// How many of the best candidates it looks at; 0 if it needs only the places of the relevant ones.
        length: usize,
    },
    /// How often each item is among the best candidates of a user.
    Exposure {
        /// How many of the best candidates count.
        length: usize,
    },
}

impl Needs {
    /// How many of the best candidates it looks at; `None` if it needs no ranking.
    pub fn list_length(self) -> Option<usize> {
        match self {
            Self::Lists { length } | Self::Exposure { length } => Some(length),
            Self::Loss | Self::Pairs | Self::Order => None,
        }
    }
}

/// A prediction and its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// r.
    pub target: f64,
    /// r̂.
    pub prediction: f64,
    /// Its training loss, without the penalty; `None` for an objective that compares interactions.
    pub loss: Option<f64>,
}

/// A prediction and its target, among all of a split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// r̂.
    pub prediction: f32,
    /// r.
    pub target: f32,
}

/// Puts the highest prediction first.
pub(super) fn sort_by_prediction(pairs: &mut [Placed]) {
    pairs.sort_unstable_by(|one, other| other.prediction.total_cmp(&one.prediction));
}

/// Sum of a metric's measurements.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    /// Number of measurements.
    pub count: u64,
    /// Their sum.
    pub total: f64,
}

impl Sum {
    /// Adds one measurement; `None` is ignored.
    #[inline]
    pub fn add(&mut self, measured: Option<f64>) {
        if let Some(measured) = measured {
            self.count += 1;
            self.total += measured;
        }
    }
}

/// A number that says how good predictions are: the mean of its measurements, put through [`summary`](Self::summary).
pub trait Metric: fmt::Debug + Send + Sync {
    /// Name in files, tags and configs.
    fn name(&self) -> &str;

    /// Unit of its values; empty for a plain number.
    fn unit(&self) -> &str {
        ""
    }

    /// Which values are better.
    fn direction(&self) -> Direction {
        Direction::Smaller
    }

    /// What it needs.
    fn needs(&self) -> Needs {
        Needs::Pairs
    }

    /// Whether it says how good predictions are, so that a trivial prediction can beat a model by it. Some metrics of lists
    /// describe what is recommended, and not how well.
    fn is_goal(&self) -> bool {
        true
    }

    /// Whether it is computed unless a config says otherwise: by default, if it needs no ranking.
    fn is_default(&self) -> bool {
        self.needs().list_length().is_none()
    }

    /// The config keys that it reads, under `[evaluation]`.
    fn keys(&self) -> Keys {
        Keys::default()
    }

    /// The metric as set in a config; `None` (the default) if it stays as it is.
    fn of_config(&self, values: &Values) -> Option<Arc<dyn Metric>> {
        let _ = values;
        None
    }

    /// The metric with lists of another length, for which a config writes `name@length`; `None` (the default) if it has
    /// one length only.
    fn at(&self, length: usize) -> Option<Arc<dyn Metric>> {
        let _ = length;
        None
    }

    /// Measures a pair; `None` is ignored.
    fn of_pair(&self, pair: &Pair) -> Option<f64> {
        let _ = pair;
        None
    }

    /// Measures many pairs, one after the other.
    // Within an implementation `of_pair` is known, so one dynamic call serves many pairs.
    fn add_pairs(&self, pairs: &[Pair], sum: &mut Sum) {
        pairs.iter().for_each(|pair| sum.add(self.of_pair(pair)));
    }

    /// The metric, given all pairs of a split, the highest prediction first; only for [`Needs::Order`].
    fn of_order(&self, pairs: &[Placed]) -> Option<f64> {
        let _ = pairs;
        None
    }

    /// Measures a ranked list; `None` is ignored.
    fn of_list(&self, list: &RankedList) -> Option<f64> {
        let _ = list;
        None
    }

    /// The metric, given how often each item is among the best candidates of a user; only for
    /// [`Needs::Exposure`].
    fn of_exposure(&self, times: &[u64]) -> Option<f64> {
        let _ = times;
        None
    }

    /// The metric, given the mean of the measurements. Without measurements there is no metric.
    fn summary(&self, mean: f64) -> f64 {
        mean
    }
}

impl dyn Metric + '_ {
    /// Whether `value` is better than `other` by more than `min_delta`.
    pub fn improves(&self, value: f64, other: f64, min_delta: f64) -> bool {
        match self.direction() {
            Direction::Smaller => value < other - min_delta,
            Direction::Larger => value > other + min_delta,
        }
    }

    /// Name in tables for people.
    pub fn label(&self) -> String {
        match self.needs() {
            Needs::Loss => self.name().into(),
            Needs::Pairs | Needs::Order | Needs::Lists { .. } | Needs::Exposure { .. } => label(self.name()),
        }
    }
}

/// The name of a metric in tables for people: one with a length is called as in configs, others are acronyms.
pub fn label(name: &str) -> String {
    if name.contains('@') { name.into() } else { name.to_uppercase() }
}

/// Some metrics, in the order in which they are shown.
#[derive(Debug, Clone, Default)]
pub struct Metrics(pub Vec<Arc<dyn Metric>>);

impl Metrics {
    /// The metric of this name; `name@length` is that of lists of another length, if there is one.
    pub fn find(&self, name: &str) -> Option<Arc<dyn Metric>> {
        if let Some(metric) = self.0.iter().find(|metric| metric.name() == name) {
            return Some(metric.clone());
        }
        let (stem, length) = name.split_once('@')?;
        // As people write numbers: no sign, no zeros before it.
        let length = length.parse().ok().filter(|number: &usize| *number > 0 && number.to_string() == length)?;
        let has_stem = |metric: &&Arc<dyn Metric>| metric.name().split_once('@').is_some_and(|(own, _)| own == stem);
        self.0.iter().find(has_stem)?.at(length)
    }

    /// The metric that the value of `key` names.
    ///
    /// # Errors
    /// Which there are.
    pub fn named(&self, key: &str, name: &str) -> Result<Arc<dyn Metric>, String> {
        self.find(name).ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            let any = if names.iter().any(|name| name.contains('@')) { " (any number may follow @)" } else { "" };
            format!("{key} has unknown {name:?}; the metrics are {}{any}", joined(&names, "and"))
        })
    }

    /// The problem that the value of `key`, `name`, is no metric.
    pub fn problem(&self, key: &str, name: &str) -> Option<Problem> {
        self.named(key, name).err().map(|message| Problem::new([key], message))
    }

    /// Those that compare predictions with targets, without ranking all items.
    pub fn of_interactions(&self) -> Self {
        self.those(|needs| needs.list_length().is_none())
    }

    /// Those that are computed unless a config says otherwise.
    pub fn defaults(&self) -> Self {
        Self(self.0.iter().filter(|metric| metric.is_default()).cloned().collect())
    }

    /// Those that rank all items.
    pub fn of_lists(&self) -> Self {
        self.those(|needs| needs.list_length().is_some())
    }

    fn those(&self, are_wanted: impl Fn(Needs) -> bool) -> Self {
        Self(self.0.iter().filter(|metric| are_wanted(metric.needs())).cloned().collect())
    }

    /// The name of the metric that training watches by default: the first that is not the objective itself.
    pub fn watched(&self) -> &str {
        let is_own = |metric: &&Arc<dyn Metric>| metric.needs() != Needs::Loss;
        self.0.iter().find(is_own).or(self.0.first()).map_or("", |metric| metric.name())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|metric| metric.name())
    }

    /// The most candidates that one of them looks at; `None` if none needs a ranking.
    pub fn longest_list(&self) -> Option<usize> {
        self.0.iter().filter_map(|metric| metric.needs().list_length()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rmse;
    use super::*;

    #[test]
    fn an_improvement_must_exceed_the_margin_in_the_right_direction() {
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
        let (error, hits): (&dyn Metric, &dyn Metric) = (&Rmse, &Hits);
        assert!(error.improves(0.9, 1.0, 0.05) && !hits.improves(0.9, 1.0, 0.05));
        assert!(hits.improves(1.0, 0.9, 0.05) && !error.improves(0.96, 1.0, 0.05));
        assert!(!error.improves(f64::NAN, 1.0, 0.0) && !hits.improves(f64::NAN, 1.0, 0.0));
    }

    #[test]
    fn a_length_may_follow_a_name() {
        let metrics = super::super::built_in();
        let name = |name: &str| metrics.find(name).map(|metric| metric.name().to_string());
        for known in ["rmse", "auc", "ndcg@10", "ndcg@1", "hit-rate@100"] {
            assert_eq!(name(known).as_deref(), Some(known));
        }
        for unknown in ["ndcg", "ndcg@0", "ndcg@01", "ndcg@+1", "ndcg@-1", "ndcg@", "ndcg@1@2", "rmse@3", "auc@5", ""] {
            assert_eq!(name(unknown), None, "{unknown}");
        }
    }
}
