//! Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning").
//!
//! Rungs are at r, rη, rη², … epochs. A trial that reaches a rung continues only if it is among the best 1/η of all
//! trials that have reached it so far, itself included. No trial waits for another. This is the variant in which a
//! trial is stopped for good rather than paused until it would be promoted (as in Ray Tune and Syne Tune's "stopping"):
//! no state of stopped trials needs to be kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::metric::Metric;

/// The results at each rung.
#[derive(Debug, Clone)]
pub struct Asha {
    metric: Arc<dyn Metric>,
    min_epochs: u64,
    reduction: u64,
    /// Values by rung and trial.
    reached: BTreeMap<u64, BTreeMap<usize, f64>>,
}

impl Asha {
    /// Rungs at `min_epochs` · `reduction`ᵏ.
    pub fn new(metric: Arc<dyn Metric>, min_epochs: u64, reduction: u64) -> Self {
        Self { metric, min_epochs, reduction, reached: BTreeMap::new() }
    }

    /// The rungs above `from` up to `to` epochs.
    pub fn rungs(&self, from: u64, to: u64) -> impl Iterator<Item = u64> + use<> {
        let reduction = self.reduction;
        std::iter::successors(Some(self.min_epochs), move |rung| rung.checked_mul(reduction))
            .skip_while(move |&rung| rung <= from)
            .take_while(move |&rung| rung <= to)
    }

    /// Notes that a trial reached a rung with this value.
    pub fn reach(&mut self, rung: u64, trial: usize, value: f64) {
        self.reached.entry(rung).or_default().insert(trial, value);
    }

    /// Whether a trial that reached this rung is good enough to continue.
    pub fn goes_on(&self, rung: u64, trial: usize) -> bool {
        let values = &self.reached[&rung];
        let value = values[&trial];
        let better = values.values().filter(|&&other| self.metric.improves(other, value, 0.0)).count();
        // The first trials have none to be compared with, but the best trial always continues.
        better < (values.len() / self.reduction as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Mae;

    #[test]
    fn rungs_are_powers_within_the_bounds() {
        let asha = Asha::new(Arc::new(Mae), 3, 4);
        assert_eq!(asha.rungs(0, 200).collect::<Vec<_>>(), [3, 12, 48, 192]);
        assert_eq!(asha.rungs(3, 48).collect::<Vec<_>>(), [12, 48]);
        assert_eq!(asha.rungs(0, 2).count(), 0);
        assert_eq!(asha.rungs(0, u64::MAX).last(), Some(3 * 4_u64.pow(31)), "the next would not fit");
    }

    #[test]
    fn the_best_of_each_rung_go_on() {
        let mut asha = Asha::new(Arc::new(Mae), 1, 3);
        let mut arrive = |rung, trial, value| {
            asha.reach(rung, trial, value);
            asha.goes_on(rung, trial)
        };
        // Up to five at the rung: only the best so far.
        assert!(arrive(1, 0, 0.9));
        assert!(!arrive(1, 1, 1.0));
        assert!(arrive(1, 2, 0.8));
        assert!(!arrive(1, 3, 0.85));
        assert!(!arrive(1, 4, 0.95));
        // From six on the best two, from nine on the best three.
        assert!(arrive(1, 5, 0.82));
        assert!(!arrive(1, 6, 0.83));
        assert!(!arrive(1, 7, 0.84));
        assert!(arrive(1, 8, 0.82), "a tie with the second best");
        // Another rung is another comparison.
        assert!(arrive(3, 2, 0.99));
    }

    #[test]
    fn of_many_trials_about_one_in_eta_goes_on() {
        let mut asha = Asha::new(Arc::new(Mae), 1, 4);
        let value = |trial: usize| ((trial * 7919) % 1009) as f64;
        let kept = (0..1000).filter(|&trial| {
            asha.reach(1, trial, value(trial));
            asha.goes_on(1, trial)
        });
        let kept: Vec<f64> = kept.map(value).collect();
        assert!((240..280).contains(&kept.len()), "{}", kept.len());
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        assert!(mean < 1009.0 * 0.14, "{mean}");
    }
}
