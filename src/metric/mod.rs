//! Metrics of rating prediction, from sums that are exact over a whole split.
//!
//! Nothing is averaged over batches: [`Sums`] holds counts and `f64` sums, and every metric is computed from them once,
//! at the end. No tensors here.

use serde::{Deserialize, Serialize};

use crate::config::choice;

choice! {
    /// A number that says how good predictions are.
    pub enum Metric {
        /// Mean of the training loss over the split, without the penalty. Unit: the loss's.
        Loss = "loss",
        /// Root mean squared error √(Σ(r − r̂)² / n). Unit: ratings.
        Rmse = "rmse",
        /// Mean absolute error Σ|r − r̂| / n. Unit: ratings.
        Mae = "mae",
    }
}

impl Metric {
    /// Whether `value` is better than `other` by more than `min_delta`. All metrics here are better when smaller.
    pub fn improves(self, value: f64, other: f64, min_delta: f64) -> bool {
        value < other - min_delta
    }
}

/// Sufficient statistics of all metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Number of ratings.
    pub count: u64,
    /// Σ loss.
    pub loss: f64,
    /// Σ (r − r̂)².
    pub squared: f64,
    /// Σ |r − r̂|.
    pub absolute: f64,
}

impl Sums {
    /// Adds one rating.
    pub fn add(&mut self, loss: f64, rating: f64, prediction: f64) {
        let residual = rating - prediction;
        self.count += 1;
        self.loss += loss;
        self.squared += residual * residual;
        self.absolute += residual.abs();
    }

    /// The metrics; `None` without ratings.
    pub fn scores(&self) -> Option<Scores> {
        let mean = |sum: f64| sum / self.count as f64;
        (self.count > 0).then(|| Scores {
            count: self.count,
            loss: mean(self.loss),
            rmse: mean(self.squared).sqrt(),
            mae: mean(self.absolute),
        })
    }
}

/// Metrics of one split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of ratings.
    pub count: u64,
    /// [`Metric::Loss`].
    pub loss: f64,
    /// [`Metric::Rmse`].
    pub rmse: f64,
    /// [`Metric::Mae`].
    pub mae: f64,
}

impl Scores {
    /// The value of one metric.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Loss => self.loss,
            Metric::Rmse => self.rmse,
            Metric::Mae => self.mae,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_a_case_by_hand() {
        let mut sums = Sums::default();
        for (rating, prediction) in [(3.0, 2.0), (1.0, 4.0), (5.0, 5.0), (2.0, 4.0)] {
            sums.add(1.0, rating, prediction);
        }
        let scores = sums.scores().expect("four ratings");
        assert_eq!(scores, Scores { count: 4, loss: 1.0, rmse: 3.5_f64.sqrt(), mae: 1.5 });
        assert_eq!(Sums::default().scores(), None);
    }

    #[test]
    fn an_improvement_must_exceed_the_margin() {
        assert!(Metric::Rmse.improves(0.9, 1.0, 0.05));
        assert!(!Metric::Rmse.improves(0.96, 1.0, 0.05));
        assert!(!Metric::Rmse.improves(f64::NAN, 1.0, 0.0));
    }
}
