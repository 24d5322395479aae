//! Matrix factorization: r̂_ui = p_uᵀ q_i, that is R ≈ P·Qᵀ   (Koren, Bell & Volinsky 2009, eq. 1).
//!
//! No offsets: the factors themselves must carry the mean rating, hence the `matched` start.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factored, Factorization, Term};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, draws_key, rank_key, rank_of_draws};
use super::table::Table;
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{ITEM, USER};
use crate::error::Result;

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
    /// The model before training.
    pub fn init(&self, start: &Start) -> Mf {
        let factors = |name, field| start.factors(name, field, self.rank, self.init, false);
        Mf { user_factors: factors("user_factors", USER), item_factors: factors("item_factors", ITEM) }
    }
}

impl Factorization for Mf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.user_factors.dot(USER, &self.item_factors, ITEM, batch).squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors]
    }

    fn factored(&self) -> Option<Factored<'_>> {
        let users = Term::new(USER, &self.user_factors, None);
        let items = Term::new(ITEM, &self.item_factors, None);
        Some(Factored { offset: 0.0, terms: vec![users, items] })
    }
}

impl ModelPart for Mf {
    const NAME: &'static str = "mf";
    const DECLARATION: Declaration = Declaration { is_dot_product: true, is_factored: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key(), draws_key()]).and(FactorInit::keys()).default_for("model.init", "'matched'")
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let config = MfConfig { rank: rank_of_draws(values), init: FactorInit::of(values) };
        Ok(config.init(start))
    }
}
