//! Biased matrix factorization: r̂_ui = μ + b_u + b_i + p_uᵀ q_i   (Koren, Bell & Volinsky 2009, eq. 4).
//!
//! What users rated at all is part of [`SvdPp`](super::SvdPp).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factored, Factorization, Term};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, draws_key, rank_key, rank_of_draws};
use super::table::Table;
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::device::to_vec;
use crate::error::Result;

/// Size and start of a [`BiasedMf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BiasedMfConfig {
    /// Number of latent factors per user and item (k in the papers).
    pub rank: usize,
    /// Initial distribution of the factors; biases start from damped means.
    pub init: FactorInit,
}

/// Biased matrix factorization.
#[derive(Module, Debug)]
pub struct BiasedMf {
    /// P: `[num_users, rank]`.
    pub user_factors: Table,
    /// Q: `[num_items, rank]`.
    pub item_factors: Table,
    /// b_u: `[num_users, 1]`.
    pub user_biases: Table,
    /// b_i: `[num_items, 1]`.
    pub item_biases: Table,
    /// μ: `[1]`, frozen. A parameter, so that it is saved with the weights.
    pub global_mean: Param<Tensor<1>>,
}

impl BiasedMfConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> BiasedMf {
        let factors = |name, field| start.factors(name, field, self.rank, self.init, false);
        BiasedMf {
            user_factors: factors("user_factors", USER),
            item_factors: factors("item_factors", ITEM),
            user_biases: start.biases(USER),
            item_biases: start.biases(ITEM),
            global_mean: start.offset(),
        }
    }
}

impl Factorization for BiasedMf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let b_u = self.user_biases.gather(batch, USER); // [batch, 1]
        let b_i = self.item_biases.gather(batch, ITEM); // [batch, 1]
        let interaction = self.user_factors.dot(USER, &self.item_factors, ITEM, batch); // [batch, 1]
        self.global_mean.val() + (b_u + b_i + interaction).squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors, &self.user_biases, &self.item_biases]
    }

    fn factored(&self) -> Option<Factored<'_>> {
        let users = Term::new(USER, &self.user_factors, Some(&self.user_biases));
        let items = Term::new(ITEM, &self.item_factors, Some(&self.item_biases));
        Some(Factored { offset: to_vec(self.global_mean.val())[0], terms: vec![users, items] })
    }
}

impl ModelPart for BiasedMf {
    const NAME: &'static str = "biased-mf";
    const DECLARATION: Declaration =
        Declaration { is_dot_product: true, is_factored: true, has_biases: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key(), draws_key()]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let config = BiasedMfConfig { rank: rank_of_draws(values), init: FactorInit::of(values) };
        Ok(config.init(start))
    }
}
