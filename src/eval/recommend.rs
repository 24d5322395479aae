//! Top-N lists: the items with the highest scores for a user.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::batch::Batch;
use crate::device::to_vec;
use crate::model::Factorization;

/// Items scored at once where a model has no matrix product over all items.
const CHUNK: usize = 1 << 16;

/// The `n` items with the highest scores for `user`, best first, without the items in `excluded` (sorted indices).
/// Equal scores are ordered by item index, NaN scores left out. Fewer than `n` where there are no more items.
pub fn top_n<M: Factorization>(
    model: &M,
    device: &Device,
    user: u32,
    num_items: usize,
    excluded: &[u32],
    n: usize,
) -> Vec<(u32, f32)> {
    let mut ranked: Vec<(u32, f32)> = (0_u32..)
        .zip(scores(model, device, user, num_items))
        .filter(|(item, score)| !score.is_nan() && excluded.binary_search(item).is_err())
        .collect();
    let best_first = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < ranked.len() {
        ranked.select_nth_unstable_by(n, best_first);
        ranked.truncate(n);
    }
    ranked.sort_unstable_by(best_first);
    ranked
}

fn scores<M: Factorization>(model: &M, device: &Device, user: u32, num_items: usize) -> Vec<f32> {
    let users = Tensor::<1, Int>::from_data(TensorData::new(vec![user as i32], [1]), device);
    if let Some(scores) = model.forward_all(users) {
        return to_vec(scores);
    }
    let items: Vec<u32> = (0..num_items as u32).collect();
    items
        .chunks(CHUNK)
        .flat_map(|items| {
            let batch = Batch::new(&vec![user; items.len()], items, &vec![0.0; items.len()], device);
            to_vec(model.forward(&batch))
        })
        .collect()
}
