//! The penalty Σ weight_row · ‖row‖² on rows of tables and of weight matrices, and its gradient 2 · weight_row · row.
//!
//! The gradient is this formula rather than autodiff's, so that it can be added to a row while the row is updated,
//! without a separate matrix.

use std::collections::HashMap;

use burn::module::{Param, ParamId};
use burn::tensor::Tensor;

use super::gradient_parts::column;
use super::regularization::Regularization;
use super::touched::TakenTables;
use crate::data::UNKNOWN;
use crate::data::batch::Samples;
use crate::device::{row_squares, total};
use crate::model::{AnyModel, Table, Use};

/// Weights of the rows of each parameter that has a penalty.
pub(super) struct Penalty(HashMap<ParamId, Vec<f32>>);

impl Penalty {
    /// The penalty of a batch. Σ over interactions of λ‖row‖² is Σ over rows of λ · uses of the row · ‖row‖², which
    /// needs no second gather. `taken` are the tables of which the model has only some rows.
    pub fn new(regularization: &Regularization, model: &AnyModel, samples: &Samples, taken: &TakenTables) -> Self {
        let mut weights = HashMap::new();
        for table in model.tables() {
            let lambda = regularization.of(table.group());
            if lambda > 0.0 {
                let mut of_rows = vec![0.0_f32; table.rows.dims()[0]];
                let share = (lambda / samples.len() as f64) as f32;
                each_use(table, samples, taken, |row| of_rows[row as usize] += share);
                weights.insert(table.rows.id, of_rows);
            }
        }
        let lambda = regularization.of_weights();
        if lambda > 0.0 {
            for layer in model.layers() {
                weights.insert(layer.weight.id, vec![lambda as f32; layer.weight.dims()[0]]);
            }
        }
        Self(weights)
    }

    /// `[1]`; `None` if nothing is penalized. Differentiable if the model's parameters are.
    pub fn value(&self, model: &AnyModel) -> Option<Tensor<1>> {
        let term = |parameter: &Param<Tensor<2>>| {
            let rows = parameter.val();
            let weights = column(self.0.get(&parameter.id)?.clone(), &rows.device());
            Some(total((row_squares(rows) * weights).squeeze_dim(1)))
        };
        let tables = model.tables();
        let layers = model.layers();
        let tables = tables.iter().map(|table| &table.rows);
        let parameters = tables.chain(layers.iter().map(|layer| &layer.weight));
        parameters.filter_map(term).reduce(|sum, term| sum + term)
    }

    /// 2 · weight of each row of a parameter: the row's factor in its gradient.
    pub fn factors(&self, parameter: ParamId) -> Option<Vec<f32>> {
        Some(self.0.get(&parameter)?.iter().map(|weight| 2.0 * weight).collect())
    }
}

/// Calls `count` with the row for each use of a table by the samples: once per index of a field, and once per member
/// and position of a bag.
fn each_use(table: &Table, samples: &Samples, taken: &TakenTables, mut count: impl FnMut(u32)) {
    let places = taken.places(table.rows.id);
    for &of in table.uses() {
        match of {
            Use::Field(field) => {
                let own = places.and_then(|places| places.column(field));
                let indices = own.unwrap_or_else(|| samples.own_column(field));
                indices.iter().filter(|&&row| row != UNKNOWN).for_each(|&row| count(row));
            }
            Use::Bag(field, bag) => {
                for &owner in samples.column(field) {
                    let (members, _) = samples.bags[bag.0].of_row(owner);
                    members.iter().for_each(|&row| count(places.map_or(row, |places| places.of_row(row))));
                }
            }
        }
    }
}
