//! Factorization machine of order 2: ŝ(x) = μ + Σ_i w_i x_i + Σ_{i<j} ⟨v_i, v_j⟩ x_i x_j over all that describes an interaction
//! (Rendle 2010, eq. 1): user, item, each column of the context and each feature, with x_i = 1 or the weight of the feature.
//!
//! The products of all pairs are ½ Σ_k [(Σ_i v_ik x_i)² − Σ_i (v_ik x_i)²], in time linear in their number (eq. 5). With two columns
//! and no features this is [`BiasedMf`](super::BiasedMf).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::{Factored, Factorization, Term};
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, rank_key};
use super::table::{NamedTables, Table};
use crate::config::{Keys, Values};
use crate::data::batch::Batch;
use crate::data::{FieldId, ITEM, USER};
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
        let fields: Vec<FieldId> = start.frame.ids().collect();
        let (factors, biases): (Vec<_>, Vec<_>) = start.tables(&fields, self.rank, self.init).into_iter().unzip();
        let named = |kind: &str, tables: Vec<Table>| -> Vec<(String, Table)> {
            let names = fields.iter().map(|&field| format!("{}_{kind}", start.frame[field].name));
            names.zip(tables).collect()
        };
        let tables = [named("factors", factors), named("biases", biases)].concat();
        Fm { tables: tables.into(), global_mean: start.offset() }
    }
}

impl Fm {
    /// Field, factors and biases, in the order of the fields.
    fn fields(&self) -> impl Iterator<Item = (FieldId, &Table, &Table)> {
        let tables = self.tables.as_slice();
        let (factors, biases) = tables.split_at(tables.len() / 2);
        (0..).map(FieldId).zip(factors.iter().zip(biases)).map(|(field, ((_, v), (_, w)))| (field, v, w))
    }
}

/// Adds up tensors of one shape, at least one.
fn sum(terms: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    terms.reduce(|sum, term| sum + term).expect("users and items at least")
}

/// ½ Σ_k (whole² − squares): the products of all pairs of vectors with this sum and this sum of squares. `[_, rank]` → `[_, 1]`
fn half_products(whole: Tensor<2>, squares: Tensor<2>) -> Tensor<2> {
    (whole.square() - squares).sum_dim(1) * 0.5
}

impl Factorization for Fm {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let rows: Vec<(Tensor<2>, Tensor<2>)> =
            self.fields().map(|(field, factors, _)| factors.gather_with_squares(batch, field)).collect(); // each [batch, rank]
        let whole = sum(rows.iter().map(|(row, _)| row.clone()));
        let pairs = half_products(whole, sum(rows.into_iter().map(|(_, squares)| squares))); // [batch, 1]
        let biases = sum(self.fields().map(|(field, _, biases)| biases.gather(batch, field))); // [batch, 1]
        self.global_mean.val() + (pairs + biases).squeeze_dim(1) // [batch]
    }

    /// The products of rows of two fields, and those within a row, which has features.
    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        let between = self.factored()?.forward_all(queries, field)?; // [queries, rows]
        let within = self.fields().filter(|(_, factors, _)| !factors.features().is_empty());
        let within = within.map(|(other, factors, _)| match other == field {
            true => half_products(factors.all_rows(queries), factors.all_squares(queries)).transpose(), // [1, rows]
            false => {
                let (rows, squares) = factors.gather_with_squares(queries, other);
                half_products(rows, squares) // [queries, 1]
            }
        });
        Some(within.fold(between, |scores, within| scores + within))
    }

    fn tables(&self) -> Vec<&Table> {
        self.fields().flat_map(|(_, factors, biases)| [factors, biases]).collect()
    }

    fn factored(&self) -> Option<Factored<'_>> {
        let terms = self.fields().map(|(field, factors, biases)| Term { field, factors, biases: Some(biases) });
        Some(Factored { offset: to_vec(self.global_mean.val())[0], terms: terms.collect() })
    }

    /// A context that training never saw, or that is not given, adds nothing; without user or item the baseline predicts.
    fn can_score(&self, unknown: &[FieldId]) -> bool {
        !unknown.contains(&USER) && !unknown.contains(&ITEM)
    }

    fn products_within(&self) -> Vec<(&Table, &Table)> {
        self.fields().map(|(_, factors, biases)| (factors, biases)).collect()
    }
}

impl ModelPart for Fm {
    const NAME: &'static str = "fm";
    const DECLARATION: Declaration = Declaration { has_biases: true, uses_context: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        Ok(FmConfig { rank: values.get("model.rank"), init: FactorInit::of(values) }.init(start))
    }
}
