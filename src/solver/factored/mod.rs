//! Mini-batch steps of models whose score is offset + Σ_t b_t + Σ_{s<t} ⟨v_s, v_t⟩, in main memory and without autodiff.
//!
//! With S_n = Σ_t v_t of interaction n, the products of all pairs are ½ Σ_d (S_nd² − Σ_t v_td²)   (Rendle 2010, eq. 5), and a row v
//! that the interactions N of a batch B use has the gradient 1/|B| · (Σ_{n ∈ N} ℓ'_n S_n − v Σ_{n ∈ N} ℓ'_n): one pass adds the
//! sums S to the rows that they belong to, whatever the number of fields. Rows lie beside their moments, so that a step reads and
//! writes each once. It is the step of [`GradientStep`] with `rows = "touched"`, to which a test holds it.
//!
//! The scores of different interactions, and the rows of different fields, are independent: threads never change a bit.

mod kernel;
mod rows;

use std::collections::BTreeMap;

use burn::tensor::Device;
use pulp::Arch;
use rayon::prelude::*;

use self::kernel::{Backward, Forward, Moved};
use self::rows::FieldRows;
use super::gradient::{GradientStep, UpdatedRows};
use super::in_place::RuleAtStep;
use super::rule::UpdateRule;
use super::step::{Norms, StepSums};
use crate::data::{FieldId, Interactions};
use crate::device::is_host;
use crate::linalg::Lane;
use crate::model::{AnyModel, Constraint, HostTensor, Visited};
use crate::objective::Loss;

/// Interactions whose scores one task computes, at least.
const TASK: usize = 64;

/// Fields from which on a step is taken here. Two are a matrix factorization, which [`Stratified`](super::Stratified) trains by a
/// kernel of its own.
const FEWEST_FIELDS: usize = 3;

/// The parameters of a model and their moments, in a layout of its own.
#[derive(Debug, Clone)]
pub(super) struct FactoredStep {
    loss: Loss,
    offset: f32,
    /// Lanes of a row of factors.
    lanes: usize,
    fields: Vec<FieldRows>,
    non_negative: bool,
    limit: Option<f32>,
    /// Steps taken.
    step: u64,
}

/// The interactions of a step.
struct BatchColumns {
    /// The rows of each field.
    indices: Vec<Vec<u32>>,
    targets: Vec<f32>,
    weights: Option<Vec<f32>>,
}

impl BatchColumns {
    fn gather(train: &Interactions, positions: &[u64], fields: &[FieldRows]) -> Self {
        let floats = |values: &Vec<f32>| positions.iter().map(|&at| values[at as usize]).collect();
        let column = |field: FieldId| {
            let column = train.column(field);
            positions.iter().map(|&at| column[at as usize]).collect()
        };
        Self {
            indices: fields.iter().map(|own| column(own.field)).collect(),
            targets: floats(&train.targets),
            weights: train.weights.as_ref().map(floats),
        }
    }
}

impl FactoredStep {
    /// The steps of `step` for this model, going on from its optimizer; `None` if only autodiff can take them.
    pub fn of(model: &AnyModel, step: &GradientStep, device: &Device) -> Option<Self> {
        let loss = Loss::of_objective(&*step.objective)?;
        let is_possible = step.rows == UpdatedRows::Touched && step.clip.norm.is_none();
        let factored = model.factored().filter(|factored| factored.terms.len() >= FEWEST_FIELDS)?;
        if !is_possible || !is_host(&device.clone().without_autodiff()) {
            return None;
        }
        let mut names = BTreeMap::new();
        model.visit(None, &mut |Visited { name, id, is_trained, .. }| {
            if is_trained {
                names.insert(id, name);
            }
        });
        let mut tables = factored.terms.iter().flat_map(|term| [term.factors].into_iter().chain(term.biases));
        if !tables.all(|table| names.contains_key(&table.rows.id)) {
            return None;
        }
        let saved = step.optimizer.save();
        let moments = step.optimizer.rule().moment_names();
        let rows = |term| FieldRows::new(term, &names, &step.regularization, moments, &saved);
        Some(Self {
            loss,
            offset: factored.offset,
            lanes: Lane::count(factored.terms[0].factors.rows.dims()[1]),
            fields: factored.terms.iter().map(rows).collect(),
            non_negative: model.constraint() == Constraint::NonNegative,
            limit: step.clip.value.map(|limit| limit as f32),
            step: step.optimizer.step(),
        })
    }

    /// Moves the rows of the interactions at `positions` one step of the rule. `norms` asks for the norms of gradients.
    pub fn step(
        &mut self,
        train: &Interactions,
        positions: &[u64],
        rule: UpdateRule,
        learning_rate: f64,
        norms: bool,
        device: &Device,
    ) -> (StepSums, Option<Norms>) {
        self.step += 1;
        let rule = RuleAtStep::new(rule, self.step, learning_rate);
        let batch = BatchColumns::gather(train, positions, &self.fields);
        let count = positions.len();
        let lanes = self.lanes;
        let (mut sums, mut scores) = (vec![Lane::ZERO; count * lanes], vec![0.0_f32; count]);
        let arch = Arch::new();
        let (fields, offset) = (&self.fields, self.offset);
        let tasks = sums.par_chunks_mut(TASK * lanes).zip(scores.par_chunks_mut(TASK)).enumerate();
        tasks.with_min_len(4).for_each(|(task, (sums, scores))| {
            arch.dispatch(Forward { fields, indices: &batch.indices, first: task * TASK, lanes, offset, sums, scores });
        });
        let (loss, squared, slopes) = self.slopes(&batch, &scores);
        let (limit, non_negative) = (self.limit, self.non_negative);
        let (slopes, sums) = (&slopes, &sums);
        let fields = self.fields.par_iter_mut().zip(&batch.indices).with_max_len(1);
        let moved: Vec<Moved> = fields
            .map(|(own, indices)| {
                arch.dispatch(Backward { own, indices, slopes, sums, lanes, rule, limit, non_negative })
            })
            .collect();
        let penalty: f64 = moved.iter().map(|moved| moved.penalty).sum();
        let sums = StepSums::on_host([loss, penalty * count as f64, squared], count, device);
        let norms = norms.then(|| {
            let of_field = |(own, moved): (&FieldRows, &Moved)| own.named(moved.squares.map(f64::sqrt));
            self.fields.iter().zip(&moved).flat_map(of_field).collect()
        });
        (sums, norms)
    }

    /// Σ loss, Σ (r − s)², and the slope of each interaction's loss in the mean over all.
    fn slopes(&self, batch: &BatchColumns, scores: &[f32]) -> (f64, f64, Vec<f32>) {
        let (mut loss, mut squared) = (0.0, 0.0);
        let mut slopes = vec![0.0; scores.len()];
        let share = 1.0 / scores.len() as f32;
        const WIDTH: usize = Lane::WIDTH;
        for start in (0..scores.len()).step_by(WIDTH) {
            let end = (start + WIDTH).min(scores.len());
            let (mut own, mut targets) = ([0.0; WIDTH], [0.0; WIDTH]);
            own[..end - start].copy_from_slice(&scores[start..end]);
            targets[..end - start].copy_from_slice(&batch.targets[start..end]);
            let (values, of_scores) = self.loss.values_and_slopes(&own, &targets);
            for at in start..end {
                let weight = batch.weights.as_ref().map_or(1.0, |weights| weights[at]);
                loss += values[at - start] * f64::from(weight);
                slopes[at] = of_scores[at - start] * weight * share;
                squared += f64::from(targets[at - start] - own[at - start]).powi(2);
            }
        }
        (loss, squared, slopes)
    }

    /// The model with these parameters.
    pub fn write_back(&self, model: AnyModel) -> AnyModel {
        let mut tables: BTreeMap<_, Vec<f32>> = self.fields.iter().flat_map(FieldRows::parameters).collect();
        model.map(None, &mut |Visited { name, rows, .. }| match tables.remove(&name) {
            None => rows,
            Some(values) => rows::table(values, &rows),
        })
    }

    /// The moments, as [`Optimizer::save`](crate::solver::Optimizer::save) names them.
    pub fn memory(&self) -> BTreeMap<String, HostTensor> {
        self.fields.iter().flat_map(FieldRows::moments).collect()
    }
}
