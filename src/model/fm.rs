//! Factorization machine of order 2: ŝ(x) = μ + Σ_i w_i x_i + Σ_{i<j} ⟨v_i, v_j⟩ x_i x_j over all that describes an interaction
//! (Rendle 2010, eq. 1): user, item, each column of the context and each feature, with x_i = 1 or the weight of the feature.
//!
//! With two columns and no features this is [`BiasedMf`](super::BiasedMf).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factored, Factorization, Term};
use super::field_tables::{half_products, knows_pair};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, draws_key, rank_key, rank_of_draws};
use super::table::{NamedTables, Table};
use crate::config::{Keys, Values};
use crate::data::FieldId;
use crate::data::batch::Batch;
use crate::device::to_vec;
use crate::error::Result;

/// Size and start of an [`Fm`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FmConfig {
    /// Number of latent factors of everything that describes an interaction (k in the paper).
    pub rank: usize,
    /// Initial distribution of the factors.
    pub init: FactorInit,
}

/// Factorization machine.
#[derive(Module, Debug)]
pub struct Fm {
    /// v of each field, `[rows, rank]`, in the order of the fields, and then w of each, `[rows, 1]`.
    pub tables: NamedTables,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

impl FmConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> Fm {
        Fm { tables: NamedTables::of_fields(start, self.rank, self.init), global_mean: start.offset() }
    }
}

impl Factorization for Fm {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let score = self.tables.products(batch) + self.tables.linear(batch); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    /// The products of rows of two fields, and those within a row, which has features.
    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        let between = self.factored()?.forward_all(queries, field)?; // [queries, rows]
        let within = self.tables.by_field().filter(|(_, factors, _)| !factors.features().is_empty());
        let within = within.map(|(other, factors, _)| match other == field {
            true => half_products(factors.all_rows(queries), factors.all_squares(queries)).sum_dim(1).transpose(), // [1, rows]
            false => {
                let (rows, squares) = factors.gather_with_squares(queries, other);
                half_products(rows, squares).sum_dim(1) // [queries, 1]
            }
        });
        Some(within.fold(between, |scores, within| scores + within))
    }

    fn tables(&self) -> Vec<&Table> {
        self.tables.in_order()
    }

    fn factored(&self) -> Option<Factored<'_>> {
        let terms = self.tables.by_field().map(|(field, factors, biases)| Term::new(field, factors, Some(biases)));
        Some(Factored { offset: to_vec(self.global_mean.val())[0], terms: terms.collect() })
    }

    fn can_score(&self, unknown: &[FieldId]) -> bool {
        knows_pair(unknown)
    }

    fn products_within(&self) -> Vec<(&Table, &Table)> {
        self.tables.by_field().map(|(_, factors, biases)| (factors, biases)).collect()
    }
}

impl ModelPart for Fm {
    const NAME: &'static str = "fm";
    const DECLARATION: Declaration =
        Declaration { is_factored: true, has_biases: true, uses_context: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key(), draws_key()]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        Ok(FmConfig { rank: rank_of_draws(values), init: FactorInit::of(values) }.init(start))
    }
}
