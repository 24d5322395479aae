//! EASE in closed form (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", eq. 8): with the signs X,
//! `[users, items]`, B minimizes ‖X − X·B‖² + λ‖B‖² over matrices with a zero diagonal.
//!
//! P = (XᵀX + λI)⁻¹, and B_ji = −P_ji / P_ii for j ≠ i. What is left of the objective in column i is 1/P_ii − λ. XᵀX is
//! counted over the pairs of items of each user, and the inverse is that of `linalg::inverse`: both add in a fixed order.
//!
//! **Without λ in the config** it is five times the mean number of signs of a user. On the validation parts of five logs,
//! whose best λ go from less than 50 to 1000, its NDCG@10 is within 2 % of the best (benches/README.md).

use std::collections::HashMap;

use rayon::prelude::*;

use super::{ClosedForm, Found, signs, with_defaults};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::linalg::inverse::Symmetric;
use crate::model::{Ease, ModelKind};
use crate::solver::part::{Footprint, Misfit, ModelSize, Predictions, Setup, SolverPart};
use crate::solver::solve::Solver;

/// Weights for [`Ease`].
#[derive(Debug, Clone, Copy)]
pub struct EasePart;

/// λ.
const LAMBDA: &str = "solver.regularization.item_weights";

/// λ if nothing else is said, for each sign of a user on average.
const OF_MEAN_SIGNS: f64 = 5.0;

/// A solver for [`Ease`] with this λ, which is above 0, or with that which the module names for configs without any.
pub fn ease(lambda: Option<f64>) -> ClosedForm {
    ClosedForm::new(move |model, train| {
        let model = model.downcast_ref::<Ease>();
        let model = model.ok_or_else(|| Error::Usage("the ease solver finds only model.kind = \"ease\"".into()))?;
        let [num_items, _] = model.item_weights.dims();
        let [of_users, of_items] = signs(train, model.history(), num_items);
        let mean_signs = of_users.members().len() as f64 / of_users.count().max(1) as f64;
        let lambda = lambda.unwrap_or(OF_MEAN_SIGNS * mean_signs.max(1.0));
        let mut gram = Symmetric::zeros(num_items);
        gram.for_each_row(|item, counts| count_pairs(item, &of_items, &of_users, counts));
        gram.for_each_row(|item, counts| counts[item] += lambda);
        let inverse = gram.inverse().ok_or_else(|| {
            Error::Failed(format!("EASE cannot invert its matrix of items by items with {LAMBDA} = {lambda}; raise it"))
        })?;
        let diagonal: Vec<f64> = (0..num_items).map(|item| inverse.get(item, item)).collect();
        let mut weights = vec![0.0; num_items * num_items];
        let rows = weights.par_chunks_mut(num_items.max(1)).enumerate();
        let squares: Vec<f64> = rows
            .map(|(from, row)| {
                let mut squares = 0.0;
                for (to, weight) in row.iter_mut().enumerate().filter(|(to, _)| *to != from) {
                    *weight = (-inverse.get(from, to) / diagonal[to]) as f32;
                    squares += f64::from(*weight) * f64::from(*weight);
                }
                squares
            })
            .collect();
        let objective: f64 = diagonal.iter().map(|own| 1.0 / own - lambda).sum();
        let penalty = lambda * squares.iter().sum::<f64>();
        Ok(Found {
            parameters: HashMap::from([(model.item_weights.id, weights)]),
            cells: of_users.count() * num_items,
            // Rounding must not make a sum of squares negative where nothing is left to explain.
            squared: (objective - penalty).max(0.0),
            penalty,
        })
    })
}

/// Adds to `counts` how many users met `item` and each item up to it.
fn count_pairs(item: usize, of_items: &Groups, of_users: &Groups, counts: &mut [f64]) {
    for &user in of_items.get(item) {
        for &other in of_users.get(user as usize) {
            match counts.get_mut(other as usize) {
                Some(count) => *count += 1.0,
                // Items ascend.
                None => break,
            }
        }
    }
}

impl SolverPart for EasePart {
    fn name(&self) -> &str {
        "ease"
    }

    fn takes_repeats(&self) -> bool {
        false
    }

    fn takes_start(&self, _: &Values) -> bool {
        false
    }

    fn keys(&self, _: &[ModelKind]) -> Keys {
        let meaning = "Penalty of the squared weights between items, counted once and not per rating; if absent, five times the \
                       mean number of training interactions of a user.";
        with_defaults(Key::new(LAMBDA, KeyKind::POSITIVE, meaning).into())
    }

    fn build(&self, values: &Values, _: &Setup) -> Result<Box<dyn Solver>> {
        Ok(Box::new(ease(values.find(LAMBDA))))
    }

    fn predictions(&self, _: &Values) -> Predictions {
        Predictions::Preferences
    }

    fn remedies(&self, _: &Values, _: Misfit) -> Vec<&'static str> {
        vec!["try another solver.regularization.item_weights"]
    }

    fn footprint(&self, _: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { items, train, .. } = *size;
        let cells = items.saturating_mul(items);
        // The matrix in double precision, and the signs from both sides. The weights take the place of zeros that nobody has
        // touched, and that have no memory therefore.
        let in_step = cells.saturating_mul(2).saturating_add(2 * train + 2 * 128 * items);
        Footprint { in_step, ..Footprint::default() }
    }

    fn memory_remedies(&self, _: &Values) -> Vec<&'static str> {
        vec!["leave out items with few ratings (data.min_item_ratings)", "take model.kind = \"item-knn\""]
    }
}
