//! Row-sparse steps: a model that holds only the rows of its tables that a batch touches.
//!
//! Autodiff gives a gradient for all of a parameter. So the touched rows are gathered into small parameters, the
//! batch's indices are renumbered to match, and the step runs on that model; afterwards only those rows are written
//! back. This works for every model, because everything that a batch indexes is a [`Table`](crate::model::Table). A
//! table has only the rows that its own fields and bags touch, not those of other tables of its entity, because a rule
//! with momentum would move rows without a gradient.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::ParamId;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::data::batch::{Samples, TouchedRows};
use crate::data::{FieldId, UNKNOWN};
use crate::model::{AnyModel, Use, Visited};

/// A table from which rows were taken.
#[derive(Debug, Clone)]
pub(super) struct WholeTable {
    /// `[num_rows, width]`, without autodiff.
    pub rows: Tensor<2>,
    /// The taken rows.
    pub taken: Arc<Taken>,
}

/// Rows taken from a table, and the indices among them.
#[derive(Debug)]
pub(super) struct Taken {
    /// The rows, and the places of the batch's indices.
    pub places: Arc<TouchedRows>,
    /// The rows on the device.
    pub on_device: Tensor<1, Int>,
}

/// The tables of a model from which rows were taken.
#[derive(Debug, Default)]
pub(super) struct TakenTables(HashMap<ParamId, Arc<Taken>>);

impl TakenTables {
    /// The batch's indices among a table's taken rows; `None` for a whole table.
    pub fn places(&self, table: ParamId) -> Option<&TouchedRows> {
        self.0.get(&table).map(|taken| &*taken.places)
    }

    /// The same for all tables, in the form that a batch needs.
    pub fn all_places(&self) -> HashMap<ParamId, Arc<TouchedRows>> {
        self.0.iter().map(|(table, taken)| (*table, Arc::clone(&taken.places))).collect()
    }

    /// The rows of each of the model's tables that the samples touch.
    fn of(model: &AnyModel, samples: &Samples, device: &Device) -> Self {
        // Tables with the same uses have the same rows.
        let mut uses: Vec<&[Use]> = Vec::new();
        let tables = model.tables();
        tables.iter().for_each(|table| {
            if !uses.contains(&table.uses()) {
                uses.push(table.uses());
            }
        });
        let taken = |uses: &&[Use]| {
            let places = touched(uses, samples);
            let rows: Vec<i32> = places.rows.iter().map(|&row| row as i32).collect();
            let count = rows.len();
            let on_device = Tensor::from_data(TensorData::new(rows, [count]), device);
            Arc::new(Taken { places: Arc::new(places), on_device })
        };
        let taken: Vec<Arc<Taken>> = uses.par_iter().with_max_len(1).map(taken).collect();
        let of_table = |own: &[Use]| uses.iter().position(|uses| *uses == own).map(|at| Arc::clone(&taken[at]));
        Self(tables.iter().filter_map(|table| Some((table.rows.id, of_table(table.uses())?))).collect())
    }
}

/// The rows that samples touch through these uses, and the places of their indices.
fn touched(uses: &[Use], samples: &Samples) -> TouchedRows {
    if let [Use::Field(field)] = uses
        && !samples.own_column(*field).contains(&UNKNOWN)
    {
        let (rows, places) = distinct(samples.own_column(*field));
        return TouchedRows::new(rows, vec![(*field, places)]);
    }
    let mut all: Vec<u32> = Vec::new();
    for of in uses {
        match *of {
            Use::Field(field) => all.extend(samples.own_column(field).iter().filter(|&&row| row != UNKNOWN)),
            Use::Bag(field, bag) => {
                let (owners, _) = distinct(samples.column(field));
                owners.iter().for_each(|&owner| all.extend(samples.bags[bag.0].of_row(owner).0));
            }
        }
    }
    let mut places = TouchedRows::new(distinct(&all).0, Vec::new());
    // A step needs at least one row; this one has no gradient.
    if places.rows.is_empty() {
        places.rows.push(0);
    }
    let place = |row: u32| if row == UNKNOWN { UNKNOWN } else { places.of_row(row) };
    let column = |field: FieldId| (field, samples.own_column(field).iter().map(|&row| place(row)).collect());
    let fields = uses.iter().filter_map(|of| if let Use::Field(field) = of { Some(*field) } else { None });
    let columns = fields.map(column).collect();
    TouchedRows::new(std::mem::take(&mut places.rows), columns)
}

/// The distinct values of a column, ascending, and the place of each of its values among them.
fn distinct(column: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut values = Vec::new();
    let mut places = vec![0; column.len()];
    for at in sorted_positions(column) {
        let value = column[at as usize];
        if values.last() != Some(&value) {
            values.push(value);
        }
        places[at as usize] = values.len() as u32 - 1;
    }
    (values, places)
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

/// The model with each table reduced to the rows that `samples` touch, the whole tables, and the rows taken from them.
pub(super) fn take_rows(
    model: AnyModel,
    samples: &Samples,
    device: &Device,
) -> (AnyModel, HashMap<ParamId, WholeTable>, TakenTables) {
    let taken = TakenTables::of(&model, samples, &device.clone().without_autodiff());
    let mut whole = HashMap::new();
    let model = model.map(None, &mut |Visited { id, rows, .. }| match taken.0.get(&id) {
        None => rows,
        Some(taken) => {
            let cut = rows.clone().select(0, taken.on_device.clone());
            whole.insert(id, WholeTable { rows, taken: Arc::clone(taken) });
            cut
        }
    });
    (model, whole, taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Bag, BagFrame, BagId};

    #[test]
    fn distinct_indices_ascend_and_every_rating_knows_its_place() {
        let (values, places) = distinct(&[7, 3, 7, 9, 3]);
        assert_eq!(values, [3, 7, 9]);
        assert_eq!(places, [1, 0, 1, 2, 0]);
    }

    #[test]
    fn a_table_has_the_union_of_what_its_fields_and_bags_touch() {
        let frame = BagFrame { name: "b".into(), owner: 0, of: 1, is_feature: false };
        let bag = Bag::new(frame, vec![0, 2, 3], vec![9, 4, 7], None).expect("a bag");
        let columns = vec![vec![0, 0, UNKNOWN], vec![4, UNKNOWN, 8]];
        let samples = Samples::of_columns(columns, &Arc::new(vec![bag]));
        let places = touched(&[Use::Field(FieldId(1)), Use::Bag(FieldId(0), BagId(0))], &samples);
        assert_eq!(places.rows, [4, 8, 9]);
        assert_eq!(places.column(FieldId(1)), Some(&[0, UNKNOWN, 1][..]));
        assert_eq!(touched(&[Use::Bag(FieldId(0), BagId(0))], &samples).rows, [4, 9]);
        assert_eq!(touched(&[Use::Field(FieldId(0))], &samples).rows, [0]);
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
