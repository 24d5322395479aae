//! The rows of a field, each beside its moments.

use std::collections::BTreeMap;

use burn::module::ParamId;
use burn::tensor::{Tensor, TensorData};
use bytemuck::{cast_slice, cast_slice_mut};

use crate::data::FieldId;
use crate::linalg::Lane;
use crate::model::{HostTensor, Term};
use crate::solver::regularization::Regularization;

/// The place of a row that no interaction of a batch has used yet.
pub(super) const UNUSED: u32 = u32::MAX;

/// Factors and biases of a field.
#[derive(Debug, Clone)]
pub(super) struct FieldRows {
    /// The field that indexes them.
    pub field: FieldId,
    rank: usize,
    /// Lanes of a row, without its moments.
    pub lanes: usize,
    /// Moments of each parameter.
    moments: &'static [&'static str],
    /// A row of factors and then one of each moment, padded to whole lanes, for each row.
    pub factors: Vec<Lane>,
    /// A bias and its moments for each row; empty if there are none.
    pub biases: Vec<f32>,
    /// λ of factors and biases.
    pub lambdas: [f32; 2],
    /// Names of the parameters.
    names: [String; 2],
    /// The place of each row among those that the batch uses.
    pub slots: Vec<u32>,
    /// What a step has of the rows that its batch uses.
    pub used: UsedRows,
}

/// The rows that a batch uses, in the order in which it first does.
#[derive(Debug, Clone, Default)]
pub(super) struct UsedRows {
    pub rows: Vec<u32>,
    /// How often.
    pub uses: Vec<u32>,
    /// Σ ℓ' of the interactions of each.
    pub slopes: Vec<f32>,
    /// Σ ℓ' S of the interactions of each.
    pub gradients: Vec<Lane>,
    /// The bias of each, and then one of its moments after the other.
    pub biases: Vec<f32>,
}

impl UsedRows {
    /// None.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.uses.clear();
        self.slopes.clear();
        self.gradients.clear();
        self.biases.clear();
    }
}

/// Bytes of a table from which on its rows are fetched ahead: what is smaller stays in a processor's first cache.
const LARGE: usize = 32 << 10;

impl FieldRows {
    /// The rows of a term, with moments from what was saved.
    pub fn new(
        term: &Term,
        names: &BTreeMap<ParamId, String>,
        regularization: &Regularization,
        moments: &'static [&'static str],
        saved: &BTreeMap<String, HostTensor>,
    ) -> Self {
        let [count, rank] = term.factors.rows.dims();
        let lanes = Lane::count(rank);
        let name = |id: ParamId| names[&id].clone();
        let of_factors = name(term.factors.rows.id);
        let of_biases = term.biases.map(|biases| name(biases.rows.id)).unwrap_or_default();
        let parts = 1 + moments.len();
        let mut factors = vec![Lane::ZERO; count * lanes * parts];
        let mut biases = vec![0.0; if term.biases.is_some() { count * parts } else { 0 }];
        let remembered = |name: &str| -> Vec<Option<Vec<f32>>> {
            moments.iter().map(|moment| saved.get(&format!("{name}/{moment}")).map(|own| own.data.clone())).collect()
        };
        let of_rows = std::iter::once(Some(term.factors.numbers())).chain(remembered(&of_factors));
        for (part, values) in of_rows.enumerate() {
            for (row, own) in values.iter().flat_map(|values| values.chunks_exact(rank).enumerate()) {
                let at = (row * parts + part) * lanes;
                cast_slice_mut(&mut factors[at..at + lanes])[..rank].copy_from_slice(own);
            }
        }
        if let Some(table) = term.biases {
            let of_rows = std::iter::once(Some(table.numbers())).chain(remembered(&of_biases));
            for (part, values) in of_rows.enumerate() {
                values.iter().flatten().enumerate().for_each(|(row, &value)| biases[row * parts + part] = value);
            }
        }
        let lambda =
            |table: Option<&crate::model::Table>| table.map_or(0.0, |table| regularization.of(table.group()) as f32);
        Self {
            field: term.field,
            rank,
            lanes,
            moments,
            factors,
            biases,
            lambdas: [lambda(Some(term.factors)), lambda(term.biases)],
            names: [of_factors, of_biases],
            slots: vec![UNUSED; count],
            used: UsedRows::default(),
        }
    }

    /// Numbers that a parameter has beside each of its own, and itself.
    pub fn parts(&self) -> usize {
        1 + self.moments.len()
    }

    /// Whether rows are fetched ahead.
    pub fn is_large(&self) -> bool {
        size_of_val(&self.factors[..]) >= LARGE
    }

    /// A row of factors.
    #[inline(always)]
    pub fn row(&self, row: u32) -> &[Lane] {
        &self.factors[row as usize * self.lanes * self.parts()..][..self.lanes]
    }

    /// The bias of a row; 0 if there are none.
    #[inline(always)]
    pub fn bias(&self, row: u32) -> f32 {
        self.biases.get(row as usize * self.parts()).copied().unwrap_or_default()
    }

    /// Something of factors and of biases, with their names.
    pub fn named<T>(&self, [factors, biases]: [T; 2]) -> Vec<(String, T)> {
        let [of_factors, of_biases] = self.names.clone();
        let mut named = vec![(of_factors, factors)];
        if !self.biases.is_empty() {
            named.push((of_biases, biases));
        }
        named
    }

    /// Part `part` of factors and biases, row by row.
    fn part(&self, part: usize) -> [Vec<f32>; 2] {
        let rows = self.factors.chunks_exact(self.lanes * self.parts());
        let mut factors = Vec::with_capacity(rows.len() * self.rank);
        rows.for_each(|own| factors.extend_from_slice(&cast_slice(&own[part * self.lanes..])[..self.rank]));
        [factors, self.biases.chunks_exact(self.parts()).map(|own| own[part]).collect()]
    }

    /// The parameters by name, row by row.
    pub fn parameters(&self) -> Vec<(String, Vec<f32>)> {
        self.named(self.part(0))
    }

    /// The moments by name.
    pub fn moments(&self) -> Vec<(String, HostTensor)> {
        let of = |(at, moment): (usize, &&str)| {
            let named = self.named(self.part(1 + at)).into_iter();
            named.map(|(name, values)| (format!("{name}/{moment}"), HostTensor::vector(values))).collect::<Vec<_>>()
        };
        self.moments.iter().enumerate().flat_map(of).collect()
    }
}

/// A parameter with these values, like another.
pub(super) fn table(values: Vec<f32>, like: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, like.dims()), &like.device())
}
