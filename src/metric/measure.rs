//! The trait of metrics.

use std::fmt;
use std::sync::Arc;

use crate::config::{Keys, Values};

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
    /// For each user of the split, the items with the highest scores among those that training has not seen with the
    /// user.
    Lists {
        /// Length of a list.
        length: usize,
    },
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

/// The items recommended to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankedList<'a> {
    /// Best first; fewer than requested if there are no more.
    pub items: &'a [u32],
    /// The items of the user in the split, ascending, which should be recommended. At least one.
    pub relevant: &'a [u32],
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

    /// The config keys that it reads, under `[evaluation]`.
    fn keys(&self) -> Keys {
        Keys::default()
    }

    /// The metric as set in a config; `None` (the default) if it stays as it is.
    fn of_config(&self, values: &Values) -> Option<Arc<dyn Metric>> {
        let _ = values;
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

    /// Measures a ranked list; `None` is ignored.
    fn of_list(&self, list: &RankedList) -> Option<f64> {
        let _ = list;
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
            _ => self.name().to_uppercase(),
        }
    }
}

/// Some metrics, in the order in which they are shown.
#[derive(Debug, Clone, Default)]
pub struct Metrics(pub Vec<Arc<dyn Metric>>);

impl Metrics {
    /// The metric of this name.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Metric>> {
        self.0.iter().find(|metric| metric.name() == name)
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

    /// Length of the longest list that one of them needs; `None` if none needs lists.
    pub fn longest_list(&self) -> Option<usize> {
        let length =
            |metric: &Arc<dyn Metric>| if let Needs::Lists { length } = metric.needs() { Some(length) } else { None };
        self.0.iter().filter_map(length).max()
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
}
