//! SLIM (Ning & Karypis 2011, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", eq. 3): with the signs X,
//! `[users, items]`, column i of W minimizes ½‖x_i − X·w_i‖² + β/2·‖w_i‖² + λ·Σ_j w_ji over w_ji ≥ 0 with w_ii = 0.
//!
//! As in section 5.4 of the paper (fsSLIM), only the items N(i) that are most similar to item i by the cosine may have a
//! weight, so that the model is that of item k-NN with weights that are learned together, and memory grows with items and
//! neighbours alone.
//!
//! Each column is solved by coordinate descent on the residuals r = x_i − X·w_i, which change only where users met item j:
//! w_ji = max(0, (Σ_{u ∈ U(j)} r_u + n_j·w_ji − λ) / (n_j + β)). Passes over all of N(i) alternate with passes over those
//! with a weight (Friedman, Hastie & Tibshirani 2010, section 2.6) until no weight changes by more than 10⁻⁴ of the largest.
//! Sums are in f64, and each column is one thread's.

use rayon::prelude::*;

use super::item_knn::{of_any, parameters};
use super::{ClosedForm, Found, signs, with_defaults};
use crate::config::{Key, KeyKind, Keys, Values, in_toml};
use crate::error::Result;
use crate::linalg::similar::{Similarity, by_column, most_similar};
use crate::linalg::{Cells, Groups};
use crate::model::ModelKind;
use crate::solver::part::{Footprint, Misfit, ModelSize, Predictions, Setup, SolverPart};
use crate::solver::solve::Solver;

/// Weights for [`ItemKnn`](crate::model::ItemKnn).
#[derive(Debug, Clone, Copy)]
pub struct SlimPart;

/// β.
const L2: &str = "solver.l2";
/// λ.
const L1: &str = "solver.l1";

/// λ and β if nothing else is said; chosen on the validation parts of six logs (benches/README.md).
const DEFAULT_L1: f64 = 1.0;
const DEFAULT_L2: f64 = 10.0;

/// Weights count as found when none changes by more than this share of the largest.
const TOLERANCE: f64 = 1e-4;
/// Passes over a column are given up after so many.
const MOST_PASSES: usize = 200;

/// A solver for [`ItemKnn`](crate::model::ItemKnn) with the penalties λ and β, which are at least 0.
pub fn slim(l1: f64, l2: f64) -> ClosedForm {
    ClosedForm::new(move |model, train| {
        let model = of_any(model, "slim")?;
        let [num_items, count] = model.neighbours.dims();
        let [of_users, of_items] = signs(train, model.history(), num_items);
        let neighbours = most_similar(&of_items, &of_users, Similarity::Cosine { shrinkage: 0.0 }, count);
        let scratch = || Column { residuals: vec![0.0; of_users.count()], weights: Vec::new() };
        let of_item =
            |column: &mut Column, item: usize| column.solve(item, neighbours.row(item).0, &of_items, [l1, l2]);
        let columns: Vec<Solved> = (0..num_items).into_par_iter().map_init(scratch, of_item).collect();
        let rows = (0..)
            .zip(&columns)
            .flat_map(|(item, column)| column.weights.iter().map(move |&(other, weight)| (item, other, weight as f32)));
        let lists = by_column(&Cells::new(num_items, rows));
        Ok(Found {
            parameters: parameters(model, lists),
            cells: of_users.count() * num_items,
            squared: columns.iter().map(|column| column.squared).sum(),
            penalty: columns.iter().map(|column| column.penalty).sum(),
        })
    })
}

/// A column of W, and what the objective is there, twice.
struct Solved {
    weights: Vec<(u32, f64)>,
    squared: f64,
    penalty: f64,
}

/// A column that is being solved.
struct Column {
    /// r, of each user; zeros between columns.
    residuals: Vec<f64>,
    /// w_ji of each of the candidates.
    weights: Vec<f64>,
}

impl Column {
    /// The weights of `item` on `candidates`, which are other items.
    fn solve(&mut self, item: usize, candidates: &[u32], of_items: &Groups, penalties: [f64; 2]) -> Solved {
        let own = of_items.get(item);
        own.iter().for_each(|&user| self.residuals[user as usize] = 1.0);
        self.weights.clear();
        self.weights.resize(candidates.len(), 0.0);
        let mut active: Vec<usize> = Vec::new();
        let mut passes = 0;
        loop {
            let moved = self.pass(0..candidates.len(), candidates, of_items, penalties);
            passes += 1;
            if moved <= TOLERANCE || passes >= MOST_PASSES {
                break;
            }
            active.clear();
            active.extend((0..candidates.len()).filter(|&at| self.weights[at] > 0.0));
            while passes < MOST_PASSES {
                passes += 1;
                if self.pass(active.iter().copied(), candidates, of_items, penalties) <= TOLERANCE {
                    break;
                }
            }
        }
        let [l1, l2] = penalties;
        let found = candidates.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0.0);
        let weights: Vec<(u32, f64)> = found.map(|(&other, &weight)| (other, weight)).collect();
        let mut squared = 0.0;
        // What has no weight in the end may have left a rounding error.
        let touched = own.iter().chain(candidates.iter().flat_map(|&other| of_items.get(other as usize)));
        for &user in touched {
            let residual = std::mem::take(&mut self.residuals[user as usize]);
            squared += residual * residual;
        }
        let penalty = weights.iter().map(|(_, weight)| l2 * weight * weight + 2.0 * l1 * weight).sum();
        Solved { weights, squared, penalty }
    }

    /// Minimizes over each of these candidates in turn. By how much a weight changed, as a share of the largest.
    fn pass(
        &mut self,
        places: impl Iterator<Item = usize>,
        candidates: &[u32],
        of_items: &Groups,
        [l1, l2]: [f64; 2],
    ) -> f64 {
        let (mut most_moved, mut largest) = (0.0_f64, 0.0_f64);
        for at in places {
            let users = of_items.get(candidates[at] as usize);
            let (count, old) = (users.len() as f64, self.weights[at]);
            let sum: f64 = users.iter().map(|&user| self.residuals[user as usize]).sum();
            let new = ((sum + count * old - l1) / (count + l2)).max(0.0);
            largest = largest.max(new);
            if new == old {
                continue;
            }
            users.iter().for_each(|&user| self.residuals[user as usize] -= new - old);
            self.weights[at] = new;
            most_moved = most_moved.max((new - old).abs());
        }
        if most_moved == 0.0 { 0.0 } else { most_moved / largest.max(most_moved) }
    }
}

impl SolverPart for SlimPart {
    fn name(&self) -> &str {
        "slim"
    }

    fn takes_repeats(&self) -> bool {
        false
    }

    fn takes_start(&self, _: &Values) -> bool {
        false
    }

    fn keys(&self, _: &[ModelKind]) -> Keys {
        let l1 = "Penalty of the sum of an item's weights (λ): the higher, the fewer of its neighbours have one.";
        let l2 = "Penalty of the squared weights between items (β), counted once and not per rating.";
        with_defaults(Keys::new([
            Key::new(L1, KeyKind::NOT_NEGATIVE, l1).default(&in_toml(&DEFAULT_L1.into())),
            Key::new(L2, KeyKind::NOT_NEGATIVE, l2).default(&in_toml(&DEFAULT_L2.into())),
        ]))
    }

    fn build(&self, values: &Values, _: &Setup) -> Result<Box<dyn Solver>> {
        Ok(Box::new(slim(values.get(L1), values.get(L2))))
    }

    fn predictions(&self, _: &Values) -> Predictions {
        Predictions::Preferences
    }

    fn remedies(&self, _: &Values, _: Misfit) -> Vec<&'static str> {
        vec!["try another solver.l1, solver.l2 or model.neighbours"]
    }

    fn footprint(&self, _: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { users, items, train, parameters, .. } = *size;
        // As for item k-NN; weights in double precision, and residuals of each user on every thread.
        let residuals = 2 * users * rayon::current_num_threads();
        Footprint { in_step: 2 * train + 5 * parameters + 8 * items + residuals, ..Footprint::default() }
    }

    fn memory_remedies(&self, _: &Values) -> Vec<&'static str> {
        vec!["lower model.neighbours", "leave out items with few ratings (data.min_item_ratings)"]
    }
}
