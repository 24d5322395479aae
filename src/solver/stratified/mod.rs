//! Stochastic gradient descent one rating at a time, in parallel, with the same result for any number of threads.
//!
//! For models whose score is μ + b_u + b_i + p_uᵀ q_i. The objective is that of the
//! [mini-batch solver](super::MiniBatch) with a batch of one rating: loss + Σ λ‖row‖² over the rows of the rating. Ratings
//! lie in a grid of blocks; blocks that share no row run at once, on the CPU (stratified SGD: Gemulla, Nijkamp, Haas &
//! Sismanis 2011). An epoch has one step for each stratum of such blocks. Gradients are written out in the kernel
//! rather than found by autodiff, which a test holds them to. [`StratifiedRanking`] does the same for the objectives of
//! [`ranking`](crate::objective::ranking).

mod candidates;
mod grid;
mod kernel;
mod part;
mod ranking;
mod ranking_kernel;
mod rule;
mod tables;

use std::collections::BTreeMap;

use pulp::Arch;

use self::grid::{Grid, counts, deal_both, strata};
use self::kernel::{Sums, Visit};
pub use self::part::StratifiedPart;
pub use self::ranking::StratifiedRanking;
use self::rule::Rule;
pub use self::rule::{AdaGrad, Adam, RowRule};
use self::tables::{BlockRows, Remembered, Tables};
use super::dot_product::DotProduct;
use super::learning_rate::LearningRate;
use super::regularization::Regularization;
use super::solve::Solver;
use super::step::{StepNumber, StepSums, Stepped};
use crate::data::Interactions;
use crate::error::Result;
use crate::model::{AnyModel, HostTensor};
use crate::objective::{Loss, PointwiseLoss, Squared};

/// The solver: objective, rule and order.
pub struct Stratified {
    loss: Loss,
    /// The loss of the grid's values, once training has begun.
    kernel_loss: Loss,
    regularization: Regularization,
    rule: RowRule,
    learning_rate: LearningRate,
    seed: u64,
    /// Memory to go on from, until training begins.
    restored: Remembered,
    /// Everything that training moves, once it has begun.
    state: Option<State>,
}

struct State {
    grid: Grid,
    tables: Tables,
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
        let kernel_loss = loss;
        Self { loss, kernel_loss, regularization, rule, learning_rate, seed, restored: BTreeMap::new(), state: None }
    }

    /// Visits stratum `shift`: at once, the blocks of every user part a and item part a + `shift`.
    fn visit(&mut self, shift: usize, learning_rate: f64) -> Sums {
        match self.rule {
            RowRule::AdaGrad(rule) => self.visit_with(rule, shift, learning_rate),
            RowRule::Adam(rule) => self.visit_with(rule, shift, learning_rate),
        }
    }

    fn visit_with<R: Rule>(&mut self, rule: R, shift: usize, learning_rate: f64) -> Sums {
        let State { grid, tables } = self.state.as_mut().expect("begun");
        let coefficients = tables.coefficients(rule, self.kernel_loss, learning_rate);
        let arch = Arch::new();
        let sums = tables.visit(shift, |BlockRows { user_part, item_part, users, items, .. }| {
            let block = grid.block(user_part, item_part);
            arch.dispatch(Visit { block, users, items, coefficients: &coefficients })
        });
        sums.into_iter().sum()
    }
}

impl Solver for Stratified {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        let model = DotProduct::read(model, "stratified")?;
        let [of_users, of_items] = model.columns(train);
        let counts = [counts(of_users, model.users.num_rows), counts(of_items, model.items.num_rows)];
        let dealt = deal_both(&counts[0], &counts[1], self.seed);
        let row_bytes = Tables::row_bytes(model.rank, &self.rule);
        let mut grid = Grid::new((of_users, of_items, &train.targets), dealt.each_ref(), row_bytes, self.seed);
        // A loss that is a weighted square of something else is computed as one.
        self.kernel_loss = match train.targets.first().and_then(|&first| self.loss.as_weighted_square(first)) {
            Some(_) => {
                grid.weigh(|rating| self.loss.as_weighted_square(rating).expect("of every rating or of none"));
                Loss::Squared(Squared {})
            }
            None => self.loss,
        };
        let tables = Tables::new(&model, dealt, &self.rule, &self.regularization, &self.restored)?;
        let steps = tables.parts() as u64;
        self.restored = BTreeMap::new();
        self.state = Some(State { grid, tables });
        Ok(steps)
    }

    fn step(&mut self, model: AnyModel, _: &Interactions, number: StepNumber) -> Stepped {
        let State { grid, tables } = self.state.as_ref().expect("begun");
        let parts = tables.parts();
        let shift = strata(parts, self.seed, number.epoch)[number.step as usize];
        let count = (0..parts).map(|part| grid.block(part, (part + shift) % parts).cells.len()).sum();
        let Sums { loss, penalty, squared } = self.visit(shift, self.learning_rate.at(number));
        let sums = StepSums::on_host([loss, penalty, squared], count, &model.device());
        Stepped::new(model, sums)
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        match &self.state {
            None => model,
            Some(state) => state.tables.write_back(model),
        }
    }

    fn learning_rate(&self, number: StepNumber) -> Option<f64> {
        Some(self.learning_rate.at(number))
    }

    fn memory(&self) -> BTreeMap<String, HostTensor> {
        self.state.as_ref().map(|state| state.tables.remembered()).unwrap_or_default()
    }

    fn restore(&mut self, _: u64, saved: &BTreeMap<String, HostTensor>) {
        self.restored = saved.clone();
    }
}
