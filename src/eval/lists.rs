//! Ranked lists: the rows of an entity with the highest scores.

use std::sync::Arc;

use burn::tensor::Device;

use crate::data::batch::Samples;
use crate::data::{Bag, FieldId};
use crate::device::to_vec;
use crate::model::AnyModel;

/// Rows scored at once by a model that has no matrix product over all of them.
const CHUNK: usize = 1 << 16;

/// A query: an index of each field; that of the field to be ranked is ignored.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// An index for each field.
    pub indices: &'a [u32],
    /// The field whose rows are ranked.
    pub field: FieldId,
    /// How many rows it has.
    pub num_rows: usize,
    /// Bags of the entities' rows.
    pub bags: &'a Arc<Vec<Bag>>,
}

/// The `n` rows with the highest scores, best first, without those in `excluded` (sorted indices). Equal scores are
/// ordered by index, NaN scores are skipped. Fewer than `n` if there are no more rows.
pub fn top_n(model: &AnyModel, device: &Device, query: &Query, excluded: &[u32], n: usize) -> Vec<(u32, f32)> {
    let mut ranked: Vec<(u32, f32)> = (0_u32..)
        .zip(scores(model, device, query))
        .filter(|(row, score)| !score.is_nan() && excluded.binary_search(row).is_err())
        .collect();
    let best_first = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < ranked.len() {
        ranked.select_nth_unstable_by(n, best_first);
        ranked.truncate(n);
    }
    ranked.sort_unstable_by(best_first);
    ranked
}

fn scores(model: &AnyModel, device: &Device, query: &Query) -> Vec<f32> {
    let batch = |columns| Arc::new(Samples::of_columns(columns, query.bags)).to_device(device);
    let mut indices = query.indices.to_vec();
    // Any row will do: it is ignored.
    indices[query.field.0] = 0;
    let one = batch(indices.iter().map(|&index| vec![index]).collect());
    if let Some(scores) = model.forward_all(&one, query.field) {
        return to_vec(scores);
    }
    let rows: Vec<u32> = (0..query.num_rows as u32).collect();
    let of_chunk = |rows: &[u32]| {
        let column = |(field, &index): (usize, &u32)| {
            if field == query.field.0 { rows.to_vec() } else { vec![index; rows.len()] }
        };
        to_vec(model.forward(&batch(indices.iter().enumerate().map(column).collect())))
    };
    rows.chunks(CHUNK).flat_map(of_chunk).collect()
}
