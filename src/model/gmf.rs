//! Generalized matrix factorization: ŝ_ui = μ + c + hᵀ(p_u ∘ q_i)   (He et al. 2017, eq. 9).
//!
//! The paper's output activation a_out is the loss's link here (identity for squared loss, sigmoid for logistic), and
//! μ is a frozen offset so that explicit ratings need not be learned from zero.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::Factorization;
use super::init::{FactorInit, Start};
use super::table::{Group, Table};
use crate::data::batch::Batch;

/// Size and start of a [`Gmf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GmfConfig {
    /// Number of latent factors per user and item.
    pub rank: usize,
    /// Initial distribution of the factors.
    pub init: FactorInit,
}

/// Generalized matrix factorization.
#[derive(Module, Debug)]
pub struct Gmf {
    /// P: `[num_users, rank]`.
    pub user_factors: Table,
    /// Q: `[num_items, rank]`.
    pub item_factors: Table,
    /// h: `[rank, 1]` and c: `[1]`.
    pub output: Linear,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

impl GmfConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> Gmf {
        let factors = |name, group| start.factors(name, group, self.rank, self.init, false);
        Gmf {
            user_factors: factors("user_factors", Group::USER_FACTORS),
            item_factors: factors("item_factors", Group::ITEM_FACTORS),
            output: start.layer("output", self.rank, 1),
            global_mean: start.offset(),
        }
    }
}

impl Factorization for Gmf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let product = self.user_factors.gather(batch) * self.item_factors.gather(batch); // [batch, rank]
        self.global_mean.val() + self.output.forward(product).squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors]
    }

    fn layers(&self) -> Vec<&Linear> {
        vec![&self.output]
    }
}
