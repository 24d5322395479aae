//! Bayesian personalized ranking (Rendle, Freudenthaler, Gantner & Schmidt-Thieme 2009, BPR-Opt):
//! −Σ_j log σ(s_ui − s_uj) over the candidates j.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;

use super::loss::{RankingLoss, RankingPart};
use crate::config::Values;

/// BPR: each candidate should score less than the interaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bpr;

impl RankingLoss for Bpr {
    fn forward(&self, scores: Tensor<2>) -> Tensor<1> {
        let [positions, width] = scores.dims();
        let own = scores.clone().slice([0..positions, 0..1]);
        let others = scores.slice([0..positions, 1..width]);
        -log_sigmoid(own - others).sum_dim(1).squeeze_dim(1)
    }

    fn value_and_slopes(&self, scores: &[f32], slopes: &mut [f32]) -> f64 {
        let (mut value, mut own) = (0.0, 0.0);
        for (&score, slope) in scores[1..].iter().zip(&mut slopes[1..]) {
            let difference = f64::from(scores[0]) - f64::from(score);
            let (loss, share) = softplus(-difference);
            value += loss;
            own -= share;
            *slope = share as f32;
        }
        slopes[0] = own as f32;
        value
    }
}

impl RankingPart for Bpr {
    const NAME: &'static str = "bpr";
    const CANDIDATES: usize = 1;
    const LAMBDA: &str = "0.002";

    fn of(_: &Values) -> Self {
        Self
    }
}

/// log(1 + eˣ) and its slope σ(x), finite for every finite x.
pub(super) fn softplus(x: f64) -> (f64, f64) {
    let small = (-x.abs()).exp();
    let sigmoid = if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    (x.max(0.0) + small.ln_1p(), sigmoid)
}
