//! One step of mini-batch gradient descent by autodiff.
//!
//! Objective of a batch B: 1/|B| · Σ_{(u,i) ∈ B} [ loss(r_ui, ŝ_ui) + Σ_tables λ_table · ‖row‖² ] + λ_weights · Σ_layers ‖W‖²
//!
//! where "row" is the row that the rating's user or item has in the table. λ is thus a penalty per observed rating (as
//! in FunkSVD and Koren, Bell & Volinsky 2009, eq. 5), without a ½: a user with many ratings is penalized as often.
//! It is not weight decay, which shrinks every row at every step.
//!
//! The gradient of the data comes from autodiff, that of the penalty from its formula.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Gradients, Tensor};
use serde::{Deserialize, Serialize};

use super::gradient_parts::{GradientParts, as_rows};
use super::optimizer::Optimizer;
use super::penalty::Penalty;
use super::regularization::Regularization;
use super::step::{Norms, StepSums};
use super::touched::{self, WholeTable};
use crate::config::choice;
use crate::data::batch::Samples;
use crate::device::{to_vec, total};
use crate::loss::PointwiseLoss;
use crate::model::parameters::Path;
use crate::model::{Constraint, Factorization, Kind};

/// Limits on gradients, applied in this order.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Clip {
    /// Every element of every gradient is limited to ± this.
    pub value: Option<f64>,
    /// All gradients are scaled down together where their joint Euclidean norm exceeds this.
    pub norm: Option<f64>,
}

choice! {
    /// Which rows of a table a step updates.
    #[derive(Default)]
    pub enum Rows {
        /// All of them: an optimizer with momentum moves rows that the batch does not touch, too. The textbook's rule.
        All = "all",
        /// Those that the batch touches, with their moments: a step costs the batch, not the table.
        #[default]
        Touched = "touched",
    }
}

/// The solver: objective, limits and update rule.
#[derive(Debug, Clone)]
pub struct GradientStep<L> {
    /// Loss of one rating.
    pub loss: L,
    /// λ.
    pub regularization: Regularization,
    /// Limits on gradients.
    pub clip: Clip,
    /// Which rows of a table a step updates.
    pub rows: Rows,
    /// Update rule and its memory.
    pub optimizer: Optimizer,
}

impl<L: PointwiseLoss> GradientStep<L> {
    /// The objective of a batch as a `[1]` tensor to differentiate, and its parts.
    pub fn objective<M: Factorization>(&self, model: &M, samples: &Samples, device: &Device) -> (Tensor<1>, StepSums) {
        let (loss, squared) = self.sums_of_data(model, samples, device);
        let penalty = Penalty::new(&self.regularization, model, samples).value(model);
        let sums = StepSums::new(&loss, penalty.as_ref(), squared, samples.len());
        let mean = loss / samples.len() as f64;
        let objective = match penalty {
            Some(penalty) => mean + penalty,
            None => mean,
        };
        (objective, sums)
    }

    /// Σ loss, differentiable, and Σ (r − s)², without autodiff.
    fn sums_of_data<M: Factorization>(&self, model: &M, samples: &Samples, device: &Device) -> (Tensor<1>, Tensor<1>) {
        let batch = samples.to_device(device);
        let score = model.forward(&batch); // [batch]
        let residual = (batch.ratings().clone() - score.clone()).inner();
        (total(self.loss.forward(score, batch.ratings().clone())), total(residual.clone() * residual))
    }

    /// Moves the model one step against the gradient of [`objective`](Self::objective).
    /// `norms` asks for the norms of the gradients (before clipping), which costs a read-back.
    pub fn step<M: Factorization>(
        &mut self,
        model: M,
        samples: &Samples,
        device: &Device,
        learning_rate: f64,
        norms: bool,
    ) -> (M, StepSums, Option<Norms>) {
        let undecayed = model.tables().iter().filter(|t| t.group().kind == Kind::Biases).map(|t| t.rows.id).collect();
        let (model, samples, tables) = match self.rows {
            Rows::All => (model, Cow::Borrowed(samples), HashMap::new()),
            Rows::Touched => {
                let (model, samples, tables) = touched::take_rows(model, samples, device);
                (model, Cow::Owned(samples), tables)
            }
        };
        let (loss, squared) = self.sums_of_data(&model, &samples, device);
        let penalty = Penalty::new(&self.regularization, &model, &samples);
        let sums = StepSums::new(&loss, penalty.value(&model.valid()).as_ref(), squared, samples.len());
        let gradients = ObjectiveGradients { data: (loss / samples.len() as f64).backward(), penalty };
        let norms = norms.then(|| gradient_norms(&model, &gradients));
        let scale = self.clip.norm.map(|limit| joint_scale(&model, &gradients, self.clip.value, limit));
        let project = model.constraint() == Constraint::NonNegative;
        self.optimizer.begin_step();
        let model = model.map(&mut Updater {
            path: Path::default(),
            optimizer: &mut self.optimizer,
            gradients,
            tables,
            limit: self.clip.value,
            scale,
            learning_rate,
            undecayed,
            project,
        });
        (model, sums, norms)
    }
}

/// Gradients of the objective by parameter.
struct ObjectiveGradients {
    data: Gradients,
    penalty: Penalty,
}

impl ObjectiveGradients {
    /// The gradient of a parameter of which the data's part is known; `None` for a parameter that is not trained.
    fn of<const D: usize>(&self, id: ParamId, tensor: &Tensor<D>, data: Option<Tensor<D>>) -> Option<GradientParts> {
        let penalty = if tensor.is_require_grad() { self.penalty.factors(id) } else { None };
        let data = match data {
            Some(data) => data,
            None if penalty.is_some() => tensor.clone().inner().zeros_like(),
            None => return None,
        };
        Some(GradientParts { data: as_rows(data), penalty, limit: None, scale: None })
    }
}

/// Applies the update rule to every parameter that has a gradient.
struct Updater<'a> {
    path: Path,
    optimizer: &'a mut Optimizer,
    gradients: ObjectiveGradients,
    /// Whole tables, where the module holds some of their rows.
    tables: HashMap<ParamId, WholeTable>,
    limit: Option<f64>,
    scale: Option<Tensor<1>>,
    learning_rate: f64,
    undecayed: HashSet<ParamId>,
    project: bool,
}

impl ModuleMapper for Updater<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let whole = self.tables.remove(&id);
        let data = tensor.grad_remove(&mut self.gradients.data);
        let Some(parts) = self.gradients.of(id, &tensor, data) else {
            let tensor = whole.map_or(tensor, |whole| whole.rows.clone().reshape(whole.shape::<D>()));
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let parts = GradientParts { limit: self.limit, scale: self.scale.clone(), ..parts };
        let dims = tensor.dims();
        let rows = as_rows(tensor.inner());
        let (name, rate) = (self.path.name(), self.learning_rate);
        let updated = match whole {
            Some(whole) => {
                let shape = whole.shape::<D>();
                self.optimizer.update_rows(&name, whole, rows, parts, rate, self.project).reshape(shape)
            }
            None => {
                let decays = D > 1 && !self.undecayed.contains(&id);
                let gradient = parts.at(rows.clone()).flatten(0, 1);
                let updated = self.optimizer.update(&name, rows.flatten(0, 1), gradient, rate, decays);
                let updated = if self.project { updated.clamp_min(0.0) } else { updated };
                updated.reshape(dims)
            }
        };
        Param::from_mapped_value(id, updated.autodiff().require_grad(), mapper)
    }
}

/// min(1, limit / (‖all gradients‖ + 1e-6)), PyTorch's factor, as a tensor, so that nothing is read back.
fn joint_scale<M: Module>(
    model: &M,
    gradients: &ObjectiveGradients,
    value_limit: Option<f64>,
    limit: f64,
) -> Tensor<1> {
    let squares = squared_norms(model, gradients, value_limit);
    let sum = squares.into_iter().map(|(_, square)| square).reduce(|sum, square| sum + square);
    let norm = sum.expect("a model with parameters").sqrt();
    (norm.add_scalar(1e-6).recip() * limit).clamp_max(1.0)
}

fn gradient_norms<M: Module>(model: &M, gradients: &ObjectiveGradients) -> Norms {
    let read = |square: Tensor<1>| f64::from(to_vec(square)[0]).sqrt();
    squared_norms(model, gradients, None).into_iter().map(|(name, square)| (name, read(square))).collect()
}

/// ‖g‖² of each parameter's gradient, on the device.
fn squared_norms<M: Module>(model: &M, gradients: &ObjectiveGradients, limit: Option<f64>) -> Vec<(String, Tensor<1>)> {
    struct Visitor<'a> {
        path: Path,
        gradients: &'a ObjectiveGradients,
        limit: Option<f64>,
        found: Vec<(String, Tensor<1>)>,
    }
    impl ModuleVisitor for Visitor<'_> {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val();
            let data = tensor.grad(&self.gradients.data);
            if let Some(parts) = self.gradients.of(param.id, &tensor, data) {
                let gradient = GradientParts { limit: self.limit, ..parts }.at(as_rows(tensor.inner()));
                let square = total((gradient.clone() * gradient).flatten(0, 1));
                self.found.push((self.path.name(), square));
            }
        }
    }
    let mut visitor = Visitor { path: Path::default(), gradients, limit, found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}
