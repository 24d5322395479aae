//! Mini-batches: a seeded order of the interactions, cut into batches and moved to a device.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::module::ParamId;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use rand::seq::SliceRandom;

use super::{Bag, BagId, FieldId, Interactions, UNKNOWN};
use crate::random;

/// The order in which an epoch visits the interactions: a permutation that depends only on the seed and the epoch, so
/// that a resumed run needs to know only where it stopped.
#[derive(Debug, Clone, Default)]
pub struct EpochOrder(Vec<u32>);

impl EpochOrder {
    /// The order of epoch `epoch` (from 1) over `count` interactions.
    pub fn new(count: usize, seed: u64, epoch: u64) -> Self {
        let count = u32::try_from(count).expect("at most u32::MAX interactions");
        let mut order: Vec<u32> = (0..count).collect();
        order.shuffle(&mut random::stream(seed, &format!("shuffle/{epoch}")));
        Self(order)
    }

    /// The positions at these places in the order.
    pub fn positions(&self, places: Range<usize>) -> Vec<u64> {
        self.0[places].iter().map(|&position| position.into()).collect()
    }
}

/// Interactions of one step, still on the host.
///
/// An objective may draw candidates for a field: each position then has `draws` indices in that field, its own first,
/// and the model computes `positions × draws` scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Indices of each field: one per position, or `draws` per position, stored together.
    pub columns: Vec<Vec<u32>>,
    /// The observed value of each position.
    pub targets: Vec<f32>,
    /// The weight of each position; `None` for 1.
    pub weights: Option<Vec<f32>>,
    /// Scores per position.
    pub draws: usize,
    /// Added to each score before the loss is computed, `draws` per position; `None` for 0.
    pub offsets: Option<Vec<f32>>,
    /// Bags of the entities' rows.
    pub bags: Arc<Vec<Bag>>,
    /// The indices of fields of which some rows are hidden: [`UNKNOWN`] in their place. Bags see all.
    pub hidden: Vec<(FieldId, Vec<u32>)>,
    /// What a step of training drops; `None` outside of training.
    pub dropout: Option<Dropout>,
}

/// Which units of a network a step of training drops   (Srivastava et al. 2014).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropout {
    /// Seed of the run.
    pub seed: u64,
    /// The epoch of the step, from 1.
    pub epoch: u64,
    /// The step in its epoch, from 0.
    pub step: u64,
}

impl Dropout {
    /// `units` of the layer `name`, of which a `share` is 0 and the rest divided by what is left, so that sums stay what they are in the
    /// mean: `[scores, width]` → `[scores, width]`
    fn applied(self, name: &str, units: Tensor<2>, share: f64, device: &Device) -> Tensor<2> {
        let shape = units.dims();
        let mut random = random::stream(self.seed, &format!("dropout/{name}/{}/{}", self.epoch, self.step));
        let bound = (share * 2.0_f64.powi(32)) as u32;
        let rest = (1.0 / (1.0 - share)) as f32;
        let kept: Vec<f32> =
            (0..shape[0] * shape[1]).map(|_| if random.next_u32() < bound { 0.0 } else { rest }).collect();
        units * Tensor::from_data(TensorData::new(kept, shape), device)
    }
}

impl Samples {
    /// The interactions at `positions`, in that order.
    pub fn gather(interactions: &Interactions, positions: &[u64]) -> Self {
        let pick = |column: &Vec<u32>| positions.iter().map(|&at| column[at as usize]).collect();
        let pick_floats = |column: &Vec<f32>| positions.iter().map(|&at| column[at as usize]).collect();
        Self {
            columns: interactions.columns.iter().map(pick).collect(),
            targets: pick_floats(&interactions.targets),
            weights: interactions.weights.as_ref().map(pick_floats),
            draws: 1,
            offsets: None,
            bags: Arc::clone(&interactions.bags),
            hidden: Vec::new(),
            dropout: None,
        }
    }

    /// Rows without a target, to be scored: one column per field, all of one length.
    pub fn of_columns(columns: Vec<Vec<u32>>, bags: &Arc<Vec<Bag>>) -> Self {
        let targets = vec![0.0; columns.first().map_or(0, Vec::len)];
        let bags = Arc::clone(bags);
        Self { columns, targets, weights: None, draws: 1, offsets: None, bags, hidden: Vec::new(), dropout: None }
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The indices of one field, one or `draws` per position.
    pub fn column(&self, field: FieldId) -> &[u32] {
        &self.columns[field.0]
    }

    /// The same as the tables of the field's own rows see them: without those that are hidden.
    pub fn own_column(&self, field: FieldId) -> &[u32] {
        let hidden = self.hidden.iter().find(|(of, _)| *of == field);
        hidden.map_or_else(|| self.column(field), |(_, column)| column)
    }

    /// The indices of one field, one per score.
    fn expanded(&self, column: &[u32]) -> Vec<u32> {
        match column.len() == self.len() && self.draws > 1 {
            true => column.iter().flat_map(|&index| std::iter::repeat_n(index, self.draws)).collect(),
            false => column.to_vec(),
        }
    }

    /// Moves the samples to a device.
    pub fn to_device(self: &Arc<Self>, device: &Device) -> Batch {
        self.to_device_with(HashMap::new(), device)
    }

    /// The same for a model that holds only some rows of its tables: `places` maps the indices of each.
    pub(crate) fn to_device_with(
        self: &Arc<Self>,
        places: HashMap<ParamId, Arc<TouchedRows>>,
        device: &Device,
    ) -> Batch {
        let floats = |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
        Batch {
            targets: floats(&self.targets),
            weights: self.weights.as_deref().map(floats),
            offsets: self.offsets.as_deref().map(|offsets| floats(offsets).reshape([self.len(), self.draws])),
            columns: self.columns.iter().map(|_| OnceLock::new()).collect(),
            places,
            bags: Mutex::default(),
            samples: Arc::clone(self),
            device: device.clone(),
        }
    }
}

/// Indices of one field on a device, one per score.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// `[scores]`; 0 for an unknown row.
    pub indices: Tensor<1, Int>,
    /// `[scores, 1]`: 0 for an unknown row, 1 for others; `None` if none is unknown.
    pub known: Option<Tensor<2>>,
}

impl Column {
    fn new(indices: &[u32], device: &Device) -> Self {
        let count = indices.len();
        let known = indices.contains(&UNKNOWN).then(|| {
            let known = indices.iter().map(|&index| f32::from(u8::from(index != UNKNOWN))).collect::<Vec<_>>();
            Tensor::from_data(TensorData::new(known, [count, 1]), device)
        });
        let indices: Vec<i32> = indices.iter().map(|&index| if index == UNKNOWN { 0 } else { index as i32 }).collect();
        Self { indices: Tensor::from_data(TensorData::new(indices, [count]), device), known }
    }

    /// Rows `[scores, width]` with zeros for unknown ones.
    pub fn masked(&self, rows: Tensor<2>) -> Tensor<2> {
        match &self.known {
            None => rows,
            Some(known) => rows * known.clone(),
        }
    }
}

/// The indices of a batch among the rows taken out of a table.
#[derive(Debug, Default)]
pub(crate) struct TouchedRows {
    /// The rows taken, ascending.
    pub rows: Vec<u32>,
    /// For each field that indexes the table, the place of each index among `rows`.
    pub columns: Vec<(FieldId, Vec<u32>)>,
    /// `columns` on the device, created on first use.
    on_device: Vec<OnceLock<Column>>,
}

impl TouchedRows {
    /// These rows and places.
    pub fn new(rows: Vec<u32>, columns: Vec<(FieldId, Vec<u32>)>) -> Self {
        let on_device = columns.iter().map(|_| OnceLock::new()).collect();
        Self { rows, columns, on_device }
    }

    /// The place of a row of the whole table.
    pub fn of_row(&self, row: u32) -> u32 {
        self.rows.binary_search(&row).expect("every row that a batch touches was taken") as u32
    }

    /// The places of a field's indices, as [`Samples::column`] has them.
    pub fn column(&self, field: FieldId) -> Option<&[u32]> {
        self.columns.iter().find(|(of, _)| *of == field).map(|(_, places)| places.as_slice())
    }
}

/// Members of bags on a device: their rows, bags and weights, and the bag of each score.
#[derive(Debug, Clone)]
pub(crate) struct BagRows {
    /// `[members]`: rows of the table.
    pub rows: Tensor<1, Int>,
    /// `[members, 1]`; `None` for 1.
    pub weights: Option<Tensor<2>>,
    /// `[members]`: the bag of each.
    pub bags: Tensor<1, Int>,
    /// Number of bags.
    pub count: usize,
    /// `[scores]`: the bag of each.
    pub of_scores: Tensor<1, Int>,
}

/// A field, a bag of its rows, and the rows that were taken from a table.
#[derive(Debug)]
struct BagUse(FieldId, BagId, Option<Arc<TouchedRows>>);

impl BagUse {
    fn is_of(&self, field: FieldId, bag: BagId, places: Option<&Arc<TouchedRows>>) -> bool {
        let are_same = match (&self.2, places) {
            (None, None) => true,
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        };
        (self.0, self.1) == (field, bag) && are_same
    }
}

/// What a model sees: for each score an index of each field, as tensors of one length, and in training the targets.
#[derive(Debug)]
pub struct Batch {
    samples: Arc<Samples>,
    device: Device,
    /// Created on first use: a model need not use every field.
    columns: Vec<OnceLock<Column>>,
    places: HashMap<ParamId, Arc<TouchedRows>>,
    /// Created on first use, for all tables of which the same rows were taken.
    bags: Mutex<Vec<(BagUse, BagRows)>>,
    targets: Tensor<1>,
    weights: Option<Tensor<1>>,
    offsets: Option<Tensor<2>>,
}

impl Batch {
    /// Number of scores to compute.
    pub fn len(&self) -> usize {
        self.samples.len() * self.samples.draws
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Scores per position.
    pub fn draws(&self) -> usize {
        self.samples.draws
    }

    /// The observed values, `[positions]`.
    pub fn targets(&self) -> &Tensor<1> {
        &self.targets
    }

    /// The weight of each position, `[positions]`; `None` for 1.
    pub fn weights(&self) -> Option<&Tensor<1>> {
        self.weights.as_ref()
    }

    /// What is added to the scores before the loss is computed, `[positions, draws]`; `None` for 0.
    pub fn offsets(&self) -> Option<&Tensor<2>> {
        self.offsets.as_ref()
    }

    /// The device that holds it.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The indices of a field in main memory, one per score.
    pub fn indices(&self, field: FieldId) -> Vec<u32> {
        self.samples.expanded(self.samples.column(field))
    }

    /// `units` of the layer `name`, of which a step of training drops a `share`; all of them outside of training.
    ///
    /// # Shapes
    /// - input and output: `[batch, width]`
    pub fn dropped(&self, name: &str, units: Tensor<2>, share: f64) -> Tensor<2> {
        match self.samples.dropout.filter(|_| share > 0.0) {
            Some(dropout) => dropout.applied(name, units, share, &self.device),
            None => units,
        }
    }

    /// The members of the bag of one row, and their weights if those are not 1.
    pub fn members(&self, bag: BagId, row: u32) -> (&[u32], Option<&[f32]>) {
        self.samples.bags[bag.0].of_row(row)
    }

    /// The indices of a field into the rows of a table.
    pub(crate) fn column(&self, table: ParamId, field: FieldId) -> &Column {
        if let Some(places) = self.places.get(&table)
            && let Some(at) = places.columns.iter().position(|(of, _)| *of == field)
        {
            let column = || Column::new(&self.samples.expanded(&places.columns[at].1), &self.device);
            return places.on_device[at].get_or_init(column);
        }
        let column = || Column::new(&self.samples.expanded(self.samples.own_column(field)), &self.device);
        self.columns[field.0].get_or_init(column)
    }

    /// The bags of a field's rows, with members as rows of a table.
    pub(crate) fn bag(&self, table: ParamId, field: FieldId, bag: BagId) -> BagRows {
        let places = self.places.get(&table);
        let mut known = self.bags.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, rows)) = known.iter().find(|(of, _)| of.is_of(field, bag, places)) {
            return rows.clone();
        }
        let owners = self.samples.expanded(self.samples.column(field));
        let mut distinct = owners.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let rows = self.bags_of(bag, &distinct, &owners, places.map(Arc::as_ref));
        known.push((BagUse(field, bag, places.cloned()), rows.clone()));
        rows
    }

    /// The bags of the first `count` rows of their owner, with members as rows of a whole table.
    pub(crate) fn bags_of_all(&self, bag: BagId, count: usize) -> BagRows {
        let owners: Vec<u32> = (0..count as u32).collect();
        self.bags_of(bag, &owners, &owners, None)
    }

    /// The bags of the rows `distinct`, ascending, and the place of each of `owners` among them.
    fn bags_of(&self, bag: BagId, distinct: &[u32], owners: &[u32], places: Option<&TouchedRows>) -> BagRows {
        let bag = &self.samples.bags[bag.0];
        let (mut rows, mut weights, mut bags) = (Vec::new(), Vec::new(), Vec::new());
        for (at, &owner) in (0..).zip(distinct) {
            let (members, of_members) = bag.of_row(owner);
            rows.extend(members.iter().map(|&row| places.map_or(row, |places| places.of_row(row)) as i32));
            weights.extend_from_slice(of_members.unwrap_or_default());
            bags.extend(std::iter::repeat_n(at, members.len()));
        }
        let count = rows.len();
        let place = |owner: &u32| distinct.binary_search(owner).expect("one of them") as i32;
        let indices = |values: Vec<i32>| {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), &self.device)
        };
        BagRows {
            weights: (weights.len() == count && count > 0)
                .then(|| Tensor::from_data(TensorData::new(weights, [count, 1]), &self.device)),
            rows: indices(rows),
            bags: indices(bags),
            count: distinct.len(),
            of_scores: indices(owners.iter().map(place).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{BagFrame, ITEM, USER};
    use crate::device::to_vec;

    fn ints(tensor: &Tensor<1, Int>) -> Vec<i64> {
        tensor.clone().into_data().iter::<i64>().collect()
    }

    /// Members 5 and 6 of row 0, none of row 1, 4 of row 2.
    fn bags(weights: Option<Vec<f32>>) -> Arc<Vec<Bag>> {
        let frame = BagFrame { name: "b".into(), owner: 0, of: 1, is_feature: false };
        Arc::new(vec![Bag::new(frame, vec![0, 2, 2, 3], vec![5, 6, 4], weights).expect("parts that fit")])
    }

    #[test]
    fn unknown_indices_are_masked_where_there_are_any() {
        let columns = vec![vec![3, UNKNOWN, 1], vec![2, 2, 0]];
        let batch = Arc::new(Samples::of_columns(columns, &Arc::default())).to_device(&Device::default());
        let table = ParamId::new();
        let (masked, whole) = (batch.column(table, USER), batch.column(table, ITEM));
        assert_eq!(ints(&masked.indices), [3, 0, 1]);
        assert_eq!(masked.known.clone().map(to_vec), Some(vec![1.0, 0.0, 1.0]));
        assert_eq!(ints(&whole.indices), [2, 2, 0]);
        assert!(whole.known.is_none());
        let rows = Tensor::from_floats([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &Device::default());
        assert_eq!(to_vec(masked.masked(rows.clone())), [1.0, 2.0, 0.0, 0.0, 5.0, 6.0]);
        assert_eq!(to_vec(whole.masked(rows)), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn a_table_of_which_rows_were_taken_has_indices_of_its_own() {
        let columns = vec![vec![30, 10], vec![7, UNKNOWN, 9, 9]];
        let samples = Samples { targets: vec![0.0; 2], draws: 2, ..Samples::of_columns(columns, &Arc::default()) };
        let (taken, other) = (ParamId::new(), ParamId::new());
        let places = TouchedRows::new(vec![7, 9, 30], vec![(ITEM, vec![0, UNKNOWN, 1, 1])]);
        assert_eq!((places.of_row(30), places.column(USER)), (2, None));
        let batch = Arc::new(samples).to_device_with([(taken, Arc::new(places))].into(), &Device::default());
        let of = |table, field| {
            let column = batch.column(table, field);
            (ints(&column.indices), column.known.clone().map(to_vec))
        };
        let known = Some(vec![1.0, 0.0, 1.0, 1.0]);
        assert_eq!(of(taken, ITEM), (vec![0, 0, 1, 1], known.clone()));
        assert_eq!(of(other, ITEM), (vec![7, 0, 9, 9], known));
        // A field that does not index the table keeps the indices of the data, once per draw.
        assert_eq!(of(taken, USER), (vec![30, 30, 10, 10], None));
    }

    #[test]
    fn a_batch_has_the_bag_of_each_row_once() {
        let bag_of = |weights, table, places| {
            let samples = Samples::of_columns(vec![vec![2, 0, UNKNOWN, 2, 1]], &bags(weights));
            let batch = Arc::new(samples).to_device_with(places, &Device::default());
            let bag = batch.bag(table, USER, BagId(0));
            let weights = bag.weights.map(to_vec);
            ((ints(&bag.rows), ints(&bag.bags), bag.count, ints(&bag.of_scores)), weights)
        };
        let table = ParamId::new();
        // The distinct rows are 0, 1, 2 and the unknown one.
        let expected = (vec![5, 6, 4], vec![0, 0, 2], 4, vec![2, 0, 3, 2, 1]);
        assert_eq!(bag_of(None, table, HashMap::new()), (expected.clone(), None));
        let weights = Some(vec![0.1, 0.2, 0.3]);
        assert_eq!(bag_of(weights.clone(), table, HashMap::new()), (expected.clone(), weights));
        let places = Arc::new(TouchedRows::new(vec![4, 5, 6], Vec::new()));
        let renumbered = (vec![1, 2, 0], vec![0, 0, 2], 4, vec![2, 0, 3, 2, 1]);
        assert_eq!(bag_of(None, table, [(table, places)].into()), (renumbered, None));
        let empty = Samples::of_columns(vec![vec![1, 1]], &bags(Some(vec![0.1, 0.2, 0.3])));
        let bag = Arc::new(empty).to_device(&Device::default()).bag(table, USER, BagId(0));
        assert_eq!((ints(&bag.rows).len(), bag.weights.is_none(), bag.count), (0, true, 1));
    }

    #[test]
    fn a_step_drops_a_share_of_units_and_keeps_the_mean() {
        let dropped = |dropout: Option<Dropout>, name: &str, share: f64| {
            let columns = vec![vec![0; 500]; 2];
            let samples = Samples { dropout, ..Samples::of_columns(columns, &Arc::default()) };
            let batch = Arc::new(samples).to_device(&Device::default());
            to_vec(batch.dropped(name, Tensor::ones([500, 40], &Device::default()), share))
        };
        let first = Dropout { seed: 1, epoch: 1, step: 0 };
        let units = dropped(Some(first), "hidden.0", 0.25);
        assert!(units.iter().all(|&unit| unit == 0.0 || unit == 4.0 / 3.0));
        let zeros = units.iter().filter(|unit| **unit == 0.0).count();
        // 20,000 draws: a standard deviation of 61.
        assert!((4_700..5_300).contains(&zeros), "{zeros}");
        assert_eq!(units, dropped(Some(first), "hidden.0", 0.25));
        for other in [
            (Dropout { step: 1, ..first }, "hidden.0"),
            (Dropout { seed: 2, ..first }, "hidden.0"),
            (first, "hidden.1"),
        ] {
            assert_ne!(units, dropped(Some(other.0), other.1, 0.25));
        }
        assert_eq!(dropped(None, "hidden.0", 0.25), vec![1.0; 20_000]);
        assert_eq!(dropped(Some(first), "hidden.0", 0.0), vec![1.0; 20_000]);
    }

    #[test]
    fn an_order_is_a_permutation_that_depends_on_seed_and_epoch() {
        let order = |seed, epoch| EpochOrder::new(100, seed, epoch).positions(0..100);
        let mut sorted = order(1, 1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u64>>());
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }

    #[test]
    fn samples_keep_the_columns_together() {
        let mut interactions = Interactions::default();
        for (user, item, target) in [(0, 5, 1.0), (1, 6, 2.0), (2, 7, 3.0)] {
            interactions.push([user, item], target, None);
        }
        let samples = Samples::gather(&interactions, &[2, 0]);
        assert_eq!((samples.columns, samples.targets), (vec![vec![2, 0], vec![7, 5]], vec![3.0, 1.0]));
        assert_eq!((samples.weights, samples.draws), (None, 1));
        (interactions.weights, interactions.bags) = (Some(vec![0.1, 0.2, 0.3]), bags(None));
        let samples = Samples::gather(&interactions, &[2, 0]);
        assert_eq!(samples.weights, Some(vec![0.3, 0.1]));
        assert!(Arc::ptr_eq(&samples.bags, &interactions.bags));
    }

    #[test]
    fn fields_without_candidates_are_repeated_for_those_with_them() {
        let columns = vec![vec![4, 9], vec![1, 2, 3, 5, 6, 7]];
        let samples = Samples { targets: vec![1.0; 2], draws: 3, ..Samples::of_columns(columns, &Arc::default()) };
        assert_eq!(samples.expanded(samples.column(USER)), [4, 4, 4, 9, 9, 9]);
        assert_eq!(samples.expanded(samples.column(ITEM)), [1, 2, 3, 5, 6, 7]);
        assert_eq!(Arc::new(samples).to_device(&Device::default()).len(), 6);
    }
}
