//! Generalized matrix factorization: ŝ_ui = μ + b_u + b_i + c + hᵀ(p_u ∘ q_i)   (He et al. 2017, eq. 9).
//!
//! The paper's output activation a_out is the loss's link here (identity for squared loss, sigmoid for logistic). The
//! paper ranks items and has no offsets; explicit ratings need them, so μ is frozen and `biases` adds b_u + b_i.
//!
//! Where both sides are the same, as the nodes of a graph are, P and Q can be one table: then the score is symmetric, and h has
//! the place of eigenvalues, of either sign, so that nodes may also be joined because they are unlike (Hoff 2008).

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::factorization::{Factorization, with_biases};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, rank_key};
use super::table::Table;
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::batch::Batch;
use crate::data::{FieldId, ITEM, PAIR, USER};
use crate::error::{Error, Result};

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
    /// Whether both sides have the same factors and biases.
    pub symmetric: bool,
}

/// Generalized matrix factorization.
#[derive(Module, Debug)]
pub struct Gmf {
    /// P: `[num_users, rank]`.
    pub user_factors: Table,
    /// Q: `[num_items, rank]`; `None` if it is P.
    pub item_factors: Option<Table>,
    /// h: `[rank, 1]` and c: `[1]`.
    pub output: Linear,
    /// b_u `[num_users, 1]` and b_i `[num_items, 1]`, if there are biases.
    pub user_biases: Option<Table>,
    /// See `user_biases`; `None` also if they are b_u.
    pub item_biases: Option<Table>,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

/// `model.symmetric`.
const SYMMETRIC: &str = "model.symmetric";

impl GmfConfig {
    /// The model before training.
    ///
    /// # Errors
    /// [`Error::Usage`] for a symmetric model of data whose sides are not the same.
    pub fn init(&self, start: &Start) -> Result<Gmf> {
        if self.symmetric && start.frame[USER].entity != start.frame[ITEM].entity {
            return Err(Error::Usage(format!(
                "{SYMMETRIC} = true needs data whose two sides are the same, as data.format = \"edges\" has them"
            )));
        }
        let users = if self.symmetric { &PAIR[..] } else { &PAIR[..1] };
        let of_items = !self.symmetric;
        let factors = |name, fields| start.tied_factors(name, fields, self.rank, self.init, false);
        Ok(Gmf {
            user_factors: factors("user_factors", users),
            item_factors: of_items.then(|| factors("item_factors", &[ITEM])),
            output: if self.symmetric { self.eigenvalues(start) } else { start.layer("output", self.rank, 1) },
            user_biases: self.biases.then(|| start.tied_biases(users)),
            item_biases: (self.biases && of_items).then(|| start.biases(ITEM)),
            global_mean: start.offset(),
        })
    }
}

/// One factor in so many joins unlike nodes at the start of a symmetric model.
const UNLIKE: usize = 4;

impl GmfConfig {
    /// h of a symmetric model: 1, and −1 for every fourth factor. From small values of random sign it takes twice as many epochs
    /// to a worse end (measured on protein interactions).
    fn eigenvalues(&self, start: &Start) -> Linear {
        let value = |factor: usize| match start.seed {
            None => 0.0,
            Some(_) if factor % UNLIKE == UNLIKE - 1 => -1.0,
            Some(_) => 1.0_f32,
        };
        let values: Vec<f32> = (0..self.rank).map(value).collect();
        Linear {
            weight: Param::from_data(TensorData::new(values, [self.rank, 1]), start.device),
            bias: Some(Param::from_data(TensorData::new(vec![0.0_f32], [1]), start.device)),
        }
    }
}

impl Gmf {
    /// Factors of users and of items.
    fn factors(&self) -> [&Table; 2] {
        [&self.user_factors, self.item_factors.as_ref().unwrap_or(&self.user_factors)]
    }

    /// Biases of users and of items.
    fn biases(&self) -> [&Option<Table>; 2] {
        let of_items = if self.item_factors.is_some() { &self.item_biases } else { &self.user_biases };
        [&self.user_biases, of_items]
    }
}

impl Factorization for Gmf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let [users, items] = self.factors();
        let product = users.gather(batch, USER) * items.gather(batch, ITEM); // [batch, rank]
        let score = with_biases(self.output.forward(product), self.biases(), batch); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        let side = PAIR.iter().position(|own| *own == field)?;
        let (other, [asked, given]) = (PAIR[1 - side], [side, 1 - side].map(|side| self.factors()[side]));
        let weighted = given.gather(queries, other) * self.output.weight.val().transpose(); // [queries, rank]
        let product = weighted.matmul(asked.all_rows(queries).transpose()); // [queries, rows]
        let [of_asked, of_given] = [side, 1 - side].map(|side| self.biases()[side].as_ref());
        let biases = [
            self.output.bias.as_ref().map(|bias| bias.val().reshape([1, 1])),
            of_given.map(|biases| biases.gather(queries, other)), // [queries, 1]
            of_asked.map(|biases| biases.all_rows(queries).transpose()), // [1, rows]
        ];
        let scores = biases.into_iter().flatten().fold(product, |sum, bias| sum + bias);
        Some(scores + self.global_mean.val().reshape([1, 1]))
    }

    fn tables(&self) -> Vec<&Table> {
        let factors = [&self.user_factors].into_iter().chain(&self.item_factors);
        factors.chain(&self.user_biases).chain(&self.item_biases).collect()
    }

    fn layers(&self) -> Vec<&Linear> {
        vec![&self.output]
    }
}

impl ModelPart for Gmf {
    const NAME: &'static str = "gmf";
    const DECLARATION: Declaration = Declaration { has_biases: true, has_layers: true, ..Declaration::NONE };

    fn keys() -> Keys {
        let meaning = "Whether both sides have the same factors and biases, so that the score is symmetric: for data whose sides \
                       are the same, such as the nodes of a graph. Their penalties are those of user factors and biases. Not, \
                       if absent.";
        Keys::new([rank_key(), Key::new(SYMMETRIC, KeyKind::Bool, meaning)]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        // Ratings need biases; the paper's model without them is available only in the library.
        let config = GmfConfig {
            rank: values.get("model.rank"),
            init: FactorInit::of(values),
            biases: true,
            symmetric: values.find(SYMMETRIC).unwrap_or(false),
        };
        config.init(start)
    }
}
