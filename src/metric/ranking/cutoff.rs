//! Metrics of lists of any length: `ndcg@10` is NDCG of the first ten.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::metric::list::RankedList;
use crate::metric::measure::{Direction, Metric, Needs};

/// A measure of the first k candidates.
pub trait AtK: Send + Sync + 'static {
    /// Name without the length.
    const NAME: &'static str;
    /// Which values are better.
    const DIRECTION: Direction = Direction::Larger;
    /// Unit of its values; empty for a plain number.
    const UNIT: &'static str = "";
    /// Whether it says how good recommendations are.
    const IS_GOAL: bool = true;

    /// What it needs of lists cut off after k; by default only the places of the relevant candidates.
    fn needs(k: usize) -> Needs {
        let _ = k;
        Needs::Lists { length: 0 }
    }

    /// Measures one user; `None` (the default) is ignored.
    fn of_list(list: &RankedList, k: usize) -> Option<f64> {
        let _ = (list, k);
        None
    }

    /// Measures how often each item is among the first k of a user; `None` (the default) for a measure of single users.
    fn of_exposure(times: &[u64]) -> Option<f64> {
        let _ = times;
        None
    }
}

/// The metric of a measure at one k.
pub struct Cutoff<M> {
    name: String,
    length: usize,
    measure: PhantomData<M>,
}

impl<M: AtK> Cutoff<M> {
    /// The metric at this length.
    pub fn metric(length: usize) -> Arc<dyn Metric> {
        Arc::new(Self { name: format!("{}@{length}", M::NAME), length, measure: PhantomData })
    }
}

impl<M> fmt::Debug for Cutoff<M> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<M: AtK> Metric for Cutoff<M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn unit(&self) -> &str {
        M::UNIT
    }

    fn direction(&self) -> Direction {
        M::DIRECTION
    }

    fn needs(&self) -> Needs {
        M::needs(self.length)
    }

    fn is_goal(&self) -> bool {
        M::IS_GOAL
    }

    fn at(&self, length: usize) -> Option<Arc<dyn Metric>> {
        Some(Self::metric(length))
    }

    fn of_list(&self, list: &RankedList) -> Option<f64> {
        M::of_list(list, self.length)
    }

    fn of_exposure(&self, times: &[u64]) -> Option<f64> {
        M::of_exposure(times)
    }
}
