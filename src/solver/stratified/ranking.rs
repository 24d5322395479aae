//! Stratified descent on the objectives that compare an interaction with items that the user has not met.
//!
//! The candidates of an interaction come from its block's part of the items. So that every two items are compared in the
//! end, items are dealt into parts anew in each epoch, at random: a random item of a random part is a random item. Parts
//! are fewer than those of ratings if items are few, because a part must offer a choice.

use std::collections::BTreeMap;
use std::sync::Arc;

use pulp::Arch;
use rayon::prelude::*;

use super::candidates::Candidates;
use super::grid::{BLOCKS, Cell, DealtRows, counts, strata, tiled};
use super::kernel::Sums;
use super::ranking_kernel::RankingVisit;
use super::rule::{RowRule, Rule};
use super::tables::{BlockRows, Remembered, Tables};
use crate::data::Interactions;
use crate::data::unseen::Unseen;
use crate::error::Result;
use crate::linalg::groups::sorted_by_key;
use crate::model::{AnyModel, HostTensor};
use crate::objective::ranking::{Ranking, weight_of_positive};
use crate::random::stream;
use crate::solver::dot_product::DotProduct;
use crate::solver::learning_rate::LearningRate;
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;
use crate::solver::step::{StepNumber, StepSums, Stepped};

/// Items that a part has on average at least, for each candidate of an interaction.
const CHOICE: usize = 16;

/// The solver: objective, rule and order.
pub struct StratifiedRanking {
    objective: Arc<Ranking>,
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
    tables: Tables,
    /// How often each item is met.
    counts: Vec<u32>,
    unseen: Unseen,
    /// The interactions of each part of the users, with items as rows of the table.
    of_users: Vec<Vec<Cell>>,
    /// The epoch that items are dealt for.
    epoch: u64,
    /// For each part of the users its interactions by part of the items, with items as rows of their part.
    blocks: Vec<BlocksOfUsers>,
}

/// The blocks of one part of the users.
struct BlocksOfUsers {
    cells: Vec<Cell>,
    /// Where the cells of each part of the items begin, and the end of the last.
    starts: Vec<usize>,
}

impl BlocksOfUsers {
    fn get(&self, item_part: usize) -> &[Cell] {
        &self.cells[self.starts[item_part]..self.starts[item_part + 1]]
    }
}

impl StratifiedRanking {
    /// A solver that has seen nothing yet. Its order and its candidates follow from `seed`.
    pub fn new(
        objective: Arc<Ranking>,
        regularization: Regularization,
        rule: RowRule,
        learning_rate: LearningRate,
        seed: u64,
    ) -> Self {
        Self { objective, regularization, rule, learning_rate, seed, restored: BTreeMap::new(), state: None }
    }

    /// Visits stratum `shift`: at once, the blocks of every user part a and item part a + `shift`.
    fn visit_with<R: Rule>(&mut self, rule: R, shift: usize, number: StepNumber) -> Sums {
        let seed = self.seed;
        let State { tables, unseen, blocks, .. } = self.state.as_mut().expect("begun");
        let coefficients = tables.coefficients(rule, self.objective.loss(), self.learning_rate.at(number));
        let (arch, parts) = (Arch::new(), tables.parts());
        let (unseen, blocks, negatives) = (&*unseen, &*blocks, self.objective.negatives());
        let sums = tables.visit(shift, |BlockRows { user_part, item_part, users, items, user_rows, item_rows }| {
            let candidates = Candidates {
                unseen,
                users: user_rows,
                items: item_rows,
                negatives: *negatives,
                is_corrected: self.objective.loss().is_corrected(),
            };
            let number_of_block = user_part * parts + item_part;
            let stream = stream(seed, &format!("negatives/{}/{number_of_block}", number.epoch));
            let cells = blocks[user_part].get(item_part);
            arch.dispatch(RankingVisit { cells, users, items, candidates, stream, coefficients: &coefficients })
        });
        sums.into_iter().sum()
    }
}

impl State {
    /// Deals items for an epoch, unless they are.
    fn deal(&mut self, seed: u64, epoch: u64) {
        if self.epoch == epoch {
            return;
        }
        let parts = self.tables.parts();
        let rows = DealtRows::deal(&self.counts, parts, seed, &format!("stratified/items/{epoch}"));
        let of_part = |cells: &Vec<Cell>| {
            let keys: Vec<u32> = cells.iter().map(|cell| rows.place(cell.item).0).collect();
            let mut starts = vec![0; parts + 1];
            keys.iter().for_each(|&key| starts[key as usize + 1] += 1);
            (0..parts).for_each(|part| starts[part + 1] += starts[part]);
            let mut cells = sorted_by_key(parts, &keys, cells);
            cells.iter_mut().for_each(|cell| cell.item = rows.place(cell.item).1);
            BlocksOfUsers { cells, starts }
        };
        self.blocks = self.of_users.par_iter().map(of_part).collect();
        self.tables.redeal_items(rows);
        self.epoch = epoch;
    }
}

impl Solver for StratifiedRanking {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        let model = DotProduct::read(model, "stratified")?;
        let [of_users, of_items] = model.columns(train);
        let (num_users, num_items) = (model.users.num_rows, model.items.num_rows);
        let (user_counts, item_counts) = (counts(of_users, num_users), counts(of_items, num_items));
        let negatives = self.objective.negatives();
        let parts = BLOCKS.min(num_items / (CHOICE * negatives.count)).min(num_users).max(1);
        let users = DealtRows::deal(&user_counts, parts, self.seed, "stratified/users");
        let items = DealtRows::deal(&item_counts, parts, self.seed, "stratified/items");
        let mut cells = vec![Vec::new(); parts];
        for (at, (&user, &item)) in of_users.iter().zip(of_items).enumerate() {
            let (part, user) = users.place(user);
            let weight = train.weights.as_ref().map(|weights| weights[at]);
            let value = weight_of_positive(train.targets[at], weight);
            cells[part as usize].push(Cell { user, item, value });
        }
        let row_bytes = Tables::row_bytes(model.rank, &self.rule);
        cells.par_iter_mut().enumerate().for_each(|(part, cells)| {
            tiled(cells, row_bytes, self.seed, &format!("stratified/part/{part}"));
        });
        let tables = Tables::new(&model, [users, items], &self.rule, &self.regularization, &self.restored)?;
        self.restored = BTreeMap::new();
        self.state = Some(State {
            tables,
            counts: item_counts,
            unseen: negatives.unseen(train, [num_users, num_items]),
            of_users: cells,
            epoch: 0,
            blocks: Vec::new(),
        });
        Ok(parts as u64)
    }

    fn step(&mut self, model: AnyModel, _: &Interactions, number: StepNumber) -> Stepped {
        let seed = self.seed;
        let state = self.state.as_mut().expect("begun");
        state.deal(seed, number.epoch);
        let parts = state.tables.parts();
        let shift = strata(parts, seed, number.epoch)[number.step as usize];
        let count = (0..parts).map(|part| state.blocks[part].get((part + shift) % parts).len()).sum();
        let Sums { loss, penalty, squared } = match self.rule {
            RowRule::AdaGrad(rule) => self.visit_with(rule, shift, number),
            RowRule::Adam(rule) => self.visit_with(rule, shift, number),
        };
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
