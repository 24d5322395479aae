//! Biased matrix factorization: r̂_ui = μ + b_u + b_i + p_uᵀ q_i   (Koren, Bell & Volinsky 2009, eq. 4).
//!
//! Implicit feedback (the N(u) sum of SVD++) and time are not modelled.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

use super::declaration::{Declaration, rank_key};
use super::factorization::Factorization;
use super::init::{FactorInit, Start};
use super::table::{Group, Table};
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::device::to_vec;

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
    /// What such a model is, before there is one.
    pub(super) const DECLARATION: Declaration =
        Declaration { is_dot_product: true, has_biases: true, ..Declaration::NONE };

    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys())
    }

    /// The size and start that a config asks for.
    pub(super) fn of(values: &Values) -> Self {
        Self { rank: values.get("model.rank"), init: FactorInit::of(values) }
    }

    /// The model before training.
    pub fn init(&self, start: &Start) -> BiasedMf {
        let factors = |name, group| start.factors(name, group, self.rank, self.init, false);
        BiasedMf {
            user_factors: factors("user_factors", Group::USER_FACTORS),
            item_factors: factors("item_factors", Group::ITEM_FACTORS),
            user_biases: start.biases(Group::USER_BIASES),
            item_biases: start.biases(Group::ITEM_BIASES),
            global_mean: start.offset(),
        }
    }
}

impl Factorization for BiasedMf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let b_u = self.user_biases.gather(batch); // [batch, 1]
        let b_i = self.item_biases.gather(batch); // [batch, 1]
        let interaction = self.user_factors.dot(&self.item_factors, batch); // [batch, 1]
        self.global_mean.val() + (b_u + b_i + interaction).squeeze_dim(1) // [batch]
    }

    fn forward_all(&self, users: Tensor<1, Int>) -> Option<Tensor<2>> {
        let p = self.user_factors.rows.val().select(0, users.clone()); // [users, rank]
        let b_u = self.user_biases.rows.val().select(0, users); // [users, 1]
        let b_i = self.item_biases.rows.val().transpose(); // [1, num_items]
        let interaction = p.matmul(self.item_factors.rows.val().transpose()); // [users, num_items]
        Some(interaction + b_u + b_i + self.global_mean.val().unsqueeze())
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors, &self.user_biases, &self.item_biases]
    }

    fn dot_product(&self) -> Option<f32> {
        Some(to_vec(self.global_mean.val())[0])
    }
}
