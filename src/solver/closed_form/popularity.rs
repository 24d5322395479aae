//! Popularity: b_i is the share of users who met item i.
//!
//! It minimizes Σ_u Σ_i (x_ui − b_i)² over all cells, with x_ui = 1 for a sign and 0 without. Of items that as many users
//! met, the first has a little more, so that a list has one order; see [`popularity_scores`].

use std::collections::HashMap;

use super::{ClosedForm, Found, with_defaults};
use crate::config::{Keys, Values};
use crate::data::{ITEM, USER};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::metric::popularity_scores;
use crate::model::{ModelKind, Popularity};
use crate::solver::part::{Footprint, Misfit, ModelSize, Predictions, Setup, SolverPart};
use crate::solver::solve::Solver;

/// Counts for [`Popularity`].
#[derive(Debug, Clone, Copy)]
pub struct PopularityPart;

/// A solver for [`Popularity`].
pub fn popularity() -> ClosedForm {
    ClosedForm::new(|model, train| {
        let model = model.downcast_ref::<Popularity>();
        let model =
            model.ok_or_else(|| Error::Usage("the popularity solver finds only model.kind = \"popularity\"".into()))?;
        let [num_items, _] = model.item_biases.rows.dims();
        let cells = train.column(USER).iter().zip(train.column(ITEM)).zip(&train.targets);
        let signs = cells.filter(|(_, target)| **target > 0.0).map(|((&user, &item), _)| (item as usize, user));
        let users = Groups::new(num_items, signs).sorted_and_distinct();
        let num_users = train.rows(USER);
        let counts: Vec<usize> = users.iter().map(<[u32]>::len).collect();
        let shares = popularity_scores(&counts, num_users);
        // n (1 − b)² + (U − n) b² for each item.
        let squared = counts.iter().zip(&shares).map(|(&count, &share)| {
            let (count, others, share) = (count as f64, (num_users - count) as f64, f64::from(share));
            count * (1.0 - share).powi(2) + others * share * share
        });
        Ok(Found {
            cells: num_users * num_items,
            squared: squared.sum(),
            penalty: 0.0,
            parameters: HashMap::from([(model.item_biases.rows.id, shares)]),
        })
    })
}

impl SolverPart for PopularityPart {
    fn name(&self) -> &str {
        "popularity"
    }

    fn takes_repeats(&self) -> bool {
        false
    }

    fn takes_start(&self, _: &Values) -> bool {
        false
    }

    fn keys(&self, _: &[ModelKind]) -> Keys {
        with_defaults(Keys::default())
    }

    fn build(&self, _: &Values, _: &Setup) -> Result<Box<dyn Solver>> {
        Ok(Box::new(popularity()))
    }

    fn predictions(&self, _: &Values) -> Predictions {
        Predictions::Preferences
    }

    fn remedies(&self, _: &Values, _: Misfit) -> Vec<&'static str> {
        Vec::new()
    }

    fn footprint(&self, _: &Values, size: &ModelSize) -> Footprint {
        Footprint { in_step: size.train + 4 * size.items, ..Footprint::default() }
    }
}
