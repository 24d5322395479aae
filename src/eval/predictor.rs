//! Models on interactions: scores, predictions, and what happens to ids that training never saw.

use std::sync::Arc;

use burn::tensor::Device;

use super::baseline::Baseline;
use crate::data::batch::Samples;
use crate::data::{FieldId, ITEM, Interactions, UNKNOWN, USER};
use crate::device::to_vec;
use crate::metric::{Metrics, Pair, Tally};
use crate::model::AnyModel;
use crate::objective::Objective;

/// Interactions scored at once: large enough to keep a device busy, small enough to bound memory.
const CHUNK: usize = 1 << 16;

/// Everything that a prediction depends on beside the model.
#[derive(Debug, Clone)]
pub struct Predictor {
    /// Provides the link from scores to predictions, and the reported loss.
    pub objective: Arc<dyn Objective>,
    /// The range that predictions are clipped to, that of the training targets; `None` for no clipping.
    pub clip: Option<(f32, f32)>,
    /// Predicts interactions that the model cannot score.
    pub baseline: Baseline,
}

impl Predictor {
    /// Predictions for rows of indices. One with an [`UNKNOWN`] index gets the [`Baseline`]'s, unless the model can score
    /// it.
    pub fn predict(&self, model: &AnyModel, device: &Device, rows: &Interactions) -> Vec<f32> {
        let scores = self.scores(model, device, rows);
        (0..rows.len()).map(|at| self.prediction(scores[at], rows, at) as f32).collect()
    }

    /// Predictions for interactions, added to `tally` with the targets.
    pub fn evaluate(&self, model: &AnyModel, device: &Device, rows: &Interactions, tally: &mut Tally) -> Vec<f32> {
        let scores = self.scores(model, device, rows);
        let loss = self.objective.pointwise();
        let mut predictions = Vec::with_capacity(rows.len());
        in_pieces(rows.len(), tally, |at| {
            let target = f64::from(rows.targets[at]);
            let (score, prediction) = match scores[at].map(f64::from) {
                Some(score) => (score, loss.map_or(score, |loss| loss.prediction(score))),
                None => {
                    let prediction = self.of_baseline(rows, at);
                    (self.objective.score(prediction), prediction)
                }
            };
            let prediction = self.limit(prediction);
            predictions.push(prediction as f32);
            Pair { target, prediction, loss: loss.map(|loss| loss.value(score, target)) }
        });
        predictions
    }

    /// Tallies of always predicting the mean, and of the [`Baseline`].
    pub fn baselines(&self, rows: &Interactions, metrics: &Metrics) -> [Tally; 2] {
        let tally = |predict: &dyn Fn(usize) -> f64| {
            let mut tally = Tally::new(metrics);
            let loss = self.objective.pointwise();
            in_pieces(rows.len(), &mut tally, |at| {
                let (target, prediction) = (f64::from(rows.targets[at]), self.limit(predict(at)));
                let loss = loss.map(|loss| loss.value(self.objective.score(prediction), target));
                Pair { target, prediction, loss }
            });
            tally
        };
        [tally(&|_| self.baseline.global_mean), tally(&|at| self.of_baseline(rows, at))]
    }

    /// r̂ of a score, clipped to the range of the training targets.
    pub fn of_score(&self, score: f32) -> f64 {
        self.limit(self.objective.prediction(f64::from(score)))
    }

    fn prediction(&self, score: Option<f32>, rows: &Interactions, at: usize) -> f64 {
        score.map_or_else(|| self.limit(self.of_baseline(rows, at)), |score| self.of_score(score))
    }

    fn of_baseline(&self, rows: &Interactions, at: usize) -> f64 {
        self.baseline.predict(rows.column(USER)[at], rows.column(ITEM)[at])
    }

    fn limit(&self, prediction: f64) -> f64 {
        match self.clip {
            // `clamp` keeps NaN, so that a broken model is not hidden.
            Some((low, high)) => prediction.clamp(f64::from(low), f64::from(high)),
            None => prediction,
        }
    }

    /// Scores in chunks; `None` where an id is unknown and the model cannot score without it. Only interactions that the model can score
    /// reach it.
    pub(crate) fn scores(&self, model: &AnyModel, device: &Device, rows: &Interactions) -> Vec<Option<f32>> {
        let mut scores = Vec::with_capacity(rows.len());
        for start in (0..rows.len()).step_by(CHUNK) {
            let chunk = start..(start + CHUNK).min(rows.len());
            // Most chunks need no look at each of their interactions.
            let has_unknown = rows.columns.iter().any(|column| column[chunk.clone()].contains(&UNKNOWN));
            let can_be_scored: Vec<usize> =
                chunk.clone().filter(|&at| !has_unknown || can_score(model, rows, at)).collect();
            scores.resize(chunk.end, None);
            if can_be_scored.is_empty() {
                continue;
            }
            let columns = rows.columns.iter().map(|column| can_be_scored.iter().map(|&at| column[at]).collect());
            let samples = Arc::new(Samples::of_columns(columns.collect(), &rows.bags));
            for (&at, score) in can_be_scored.iter().zip(to_vec(model.forward(&samples.to_device(device)))) {
                scores[at] = Some(score);
            }
        }
        scores
    }
}

/// Adds `count` pairs to `tally`, one piece at a time: metrics get many at once, and few need to be kept.
fn in_pieces(count: usize, tally: &mut Tally, mut pair: impl FnMut(usize) -> Pair) {
    const PIECE: usize = 1024;
    let mut pairs = Vec::with_capacity(PIECE.min(count));
    for start in (0..count).step_by(PIECE) {
        // Pushed one by one: what `extend` makes of it copies each pair while its parts are still being written.
        (start..(start + PIECE).min(count)).for_each(|at| pairs.push(pair(at)));
        tally.add(&pairs);
        pairs.clear();
    }
}

/// Whether all ids are known, or the model can score without the unknown ones.
fn can_score(model: &AnyModel, rows: &Interactions, at: usize) -> bool {
    if rows.columns.iter().all(|column| column[at] != UNKNOWN) {
        return true;
    }
    let unknown: Vec<FieldId> =
        (0..rows.columns.len()).filter(|&field| rows.columns[field][at] == UNKNOWN).map(FieldId).collect();
    model.can_score(&unknown)
}
