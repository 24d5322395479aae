//! Non-negative matrix factorization: r̂_ui = w_uᵀ h_i with W, H ≥ 0   (Lee & Seung 1999).
//!
//! Trained by projected gradients (Lin 2007): after every step each parameter is set to max(0, ·), which is the
//! Euclidean projection onto the constraint. The start is non-negative too.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

use super::declaration::{Declaration, rank_key};
use super::factorization::{Constraint, Factorization};
use super::init::{FactorInit, Start};
use super::table::{Group, Table};
use crate::config::{Keys, Values};
use crate::data::batch::Batch;

/// Size and start of an [`Nmf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NmfConfig {
    /// Number of parts (k in the papers).
    pub rank: usize,
    /// Initial distribution of the factors, of which the absolute value is taken.
    pub init: FactorInit,
}

/// Non-negative matrix factorization.
#[derive(Module, Debug)]
pub struct Nmf {
    /// W: `[num_users, rank]`, ≥ 0.
    pub user_factors: Table,
    /// H: `[num_items, rank]`, ≥ 0.
    pub item_factors: Table,
}

impl NmfConfig {
    /// What such a model is, before there is one.
    pub(super) const DECLARATION: Declaration =
        Declaration { is_dot_product: true, constraint: Constraint::NonNegative, ..Declaration::NONE };

    /// Its config keys.
    pub(super) fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys()).default_for("model.init", "'matched'")
    }

    /// The size and start that a config asks for.
    pub(super) fn of(values: &Values) -> Self {
        Self { rank: values.get("model.rank"), init: FactorInit::of(values) }
    }

    /// The model before training.
    pub fn init(&self, start: &Start) -> Nmf {
        let factors = |name, group| start.factors(name, group, self.rank, self.init, true);
        Nmf {
            user_factors: factors("user_factors", Group::USER_FACTORS),
            item_factors: factors("item_factors", Group::ITEM_FACTORS),
        }
    }
}

impl Factorization for Nmf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.user_factors.dot(&self.item_factors, batch).squeeze_dim(1) // [batch]
    }

    fn forward_all(&self, users: Tensor<1, Int>) -> Option<Tensor<2>> {
        let w = self.user_factors.rows.val().select(0, users); // [users, rank]
        Some(w.matmul(self.item_factors.rows.val().transpose())) // [users, num_items]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors]
    }

    fn constraint(&self) -> Constraint {
        Constraint::NonNegative
    }

    fn dot_product(&self) -> Option<f32> {
        Some(0.0)
    }
}
