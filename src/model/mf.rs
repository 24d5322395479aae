//! Matrix factorization: r̂_ui = p_uᵀ q_i, that is R ≈ P·Qᵀ   (Koren, Bell & Volinsky 2009, eq. 1).
//!
//! No offsets: the factors themselves have to carry the mean rating, which is what the `matched` start is for.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

use super::declaration::{Declaration, rank_key};
use super::factorization::Factorization;
use super::init::{FactorInit, Start};
use super::table::{Group, Table};
use crate::config::{Keys, Values};
use crate::data::batch::Batch;

/// Size and start of an [`Mf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfConfig {
    /// Number of latent factors per user and item (k in the papers).
    pub rank: usize,
    /// Initial distribution of the factors.
    pub init: FactorInit,
}

/// Matrix factorization.
#[derive(Module, Debug)]
pub struct Mf {
    /// P: `[num_users, rank]`.
    pub user_factors: Table,
    /// Q: `[num_items, rank]`.
    pub item_factors: Table,
}

impl MfConfig {
    /// What such a model is, before there is one.
    pub(super) const DECLARATION: Declaration = Declaration { is_dot_product: true, ..Declaration::NONE };

    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys()).default_for("model.init", "'matched'")
    }

    /// The size and start that a config asks for.
    pub(super) fn of(values: &Values) -> Self {
        Self { rank: values.get("model.rank"), init: FactorInit::of(values) }
    }

    /// The model before training.
    pub fn init(&self, start: &Start) -> Mf {
        let factors = |name, group| start.factors(name, group, self.rank, self.init, false);
        Mf {
            user_factors: factors("user_factors", Group::USER_FACTORS),
            item_factors: factors("item_factors", Group::ITEM_FACTORS),
        }
    }
}

impl Factorization for Mf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.user_factors.dot(&self.item_factors, batch).squeeze_dim(1) // [batch]
    }

    fn forward_all(&self, users: Tensor<1, Int>) -> Option<Tensor<2>> {
        let p = self.user_factors.rows.val().select(0, users); // [users, rank]
        Some(p.matmul(self.item_factors.rows.val().transpose())) // [users, num_items]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors]
    }

    fn dot_product(&self) -> Option<f32> {
        Some(0.0)
    }
}
