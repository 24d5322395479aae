//! Rows and columns that training never saw, projected onto the factors of the other side.

use faer::Mat;
use rayon::prelude::*;

use crate::data::{FieldId, ITEM, Interactions, Role, USER};
use crate::error::Result;
use crate::linalg::Cells;
use crate::linalg::gram::gram_in_order;
use crate::linalg::least_squares::non_negative;
use crate::linalg::symmetric::pseudo_inverse;
use crate::model::{AnyModel, TableKind};
use crate::solver::dot_product::DotProduct;
use crate::solver::nmf::Zeros;
use crate::solver::solve::Solver;
use crate::solver::step::{StepNumber, StepOutcome, StepSums, Stepped};

/// Penalty per cell of a row w: `l1` ‖w‖₁ + `l2` ‖w‖².
#[derive(Debug, Clone, Copy)]
pub(super) struct Penalty {
    pub l1: f64,
    pub l2: f64,
}

/// A solver that has converged after its first step: each new row w of one side minimizes
/// Σ (a − m − w·h)² + cells · ([`Penalty`]) over its cells, h being the other side's rows and m their means, if there are
/// any; over all cells, if those that are not in the data are zeros. The shortest such row, or of non-negative factors one
/// that is nowhere below 0. A new column of a centred matrix has its own mean, of all its cells.
///
/// With the Kullback–Leibler divergence, too, rows are found by squares.
pub(super) struct Projection {
    zeros: Zeros,
    penalty: Penalty,
    role: Role,
    field: FieldId,
    found: Option<Found>,
}

/// What a step found.
struct Found {
    model: DotProduct,
    factors: Vec<f32>,
    biases: Option<Vec<f32>>,
}

impl Projection {
    /// A solver of the rows of `role`, which `field` indexes.
    pub fn new(zeros: Zeros, penalty: Penalty, role: Role, field: FieldId) -> Self {
        Self { zeros, penalty, role, field, found: None }
    }

    fn find(&self, model: &DotProduct, train: &Interactions) -> Result<(Vec<f32>, Option<Vec<f32>>)> {
        let (own, other, other_field) = match self.role {
            Role::User => (&model.users, &model.items, ITEM),
            Role::Item => (&model.items, &model.users, USER),
        };
        let (rank, h) = (model.rank, &other.factors);
        let [rows, columns] = [self.field, other_field].map(|field| train.column(field));
        let cells = rows.iter().zip(columns).zip(&train.targets);
        let cells = Cells::new(own.num_rows, cells.map(|((&row, &column), &value)| (row, column, value)));
        let all = (self.zeros == Zeros::Data).then(|| gram_in_order(h, rank));
        let of_h = |column: u32| &h[column as usize * rank..][..rank];
        // A centred matrix: means of columns, which new columns have to get.
        let means = other.biases.as_ref();
        let own_mean = |row: usize| match own.biases.is_some() && self.role == Role::Item {
            true => cells.row(row).1.iter().map(|&value| f64::from(value)).sum::<f64>() / other.num_rows.max(1) as f64,
            false => 0.0,
        };
        let mean = |column: u32| means.map_or(0.0, |means| f64::from(means[column as usize]));
        let solve = |row: usize| -> Result<Vec<f64>> {
            let (columns, values) = cells.row(row);
            let own_mean = own_mean(row) + f64::from(model.offset);
            let mut right = vec![0.0; rank];
            let mut add = |column: u32, value: f64| {
                right.iter_mut().zip(of_h(column)).for_each(|(sum, &h)| *sum += value * f64::from(h));
            };
            match self.zeros {
                Zeros::Data => {
                    if own_mean != 0.0 || means.is_some() {
                        (0..other.num_rows as u32).for_each(|column| add(column, -own_mean - mean(column)));
                    }
                    columns.iter().zip(values).for_each(|(&column, &value)| add(column, value.into()));
                }
                Zeros::Missing => {
                    let value = |(&column, &value): (&u32, &f32)| (column, f64::from(value) - own_mean - mean(column));
                    columns.iter().zip(values).map(value).for_each(|(column, value)| add(column, value));
                }
            }
            let mut gram = match &all {
                Some(gram) => gram.clone(),
                None => {
                    let own: Vec<f32> = columns.iter().flat_map(|&column| of_h(column)).copied().collect();
                    if own.is_empty() { Mat::zeros(rank, rank) } else { gram_in_order(&own, rank) }
                }
            };
            let cells = if all.is_some() { other.num_rows } else { columns.len() } as f64;
            for t in 0..rank {
                gram[(t, t)] += cells * self.penalty.l2;
                right[t] -= cells * self.penalty.l1 / 2.0;
            }
            if model.non_negative {
                return Ok(non_negative(&gram, &right));
            }
            let inverse = pseudo_inverse(&gram)?;
            Ok((0..rank).map(|t| right.iter().enumerate().map(|(s, value)| inverse[(t, s)] * value).sum()).collect())
        };
        let rows: Vec<Vec<f64>> = (0..own.num_rows).into_par_iter().map(solve).collect::<Result<_>>()?;
        let biases = own.biases.as_ref().map(|_| (0..own.num_rows).map(|row| own_mean(row) as f32).collect());
        Ok((rows.into_iter().flatten().map(|value| value as f32).collect(), biases))
    }
}

impl Solver for Projection {
    fn begin(&mut self, _: &AnyModel, _: &Interactions) -> Result<u64> {
        Ok(1)
    }

    fn step(&mut self, model: AnyModel, train: &Interactions, _: StepNumber) -> Stepped {
        let found = DotProduct::read(&model, "svd").and_then(|read| {
            let (factors, biases) = self.find(&read, train)?;
            Ok(Found { model: read, factors, biases })
        });
        let sums = StepSums::on_host([0.0; 3], 0, &model.device());
        let outcome = found.map(|found| {
            self.found = Some(found);
            StepOutcome { sums, norms: None, is_converged: true }
        });
        Stepped { model, outcome }
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        let Some(Found { model: read, factors, biases }) = &self.found else { return model };
        read.places.write(model, |role, kind| {
            let side = if role == Role::User { &read.users } else { &read.items };
            let is_own = role == self.role;
            match kind {
                TableKind::Factors if is_own => factors.clone(),
                TableKind::Biases if is_own => biases.clone().unwrap_or_default(),
                TableKind::Factors => side.factors.clone(),
                TableKind::Biases => side.biases.clone().unwrap_or_default(),
            }
        })
    }
}
