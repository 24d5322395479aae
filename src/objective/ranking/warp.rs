//! Weighted approximate-rank pairwise loss (Weston, Bengio & Usunier 2011): candidates are drawn until one, j, has
//! s_uj > s_ui − margin; the loss is then Φ(⌊N / draws⌋) · (margin − s_ui + s_uj) with Φ(k) = Σ_{l ≤ k} 1/l and N the number
//! of items that the user has not met, and 0 if none is found.

use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::loss::{RankingLoss, RankingPart};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::batch::Samples;
use crate::data::unseen::Unseen;
use crate::data::{ITEM, UNKNOWN, USER};
use crate::objective::negatives::ABSENT;

/// WARP: the fewer draws found a candidate that scores too high, the more it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    /// By how much an interaction should outscore every candidate.
    pub margin: f32,
}

impl RankingLoss for Warp {
    fn forward(&self, scores: Tensor<2>) -> Tensor<1> {
        let positions = scores.dims()[0];
        let own = scores.clone().slice([0..positions, 0..1]);
        let other = scores.slice([0..positions, 1..2]);
        relu(other - own + f64::from(self.margin)).squeeze_dim(1)
    }

    fn value_and_slopes(&self, scores: &[f32], slopes: &mut [f32]) -> f64 {
        let loss = f64::from(self.margin) + f64::from(scores[1]) - f64::from(scores[0]);
        let slope = if loss > 0.0 { 1.0 } else { 0.0 };
        (slopes[0], slopes[1]) = (-slope, slope);
        loss.max(0.0)
    }

    fn margin(&self) -> Option<f32> {
        Some(self.margin)
    }
}

impl RankingPart for Warp {
    const NAME: &'static str = "warp";
    const CANDIDATES: usize = 10;
    const LAMBDA: &str = "0.02";

    fn keys() -> Keys {
        let margin = "By how much an interaction should outscore every item that the user has not met.";
        Keys::new([Key::new("loss.margin", KeyKind::POSITIVE, margin).default("1.0")])
    }

    fn of(values: &Values) -> Self {
        Self { margin: values.get::<f64>("loss.margin") as f32 }
    }
}

/// Φ(⌊`unseen` / `draws`⌋), Φ(k) = Σ_{l = 1}^{k} 1/l: the weight of a candidate found by the last of so many draws.
pub fn rank_weight(unseen: usize, draws: usize) -> f32 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let rank = (unseen / draws).max(1);
    if let Some(&weight) = FIRST_WEIGHTS.get(rank) {
        return weight;
    }
    // Here the expansion is exact in single precision.
    let rank = rank as f64;
    (rank.ln() + EULER + 0.5 / rank - 1.0 / (12.0 * rank * rank)) as f32
}

/// Φ of the first ranks, from 0.
const FIRST_WEIGHTS: [f32; 64] = {
    let (mut weights, mut sum, mut rank) = ([0.0; 64], 0.0, 1);
    while rank < weights.len() {
        sum += 1.0 / rank as f64;
        weights[rank] = sum as f32;
        rank += 1;
    }
    weights
};

/// The samples with one candidate each: the first that scores more than the interaction less `margin`, weighted by
/// [`rank_weight`], or an absent one.
pub(super) fn first_violating(
    samples: Samples,
    margin: f32,
    unseen: &Unseen,
    scorer: &dyn Fn(&Arc<Samples>) -> Vec<f32>,
) -> Samples {
    let samples = Arc::new(samples);
    let width = samples.draws;
    let scores = scorer(&samples);
    let (items, users) = (samples.column(ITEM), samples.column(USER));
    let mut columns = samples.columns.clone();
    let (mut chosen, mut offsets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for (position, (scores, items)) in scores.chunks_exact(width).zip(items.chunks_exact(width)).enumerate() {
        let drawn = (1..width).take_while(|&at| items[at] != UNKNOWN);
        let found = drawn.into_iter().find(|&at| scores[at] > scores[0] - margin);
        let weight = samples.weights.as_ref().map_or(1.0, |weights| weights[position]);
        chosen.extend([items[0], found.map_or(UNKNOWN, |at| items[at])]);
        offsets.extend([0.0, if found.is_some() { 0.0 } else { ABSENT }]);
        weights.push(weight * found.map_or(0.0, |draws| rank_weight(unseen.count(users[position]), draws)));
    }
    columns[ITEM.0] = chosen;
    Samples {
        columns,
        targets: samples.targets.clone(),
        weights: Some(weights),
        draws: 2,
        offsets: Some(offsets),
        bags: Arc::clone(&samples.bags),
        hidden: Vec::new(),
        dropout: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_weighs_the_sum_of_the_reciprocals_up_to_it() {
        assert_eq!(rank_weight(10, 10), 1.0);
        assert_eq!(rank_weight(3, 10), 1.0);
        assert_eq!(rank_weight(7, 2), 1.0 + 1.0 / 2.0 + 1.0 / 3.0);
        let slow = |rank: usize| (1..=rank).map(|place| 1.0 / place as f64).sum::<f64>() as f32;
        for rank in [63, 64, 65, 1000, 100_000] {
            assert!((rank_weight(rank, 1) - slow(rank)).abs() <= 1e-6 * slow(rank), "{rank}");
        }
    }
}
