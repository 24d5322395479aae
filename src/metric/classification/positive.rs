//! Metrics of how predictions put positive and negative interactions in order.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::config::Values;
use crate::metric::measure::{Direction, Metric, Needs, Placed};

/// A metric of two classes; larger is better.
pub trait OfClasses: Send + Sync + 'static {
    /// Name in configs.
    const NAME: &'static str;

    /// The metric, given all pairs of a split with the highest prediction first, and which are positive; `None` if it has no
    /// meaning for them.
    fn of_order(pairs: &[Placed], positive: Positive) -> Option<f64>;
}

/// Targets from here on are positive.
#[derive(Debug, Clone, Copy)]
pub struct Positive {
    from: f32,
}

impl Positive {
    /// Whether a target is.
    pub fn holds(self, target: f32) -> bool {
        target >= self.from
    }
}

/// A metric of two classes with what is positive.
pub struct Classes<M>(Positive, PhantomData<M>);

impl<M: OfClasses> Classes<M> {
    /// As configs have it that do not say what is positive.
    pub fn metric() -> Arc<dyn Metric> {
        Self::from(0.5)
    }

    fn from(from: f32) -> Arc<dyn Metric> {
        Arc::new(Self(Positive { from }, PhantomData))
    }
}

impl<M: OfClasses> fmt::Debug for Classes<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(M::NAME).field(&self.0).finish()
    }
}

impl<M: OfClasses> Metric for Classes<M> {
    fn name(&self) -> &str {
        M::NAME
    }

    fn direction(&self) -> Direction {
        Direction::Larger
    }

    fn is_default(&self) -> bool {
        false
    }

    fn needs(&self) -> Needs {
        Needs::Order
    }

    fn of_config(&self, values: &Values) -> Option<Arc<dyn Metric>> {
        values.find("evaluation.relevant_from").map(Self::from)
    }

    fn of_order(&self, pairs: &[Placed]) -> Option<f64> {
        M::of_order(pairs, self.0)
    }
}
