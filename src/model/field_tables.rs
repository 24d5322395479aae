//! Factors and biases of every field of the data, which factorization machines and the networks above them are made of.

use burn::tensor::Tensor;

use super::init::{FactorInit, Start};
use super::table::{NamedTables, Table};
use crate::data::batch::Batch;
use crate::data::{FieldId, PAIR};

impl NamedTables {
    /// v of each field of the data, `[rows, width]`, in the order of the fields, and then w of each, `[rows, 1]`.
    pub(super) fn of_fields(start: &Start, width: usize, init: FactorInit) -> Self {
        let fields: Vec<FieldId> = start.frame.ids().collect();
        let (factors, biases): (Vec<_>, Vec<_>) = start.tables(&fields, width, init).into_iter().unzip();
        let named = |kind: &str, tables: Vec<Table>| -> Vec<(String, Table)> {
            let names = fields.iter().map(|&field| format!("{}_{kind}", start.frame[field].name));
            names.zip(tables).collect()
        };
        [named("factors", factors), named("biases", biases)].concat().into()
    }

    /// Field, factors and biases, in the order of the fields.
    pub(super) fn by_field(&self) -> impl Iterator<Item = (FieldId, &Table, &Table)> {
        let tables = self.as_slice();
        let (factors, biases) = tables.split_at(tables.len() / 2);
        (0..).map(FieldId).zip(factors.iter().zip(biases)).map(|(field, ((_, v), (_, w)))| (field, v, w))
    }

    /// Factors and biases, field by field.
    pub(super) fn in_order(&self) -> Vec<&Table> {
        self.by_field().flat_map(|(_, factors, biases)| [factors, biases]).collect()
    }

    /// Σ_i w_i x_i: `[batch, 1]`
    pub(super) fn linear(&self, batch: &Batch) -> Tensor<2> {
        sum(self.by_field().map(|(field, _, biases)| biases.gather(batch, field)))
    }

    /// The vector of each field's row with its features, in the order of the fields, each `[batch, width]`.
    pub(super) fn rows(&self, batch: &Batch) -> Vec<Tensor<2>> {
        self.by_field().map(|(field, factors, _)| factors.gather(batch, field)).collect()
    }

    /// Σ_{i<j} ⟨v_i, v_j⟩ x_i x_j over fields and features: `[batch, 1]`
    pub(super) fn products(&self, batch: &Batch) -> Tensor<2> {
        let of_field = |(field, factors, _): (FieldId, &Table, &Table)| factors.gather_with_squares(batch, field);
        let (rows, squares): (Vec<_>, Vec<_>) = self.by_field().map(of_field).unzip(); // each [batch, width]
        half_products(sum(rows.into_iter()), sum(squares.into_iter())).sum_dim(1)
    }
}

/// Whether these models can score an interaction with these unknown fields: a context that training never saw, or that is not given,
/// adds nothing; without user or item the baseline predicts.
pub(super) fn knows_pair(unknown: &[FieldId]) -> bool {
    PAIR.iter().all(|field| !unknown.contains(field))
}

/// Adds up tensors of one shape, at least one.
pub(super) fn sum(terms: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    terms.reduce(|sum, term| sum + term).expect("users and items at least")
}

/// ½ (whole² − squares): the products of all pairs of vectors with this sum and this sum of squares, in time linear in their
/// number (Rendle 2010, eq. 5). `[_, width]` → `[_, width]`
pub(super) fn half_products(whole: Tensor<2>, squares: Tensor<2>) -> Tensor<2> {
    (whole.square() - squares) * 0.5
}
