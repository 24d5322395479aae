//! Neural matrix factorization: a GMF and an MLP tower with tables of their own, joined by one last layer:
//! ŝ_ui = μ + b_u + b_i + hᵀ[p_u ∘ q_i; φ_L(… φ_1([m_u; n_i]))]   (He et al. 2017, eq. 12).
//!
//! Trained from scratch; the paper's pre-training of the two towers is not done. μ, b_u and b_i are not in the paper:
//! see [`Gmf`](super::Gmf).

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factorization, with_biases};
use super::init::{FactorInit, Start};
use super::mlp::{hidden_layers, size_of_layers, tower};
use super::part::{Declaration, ModelPart, layers_key, rank_key};
use super::table::Table;
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::error::Result;

/// Size and start of a [`NeuMf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuMfConfig {
    /// Number of latent factors per user and item, in each tower.
    pub rank: usize,
    /// Widths of the MLP tower's hidden layers, in order.
    pub layers: Vec<usize>,
    /// Initial distribution of the factors.
    pub init: FactorInit,
    /// Whether b_u + b_i are part of the score; false is the paper's model.
    pub biases: bool,
}

/// Neural matrix factorization.
#[derive(Module, Debug)]
pub struct NeuMf {
    /// P of the GMF tower: `[num_users, rank]`.
    pub gmf_user_factors: Table,
    /// Q of the GMF tower: `[num_items, rank]`.
    pub gmf_item_factors: Table,
    /// M of the MLP tower: `[num_users, rank]`.
    pub mlp_user_factors: Table,
    /// N of the MLP tower: `[num_items, rank]`.
    pub mlp_item_factors: Table,
    /// W_l and b_l of the MLP tower.
    pub hidden: Vec<Linear>,
    /// h: `[rank + last width, 1]` and a bias.
    pub output: Linear,
    /// b_u `[num_users, 1]` and b_i `[num_items, 1]`, if there are biases.
    pub user_biases: Option<Table>,
    /// See `user_biases`.
    pub item_biases: Option<Table>,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

impl NeuMfConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> NeuMf {
        let factors = |name, field| start.factors(name, field, self.rank, self.init, false);
        let (hidden, last) = hidden_layers(start, "hidden", 2 * self.rank, &self.layers);
        NeuMf {
            gmf_user_factors: factors("gmf_user_factors", USER),
            gmf_item_factors: factors("gmf_item_factors", ITEM),
            mlp_user_factors: factors("mlp_user_factors", USER),
            mlp_item_factors: factors("mlp_item_factors", ITEM),
            hidden,
            output: start.layer("output", self.rank + last, 1),
            user_biases: self.biases.then(|| start.biases(USER)),
            item_biases: self.biases.then(|| start.biases(ITEM)),
            global_mean: start.offset(),
        }
    }
}

impl Factorization for NeuMf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let product = self.gmf_user_factors.gather(batch, USER) * self.gmf_item_factors.gather(batch, ITEM); // [batch, rank]
        let pair =
            Tensor::cat(vec![self.mlp_user_factors.gather(batch, USER), self.mlp_item_factors.gather(batch, ITEM)], 1); // [batch, 2 rank]
        let fused = Tensor::cat(vec![product, tower(&self.hidden, pair)], 1); // [batch, rank + last width]
        let score = with_biases(self.output.forward(fused), [&self.user_biases, &self.item_biases], batch); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        [&self.gmf_user_factors, &self.gmf_item_factors, &self.mlp_user_factors, &self.mlp_item_factors]
            .into_iter()
            .chain(&self.user_biases)
            .chain(&self.item_biases)
            .collect()
    }

    fn layers(&self) -> Vec<&Linear> {
        self.hidden.iter().chain([&self.output]).collect()
    }
}

impl ModelPart for NeuMf {
    const NAME: &'static str = "neumf";
    const DECLARATION: Declaration = Declaration { has_biases: true, has_layers: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and(layers_key()).and(FactorInit::keys())
    }

    fn least_size(values: &Values) -> usize {
        size_of_layers(2 * values.get::<usize>("model.rank"), &values.get::<Vec<usize>>("model.layers"))
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        // Ratings need biases; the paper's model without them is available only in the library.
        let config = NeuMfConfig {
            rank: values.get("model.rank"),
            layers: values.get("model.layers"),
            init: FactorInit::of(values),
            biases: true,
        };
        Ok(config.init(start))
    }
}
