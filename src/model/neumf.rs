//! Neural matrix factorization: a GMF and an MLP tower with tables of their own, joined by one last layer:
//! ŝ_ui = μ + b_u + b_i + hᵀ[p_u ∘ q_i; φ_L(… φ_1([m_u; n_i]))]   (He et al. 2017, eq. 12).
//!
//! The two towers can be trained first, as a `gmf` and an `mlp` that `model.start_from` names: the model then begins as the
//! mean of the two, h = [h_gmf; h_mlp] / 2   (section 3.4.1, α = ½). μ, b_u and b_i are not in the paper: see
//! [`Gmf`].

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factorization, with_biases};
use super::gmf::Gmf;
use super::init::{FactorInit, Start};
use super::mlp::{Mlp, hidden_layers, size_of_layers, tower};
use super::parameters::{ByName, HostTensor};
use super::part::{Declaration, ModelPart, dropout, dropout_key, layers_key, rank_key};
use super::table::Table;
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::error::Result;

/// Number of latent factors in the MLP tower.
const MLP_RANK: &str = "model.mlp_rank";

fn mlp_rank(values: &Values) -> usize {
    values.find(MLP_RANK).unwrap_or_else(|| values.get("model.rank"))
}

/// Size and start of a [`NeuMf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuMfConfig {
    /// Number of latent factors per user and item in the GMF tower.
    pub rank: usize,
    /// The same in the MLP tower.
    pub mlp_rank: usize,
    /// Widths of the MLP tower's hidden layers, in order.
    pub layers: Vec<usize>,
    /// Share of the network's input and of the units of each hidden layer that a step of training drops.
    #[serde(default)]
    pub dropout: f64,
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
    /// M of the MLP tower: `[num_users, mlp_rank]`.
    pub mlp_user_factors: Table,
    /// N of the MLP tower: `[num_items, mlp_rank]`.
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
    /// Share of the network's input and of the units of each hidden layer that a step of training drops.
    pub dropout: f64,
}

impl NeuMfConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> NeuMf {
        let factors = |name, field, rank| start.factors(name, field, rank, self.init, false);
        let (hidden, last) = hidden_layers(start, "hidden", 2 * self.mlp_rank, &self.layers);
        NeuMf {
            gmf_user_factors: factors("gmf_user_factors", USER, self.rank),
            gmf_item_factors: factors("gmf_item_factors", ITEM, self.rank),
            mlp_user_factors: factors("mlp_user_factors", USER, self.mlp_rank),
            mlp_item_factors: factors("mlp_item_factors", ITEM, self.mlp_rank),
            hidden,
            output: start.layer("output", self.rank + last, 1),
            user_biases: self.biases.then(|| start.biases(USER)),
            item_biases: self.biases.then(|| start.biases(ITEM)),
            global_mean: start.offset(),
            dropout: self.dropout,
        }
    }
}

impl Factorization for NeuMf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let product = self.gmf_user_factors.gather(batch, USER) * self.gmf_item_factors.gather(batch, ITEM); // [batch, rank]
        let pair =
            Tensor::cat(vec![self.mlp_user_factors.gather(batch, USER), self.mlp_item_factors.gather(batch, ITEM)], 1); // [batch, 2 mlp_rank]
        let fused = Tensor::cat(vec![product, tower(&self.hidden, pair, batch, self.dropout)], 1); // [batch, rank + last width]
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

    const MADE_OF: &'static [&'static str] = &[Gmf::NAME, Mlp::NAME];

    fn keys() -> Keys {
        let meaning = "Number of latent factors of each user and item in the MLP tower; if absent, model.rank.";
        let mlp_rank = Key::new(MLP_RANK, KeyKind::Int(1..=4096), meaning);
        Keys::new([rank_key(), mlp_rank]).and([layers_key(), dropout_key()]).and(FactorInit::keys())
    }

    fn made_of(parts: &[ByName]) -> ByName {
        let [gmf, mlp] = parts else { return ByName::new() };
        let mut made = ByName::new();
        let is_of_rows = |name: &str| name.starts_with("user_factors") || name.starts_with("item_factors");
        for (tower, parameters) in [("gmf", gmf), ("mlp", mlp)] {
            let own = parameters.iter().filter(|(name, _)| is_of_rows(name));
            made.extend(own.map(|(name, values)| (format!("{tower}_{name}"), values.clone())));
        }
        for (name, of_mlp) in mlp.iter().filter(|(name, _)| !is_of_rows(name)) {
            let half = match gmf.get(name) {
                // The layers of the tower.
                None => of_mlp.clone(),
                Some(of_gmf) if name == "output.weight" => {
                    let weights = of_gmf.data.iter().chain(&of_mlp.data).map(|weight| weight / 2.0);
                    HostTensor { shape: vec![of_gmf.shape[0] + of_mlp.shape[0], 1], data: weights.collect() }
                }
                Some(of_gmf) => {
                    let pairs = of_gmf.data.iter().zip(&of_mlp.data);
                    HostTensor {
                        shape: of_gmf.shape.clone(),
                        data: pairs.map(|(one, other)| (one + other) / 2.0).collect(),
                    }
                }
            };
            made.insert(name.clone(), half);
        }
        made
    }

    fn least_size(values: &Values) -> usize {
        size_of_layers(2 * mlp_rank(values), &values.get::<Vec<usize>>("model.layers"))
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        // Ratings need biases; the paper's model without them is available only in the library.
        let config = NeuMfConfig {
            rank: values.get("model.rank"),
            mlp_rank: mlp_rank(values),
            layers: values.get("model.layers"),
            dropout: dropout(values),
            init: FactorInit::of(values),
            biases: true,
        };
        Ok(config.init(start))
    }
}
