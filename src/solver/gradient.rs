//! One step of mini-batch gradient descent by autodiff.
//!
//! Objective of a batch B: 1/|B| · Σ_{(u,i) ∈ B} [ loss(r_ui, ŝ_ui) + Σ_tables λ_table · ‖row‖² ] + λ_weights · Σ_layers ‖W‖²
//!
//! where "row" is the row of the rating's user or item in the table. λ is thus a penalty per observed rating (as in
//! FunkSVD and Koren, Bell & Volinsky 2009, eq. 5), without a ½: a user with many ratings is penalized as many times.
//! It is not weight decay, which shrinks every row at every step.
//!
//! The gradient of the data comes from autodiff, that of the penalty from its formula.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use burn::module::ParamId;
use burn::tensor::{Device, Gradients, Tensor};
use serde::{Deserialize, Serialize};

use super::gradient_parts::GradientParts;
use super::optimizer::Optimizer;
use super::penalty::Penalty;
use super::regularization::Regularization;
use super::step::{Norms, StepSums};
use super::touched::{TakenTables, take_rows};
use crate::config::choice;
use crate::data::batch::Samples;
use crate::device::{to_vec, total};
use crate::model::{AnyModel, Constraint, TableKind, Visited};
use crate::objective::Objective;

/// Limits on gradients, applied in this order.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Clip {
    /// Every element of every gradient is clamped to ± this.
    pub value: Option<f64>,
    /// All gradients are scaled down together if their joint Euclidean norm exceeds this.
    pub norm: Option<f64>,
}

choice! {
    /// Which rows of a table a step updates.
    #[derive(Default)]
    pub enum UpdatedRows {
        /// All rows: an optimizer with momentum also moves rows that the batch does not touch. The textbook rule.
        All = "all",
        /// The rows that the batch touches, with their moments: a step costs as much as the batch, not the table.
        #[default]
        Touched = "touched",
    }
}

/// The solver: objective, limits and update rule.
#[derive(Debug, Clone)]
pub struct GradientStep {
    /// The objective without the penalty.
    pub objective: Arc<dyn Objective>,
    /// λ.
    pub regularization: Regularization,
    /// Limits on gradients.
    pub clip: Clip,
    /// Which rows of a table a step updates.
    pub rows: UpdatedRows,
    /// Update rule and its memory.
    pub optimizer: Optimizer,
}

impl GradientStep {
    /// The objective of a batch with its penalty, as a `[1]` tensor to differentiate, and its parts.
    pub fn objective(&self, model: &AnyModel, samples: &Arc<Samples>, device: &Device) -> (Tensor<1>, StepSums) {
        let whole = TakenTables::default();
        let (loss, squared) = self.sums_of_data(model, samples, &whole, device);
        let penalty = Penalty::new(&self.regularization, model, samples, &whole).value(model);
        let sums = StepSums::new(&loss, penalty.as_ref(), squared, samples.len());
        let mean = loss / samples.len() as f64;
        let objective = match penalty {
            Some(penalty) => mean + penalty,
            None => mean,
        };
        (objective, sums)
    }

    /// Σ loss, differentiable, and Σ (r − s)² of the positions' own scores, without autodiff.
    fn sums_of_data(
        &self,
        model: &AnyModel,
        samples: &Arc<Samples>,
        taken: &TakenTables,
        device: &Device,
    ) -> (Tensor<1>, Tensor<1>) {
        let batch = samples.to_device_with(taken.all_places(), device);
        let draws = batch.draws();
        let scores = model.forward(&batch).reshape([-1, draws as i64]); // [positions, draws]
        let own = if draws == 1 { scores.clone() } else { scores.clone().slice([0..samples.len(), 0..1]) };
        let residual = (batch.targets().clone() - own.squeeze_dim(1)).inner();
        (total(self.objective.loss(scores, &batch)), total(residual.clone() * residual))
    }

    /// Moves the model one step against the gradient of [`objective`](Self::objective). `norms` requests the norms of
    /// the gradients (before clipping), which costs a read-back.
    pub fn step(
        &mut self,
        model: AnyModel,
        samples: &Arc<Samples>,
        device: &Device,
        learning_rate: f64,
        norms: bool,
    ) -> (AnyModel, StepSums, Option<Norms>) {
        let of_biases = |table: &&&crate::model::Table| table.group().kind == TableKind::Biases;
        let undecayed: HashSet<ParamId> = model.tables().iter().filter(of_biases).map(|table| table.rows.id).collect();
        let (model, mut whole, taken) = match self.rows {
            UpdatedRows::All => (model, HashMap::new(), TakenTables::default()),
            UpdatedRows::Touched => take_rows(model, samples, device),
        };
        let (loss, squared) = self.sums_of_data(&model, samples, &taken, device);
        let penalty = Penalty::new(&self.regularization, &model, samples, &taken);
        let sums = StepSums::new(&loss, penalty.value(&model.valid()).as_ref(), squared, samples.len());
        let mut data = (loss / samples.len() as f64).backward();
        let norms = norms.then(|| gradient_norms(&model, &data, &penalty));
        let scale = self.clip.norm.map(|limit| joint_scale(&model, &data, &penalty, self.clip.value, limit));
        let project = model.constraint() == Constraint::NonNegative;
        let optimizer = &mut self.optimizer;
        optimizer.begin_step();
        let limit = self.clip.value;
        let model = model.map(Some(&mut data), &mut |Visited { name, id, shape, is_trained, rows, gradient }| {
            let whole = whole.remove(&id);
            let Some(parts) = parts_of(id, is_trained, &rows, gradient, &penalty) else {
                return whole.map_or(rows, |whole| whole.rows);
            };
            let parts = GradientParts { limit, scale: scale.clone(), ..parts };
            match whole {
                Some(whole) => optimizer.update_rows(&name, whole, rows, parts, learning_rate, project),
                None => {
                    let decays = shape.len() > 1 && !undecayed.contains(&id);
                    let dims = rows.dims();
                    let gradient = parts.at(rows.clone()).flatten(0, 1);
                    let updated = optimizer.update(&name, rows.flatten(0, 1), gradient, learning_rate, decays);
                    let updated = if project { updated.clamp_min(0.0) } else { updated };
                    updated.reshape(dims)
                }
            }
        });
        (model, sums, norms)
    }
}

/// The gradient of a parameter, given the data's part; `None` for an untrained parameter.
fn parts_of(
    id: ParamId,
    is_trained: bool,
    rows: &Tensor<2>,
    data: Option<Tensor<2>>,
    penalty: &Penalty,
) -> Option<GradientParts> {
    let penalty = if is_trained { penalty.factors(id) } else { None };
    let data = match data {
        Some(data) => data,
        None if penalty.is_some() => rows.zeros_like(),
        None => return None,
    };
    Some(GradientParts { data, penalty, limit: None, scale: None })
}

/// min(1, limit / (‖all gradients‖ + 1e-6)), PyTorch's factor, as a tensor to avoid a read-back.
fn joint_scale(
    model: &AnyModel,
    data: &Gradients,
    penalty: &Penalty,
    value_limit: Option<f64>,
    limit: f64,
) -> Tensor<1> {
    let squares = squared_norms(model, data, penalty, value_limit);
    let sum = squares.into_iter().map(|(_, square)| square).reduce(|sum, square| sum + square);
    let norm = sum.expect("a model with parameters").sqrt();
    (norm.add_scalar(1e-6).recip() * limit).clamp_max(1.0)
}

fn gradient_norms(model: &AnyModel, data: &Gradients, penalty: &Penalty) -> Norms {
    let read = |square: Tensor<1>| f64::from(to_vec(square)[0]).sqrt();
    squared_norms(model, data, penalty, None).into_iter().map(|(name, square)| (name, read(square))).collect()
}

/// ‖g‖² of each parameter's gradient, on the device.
fn squared_norms(
    model: &AnyModel,
    data: &Gradients,
    penalty: &Penalty,
    limit: Option<f64>,
) -> Vec<(String, Tensor<1>)> {
    let mut found = Vec::new();
    model.visit(Some(data), &mut |Visited { name, id, is_trained, rows, gradient, .. }| {
        if let Some(parts) = parts_of(id, is_trained, &rows, gradient, penalty) {
            let gradient = GradientParts { limit, ..parts }.at(rows);
            let square = total((gradient.clone() * gradient).flatten(0, 1));
            found.push((name, square));
        }
    });
    found
}
