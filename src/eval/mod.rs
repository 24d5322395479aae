//! Models on splits: predictions, metrics, top-N lists, and what happens to ids that training never saw. And what
//! factors are judged by where there is nothing to predict: neighbours, coherence, pictures.

mod baseline;
pub mod coherence;
pub mod neighbours;
pub mod psnr;
mod recommend;

use burn::tensor::Device;

pub use baseline::Baseline;
pub use recommend::top_n;

use crate::data::batch::Batch;
use crate::data::{Ratings, UNKNOWN};
use crate::device::to_vec;
use crate::loss::{Loss, PointwiseLoss};
use crate::metric::Sums;
use crate::model::Factorization;

/// Pairs scored at once: large enough to keep a device busy, small enough to bound memory.
const CHUNK: usize = 1 << 16;

/// Everything beside the model that a prediction depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    /// Gives the link from scores to predictions, and the loss that is reported.
    pub loss: Loss,
    /// Predictions are limited to this range, that of the training ratings; `None` leaves them as they are.
    pub clip: Option<(f32, f32)>,
    /// Predicts pairs with an id that training never saw.
    pub baseline: Baseline,
}

/// Predictions for the ratings of a split, and how good they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One prediction a rating, in the order of the split.
    pub predictions: Vec<f32>,
    /// Sums of all metrics, fallback predictions included.
    pub sums: Sums,
    /// Ratings whose user was not in training.
    pub unknown_users: usize,
    /// Ratings whose item was not in training.
    pub unknown_items: usize,
}

impl Predictor {
    /// Predictions for pairs of indices. A pair with an [`UNKNOWN`] index gets the [`Baseline`]'s prediction.
    pub fn predict<M: Factorization>(&self, model: &M, device: &Device, users: &[u32], items: &[u32]) -> Vec<f32> {
        let scores = self.scores(model, device, users, items);
        (0..users.len()).map(|at| self.prediction(scores[at], users[at], items[at]) as f32).collect()
    }

    /// Predicts a split and sums up its metrics.
    pub fn evaluate<M: Factorization>(&self, model: &M, device: &Device, ratings: &Ratings) -> Evaluation {
        let scores = self.scores(model, device, &ratings.users, &ratings.items);
        let mut evaluation = Evaluation::default();
        for (at, &score) in scores.iter().enumerate() {
            let (user, item, rating) = (ratings.users[at], ratings.items[at], f64::from(ratings.values[at]));
            let prediction = self.prediction(score, user, item);
            let score = if score.is_nan() && is_unknown(user, item) {
                self.loss.score(self.baseline.predict(user, item))
            } else {
                f64::from(score)
            };
            evaluation.sums.add(self.loss.value(score, rating), rating, prediction);
            evaluation.unknown_users += usize::from(user == UNKNOWN);
            evaluation.unknown_items += usize::from(item == UNKNOWN);
            evaluation.predictions.push(prediction as f32);
        }
        evaluation
    }

    /// Metrics of always predicting the mean, and of the [`Baseline`].
    pub fn baselines(&self, ratings: &Ratings) -> (Sums, Sums) {
        let sums = |predict: &dyn Fn(usize) -> f64| {
            let mut sums = Sums::default();
            for (at, &rating) in ratings.values.iter().enumerate() {
                let prediction = self.limit(predict(at));
                let loss = self.loss.value(self.loss.score(prediction), f64::from(rating));
                sums.add(loss, f64::from(rating), prediction);
            }
            sums
        };
        let biases = |at: usize| self.baseline.predict(ratings.users[at], ratings.items[at]);
        (sums(&|_| self.baseline.global_mean), sums(&biases))
    }

    /// r̂ from a model's score, limited to the rating range.
    pub fn prediction(&self, score: f32, user: u32, item: u32) -> f64 {
        self.limit(if is_unknown(user, item) {
            self.baseline.predict(user, item)
        } else {
            self.loss.prediction(f64::from(score))
        })
    }

    fn limit(&self, prediction: f64) -> f64 {
        match self.clip {
            // `clamp` would turn NaN into nothing and hide a broken model: NaN stays NaN.
            Some((low, high)) => prediction.clamp(f64::from(low), f64::from(high)),
            None => prediction,
        }
    }

    /// Scores in chunks; NaN where an index is unknown (those never reach the model).
    fn scores<M: Factorization>(&self, model: &M, device: &Device, users: &[u32], items: &[u32]) -> Vec<f32> {
        let mut scores = Vec::with_capacity(users.len());
        for (users, items) in users.chunks(CHUNK).zip(items.chunks(CHUNK)) {
            let known: Vec<usize> = (0..users.len()).filter(|&at| !is_unknown(users[at], items[at])).collect();
            let pick = |column: &[u32]| known.iter().map(|&at| column[at]).collect::<Vec<_>>();
            let start = scores.len();
            scores.resize(start + users.len(), f32::NAN);
            if known.is_empty() {
                continue;
            }
            let batch = Batch::new(&pick(users), &pick(items), &vec![0.0; known.len()], device);
            for (&at, score) in known.iter().zip(to_vec(model.forward(&batch))) {
                scores[start + at] = score;
            }
        }
        scores
    }
}

fn is_unknown(user: u32, item: u32) -> bool {
    user == UNKNOWN || item == UNKNOWN
}
