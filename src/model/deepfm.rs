//! DeepFM: a factorization machine and a network that share their factors, ŝ(x) = μ + Σ_i w_i x_i + Σ_{i<j} ⟨v_i, v_j⟩ x_i x_j
//! + hᵀ φ_L(… φ_1([v_user; v_item; …]))   (Guo et al. 2017, eq. 1 to 4).
//!
//! The network sees the vector of each field: user, item and each column of the context, with the features of its row added to
//! it; `model.dropout` is the paper's.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::Factorization;
use super::field_tables::knows_pair;
use super::init::{FactorInit, Start};
use super::mlp::{hidden_layers, size_of_layers, tower};
use super::part::{Declaration, ModelPart, dropout, dropout_key, layers_key, rank_key};
use super::table::{NamedTables, Table};
use crate::config::{Keys, Values};
use crate::data::FieldId;
use crate::data::batch::Batch;
use crate::error::Result;

/// Size and start of a [`DeepFm`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeepFmConfig {
    /// Number of latent factors of everything that describes an interaction.
    pub rank: usize,
    /// Widths of the hidden layers, in order.
    pub layers: Vec<usize>,
    /// Share of the network's input and of the units of each hidden layer that a step of training drops.
    #[serde(default)]
    pub dropout: f64,
    /// Initial distribution of the factors.
    pub init: FactorInit,
}

/// Factorization machine and network.
#[derive(Module, Debug)]
pub struct DeepFm {
    /// v of each field, `[rows, rank]`, in the order of the fields, and then w of each, `[rows, 1]`.
    pub tables: NamedTables,
    /// W_l: `[width of layer l − 1, width of layer l]`, b_l; the first sees fields × rank numbers.
    pub hidden: Vec<Linear>,
    /// h: `[last width, 1]` and a bias.
    pub output: Linear,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
    /// Share of the network's input and of the units of each hidden layer that a step of training drops.
    pub dropout: f64,
}

impl DeepFmConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> DeepFm {
        let inputs = start.frame.fields.len() * self.rank;
        let (hidden, last) = hidden_layers(start, "hidden", inputs, &self.layers);
        DeepFm {
            tables: NamedTables::of_fields(start, self.rank, self.init),
            hidden,
            output: start.layer("output", last, 1),
            global_mean: start.offset(),
            dropout: self.dropout,
        }
    }
}

impl Factorization for DeepFm {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let top = tower(&self.hidden, Tensor::cat(self.tables.rows(batch), 1), batch, self.dropout); // [batch, last width]
        let score = self.output.forward(top) + self.tables.products(batch) + self.tables.linear(batch); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        self.tables.in_order()
    }

    fn layers(&self) -> Vec<&Linear> {
        self.hidden.iter().chain([&self.output]).collect()
    }

    fn can_score(&self, unknown: &[FieldId]) -> bool {
        knows_pair(unknown)
    }

    fn products_within(&self) -> Vec<(&Table, &Table)> {
        self.tables.by_field().map(|(_, factors, biases)| (factors, biases)).collect()
    }
}

impl ModelPart for DeepFm {
    const NAME: &'static str = "deepfm";
    const DECLARATION: Declaration =
        Declaration { has_biases: true, has_layers: true, uses_context: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and([layers_key(), dropout_key()]).and(FactorInit::keys())
    }

    fn least_size(values: &Values) -> usize {
        size_of_layers(2 * values.get::<usize>("model.rank"), &values.get::<Vec<usize>>("model.layers"))
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let config = DeepFmConfig {
            rank: values.get("model.rank"),
            layers: values.get("model.layers"),
            dropout: dropout(values),
            init: FactorInit::of(values),
        };
        Ok(config.init(start))
    }
}
