//! Stochastic gradient descent one rating at a time, in parallel, with the same result for any number of threads.
//!
//! For models whose score is μ + b_u + b_i + p_uᵀ q_i. The objective is that of the
//! [mini-batch solver](super::MiniBatch) with a batch of one rating: loss + Σ λ‖row‖² over the rows of the rating. Ratings
//! lie in a grid of blocks; blocks that share no row run at once, on the CPU (stratified SGD: Gemulla, Nijkamp, Haas &
//! Sismanis 2011). An epoch has one step for each stratum of such blocks. Gradients are written out in the kernel
//! rather than found by autodiff, which a test holds them to.

mod grid;
mod kernel;
mod part;
mod rule;

use std::collections::BTreeMap;

use pulp::Arch;
use rayon::prelude::*;

use self::grid::{DealtRows, Grid};
use self::kernel::{Coefficients, Rows, Sums, Visit};
pub use self::part::StratifiedPart;
pub use self::rule::{AdaGrad, Adam, RowRule};
use self::rule::{Memory, Rule, SideCoefficients};
use super::dot_product::{DotProduct, ParameterRoles, SideTables};
use super::learning_rate::LearningRate;
use super::regularization::Regularization;
use super::solve::Solver;
use super::step::{StepNumber, StepSums, Stepped};
use crate::data::{Interactions, Role};
use crate::error::{Error, Result};
use crate::linalg::Lane;
use crate::model::{AnyModel, HostTensor, TableGroup, TableKind};
use crate::objective::Loss;

/// The solver: objective, rule and order.
pub struct Stratified {
    loss: Loss,
    regularization: Regularization,
    rule: RowRule,
    learning_rate: LearningRate,
    seed: u64,
    /// Memory to go on from, until training begins.
    restored: BTreeMap<String, HostTensor>,
    /// Everything that training moves, once it has begun.
    state: Option<State>,
}

struct State {
    grid: Grid,
    /// Rows of each part.
    users: Vec<Rows>,
    items: Vec<Rows>,
    offset: f32,
    rank: usize,
    non_negative: bool,
    /// Whether users and items have biases.
    biases: [bool; 2],
    /// λ groups of the factors of users and items.
    groups: [TableGroup; 2],
    /// λ of their factors and biases.
    lambdas: [[f32; 2]; 2],
    places: ParameterRoles,
}

impl Stratified {
    /// A solver that has seen nothing yet. Its order follows from `seed`.
    pub fn new(
        loss: Loss,
        regularization: Regularization,
        rule: RowRule,
        learning_rate: LearningRate,
        seed: u64,
    ) -> Self {
        Self { loss, regularization, rule, learning_rate, seed, restored: BTreeMap::new(), state: None }
    }

    /// Visits stratum `shift`: at once, the blocks of every user part a and item part a + `shift`.
    fn visit(&mut self, shift: usize, learning_rate: f64) -> Sums {
        match self.rule {
            RowRule::AdaGrad(rule) => self.visit_with(rule, shift, learning_rate),
            RowRule::Adam(rule) => self.visit_with(rule, shift, learning_rate),
        }
    }

    fn visit_with<R: Rule>(&mut self, rule: R, shift: usize, learning_rate: f64) -> Sums {
        let state = self.state.as_mut().expect("begun");
        let rate = learning_rate as f32;
        let side = |at: usize| {
            let ([lambda, bias_lambda], has_biases) = (state.lambdas[at], state.biases[at]);
            SideCoefficients {
                lambda,
                bias_lambda: if has_biases { bias_lambda } else { 0.0 },
                rate,
                bias_rate: if has_biases { rate } else { 0.0 },
            }
        };
        let coefficients = Coefficients {
            rule,
            loss: self.loss,
            offset: state.offset,
            rank: state.rank,
            non_negative: state.non_negative,
            users: side(0),
            items: side(1),
        };
        let arch = Arch::new();
        let (grid, parts) = (&state.grid, state.grid.users.count());
        state.items.rotate_left(shift);
        let pairs = state.users.par_iter_mut().zip(&mut state.items).enumerate().with_max_len(1);
        let sums: Vec<Sums> = pairs
            .map(|(part, (users, items))| {
                let block = grid.block(part, (part + shift) % parts);
                arch.dispatch(Visit { block, users, items, coefficients: &coefficients })
            })
            .collect();
        state.items.rotate_right(shift);
        // In the order of the parts, whatever thread was first.
        sums.into_iter().fold(Sums::default(), |sum, of_block| Sums {
            loss: sum.loss + of_block.loss,
            penalty: sum.penalty + of_block.penalty,
            squared: sum.squared + of_block.squared,
        })
    }

    /// Names of the moments and what is remembered of each row.
    fn memory_of_rule(&self) -> (&'static [&'static str], Vec<Memory>) {
        match self.rule {
            RowRule::AdaGrad(rule) => (AdaGrad::MOMENTS, rule.memory()),
            RowRule::Adam(rule) => (Adam::MOMENTS, rule.memory()),
        }
    }

    /// Refuses restored memory of another size than that of a side's tables.
    fn check_restored(&self, side: &SideTables, rank: usize) -> Result<()> {
        let (moments, memory) = self.memory_of_rule();
        let of_moments = moments.iter().map(|name| (TableKind::Factors, *name, side.num_rows * rank));
        let of_rows = memory.iter().map(|memory| (memory.of, memory.name, side.num_rows));
        for (kind, name, length) in of_moments.chain(of_rows) {
            let key = key(&side.group(kind), name);
            if self.restored.get(&key).is_some_and(|found| found.data.len() != length) {
                return Err(Error::Usage(format!("the checkpoint's {key} does not fit the model; train anew")));
            }
        }
        Ok(())
    }

    /// The rows of one side in parts, from the model's tables and the restored memory.
    fn deal(&self, parts: &DealtRows, side: &SideTables, rank: usize) -> Vec<Rows> {
        let (moments, memory) = self.memory_of_rule();
        let (factors, biases) = (&side.factors[..], side.biases.as_deref());
        let restored =
            |kind: TableKind, name: &str| self.restored.get(&key(&side.group(kind), name)).map(|v| &v.data[..]);
        let planes: Vec<Option<&[f32]>> = std::iter::once(Some(factors))
            .chain(moments.iter().map(|name| restored(TableKind::Factors, name)))
            .collect();
        let numbers: Vec<(Option<&[f32]>, f32)> = std::iter::once((biases, 0.0))
            .chain(memory.iter().map(|memory| (restored(memory.of, memory.name), memory.start)))
            .collect();
        let stride = Lane::count(rank) * Lane::WIDTH;
        let part = |part| {
            let rows = parts.rows(part);
            let mut padded = vec![Lane::ZERO; rows.len() * planes.len() * Lane::count(rank)];
            let flat: &mut [f32] = bytemuck::cast_slice_mut(&mut padded);
            let mut scalars = Vec::with_capacity(rows.len() * numbers.len());
            for (&row, of_row) in rows.iter().zip(flat.chunks_exact_mut(stride * planes.len())) {
                let row = row as usize;
                for (plane, values) in of_row.chunks_exact_mut(stride).zip(&planes) {
                    if let Some(values) = values {
                        plane[..rank].copy_from_slice(&values[row * rank..][..rank]);
                    }
                }
                scalars.extend(numbers.iter().map(|(values, start)| values.map_or(*start, |values| values[row])));
            }
            Rows { factors: padded, scalars }
        };
        (0..parts.count()).into_par_iter().map(part).collect()
    }
}

/// What a number remembered of a group of parameters is called in checkpoints.
fn key(group: &TableGroup, name: &str) -> String {
    format!("{group}/{name}")
}

impl State {
    fn side(&self, role: Role) -> (&DealtRows, &[Rows]) {
        match role {
            Role::User => (&self.grid.users, &self.users),
            Role::Item => (&self.grid.items, &self.items),
        }
    }

    /// Values of a table in its own order: of plane `plane` of the factors.
    fn plane(&self, role: Role, plane: usize, planes: usize) -> Vec<f32> {
        let (parts, rows) = self.side(role);
        let stride = Lane::count(self.rank) * Lane::WIDTH;
        let mut values = vec![0.0; parts.num_rows() * self.rank];
        for (part, of_part) in rows.iter().enumerate() {
            let flat: &[f32] = bytemuck::cast_slice(&of_part.factors);
            for (&row, of_row) in parts.rows(part).iter().zip(flat.chunks_exact(stride * planes)) {
                values[row as usize * self.rank..][..self.rank].copy_from_slice(&of_row[plane * stride..][..self.rank]);
            }
        }
        values
    }

    /// Values of one of the single numbers of each row.
    fn numbers(&self, role: Role, at: usize, count: usize) -> Vec<f32> {
        let (parts, rows) = self.side(role);
        let mut values = vec![0.0; parts.num_rows()];
        for (part, of_part) in rows.iter().enumerate() {
            for (&row, of_row) in parts.rows(part).iter().zip(of_part.scalars.chunks_exact(count)) {
                values[row as usize] = of_row[at];
            }
        }
        values
    }
}

impl Solver for Stratified {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        let model = DotProduct::read(model, "stratified")?;
        let [of_users, of_items] = model.columns(train);
        let DotProduct { offset, rank, non_negative, users, items, places } = &model;
        let (moments, _) = self.memory_of_rule();
        let row_bytes = Lane::count(*rank) * size_of::<Lane>() * (1 + moments.len());
        let sizes = (users.num_rows, items.num_rows);
        let grid = Grid::new((of_users, of_items, &train.targets), sizes, row_bytes, self.seed);
        let sides = [users, items];
        let lambda = |side: &SideTables| {
            [TableKind::Factors, TableKind::Biases].map(|kind| side.lambda(&self.regularization, kind))
        };
        sides.iter().try_for_each(|side| self.check_restored(side, *rank))?;
        let steps = grid.users.count() as u64;
        let state = State {
            users: self.deal(&grid.users, users, *rank),
            items: self.deal(&grid.items, items, *rank),
            grid,
            offset: *offset,
            rank: *rank,
            non_negative: *non_negative,
            biases: sides.map(|side| side.biases.is_some()),
            groups: sides.map(|side| side.group.clone()),
            lambdas: sides.map(lambda),
            places: places.clone(),
        };
        self.restored = BTreeMap::new();
        self.state = Some(state);
        Ok(steps)
    }

    fn step(&mut self, model: AnyModel, _: &Interactions, number: StepNumber) -> Stepped {
        let state = self.state.as_ref().expect("begun");
        let shift = state.grid.strata(self.seed, number.epoch)[number.step as usize];
        let parts = state.grid.users.count();
        let count = (0..parts).map(|part| state.grid.block(part, (part + shift) % parts).cells.len()).sum();
        let Sums { loss, penalty, squared } = self.visit(shift, self.learning_rate.at(number));
        let sums = StepSums::on_host([loss, penalty, squared], count, &model.device());
        Stepped::new(model, sums)
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        let Some(state) = &self.state else { return model };
        let (moments, memory) = self.memory_of_rule();
        state.places.write(model, |role, kind| match kind {
            TableKind::Factors => state.plane(role, 0, 1 + moments.len()),
            TableKind::Biases => state.numbers(role, 0, 1 + memory.len()),
        })
    }

    fn learning_rate(&self, number: StepNumber) -> Option<f64> {
        Some(self.learning_rate.at(number))
    }

    fn memory(&self) -> BTreeMap<String, HostTensor> {
        let Some(state) = &self.state else { return BTreeMap::new() };
        let (moments, memory) = self.memory_of_rule();
        let mut saved = BTreeMap::new();
        let mut save = |key: String, data: Vec<f32>| saved.insert(key, HostTensor::vector(data));
        for ((role, group), has_biases) in [Role::User, Role::Item].into_iter().zip(&state.groups).zip(state.biases) {
            let of = |kind| TableGroup { kind, ..group.clone() };
            for (plane, name) in (1..).zip(moments) {
                save(key(&of(TableKind::Factors), name), state.plane(role, plane, 1 + moments.len()));
            }
            for (at, Memory { of: kind, name, .. }) in (1..).zip(&memory) {
                if has_biases || *kind == TableKind::Factors {
                    save(key(&of(*kind), name), state.numbers(role, at, 1 + memory.len()));
                }
            }
        }
        saved
    }

    fn restore(&mut self, _: u64, saved: &BTreeMap<String, HostTensor>) {
        self.restored = saved.clone();
    }
}
