//! Stochastic gradient descent one rating at a time, in parallel, with the same result for any number of threads.
//!
//! For models whose score is μ + b_u + b_i + p_uᵀ q_i. The objective is that of the
//! [mini-batch solver](super::gradient) with a batch of one rating: loss + Σ λ‖row‖² over the rows of the rating. Ratings
//! lie in a [grid] of blocks; blocks that share no row run at once, on the CPU (stratified SGD: Gemulla, Nijkamp, Haas &
//! Sismanis 2011). An epoch has one step for each stratum of such blocks. Gradients are written out in the [kernel]
//! rather than found by autodiff, which a test holds them to.

pub mod grid;
pub mod kernel;
pub mod rule;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use pulp::Arch;
use rayon::prelude::*;

use self::grid::{Grid, Parts};
use self::kernel::{Coefficients, Rows, Sums, Visit};
pub use self::rule::{AdaGrad, Adam, RowRule};
use self::rule::{Memory, Rule, SideCoefficients};
use super::dot_product::{self, DotProduct};
use super::regularization::Regularization;
use super::step::StepSums;
use super::{Place, Solver, Stepped};
use crate::data::Ratings;
use crate::error::Result;
use crate::linalg::Lane;
use crate::loss::Loss;
use crate::model::parameters::Values;
use crate::model::{Column, Factorization, Group, Kind};

/// The solver: objective, rule and order.
pub struct Stratified {
    loss: Loss,
    regularization: Regularization,
    rule: RowRule,
    seed: u64,
    /// Memory to go on from, until training begins.
    restored: BTreeMap<String, Values>,
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
}

impl Stratified {
    /// A solver that has seen nothing yet. Its order follows from `seed`.
    pub fn new(loss: Loss, regularization: Regularization, rule: RowRule, seed: u64) -> Self {
        Self { loss, regularization, rule, seed, restored: BTreeMap::new(), state: None }
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
        let side = |column: Column, has_biases: bool| SideCoefficients {
            lambda: self.regularization.of(Group { column, kind: Kind::Factors }) as f32,
            bias_lambda: if has_biases {
                self.regularization.of(Group { column, kind: Kind::Biases }) as f32
            } else {
                0.0
            },
            rate,
            bias_rate: if has_biases { rate } else { 0.0 },
        };
        let coefficients = Coefficients {
            rule,
            loss: self.loss,
            offset: state.offset,
            rank: state.rank,
            non_negative: state.non_negative,
            users: side(Column::User, state.biases[0]),
            items: side(Column::Item, state.biases[1]),
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

    /// The rows of one side in parts, from the model's tables and the restored memory.
    fn deal(&self, parts: &Parts, column: Column, rank: usize, factors: &[f32], biases: Option<&[f32]>) -> Vec<Rows> {
        let (moments, memory) = self.memory_of_rule();
        let restored = |kind: Kind, name: &str| self.restored.get(&key(column, kind, name)).map(|v| &v.data[..]);
        let planes: Vec<Option<&[f32]>> =
            std::iter::once(Some(factors)).chain(moments.iter().map(|name| restored(Kind::Factors, name))).collect();
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
fn key(column: Column, kind: Kind, name: &str) -> String {
    format!("{}/{name}", Group { column, kind })
}

impl State {
    fn side(&self, column: Column) -> (&Parts, &[Rows]) {
        match column {
            Column::User => (&self.grid.users, &self.users),
            Column::Item => (&self.grid.items, &self.items),
        }
    }

    /// Values of a table in its own order: of plane `plane` of the factors.
    fn plane(&self, column: Column, plane: usize, planes: usize) -> Vec<f32> {
        let (parts, rows) = self.side(column);
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
    fn numbers(&self, column: Column, at: usize, count: usize) -> Vec<f32> {
        let (parts, rows) = self.side(column);
        let mut values = vec![0.0; parts.num_rows()];
        for (part, of_part) in rows.iter().enumerate() {
            for (&row, of_row) in parts.rows(part).iter().zip(of_part.scalars.chunks_exact(count)) {
                values[row as usize] = of_row[at];
            }
        }
        values
    }
}

impl<M: Factorization> Solver<M> for Stratified {
    fn begin(&mut self, model: &M, train: &Ratings) -> Result<u64> {
        let DotProduct { offset, rank, non_negative, users, items } = DotProduct::read(model, "stratified")?;
        let (moments, _) = self.memory_of_rule();
        let row_bytes = Lane::count(rank) * size_of::<Lane>() * (1 + moments.len());
        let grid = Grid::new(train, users.num_rows, items.num_rows, row_bytes, self.seed);
        let biases = [&users, &items].map(|side| side.biases.is_some());
        let users = self.deal(&grid.users, Column::User, rank, &users.factors, users.biases.as_deref());
        let items = self.deal(&grid.items, Column::Item, rank, &items.factors, items.biases.as_deref());
        let steps = grid.users.count() as u64;
        self.restored = BTreeMap::new();
        self.state = Some(State { grid, users, items, offset, rank, non_negative, biases });
        Ok(steps)
    }

    fn step(&mut self, model: M, _: &Ratings, at: Place, learning_rate: f64) -> Stepped<M> {
        let state = self.state.as_ref().expect("begun");
        let shift = state.grid.strata(self.seed, at.epoch)[at.step as usize];
        let parts = state.grid.users.count();
        let count = (0..parts).map(|part| state.grid.block(part, (part + shift) % parts).cells.len()).sum();
        let Sums { loss, penalty, squared } = self.visit(shift, learning_rate);
        let sums = [loss, penalty, squared].map(|sum| sum as f32);
        let sums = Tensor::from_floats(sums, &crate::model::parameters::device(&model).without_autodiff());
        Stepped { model, sums: StepSums { sums, count }, norms: None, is_converged: false }
    }

    fn settle(&self, model: M) -> M {
        let Some(state) = &self.state else { return model };
        let (moments, memory) = self.memory_of_rule();
        dot_product::write(model, |Group { column, kind }| match kind {
            Kind::Factors => state.plane(column, 0, 1 + moments.len()),
            Kind::Biases => state.numbers(column, 0, 1 + memory.len()),
        })
    }

    fn memory(&self) -> BTreeMap<String, Values> {
        let Some(state) = &self.state else { return BTreeMap::new() };
        let (moments, memory) = self.memory_of_rule();
        let mut saved = BTreeMap::new();
        let mut save = |key: String, data: Vec<f32>| saved.insert(key, Values { shape: vec![data.len()], data });
        for (column, has_biases) in [Column::User, Column::Item].into_iter().zip(state.biases) {
            for (plane, name) in (1..).zip(moments) {
                save(key(column, Kind::Factors, name), state.plane(column, plane, 1 + moments.len()));
            }
            for (at, Memory { of, name, .. }) in (1..).zip(&memory) {
                if has_biases || *of == Kind::Factors {
                    save(key(column, *of, name), state.numbers(column, at, 1 + memory.len()));
                }
            }
        }
        saved
    }

    fn restore(&mut self, _: u64, saved: &BTreeMap<String, Values>) {
        self.restored = saved.clone();
    }
}
