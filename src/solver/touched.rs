//! Row-sparse steps: a model that holds only the rows of its tables that a batch touches.
//!
//! Autodiff gives a gradient for all of a parameter. So the touched rows are gathered into small parameters, the batch's
//! indices are counted anew among them, and the step runs on that model; afterwards only those rows are written back.
//! Works for every model, because everything that a batch indexes is a [`Table`](crate::model::Table).

use std::collections::HashMap;

use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Int, Tensor, TensorData};
use hashbrown::HashMap as FastMap;

use crate::data::batch::{Column, Samples};
use crate::model::Factorization;

/// A table whose rows were taken out.
#[derive(Debug, Clone)]
pub(super) struct WholeTable {
    /// `[num_rows, width]`, without autodiff.
    pub rows: Tensor<2>,
    /// The rows that were taken, each once, in the order of the module's rows.
    pub indices: Tensor<1, Int>,
}

impl WholeTable {
    /// Its shape as that of a tensor with D dimensions, of which a table has two.
    pub fn shape<const D: usize>(&self) -> [usize; D] {
        let dims = self.rows.dims();
        std::array::from_fn(|dim| dims[dim])
    }
}

/// The distinct indices of one column of a batch, in order of first appearance.
struct Distinct {
    indices: Vec<u32>,
    /// For each rating, the place of its index in `indices`.
    places: Vec<u32>,
}

impl Distinct {
    fn of(column: &[u32]) -> Self {
        let mut known: FastMap<u32, u32, foldhash::fast::FixedState> =
            FastMap::with_capacity_and_hasher(column.len(), foldhash::fast::FixedState::with_seed(0));
        let mut indices = Vec::new();
        let place = |&index: &u32| {
            *known.entry(index).or_insert_with(|| {
                indices.push(index);
                indices.len() as u32 - 1
            })
        };
        let places = column.iter().map(place).collect();
        Self { indices, places }
    }

    fn to_device(&self, device: &Device) -> Tensor<1, Int> {
        let indices: Vec<i32> = self.indices.iter().map(|&index| index as i32).collect();
        let count = indices.len();
        Tensor::from_data(TensorData::new(indices, [count]), device)
    }
}

/// The model with each table cut down to the rows that `samples` touch, the samples with indices among those rows, and
/// the whole tables.
pub(super) fn take_rows<M: Factorization>(
    model: M,
    samples: &Samples,
    device: &Device,
) -> (M, Samples, HashMap<ParamId, WholeTable>) {
    let (users, items) = (Distinct::of(&samples.users), Distinct::of(&samples.items));
    let inner = device.clone().without_autodiff();
    let (user_indices, item_indices) = (users.to_device(&inner), items.to_device(&inner));
    let indices = model
        .tables()
        .iter()
        .map(|table| {
            let indices = match table.group().column {
                Column::User => user_indices.clone(),
                Column::Item => item_indices.clone(),
            };
            (table.rows.id, indices)
        })
        .collect();
    let mut taker = Taker { indices, whole: HashMap::new() };
    let model = model.map(&mut taker);
    let samples = Samples { users: users.places, items: items.places, ratings: samples.ratings.clone() };
    (model, samples, taker.whole)
}

struct Taker {
    indices: HashMap<ParamId, Tensor<1, Int>>,
    whole: HashMap<ParamId, WholeTable>,
}

impl ModuleMapper for Taker {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(indices) = self.indices.remove(&param.id) else { return param };
        let is_trained = param.is_require_grad();
        let (id, tensor, mapper) = param.consume();
        let dims = tensor.dims();
        let rows = tensor.inner().reshape([dims[0], dims[D - 1]]);
        let taken = rows.clone().select(0, indices.clone());
        let shape: [usize; D] = {
            let taken = taken.dims();
            std::array::from_fn(|dim| taken[dim])
        };
        self.whole.insert(id, WholeTable { rows, indices });
        let taken = taken.reshape(shape).autodiff().set_require_grad(is_trained);
        Param::from_mapped_value(id, taken, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_indices_keep_their_order_and_every_rating_its_place() {
        let distinct = Distinct::of(&[7, 3, 7, 9, 3]);
        assert_eq!(distinct.indices, [7, 3, 9]);
        assert_eq!(distinct.places, [0, 1, 0, 2, 1]);
    }
}
