//! Multi-layer perceptron on concatenated factors: ŝ_ui = μ + b_u + b_i + hᵀ φ_L(… φ_1([p_u; q_i]))
//! (He et al. 2017, eq. 10).
//!
//! φ_l(z) = ReLU(W_lᵀ z + b_l). The paper's tower halves from layer to layer; any widths are allowed here. μ, b_u and
//! b_i are not in the paper: see [`Gmf`](super::Gmf).

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use super::factorization::{Factorization, with_biases};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, dropout, dropout_key, layers_key, rank_key};
use super::table::Table;
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::error::Result;

/// Size and start of an [`Mlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Number of latent factors per user and item; the first layer sees twice as many inputs.
    pub rank: usize,
    /// Widths of the hidden layers, in order.
    pub layers: Vec<usize>,
    /// Share of the network's input and of the units of each hidden layer that a step of training drops.
    #[serde(default)]
    pub dropout: f64,
    /// Initial distribution of the factors.
    pub init: FactorInit,
    /// Whether b_u + b_i are part of the score; false is the paper's model.
    pub biases: bool,
}

/// Multi-layer perceptron on user and item factors.
#[derive(Module, Debug)]
pub struct Mlp {
    /// P: `[num_users, rank]`.
    pub user_factors: Table,
    /// Q: `[num_items, rank]`.
    pub item_factors: Table,
    /// W_l: `[width of layer l − 1, width of layer l]`, b_l.
    pub hidden: Vec<Linear>,
    /// h: `[last width, 1]` and a bias.
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

impl MlpConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> Mlp {
        let factors = |name, field| start.factors(name, field, self.rank, self.init, false);
        let (hidden, last) = hidden_layers(start, "hidden", 2 * self.rank, &self.layers);
        Mlp {
            user_factors: factors("user_factors", USER),
            item_factors: factors("item_factors", ITEM),
            hidden,
            output: start.layer("output", last, 1),
            user_biases: self.biases.then(|| start.biases(USER)),
            item_biases: self.biases.then(|| start.biases(ITEM)),
            global_mean: start.offset(),
            dropout: self.dropout,
        }
    }
}

impl Factorization for Mlp {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let pair = Tensor::cat(vec![self.user_factors.gather(batch, USER), self.item_factors.gather(batch, ITEM)], 1); // [batch, 2 rank]
        let top = tower(&self.hidden, pair, batch, self.dropout); // [batch, last width]
        let score = with_biases(self.output.forward(top), [&self.user_biases, &self.item_biases], batch); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        [&self.user_factors, &self.item_factors].into_iter().chain(&self.user_biases).chain(&self.item_biases).collect()
    }

    fn layers(&self) -> Vec<&Linear> {
        self.hidden.iter().chain([&self.output]).collect()
    }
}

/// Weights of the layers of the given widths above `inputs`.
pub(super) fn size_of_layers(inputs: usize, widths: &[usize]) -> usize {
    let below = [inputs].into_iter().chain(widths.iter().copied());
    below.zip(widths).map(|(below, width)| below * width).sum()
}

/// Layers of the given widths above `inputs`, and the width of the last.
pub(super) fn hidden_layers(start: &Start, name: &str, inputs: usize, widths: &[usize]) -> (Vec<Linear>, usize) {
    let mut last = inputs;
    let layers = widths
        .iter()
        .enumerate()
        .map(|(l, &width)| start.layer(&format!("{name}.{l}"), std::mem::replace(&mut last, width), width))
        .collect();
    (layers, last)
}

/// φ_L(… φ_1(z)); in training, a share `dropout` of z and of the units of each layer is dropped.
pub(super) fn tower(hidden: &[Linear], z: Tensor<2>, batch: &Batch, dropout: f64) -> Tensor<2> {
    let z = batch.dropped("input", z, dropout);
    hidden
        .iter()
        .enumerate()
        .fold(z, |z, (l, layer)| batch.dropped(&format!("hidden.{l}"), activation::relu(layer.forward(z)), dropout))
}

impl ModelPart for Mlp {
    const NAME: &'static str = "mlp";
    const DECLARATION: Declaration = Declaration { has_biases: true, has_layers: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and([layers_key(), dropout_key()]).and(FactorInit::keys())
    }

    fn least_size(values: &Values) -> usize {
        size_of_layers(2 * values.get::<usize>("model.rank"), &values.get::<Vec<usize>>("model.layers"))
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        // Ratings need biases; the paper's model without them is available only in the library.
        let config = MlpConfig {
            rank: values.get("model.rank"),
            layers: values.get("model.layers"),
            dropout: dropout(values),
            init: FactorInit::of(values),
            biases: true,
        };
        Ok(config.init(start))
    }
}
