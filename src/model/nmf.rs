//! Non-negative matrix factorization: r̂_ui = w_uᵀ h_i with W, H ≥ 0   (Lee & Seung 1999).
//!
//! Trained by projected gradients (Lin 2007): after every step each parameter is set to max(0, ·), the Euclidean
//! projection onto the constraint. The initial factors are non-negative too.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Constraint, Factored, Factorization, Term};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, rank_key};
use super::table::Table;
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::error::Result;

/// Size and start of an [`Nmf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NmfConfig {
    /// Number of parts (k in the papers).
    pub rank: usize,
    /// Initial distribution of the factors, whose absolute values are taken.
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
    /// The model before training.
    pub fn init(&self, start: &Start) -> Nmf {
        let factors = |name, field| start.factors(name, field, self.rank, self.init, true);
        Nmf { user_factors: factors("user_factors", USER), item_factors: factors("item_factors", ITEM) }
    }
}

impl Factorization for Nmf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.user_factors.dot(USER, &self.item_factors, ITEM, batch).squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors]
    }

    fn constraint(&self) -> Constraint {
        Constraint::NonNegative
    }

    fn factored(&self) -> Option<Factored<'_>> {
        let users = Term::new(USER, &self.user_factors, None);
        let items = Term::new(ITEM, &self.item_factors, None);
        Some(Factored { offset: 0.0, terms: vec![users, items] })
    }
}

impl ModelPart for Nmf {
    const NAME: &'static str = "nmf";
    const DECLARATION: Declaration = Declaration {
        is_dot_product: true,
        is_factored: true,
        constraint: Constraint::NonNegative,
        ..Declaration::NONE
    };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys()).default_for("model.init", "'matched'")
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let config = NmfConfig { rank: values.get("model.rank"), init: FactorInit::of(values) };
        Ok(config.init(start))
    }
}
