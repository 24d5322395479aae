//! Row-sparse steps: a model that holds only the rows of its tables that a batch touches.
//!
//! Autodiff gives a gradient for all of a parameter. So the touched rows are gathered into small parameters, the batch's
//! indices are counted anew among them, and the step runs on that model; afterwards only those rows are written back.
//! Works for every model, because everything that a batch indexes is a [`Table`](crate::model::Table).

use std::collections::HashMap;
use std::rc::Rc;

use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::batch::{Column, Samples};
use crate::model::Factorization;

/// A table whose rows were taken out.
#[derive(Debug, Clone)]
pub(super) struct WholeTable {
    /// `[num_rows, width]`, without autodiff.
    pub rows: Tensor<2>,
    /// The rows that were taken.
    pub taken: Rc<Distinct>,
}

impl WholeTable {
    /// Its shape as that of a tensor with D dimensions, of which a table has two.
    pub fn shape<const D: usize>(&self) -> [usize; D] {
        let dims = self.rows.dims();
        std::array::from_fn(|dim| dims[dim])
    }
}

/// The distinct indices of one column of a batch.
#[derive(Debug)]
pub(super) struct Distinct {
    /// Ascending, each once; the module's rows are in this order.
    pub indices: Vec<u32>,
    /// The same on the device.
    pub on_device: Tensor<1, Int>,
}

impl Distinct {
    /// With the place of each rating's index in `indices`.
    fn of(column: &[u32], device: &Device) -> (Self, Vec<u32>) {
        let mut indices = Vec::new();
        let mut places = vec![0; column.len()];
        for at in sorted_positions(column) {
            let index = column[at as usize];
            if indices.last() != Some(&index) {
                indices.push(index);
            }
            places[at as usize] = indices.len() as u32 - 1;
        }
        let count = indices.len();
        let on_device: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
        let on_device = Tensor::from_data(TensorData::new(on_device, [count]), device);
        (Self { indices, on_device }, places)
    }
}

/// Positions in a column in ascending order of its values, by radix sort.
fn sorted_positions(column: &[u32]) -> Vec<u32> {
    const DIGIT: u32 = 11;
    let bits = u32::BITS - column.iter().max().map_or(u32::BITS, |highest| highest.leading_zeros());
    let mut positions: Vec<u32> = (0..column.len() as u32).collect();
    let mut sorted = positions.clone();
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |at: u32| (column[at as usize] >> shift) as usize % (1 << DIGIT);
        let mut ends = [0; 1 << DIGIT];
        positions.iter().for_each(|&at| ends[digit(at)] += 1);
        for value in 1..ends.len() {
            ends[value] += ends[value - 1];
        }
        for &at in positions.iter().rev() {
            let end = &mut ends[digit(at)];
            *end -= 1;
            sorted[*end] = at;
        }
        std::mem::swap(&mut positions, &mut sorted);
    }
    positions
}

/// The model with each table cut down to the rows that `samples` touch, the samples with indices among those rows, and
/// the whole tables.
pub(super) fn take_rows<M: Factorization>(
    model: M,
    samples: &Samples,
    device: &Device,
) -> (M, Samples, HashMap<ParamId, WholeTable>) {
    let inner = device.clone().without_autodiff();
    let ((users, user_places), (items, item_places)) =
        rayon::join(|| Distinct::of(&samples.users, &inner), || Distinct::of(&samples.items, &inner));
    let (users, items) = (Rc::new(users), Rc::new(items));
    let to_take = model
        .tables()
        .iter()
        .map(|table| {
            let distinct = match table.group().column {
                Column::User => users.clone(),
                Column::Item => items.clone(),
            };
            (table.rows.id, distinct)
        })
        .collect();
    let mut taker = Taker { to_take, whole: HashMap::new() };
    let model = model.map(&mut taker);
    let samples = Samples { users: user_places, items: item_places, ratings: samples.ratings.clone() };
    (model, samples, taker.whole)
}

struct Taker {
    to_take: HashMap<ParamId, Rc<Distinct>>,
    whole: HashMap<ParamId, WholeTable>,
}

impl ModuleMapper for Taker {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(distinct) = self.to_take.remove(&param.id) else { return param };
        let is_trained = param.is_require_grad();
        let (id, tensor, mapper) = param.consume();
        let dims = tensor.dims();
        let rows = tensor.inner().reshape([dims[0], dims[D - 1]]);
        let taken = rows.clone().select(0, distinct.on_device.clone());
        let shape: [usize; D] = {
            let taken = taken.dims();
            std::array::from_fn(|dim| taken[dim])
        };
        self.whole.insert(id, WholeTable { rows, taken: distinct });
        let taken = taken.reshape(shape).autodiff().set_require_grad(is_trained);
        Param::from_mapped_value(id, taken, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_indices_ascend_and_every_rating_knows_its_place() {
        let (distinct, places) = Distinct::of(&[7, 3, 7, 9, 3], &Device::default());
        assert_eq!(distinct.indices, [3, 7, 9]);
        assert_eq!(places, [1, 0, 1, 2, 0]);
    }

    #[test]
    fn positions_are_sorted_by_all_digits_and_equal_ones_keep_their_order() {
        let column: Vec<u32> = (0..5000_u32).map(|at| at.wrapping_mul(2_654_435_761) >> (at % 32)).collect();
        let mut expected: Vec<u32> = (0..5000).collect();
        expected.sort_by_key(|&at| column[at as usize]);
        assert_eq!(sorted_positions(&column), expected);
        assert!(sorted_positions(&[]).is_empty());
        assert_eq!(sorted_positions(&[0, 0]), [0, 1]);
    }
}
