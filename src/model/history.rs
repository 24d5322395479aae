//! Scores that are sums over what a user met, for models whose matrices between items are too large, or too sparse, for
//! products of tensors: computed in main memory, user by user, on all threads.
//!
//! Each score adds its terms in the order of the history, whether it is computed alone or with those of all items.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::init::Start;
use crate::data::batch::Batch;
use crate::data::{BagId, FieldId, HISTORY, ITEM, UNKNOWN, USER};
use crate::error::{Error, Result};

/// What the items that a user met say about others.
pub(super) trait OfItems: Sync {
    /// Number of items.
    fn num_items(&self) -> usize;

    /// Adds the scores of all items to `scores`, given the items that a user met.
    fn add_all(&self, met: &[u32], scores: &mut [f32]);

    /// The scores of some items, given the items that a user met. `scratch` keeps room between calls.
    fn add_some(&self, met: &[u32], items: &[(u32, u32)], scratch: &mut Vec<f32>, put: &mut dyn FnMut(u32, f32));
}

/// The history of users, which the model's declaration asks for.
///
/// # Errors
/// [`Error::Usage`] for data without users and items.
pub(super) fn of_users(start: &Start, model: &str) -> Result<BagId> {
    start.frame.bag(USER, HISTORY).ok_or_else(|| {
        Error::Usage(format!("model.kind = {model:?} needs what each user met, which these data have not"))
    })
}

/// Scores of a batch, `[batch]`; 0 of unknown users and items.
pub(super) fn forward(batch: &Batch, history: BagId, items: &impl OfItems) -> Tensor<1> {
    let [users, columns] = [USER, ITEM].map(|field| batch.indices(field));
    let mut order: Vec<u32> = (0..users.len() as u32).collect();
    order.sort_unstable_by_key(|&at| (users[at as usize], at));
    // The scores of a user together.
    let groups: Vec<&[u32]> = order.chunk_by(|&one, &other| users[one as usize] == users[other as usize]).collect();
    let of_user = |(scratch, pairs): &mut (Vec<f32>, Vec<(u32, u32)>), group: &&[u32]| {
        let known = group.iter().filter(|&&at| columns[at as usize] != UNKNOWN);
        pairs.clear();
        pairs.extend(known.map(|&at| (columns[at as usize], at)));
        let mut found = Vec::with_capacity(pairs.len());
        let (met, _) = batch.members(history, users[group[0] as usize]);
        items.add_some(met, pairs, scratch, &mut |at, score| found.push((at, score)));
        found
    };
    let found: Vec<Vec<(u32, f32)>> = groups.par_iter().map_init(|| (Vec::new(), Vec::new()), of_user).collect();
    let mut scores = vec![0.0; users.len()];
    found.into_iter().flatten().for_each(|(at, score)| scores[at as usize] = score);
    let count = scores.len();
    Tensor::from_data(TensorData::new(scores, [count]), batch.device())
}

/// Scores of all items for each query, `[queries, items]`; `None` for the rows of another field.
pub(super) fn forward_all(queries: &Batch, field: FieldId, history: BagId, items: &impl OfItems) -> Option<Tensor<2>> {
    if field != ITEM {
        return None;
    }
    let (users, num_items) = (queries.indices(USER), items.num_items());
    let mut scores = vec![0.0; users.len() * num_items];
    let rows = scores.par_chunks_mut(num_items.max(1)).zip(&users);
    rows.for_each(|(scores, &user)| items.add_all(queries.members(history, user).0, scores));
    Some(Tensor::from_data(TensorData::new(scores, [users.len(), num_items]), queries.device()))
}
