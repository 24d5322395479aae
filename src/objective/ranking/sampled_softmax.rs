//! Sampled softmax (Bengio & Senécal 2008; Jean, Cho, Memisevic & Bengio 2015):
//! −s_ui + log(e^s_ui + Σ_j e^(s_uj − log min(1, n q_uj))) over n candidates j, each drawn with probability q_uj among the
//! items that the user has not met. The sum over candidates estimates the one over all unseen items, nearly without bias if
//! few of them are drawn, so that the loss tends to −log softmax of the interaction among these.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use super::loss::{RankingLoss, RankingPart};
use crate::config::Values;

/// Softmax over the interaction and its candidates; the correction for how candidates are drawn is in their scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledSoftmax;

impl RankingLoss for SampledSoftmax {
    fn forward(&self, scores: Tensor<2>) -> Tensor<1> {
        let positions = scores.dims()[0];
        -log_softmax(scores, 1).slice([0..positions, 0..1]).squeeze_dim(1)
    }

    fn value_and_slopes(&self, scores: &[f32], slopes: &mut [f32]) -> f64 {
        let largest = scores.iter().fold(f32::NEG_INFINITY, |largest, &score| largest.max(score));
        let mut sum = 0.0;
        for (&score, slope) in scores.iter().zip(&mut *slopes) {
            let power = f64::from(score - largest).exp();
            sum += power;
            *slope = power as f32;
        }
        slopes.iter_mut().for_each(|slope| *slope = (f64::from(*slope) / sum) as f32);
        slopes[0] -= 1.0;
        sum.ln() - f64::from(scores[0] - largest)
    }

    fn is_corrected(&self) -> bool {
        true
    }
}

impl RankingPart for SampledSoftmax {
    const NAME: &'static str = "sampled-softmax";
    const CANDIDATES: usize = 64;
    const LAMBDA: &str = "0.002";

    fn of(_: &Values) -> Self {
        Self
    }
}
