//! Scores that are dot products and biases, for many queries, in main memory: each thread computes those of some queries and
//! uses them while they are in its cache.

use burn::tensor::Tensor;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::data::{FieldId, UNKNOWN};
use crate::device::{to_vec, with_values};
use crate::model::{AnyModel, Table};

/// Scores that a thread computes before it uses them.
const SCORES: usize = 1 << 17;
/// Queries that it takes together at most, so that there is work for all threads.
const MOST_QUERIES: usize = 64;

/// What `of_scores` makes of the number of each query and its scores of all rows of `field`, given the indices of each query in
/// each field; `None` for a model whose score has other terms than two factors and their biases. Each score is the sum of
/// the dot product, the bias of the other field's row, that of this one's, and the offset, in this order.
pub(super) fn map<T: Send>(
    model: &AnyModel,
    columns: &[Vec<u32>],
    field: FieldId,
    of_scores: &(impl Fn(usize, &[f32]) -> T + Sync),
) -> Option<Vec<T>> {
    let factored = model.factored()?;
    let [first, second] = &factored.terms[..] else { return None };
    let (asked, other) = match (first.field == field, second.field == field) {
        (true, false) => (first, second),
        (false, true) => (second, first),
        _ => return None,
    };
    let biases = |table: Option<&Table>| table.map(|table| to_vec(plain(table)));
    let (of_asked, of_other) = (biases(asked.biases), biases(other.biases));
    let [num_rows, rank] = asked.factors.rows.dims();
    let indices = &columns[other.field.0];
    let together = (SCORES / num_rows.max(1)).clamp(1, MOST_QUERIES);
    let results = with_values(plain(asked.factors), |q| {
        with_values(plain(other.factors), |p| {
            let q = MatRef::from_row_major_slice(q, num_rows, rank);
            let of_block = |(rows, scores): &mut (Vec<f32>, Vec<f32>), (block, indices): (usize, &[u32])| -> Vec<T> {
                rows.clear();
                for &index in indices {
                    match index {
                        UNKNOWN => rows.extend(std::iter::repeat_n(0.0, rank)),
                        index => rows.extend_from_slice(&p[index as usize * rank..][..rank]),
                    }
                }
                // Always as many, so that the sums of a query have one order, whatever is asked beside it.
                rows.resize(together * rank, 0.0);
                scores.resize(together * num_rows, 0.0);
                let out = MatMut::from_row_major_slice_mut(scores, together, num_rows);
                let rows = MatRef::from_row_major_slice(&rows[..], together, rank);
                matmul(out, Accum::Replace, rows, q.transpose(), 1.0, Par::Seq);
                let finish = |(at, (&index, scores)): (usize, (&u32, &mut [f32]))| {
                    let own = of_other.as_ref().filter(|_| index != UNKNOWN).map(|biases| biases[index as usize]);
                    if let Some(own) = own {
                        scores.iter_mut().for_each(|score| *score += own);
                    }
                    if let Some(biases) = &of_asked {
                        scores.iter_mut().zip(biases).for_each(|(score, bias)| *score += bias);
                    }
                    if factored.offset != 0.0 {
                        scores.iter_mut().for_each(|score| *score += factored.offset);
                    }
                    of_scores(block * together + at, scores)
                };
                indices.iter().zip(scores.chunks_mut(num_rows.max(1))).enumerate().map(finish).collect()
            };
            let blocks = indices.par_chunks(together).enumerate();
            blocks.map_init(|| (Vec::new(), Vec::new()), of_block).collect::<Vec<_>>()
        })
    });
    Some(results.into_iter().flatten().collect())
}

fn plain(table: &Table) -> Tensor<2> {
    let rows = table.rows.val();
    if rows.is_autodiff() { rows.inner() } else { rows }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::data::batch::Samples;
    use crate::data::{Frame, ITEM, USER};
    use crate::model::{BiasedMfConfig, FactorInit, Start};

    #[test]
    fn scores_are_those_of_the_model() {
        let device = Device::default();
        let (users, items) = (70, 3000);
        let frame = Frame::pair(users, items);
        let offsets: Vec<f32> = (0..items).map(|at| (at % 7) as f32 * 0.1).collect();
        let start = Start {
            frame: &frame,
            mean_score: 3.5,
            offsets: [&offsets[..users], &offsets],
            seed: Some(1),
            device: &device,
        };
        let model: AnyModel = BiasedMfConfig { rank: 5, init: FactorInit::Normal { std: 1.0 } }.init(&start).into();
        for (field, rows) in [(ITEM, items), (USER, users)] {
            let mut columns = vec![vec![0; 151]; 2];
            let other = if field == ITEM { users } else { items };
            columns[1 - field.0] = (0..151).map(|at| if at == 9 { UNKNOWN } else { at % other as u32 }).collect();
            let found = map(&model, &columns, field, &|at, scores| (at, scores.to_vec())).expect("two terms");
            assert_eq!(found.len(), 151);
            let bags = Arc::default();
            let alone =
                map(&model, &columns.iter().map(|column| vec![column[3]]).collect::<Vec<_>>(), field, &|_, scores| {
                    scores.to_vec()
                });
            assert_eq!(alone.expect("two terms")[0], found[3].1, "to the bit, whatever is asked beside it");
            for (at, (number, scores)) in found.iter().enumerate().step_by(10).chain([(9, &found[9])]) {
                assert_eq!((*number, scores.len()), (at, rows));
                let mut pairs = vec![vec![columns[1 - field.0][at]; rows]; 2];
                pairs[field.0] = (0..rows as u32).collect();
                let expected = to_vec(model.forward(&Arc::new(Samples::of_columns(pairs, &bags)).to_device(&device)));
                for (found, expected) in scores.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4, "{at}: {found} {expected}");
                }
            }
        }
    }
}
