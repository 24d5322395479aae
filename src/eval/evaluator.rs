//! A model on a whole split: every requested metric, and the number of ids that training never saw.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::Device;

use super::lists::{Query, top_n};
use super::predictor::Predictor;
use crate::data::{FieldId, ITEM, Interactions, UNKNOWN, USER};
use crate::linalg::Groups;
use crate::metric::{Metrics, RankedList, Scores, Tally};
use crate::model::AnyModel;

/// Evaluates the model of a run.
#[derive(Debug, Clone)]
pub struct Evaluator {
    /// Turns scores into predictions.
    pub predictor: Predictor,
    /// The metrics to compute.
    pub metrics: Metrics,
    /// Items that each user met in training, ascending, if a metric needs lists: they are not recommended again.
    seen: Option<Arc<Groups>>,
    num_items: usize,
}

/// Predictions for the interactions of a split, and their metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One prediction per interaction, in the order of the split.
    pub predictions: Vec<f32>,
    /// All metrics, fallback predictions included; `None` without interactions.
    pub scores: Option<Scores>,
    /// For each field, the number of interactions whose id was not in training.
    pub unknown: Vec<usize>,
}

impl Evaluation {
    /// The number of interactions whose id in a field was not in training.
    pub fn unknown(&self, field: FieldId) -> usize {
        self.unknown.get(field.0).copied().unwrap_or(0)
    }
}

impl Evaluator {
    /// An evaluator of models trained on `train`, which has this many users and items.
    pub fn new(
        predictor: Predictor,
        metrics: Metrics,
        train: &Interactions,
        num_users: usize,
        num_items: usize,
    ) -> Self {
        let seen = metrics.longest_list().map(|_| Arc::new(seen_items([train], num_users)));
        Self { predictor, metrics, seen, num_items }
    }

    /// An evaluator of a model trained on users who met the items `seen`, ascending; without it all items are
    /// candidates.
    pub fn of_trained(
        predictor: Predictor,
        metrics: Metrics,
        seen: Option<Groups>,
        [num_users, num_items]: [usize; 2],
    ) -> Self {
        let seen = seen.unwrap_or_else(|| Groups::new(num_users, std::iter::empty::<(usize, u32)>()));
        let seen = metrics.longest_list().map(|_| Arc::new(seen));
        Self { predictor, metrics, seen, num_items }
    }

    /// Predicts a split and computes its metrics.
    pub fn evaluate(&self, model: &AnyModel, device: &Device, rows: &Interactions) -> Evaluation {
        let mut tally = Tally::new(&self.metrics);
        let predictions = self.predictor.evaluate(model, device, rows, &mut tally);
        if let (Some(length), Some(seen)) = (self.metrics.longest_list(), &self.seen) {
            self.rank(model, device, rows, length, seen, &mut tally);
        }
        let count = |column: &Vec<u32>| column.iter().filter(|&&index| index == UNKNOWN).count();
        Evaluation { predictions, scores: tally.scores(), unknown: rows.columns.iter().map(count).collect() }
    }

    /// Adds a ranked list for each user of the split with an item that training knows, in the context of the user's
    /// first interaction there. The candidates are all items but those that training saw with the user.
    fn rank(
        &self,
        model: &AnyModel,
        device: &Device,
        rows: &Interactions,
        length: usize,
        seen: &Groups,
        tally: &mut Tally,
    ) {
        let mut relevant: BTreeMap<u32, (usize, Vec<u32>)> = BTreeMap::new();
        for (at, (&user, &item)) in rows.column(USER).iter().zip(rows.column(ITEM)).enumerate() {
            if user != UNKNOWN && item != UNKNOWN {
                relevant.entry(user).or_insert((at, Vec::new())).1.push(item);
            }
        }
        for (user, (first, mut relevant)) in relevant {
            relevant.sort_unstable();
            relevant.dedup();
            let indices: Vec<u32> = rows.columns.iter().map(|column| column[first]).collect();
            let query = Query { indices: &indices, field: ITEM, num_rows: self.num_items, bags: &rows.bags };
            let top = top_n(model, device, &query, seen.get(user as usize), length);
            let items: Vec<u32> = top.into_iter().map(|(item, _)| item).collect();
            tally.add_list(&RankedList { items: &items, relevant: &relevant });
        }
    }
}

/// The known items that each of `num_users` users met, ascending.
pub fn seen_items<const N: usize>(parts: [&Interactions; N], num_users: usize) -> Groups {
    let pairs = parts.into_iter().flat_map(|rows| rows.column(USER).iter().zip(rows.column(ITEM)));
    let known = pairs.filter(|&(&user, &item)| user != UNKNOWN && item != UNKNOWN);
    let mut seen = Groups::new(num_users, known.map(|(&user, &item)| (user as usize, item)));
    seen.for_each_mut(<[u32]>::sort_unstable);
    seen
}
