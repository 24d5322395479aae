//! Neural factorization machine: ŝ(x) = μ + Σ_i w_i x_i + hᵀ φ_L(… φ_1(Σ_{a<b} v_a ∘ v_b)), a network above the products of all pairs
//! of fields, of which a factorization machine is the sum (He & Chua 2017, eq. 2 to 7).
//!
//! Fields are user, item and each column of the context. Features of a row are added to its vector: they have no products with
//! each other. `model.dropout` is the paper's, of the products and of each layer; its batch normalization is left out.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::Factorization;
use super::field_tables::{half_products, knows_pair, sum};
use super::init::{FactorInit, Start};
use super::mlp::{hidden_layers, size_of_layers, tower};
use super::part::{Declaration, ModelPart, dropout, dropout_key, layers_key, rank_key};
use super::table::{NamedTables, Table};
use crate::config::{Keys, Values};
use crate::data::FieldId;
use crate::data::batch::Batch;
use crate::error::Result;

/// Size and start of a [`Nfm`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NfmConfig {
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

/// Neural factorization machine.
#[derive(Module, Debug)]
pub struct Nfm {
    /// v of each field, `[rows, rank]`, in the order of the fields, and then w of each, `[rows, 1]`.
    pub tables: NamedTables,
    /// W_l: `[width of layer l − 1, width of layer l]`, b_l.
    pub hidden: Vec<Linear>,
    /// h: `[last width, 1]` and a bias.
    pub output: Linear,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
    /// Share of the network's input and of the units of each hidden layer that a step of training drops.
    pub dropout: f64,
}

impl NfmConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> Nfm {
        let (hidden, last) = hidden_layers(start, "hidden", self.rank, &self.layers);
        Nfm {
            tables: NamedTables::of_fields(start, self.rank, self.init),
            hidden,
            output: start.layer("output", last, 1),
            global_mean: start.offset(),
            dropout: self.dropout,
        }
    }
}

impl Factorization for Nfm {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let rows = self.tables.rows(batch); // each [batch, rank]
        let squares = sum(rows.iter().map(|row| row.clone().square()));
        let products = half_products(sum(rows.into_iter()), squares); // [batch, rank]
        let top = tower(&self.hidden, products, batch, self.dropout); // [batch, last width]
        let score = self.output.forward(top) + self.tables.linear(batch); // [batch, 1]
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
}

impl ModelPart for Nfm {
    const NAME: &'static str = "nfm";
    const DECLARATION: Declaration =
        Declaration { has_biases: true, has_layers: true, uses_context: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and([layers_key(), dropout_key()]).and(FactorInit::keys())
    }

    fn least_size(values: &Values) -> usize {
        size_of_layers(values.get("model.rank"), &values.get::<Vec<usize>>("model.layers"))
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let config = NfmConfig {
            rank: values.get("model.rank"),
            layers: values.get("model.layers"),
            dropout: dropout(values),
            init: FactorInit::of(values),
        };
        Ok(config.init(start))
    }
}
