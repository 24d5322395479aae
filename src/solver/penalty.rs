//! The penalty Σ weight_row · ‖row‖² on rows of tables and of weight matrices, and its gradient 2 · weight_row · row.
//!
//! The gradient is this formula rather than autodiff's, because it can then be added to a row while the row is updated,
//! without a matrix of its own.

use std::collections::HashMap;

use burn::module::{Param, ParamId};
use burn::tensor::Tensor;

use super::gradient_parts::column;
use super::regularization::Regularization;
use crate::data::batch::Samples;
use crate::device::{row_squares, total};
use crate::model::Factorization;

/// Weights of the rows of each parameter that has a penalty.
pub(super) struct Penalty(HashMap<ParamId, Vec<f32>>);

impl Penalty {
    /// What a batch penalizes. Σ over ratings of λ‖row‖² is Σ over rows of λ · ratings of the row · ‖row‖², which needs
    /// no second gather.
    pub fn new<M: Factorization>(regularization: &Regularization, model: &M, samples: &Samples) -> Self {
        let mut weights = HashMap::new();
        for table in model.tables() {
            let lambda = regularization.of(table.group());
            if lambda > 0.0 {
                let mut of_rows = vec![0.0_f32; table.rows.dims()[0]];
                let share = (lambda / samples.len() as f64) as f32;
                for &index in samples.indices(table.group().column) {
                    of_rows[index as usize] += share;
                }
                weights.insert(table.rows.id, of_rows);
            }
        }
        if regularization.weights > 0.0 {
            for layer in model.layers() {
                weights.insert(layer.weight.id, vec![regularization.weights as f32; layer.weight.dims()[0]]);
            }
        }
        Self(weights)
    }

    /// `[1]`; `None` where nothing is penalized. Differentiable if the model's parameters are.
    pub fn value<M: Factorization>(&self, model: &M) -> Option<Tensor<1>> {
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

    /// 2 · weight of each row of a parameter: what the row is multiplied by in its gradient.
    pub fn factors(&self, parameter: ParamId) -> Option<Vec<f32>> {
        Some(self.0.get(&parameter)?.iter().map(|weight| 2.0 * weight).collect())
    }
}
