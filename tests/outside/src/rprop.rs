//! A solver without a learning rate.

use std::collections::BTreeMap;
use std::sync::Arc;

use lowrank::burn::tensor::{Device, Tensor, TensorData};
use lowrank::config::{Key, KeyKind, Keys, Values};
use lowrank::data::Interactions;
use lowrank::data::batch::Samples;
use lowrank::device::to_vec;
use lowrank::error::{Error, Result};
use lowrank::model::{AnyModel, HostTensor, ModelKind, Visited};
use lowrank::objective::Objective;
use lowrank::solver::{Setup, Solver, SolverPart, StepNumber, StepSums, Stepped};

/// Rprop (Riedmiller & Braun 1993, without backtracking): each weight moves by a step of its own against the sign of its
/// gradient over all interactions; a step grows by 1.2 while the sign stays and shrinks by 0.5 when it turns. A step ends
/// with an error if the mean loss is above a limit.
#[derive(Debug)]
struct Rprop {
    objective: Arc<dyn Objective>,
    first_step: f32,
    /// The largest mean loss that is borne.
    limit: f64,
    /// With autodiff.
    device: Device,
    /// The steps of each parameter's weights, with the sign of the last gradient.
    steps: BTreeMap<String, HostTensor>,
}

const GROW: f32 = 1.2;
const SHRINK: f32 = 0.5;
const SMALLEST: f32 = 1e-6;
const LARGEST: f32 = 1.0;

impl Rprop {
    /// Moves the weights of one parameter.
    fn moved(&mut self, name: String, rows: Tensor<2>, gradient: Tensor<2>) -> Tensor<2> {
        let (shape, device) = (rows.dims(), rows.device());
        let (mut weights, gradient) = (to_vec(rows), to_vec(gradient));
        let start = || HostTensor::vector(vec![self.first_step; weights.len()]);
        let steps = self.steps.entry(name).or_insert_with(start);
        for ((weight, slope), step) in weights.iter_mut().zip(gradient).zip(&mut steps.data) {
            if slope == 0.0 {
                continue;
            }
            // What is kept has the sign of the last gradient; the first one counts as a turn.
            let factor = if slope.signum() == step.signum() { GROW } else { SHRINK };
            *step = (step.abs() * factor).clamp(SMALLEST, LARGEST) * slope.signum();
            *weight -= *step;
        }
        Tensor::from_data(TensorData::new(weights, shape), &device)
    }
}

impl Solver for Rprop {
    fn begin(&mut self, _: &AnyModel, _: &Interactions) -> Result<u64> {
        Ok(1)
    }

    fn step(&mut self, model: AnyModel, train: &Interactions, _: StepNumber) -> Stepped {
        let count = train.len();
        let samples = Arc::new(Samples::gather(train, &(0..count as u64).collect::<Vec<_>>()));
        let batch = samples.to_device(&self.device);
        let scores = model.forward(&batch);
        let residuals = to_vec((batch.targets().clone() - scores.clone()).inner());
        let squares: f64 = residuals.iter().map(|residual| f64::from(*residual).powi(2)).sum();
        let losses = self.objective.loss(scores.unsqueeze_dim(1), &batch);
        let total: f64 = to_vec(losses.clone().inner()).into_iter().map(f64::from).sum();
        let mean = total / count as f64;
        if mean > self.limit {
            let message = format!("rprop: the mean loss {mean:.3} is above solver.limit = {}", self.limit);
            return Stepped { model, outcome: Err(Error::Usage(message)) };
        }
        let mut gradients = losses.mean().backward();
        let model = model.map(Some(&mut gradients), &mut |Visited { name, rows, gradient, .. }| match gradient {
            Some(gradient) => self.moved(name, rows, gradient),
            None => rows,
        });
        Stepped::new(model, StepSums::on_host([total, 0.0, squares], count, &self.device))
    }

    fn memory(&self) -> BTreeMap<String, HostTensor> {
        self.steps.iter().map(|(name, steps)| (format!("{name}/step"), steps.clone())).collect()
    }

    fn restore(&mut self, _: u64, memory: &BTreeMap<String, HostTensor>) {
        let name = |path: &str| path.strip_suffix("/step").map(Into::into);
        self.steps = memory.iter().filter_map(|(path, steps)| Some((name(path)?, steps.clone()))).collect();
    }
}

/// Rprop as configs name it.
#[derive(Debug, Clone, Copy)]
pub struct RpropPart;

impl SolverPart for RpropPart {
    fn name(&self) -> &str {
        "rprop"
    }

    fn keys(&self, _: &[ModelKind]) -> Keys {
        let first = Key::new("solver.first_step", KeyKind::POSITIVE, "Size of the first step of every weight.");
        let limit = Key::new("solver.limit", KeyKind::POSITIVE, "A larger mean loss ends the run.");
        Keys::new([first.default("0.02"), limit.default("1e9")])
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        Ok(Box::new(Rprop {
            objective: setup.objective.clone(),
            first_step: values.get("solver.first_step"),
            limit: values.get("solver.limit"),
            device: setup.device.clone().autodiff(),
            steps: BTreeMap::new(),
        }))
    }
}
