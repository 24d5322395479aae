//! Gini coefficient of how often items are recommended: with times e_(1) ≤ … ≤ e_(n) among the first k of all users,
//! Σ_i (2i − n − 1) e_(i) / (n Σ_i e_(i)) (Gini 1912; Shani & Gunawardana 2011, section 8.3.3, there with n − 1). 0 if all items
//! are recommended equally often, near 1 if all users get the same few.

use super::cutoff::AtK;
use crate::metric::measure::{Direction, Needs};

/// How unequally recommendations fall on items.
pub struct Gini;

impl AtK for Gini {
    const NAME: &'static str = "gini";
    const DIRECTION: Direction = Direction::Smaller;
    const IS_GOAL: bool = false;

    fn needs(k: usize) -> Needs {
        Needs::Exposure { length: k }
    }

    fn of_exposure(times: &[u64]) -> Option<f64> {
        let mut times = times.to_vec();
        times.sort_unstable();
        let sum = times.iter().sum::<u64>() as f64;
        let number = times.len() as f64;
        let weighted = (1..).zip(&times).map(|(i, &times)| (f64::from(2 * i) - number - 1.0) * times as f64);
        (sum > 0.0).then(|| weighted.sum::<f64>() / (number * sum))
    }
}
