//! SVD++: ŝ_ui = μ + b_u + b_i + ⟨q_i, p_u + |N(u)|^(−½) Σ_{j ∈ N(u)} y_j⟩, where N(u) are the items that u has in training
//! (Koren 2008, eq. 15). What people choose to rate says something about them, whatever the rating.
//!
//! The asymmetric form leaves p_u out, so that people are what they met (NSVD1 of Paterek 2007): it has no parameters of users
//! but b_u.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factored, Factorization, Term};
use super::history;
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, draws_key, rank_key, rank_of_draws};
use super::table::{Table, dot};
use super::table_group::Use;
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::batch::Batch;
use crate::data::{BagId, FieldId, ITEM, USER};
use crate::device::to_vec;
use crate::error::Result;

/// Whether users have no factors of their own.
const ASYMMETRIC: &str = "model.asymmetric";

/// Size and start of an [`SvdPp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvdPpConfig {
    /// Number of latent factors per user and item.
    pub rank: usize,
    /// Whether p_u is left out.
    pub asymmetric: bool,
    /// Initial distribution of the factors.
    pub init: FactorInit,
}

/// SVD++.
#[derive(Module, Debug)]
pub struct SvdPp {
    /// P: `[num_users, rank]`, unless the model is asymmetric.
    pub user_factors: Option<Table>,
    /// Q: `[num_items, rank]`.
    pub item_factors: Table,
    /// Y: `[num_items, rank]`.
    pub met_item_factors: Table,
    /// b_u: `[num_users, 1]`.
    pub user_biases: Table,
    /// b_i: `[num_items, 1]`.
    pub item_biases: Table,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

impl SvdPpConfig {
    /// The model before training.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for data without histories of users.
    pub fn init(&self, start: &Start) -> Result<SvdPp> {
        let history = Use::Bag(USER, history::of_users(start, SvdPp::NAME)?);
        let factors = |name, field| start.factors(name, field, self.rank, self.init, false);
        Ok(SvdPp {
            user_factors: (!self.asymmetric).then(|| factors("user_factors", USER)),
            item_factors: factors("item_factors", ITEM),
            met_item_factors: start.shared_factors("met_item_factors", &[history], self.rank, self.init),
            user_biases: start.biases(USER),
            item_biases: start.biases(ITEM),
            global_mean: start.offset(),
        })
    }
}

impl SvdPp {
    /// p_u + |N(u)|^(−½) Σ_{j ∈ N(u)} y_j: `[batch, rank]`. Of an unknown user it is 0.
    fn users(&self, batch: &Batch) -> Tensor<2> {
        let met = self.met_item_factors.gather_bag(batch, USER, self.history());
        match &self.user_factors {
            Some(factors) => factors.gather(batch, USER) + met,
            None => met,
        }
    }

    /// The bag that Y is indexed by.
    fn history(&self) -> BagId {
        match self.met_item_factors.uses() {
            [Use::Bag(_, bag)] => *bag,
            uses => unreachable!("made with one use, a bag, but has {uses:?}"),
        }
    }
}

impl Factorization for SvdPp {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let product = dot(self.users(batch), self.item_factors.gather(batch, ITEM)); // [batch, 1]
        let biases = self.user_biases.gather(batch, USER) + self.item_biases.gather(batch, ITEM); // [batch, 1]
        self.global_mean.val() + (product + biases).squeeze_dim(1) // [batch]
    }

    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        if field != ITEM {
            return None;
        }
        let product = self.users(queries).matmul(self.item_factors.all_rows(queries).transpose()); // [queries, items]
        let biases = self.user_biases.gather(queries, USER) + self.item_biases.all_rows(queries).transpose();
        Some(product + biases + self.global_mean.val().reshape([1, 1]))
    }

    fn tables(&self) -> Vec<&Table> {
        let factors = [&self.item_factors, &self.met_item_factors];
        let biases = [&self.user_biases, &self.item_biases];
        self.user_factors.iter().chain(factors).chain(biases).collect()
    }

    /// Unless the model is asymmetric.
    fn factored(&self) -> Option<Factored<'_>> {
        let own = Term::new(USER, self.user_factors.as_ref()?, Some(&self.user_biases));
        let users = Term { beside: Some(&self.met_item_factors), ..own };
        let items = Term::new(ITEM, &self.item_factors, Some(&self.item_biases));
        Some(Factored { offset: to_vec(self.global_mean.val())[0], terms: vec![users, items] })
    }
}

impl ModelPart for SvdPp {
    const NAME: &'static str = "svdpp";
    const DECLARATION: Declaration =
        Declaration { is_factored: true, has_biases: true, histories: &[(USER, ITEM)], ..Declaration::NONE };

    fn keys() -> Keys {
        let meaning = "Whether users have no factors of their own and are what they met.";
        let asymmetric = Key::new(ASYMMETRIC, KeyKind::Bool, meaning).default("false");
        Keys::new([rank_key(), draws_key(), asymmetric]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let config = SvdPpConfig {
            rank: rank_of_draws(values),
            asymmetric: values.get(ASYMMETRIC),
            init: FactorInit::of(values),
        };
        config.init(start)
    }
}
