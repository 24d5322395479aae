//! Generalized matrix factorization: ŝ_ui = μ + b_u + b_i + c + hᵀ(p_u ∘ q_i)   (He et al. 2017, eq. 9).
//!
//! The paper's output activation a_out is the loss's link here (identity for squared loss, sigmoid for logistic). The
//! paper ranks items and has no offsets; explicit ratings need them, so μ is frozen and `biases` adds b_u + b_i.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factorization, with_biases};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, rank_key};
use super::table::Table;
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::error::Result;

/// Size and start of a [`Gmf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GmfConfig {
    /// Number of latent factors per user and item.
    pub rank: usize,
    /// Initial distribution of the factors.
    pub init: FactorInit,
    /// Whether b_u + b_i are part of the score; false is the paper's model.
    pub biases: bool,
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
    /// b_u `[num_users, 1]` and b_i `[num_items, 1]`, if there are biases.
    pub user_biases: Option<Table>,
    /// See `user_biases`.
    pub item_biases: Option<Table>,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

impl GmfConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> Gmf {
        let factors = |name, field| start.factors(name, field, self.rank, self.init, false);
        Gmf {
            user_factors: factors("user_factors", USER),
            item_factors: factors("item_factors", ITEM),
            output: start.layer("output", self.rank, 1),
            user_biases: self.biases.then(|| start.biases(USER)),
            item_biases: self.biases.then(|| start.biases(ITEM)),
            global_mean: start.offset(),
        }
    }
}

impl Factorization for Gmf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let product = self.user_factors.gather(batch, USER) * self.item_factors.gather(batch, ITEM); // [batch, rank]
        let score = with_biases(self.output.forward(product), [&self.user_biases, &self.item_biases], batch); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        [&self.user_factors, &self.item_factors].into_iter().chain(&self.user_biases).chain(&self.item_biases).collect()
    }

    fn layers(&self) -> Vec<&Linear> {
        vec![&self.output]
    }
}

impl ModelPart for Gmf {
    const NAME: &'static str = "gmf";
    const DECLARATION: Declaration = Declaration { has_biases: true, has_layers: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        // Ratings need biases; the paper's model without them is available only in the library.
        let config = GmfConfig { rank: values.get("model.rank"), init: FactorInit::of(values), biases: true };
        Ok(config.init(start))
    }
}
