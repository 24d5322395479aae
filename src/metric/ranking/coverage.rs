//! Catalog coverage: the share of all items that are among the first k of at least one user (Ge, Delgado-Battenfeld &
//! Jannach 2010). In 0 … 1.

use super::cutoff::AtK;
use crate::metric::measure::Needs;

/// Share of the items that are recommended to somebody.
pub struct Coverage;

impl AtK for Coverage {
    const NAME: &'static str = "coverage";
    const IS_GOAL: bool = false;

    fn needs(k: usize) -> Needs {
        Needs::Exposure { length: k }
    }

    fn of_exposure(times: &[u64]) -> Option<f64> {
        (!times.is_empty()).then(|| times.iter().filter(|&&times| times > 0).count() as f64 / times.len() as f64)
    }
}
