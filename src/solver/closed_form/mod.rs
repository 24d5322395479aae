//! Models of counts, whose parameters one step computes from the training interactions: what is most popular, item
//! k-NN, SLIM, and EASE.
//!
//! An interaction with a target above 0 is a sign of a preference, and all signs count the same; others are none. The
//! predictions are preferences, judged by ranked lists. The loss that is reported is the squared difference of signs and
//! predictions: over all cells for those that minimize it, over the signs for item k-NN, which minimizes nothing.
//! Everything is computed on the CPU, with the same bytes for any number of threads and on any processor.

mod ease;
mod item_knn;
mod popularity;
mod slim;

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::{Tensor, TensorData};

pub use self::ease::{EasePart, ease};
pub use self::item_knn::{ItemKnnPart, item_knn};
pub use self::popularity::{PopularityPart, popularity};
pub use self::slim::{SlimPart, slim};
use super::combinations::check_squared;
use super::solve::Solver;
use super::step::{StepNumber, StepOutcome, StepSums, Stepped};
use crate::config::Keys;
use crate::data::{BagId, Interactions};
use crate::error::Result;
use crate::linalg::Groups;
use crate::model::{AnyModel, Visited};
use crate::objective::LIST_METRICS;

/// Computes all parameters of a model from training interactions.
type Find = dyn Fn(&AnyModel, &Interactions) -> Result<Found>;

/// A solver that has converged after its first step.
pub struct ClosedForm(Box<Find>);

/// Parameters, and how far they are from the data.
struct Found {
    /// The values of each, row by row.
    parameters: HashMap<ParamId, Vec<f32>>,
    /// How many cells the sums are over.
    cells: usize,
    /// Squared differences of signs and predictions.
    squared: f64,
    penalty: f64,
}

impl ClosedForm {
    fn new(find: impl Fn(&AnyModel, &Interactions) -> Result<Found> + 'static) -> Self {
        Self(Box::new(find))
    }
}

impl Solver for ClosedForm {
    fn begin(&mut self, _: &AnyModel, _: &Interactions) -> Result<u64> {
        Ok(1)
    }

    fn step(&mut self, model: AnyModel, train: &Interactions, _: StepNumber) -> Stepped {
        let Found { mut parameters, cells, squared, penalty } = match (self.0)(&model, train) {
            Ok(found) => found,
            Err(error) => return Stepped { model, outcome: Err(error) },
        };
        let device = model.device();
        let model = model.map(None, &mut |Visited { id, rows, .. }| match parameters.remove(&id) {
            None => rows,
            Some(values) => Tensor::from_data(TensorData::new(values, rows.dims()), &rows.device()),
        });
        let sums = StepSums::on_host([squared, penalty, squared], cells, &device);
        Stepped { model, outcome: Ok(StepOutcome { sums, norms: None, is_converged: true }) }
    }
}

/// The items that each of `num_users` users met, as the bag `history` of the training interactions has them, and the
/// users who met each item; both ascending.
fn signs(train: &Interactions, history: BagId, num_items: usize) -> [Groups; 2] {
    let (starts, items, _) = train.bag(history).parts();
    let starts = starts.iter().map(|&start| start as usize).collect();
    let of_users = Groups::from_parts(starts, items.to_vec()).expect("as every bag");
    let of_user = |user: usize| of_users.get(user).iter().map(move |&item| (item as usize, user as u32));
    let of_items = Groups::new(num_items, (0..of_users.count()).flat_map(of_user));
    [of_users, of_items]
}

/// What all of these solvers need, beside their own keys.
fn with_defaults(keys: Keys) -> Keys {
    keys.default_for("train.epochs", "1")
        .default_for("evaluation.clip", "false")
        .default_for("evaluation.metrics", LIST_METRICS)
        .default_for("train.early_stopping.metric", "'ndcg@10'")
        .rule(check_squared)
}
