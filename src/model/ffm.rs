//! Field-aware factorization machine: ŝ(x) = μ + Σ_i w_i x_i + Σ_{a<b} ⟨v_{a→b}, v_{b→a}⟩ over all pairs of fields, in which each row
//! has a vector of its own for each other field (Juan et al. 2016, eq. 4; w as in LIBFFM's later versions).
//!
//! Fields are user, item and each column of the context. Features of a row are added to its vectors: they belong to its field, and
//! have no products with each other. With two columns this is [`BiasedMf`](super::BiasedMf).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::factorization::Factorization;
use super::field_tables::knows_pair;
use super::init::{FactorInit, Start};
use super::part::{Declaration, ModelPart, rank_key};
use super::table::{NamedTables, Table, dot};
use crate::config::{Keys, Values};
use crate::data::FieldId;
use crate::data::batch::Batch;
use crate::error::Result;

/// Size and start of an [`Ffm`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FfmConfig {
    /// Number of latent factors for each pair of fields.
    pub rank: usize,
    /// Initial distribution of the factors.
    pub init: FactorInit,
}

/// Field-aware factorization machine.
#[derive(Module, Debug)]
pub struct Ffm {
    /// The vectors of each field's rows for the other fields side by side, in the order of these, `[rows, (fields − 1) · rank]`, in the
    /// order of the fields, and then w of each, `[rows, 1]`.
    pub tables: NamedTables,
    /// μ: `[1]`, frozen.
    pub global_mean: Param<Tensor<1>>,
}

impl FfmConfig {
    /// The model before training.
    pub fn init(&self, start: &Start) -> Ffm {
        let width = (start.frame.fields.len() - 1) * self.rank;
        Ffm { tables: NamedTables::of_fields(start, width, self.init), global_mean: start.offset() }
    }
}

impl Ffm {
    /// v_{a→b} of some rows of field a, `[_, rank]`, from their vectors for all other fields.
    fn towards(&self, rows: &Tensor<2>, a: FieldId, b: FieldId) -> Tensor<2> {
        let others = self.tables.as_slice().len() / 2 - 1;
        let rank = rows.dims()[1] / others;
        let place = if b < a { b.0 } else { b.0 - 1 };
        rows.clone().narrow(1, place * rank, rank)
    }

    /// The product of each pair of these fields, whose rows' vectors these are: `[_, 1]`.
    fn products(&self, rows: &[(FieldId, Tensor<2>)]) -> impl Iterator<Item = Tensor<2>> {
        let pairs = rows.iter().enumerate().flat_map(|(at, b)| rows[..at].iter().map(move |a| (a, b)));
        pairs.map(|((a, of_a), (b, of_b))| dot(self.towards(of_a, *a, *b), self.towards(of_b, *b, *a)))
    }
}

impl Factorization for Ffm {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let rows: Vec<(FieldId, Tensor<2>)> = (0..).map(FieldId).zip(self.tables.rows(batch)).collect();
        let score = self.products(&rows).fold(self.tables.linear(batch), |score, product| score + product); // [batch, 1]
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    /// Each row's vectors for all other fields times those of these fields for its own: one product.
    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        let (_, asked, asked_biases) = self.tables.by_field().find(|(of, _, _)| *of == field)?;
        let others = || self.tables.by_field().filter(|(of, _, _)| *of != field);
        let rows: Vec<(FieldId, Tensor<2>)> =
            others().map(|(of, factors, _)| (of, factors.gather(queries, of))).collect();
        let towards_asked = rows.iter().map(|(other, rows)| self.towards(rows, *other, field));
        let between = Tensor::cat(towards_asked.collect(), 1).matmul(asked.all_rows(queries).transpose()); // [queries, rows]
        let scores = between + asked_biases.all_rows(queries).transpose() + self.global_mean.val().reshape([1, 1]);
        let biases = others().map(|(of, _, biases)| biases.gather(queries, of)); // [queries, 1]
        Some(biases.chain(self.products(&rows)).fold(scores, |scores, term| scores + term))
    }

    fn tables(&self) -> Vec<&Table> {
        self.tables.in_order()
    }

    fn can_score(&self, unknown: &[FieldId]) -> bool {
        knows_pair(unknown)
    }
}

impl ModelPart for Ffm {
    const NAME: &'static str = "ffm";
    const DECLARATION: Declaration = Declaration { has_biases: true, uses_context: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys()).default_for("model.rank", "4")
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        Ok(FfmConfig { rank: values.get("model.rank"), init: FactorInit::of(values) }.init(start))
    }
}
