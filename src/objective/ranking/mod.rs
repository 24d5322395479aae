//! Objectives that compare the score of an interaction with those of items that the user has not met.
//!
//! An interaction with a target above 0 is a positive, and counts with its weight, whatever its target; others only tell
//! what a user met, and have no loss. Candidates are drawn anew in each epoch, from
//! the seed, the epoch and the interaction's position alone, or from its batch with `in-batch`; items that the user met in training are never drawn.

mod bpr;
mod loss;
mod sampled_logistic;
mod sampled_softmax;
mod warp;

use std::sync::Arc;

use burn::tensor::Tensor;

pub use self::bpr::Bpr;
pub use self::loss::RankingLoss;
use self::loss::RankingPart;
pub use self::sampled_logistic::SampledLogistic;
pub use self::sampled_softmax::SampledSoftmax;
pub use self::warp::{Warp, rank_weight};
use super::kind::{Draw, LIST_METRICS, Objective, ObjectiveKind};
use super::negatives::Negatives;
use crate::data::Interactions;
use crate::data::batch::{Batch, Samples};

/// An objective by a [`RankingLoss`] and a way to draw candidates.
#[derive(Debug)]
pub struct Ranking {
    loss: Box<dyn RankingLoss>,
    negatives: Negatives,
}

/// The ranking objectives that configs can name, in the order of the documentation.
pub fn built_in() -> Vec<ObjectiveKind> {
    vec![kind::<Bpr>(), kind::<Warp>(), kind::<SampledSoftmax>(), kind::<SampledLogistic>()]
}

/// Candidates of an interaction by kind, unless the config says.
const COUNTS: [(&str, usize); 4] = [
    (Bpr::NAME, Bpr::CANDIDATES),
    (Warp::NAME, Warp::CANDIDATES),
    (SampledSoftmax::NAME, SampledSoftmax::CANDIDATES),
    (SampledLogistic::NAME, SampledLogistic::CANDIDATES),
];

fn kind<L: RankingPart>() -> ObjectiveKind {
    let keys = || {
        // Scores are compared with each other, not with targets, and start from nothing.
        Negatives::keys(&COUNTS)
            .and(L::keys())
            .default_for("evaluation.clip", "false")
            .default_for("evaluation.metrics", LIST_METRICS)
            .default_for("train.early_stopping.metric", "'ndcg@10'")
            .default_for("model.init_std", "0.01")
            .default_for("solver.regularization.<entity>_factors", L::LAMBDA)
            .default_for("solver.regularization.<entity>_biases", L::LAMBDA)
            .default_for("data.item_features.identity_dropout", "0.5")
    };
    ObjectiveKind::new(L::NAME, keys, |values| Ok(Arc::new(Ranking::new(L::of(values), Negatives::of(values)))))
}

impl Ranking {
    /// The objective of `loss` with candidates drawn by `negatives`.
    pub fn new(loss: impl RankingLoss, negatives: Negatives) -> Self {
        Self { loss: Box::new(loss), negatives }
    }

    /// The loss.
    pub fn loss(&self) -> &dyn RankingLoss {
        &*self.loss
    }

    /// How candidates are drawn.
    pub fn negatives(&self) -> &Negatives {
        &self.negatives
    }
}

/// The weight of an interaction as a positive.
pub(crate) fn weight_of_positive(target: f32, weight: Option<f32>) -> f32 {
    if target > 0.0 { weight.unwrap_or(1.0) } else { 0.0 }
}

/// The samples with weights of 0 where targets are not above 0.
fn only_positives(samples: Samples) -> Samples {
    if samples.targets.iter().all(|&target| target > 0.0) {
        return samples;
    }
    let own = |at: usize| samples.weights.as_ref().map(|weights| weights[at]);
    let weights = samples.targets.iter().enumerate().map(|(at, &target)| weight_of_positive(target, own(at)));
    Samples { weights: Some(weights.collect()), ..samples }
}

impl Objective for Ranking {
    fn draw(&self, train: &Interactions, positions: &[u64], draw: &Draw) -> Samples {
        let unseen = draw.unseen.expect("an objective with candidates is given what they are drawn from");
        let samples = only_positives(Samples::gather(train, positions));
        let samples = self.negatives.draw(samples, positions, unseen, (draw.seed, draw.epoch));
        let samples = if self.loss.is_corrected() { self.negatives.corrected(samples, unseen) } else { samples };
        match self.loss.margin() {
            None => samples,
            Some(margin) => warp::first_violating(samples, margin, unseen, draw.scorer),
        }
    }

    fn loss(&self, scores: Tensor<2>, batch: &Batch) -> Tensor<1> {
        let scores = match batch.offsets() {
            None => scores,
            Some(offsets) => scores + offsets.clone(),
        };
        let loss = self.loss.forward(scores);
        match batch.weights() {
            None => loss,
            Some(weights) => loss * weights.clone(),
        }
    }

    fn candidates(&self) -> Option<&Negatives> {
        Some(&self.negatives)
    }

    fn only_ranks(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::device::to_vec;
    use crate::objective::negatives::ABSENT;

    fn all() -> Vec<Box<dyn RankingLoss>> {
        vec![Box::new(Bpr), Box::new(Warp { margin: 1.0 }), Box::new(SampledSoftmax), Box::new(SampledLogistic)]
    }

    /// Rows of four scores; the last candidate of the second could not be drawn.
    const SCORES: [[f32; 4]; 4] =
        [[0.3, -0.2, 1.4, 0.1], [2.0, 0.5, -1.0, ABSENT], [-30.0, 30.0, 2.0, 1.0], [9.0, -9.0, 0.0, -40.0]];

    #[test]
    fn scalar_values_and_slopes_are_those_of_autodiff() {
        let device = Device::default().autodiff();
        for loss in all() {
            let width = if loss.margin().is_some() { 2 } else { 4 };
            let scores = Tensor::<2>::from_floats(SCORES, &device).slice([0..4, 0..width]).require_grad();
            let losses = loss.forward(scores.clone());
            let gradient =
                to_vec(scores.grad(&losses.clone().sum().backward()).expect("a gradient").flatten::<1>(0, 1));
            let losses = to_vec(losses.inner());
            for (row, of_row) in SCORES.iter().enumerate() {
                let mut slopes = vec![0.0; width];
                let value = loss.value_and_slopes(&of_row[..width], &mut slopes);
                assert!((value as f32 - losses[row]).abs() <= 1e-5 * losses[row].abs().max(1.0), "{loss:?} {row}");
                for (slope, expected) in slopes.iter().zip(&gradient[row * width..]) {
                    assert!((slope - expected).abs() < 1e-5, "{loss:?}, row {row}: {slope} and {expected}");
                }
            }
        }
    }

    #[test]
    fn an_absent_candidate_has_no_influence() {
        for loss in all().into_iter().filter(|loss| loss.margin().is_none()) {
            let mut slopes = [1.0; 2];
            let value = loss.value_and_slopes(&[0.4, ABSENT], &mut slopes);
            assert_eq!(slopes[1], 0.0, "{loss:?}");
            // What is left is the loss of the interaction alone.
            let mut alone = [1.0];
            assert_eq!((value, slopes[0]), (loss.value_and_slopes(&[0.4], &mut alone), alone[0]), "{loss:?}");
        }
    }
}
