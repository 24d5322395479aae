//! Logistic loss with sampled negatives (He, Liao, Zhang, Nie, Hu & Chua 2017, eq. 7): −log σ(s_ui) − Σ_j log(1 − σ(s_uj))
//! over the candidates j.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;

use super::bpr::softplus;
use super::loss::{RankingLoss, RankingPart};
use crate::config::Values;

/// The interaction is a 1, each candidate a 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledLogistic;

impl RankingLoss for SampledLogistic {
    fn forward(&self, scores: Tensor<2>) -> Tensor<1> {
        let [positions, width] = scores.dims();
        let own = log_sigmoid(scores.clone().slice([0..positions, 0..1]));
        let others = log_sigmoid(-scores.slice([0..positions, 1..width])).sum_dim(1);
        -(own + others).squeeze_dim(1)
    }

    fn value_and_slopes(&self, scores: &[f32], slopes: &mut [f32]) -> f64 {
        let (mut value, share) = softplus(-f64::from(scores[0]));
        slopes[0] = -share as f32;
        for (&score, slope) in scores[1..].iter().zip(&mut slopes[1..]) {
            let (loss, share) = softplus(score.into());
            value += loss;
            *slope = share as f32;
        }
        value
    }
}

impl RankingPart for SampledLogistic {
    const NAME: &'static str = "sampled-logistic";
    const CANDIDATES: usize = 4;
    const LAMBDA: &str = "0.002";

    fn of(_: &Values) -> Self {
        Self
    }
}
