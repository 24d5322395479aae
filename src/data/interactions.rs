//! Observations: which rows of the entities met, and with what result. Absent cells are unknown.

use std::path::Path;
use std::sync::Arc;

use super::bag::Bag;
use super::entity::{BagId, Entity, FieldId, ITEM, UNKNOWN, USER};
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// Interactions as a structure of arrays, in file order.
///
/// 4 bytes per field and 4 for the target: 12 bytes for a user, an item and a rating, 8 more with a timestamp.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    /// The index of each interaction in each field, or [`UNKNOWN`]: one column per field, all of one length.
    pub columns: Vec<Vec<u32>>,
    /// The value of each, such as a rating; always finite.
    pub targets: Vec<f32>,
    /// The weight of each; `None` for 1.
    pub weights: Option<Vec<f32>>,
    /// Seconds since 1970 (or whatever the file counts in), if the file has them and while they are needed.
    pub timestamps: Option<Vec<i64>>,
    /// The bags of the entities' rows.
    pub bags: Arc<Vec<Bag>>,
}

impl Default for Interactions {
    /// Empty, with a user and an item field.
    fn default() -> Self {
        Self::of_fields(2)
    }
}

impl Interactions {
    /// Empty, with `fields` fields.
    pub fn of_fields(fields: usize) -> Self {
        let columns = vec![Vec::new(); fields];
        Self { columns, targets: Vec::new(), weights: None, timestamps: None, bags: Arc::default() }
    }

    /// Empty, with the same fields as these and room for exactly `count` interactions.
    pub fn like(&self, count: usize) -> Self {
        Self {
            columns: self.columns.iter().map(|_| Vec::with_capacity(count)).collect(),
            targets: Vec::with_capacity(count),
            weights: self.weights.as_ref().map(|_| Vec::with_capacity(count)),
            timestamps: self.timestamps.as_ref().map(|_| Vec::with_capacity(count)),
            bags: Arc::clone(&self.bags),
        }
    }

    /// Number of interactions.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The indices of one field.
    pub fn column(&self, field: FieldId) -> &[u32] {
        &self.columns[field.0]
    }

    /// The number of rows that a field's indices need: one more than the largest known one.
    pub fn rows(&self, field: FieldId) -> usize {
        let known = self.column(field).iter().filter(|&&index| index != UNKNOWN);
        known.max().map_or(0, |&last| last as usize + 1)
    }

    /// How many interactions have a row of this field, an index of `entity`, that is known by its features alone.
    pub fn count_cold(&self, field: FieldId, entity: &Entity) -> usize {
        let Some(trained) = entity.trained else { return 0 };
        self.column(field).iter().filter(|&&index| index != UNKNOWN && index as usize >= trained).count()
    }

    /// A bag.
    pub fn bag(&self, bag: BagId) -> &Bag {
        &self.bags[bag.0]
    }

    /// The first two fields as a matrix: rows are users and columns items.
    ///
    /// # Errors
    /// [`Error::Usage`] for an index outside the matrix.
    pub fn to_matrix(&self, num_users: usize, num_items: usize) -> Result<Matrix> {
        Matrix::from_cells(num_users, num_items, self.column(USER), self.column(ITEM), &self.targets)
    }

    /// Adds one interaction. The first decides whether there are timestamps.
    #[inline]
    pub fn push<const N: usize>(&mut self, indices: [u32; N], target: f32, timestamp: Option<i64>) {
        if let Some(timestamp) = timestamp {
            self.timestamps.get_or_insert_default().push(timestamp);
        }
        for (column, index) in self.columns.iter_mut().zip(indices) {
            column.push(index);
        }
        self.targets.push(target);
    }

    /// Mean target in f64; `None` without interactions.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty())
            .then(|| self.targets.iter().map(|&target| f64::from(target)).sum::<f64>() / self.len() as f64)
    }

    /// Standard deviation of the targets, √(Σ (r − mean)² / n); 0 without interactions.
    pub fn standard_deviation(&self) -> f64 {
        let Some(mean) = self.mean() else { return 0.0 };
        let squares: f64 = self.targets.iter().map(|&target| (f64::from(target) - mean).powi(2)).sum();
        (squares / self.len() as f64).sqrt()
    }

    /// Smallest and largest target; `None` without interactions.
    pub fn range(&self) -> Option<(f32, f32)> {
        let first = *self.targets.first()?;
        Some(self.targets.iter().fold((first, first), |(low, high), &target| (low.min(target), high.max(target))))
    }

    /// Keeps the interactions before `start`, and those from `start` on that `kept` marks.
    pub fn retain_from(&mut self, start: usize, kept: &[bool]) {
        fn compact<T: Copy>(values: &mut Vec<T>, start: usize, kept: &[bool]) {
            let mut end = start;
            for (at, _) in kept.iter().enumerate().filter(|(_, keep)| **keep) {
                values[end] = values[start + at];
                end += 1;
            }
            values.truncate(end);
        }
        self.columns.iter_mut().for_each(|column| compact(column, start, kept));
        compact(&mut self.targets, start, kept);
        self.weights.iter_mut().for_each(|weights| compact(weights, start, kept));
        self.timestamps.iter_mut().for_each(|timestamps| compact(timestamps, start, kept));
    }

    /// Releases unused memory.
    pub fn shrink_to_fit(&mut self) {
        self.columns.iter_mut().for_each(Vec::shrink_to_fit);
        self.targets.shrink_to_fit();
        self.weights.iter_mut().for_each(Vec::shrink_to_fit);
        self.timestamps.iter_mut().for_each(Vec::shrink_to_fit);
    }
}

/// Rejects more ratings than an index can distinguish; `path` is their file.
pub(super) fn check_count(path: &Path, ratings: usize) -> Result<()> {
    match u32::try_from(ratings) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::data(path, format!("more than {} ratings; divide the data", u32::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, UNKNOWN};

    fn some() -> Interactions {
        let mut interactions = Interactions::of_fields(3);
        for (at, target) in [(0, 4.0), (1, -1.5), (2, 3.0)] {
            interactions.push([at, at + 10, UNKNOWN], target, Some(7 - i64::from(at)));
        }
        interactions
    }

    #[test]
    fn what_is_pushed_is_a_row_of_all_columns() {
        let interactions = some();
        assert_eq!((interactions.len(), interactions.is_empty()), (3, false));
        assert_eq!(interactions.column(USER), [0, 1, 2]);
        assert_eq!(interactions.column(ITEM), [10, 11, 12]);
        assert_eq!(interactions.column(FieldId(2)), [UNKNOWN; 3]);
        assert_eq!(interactions.timestamps, Some(vec![7, 6, 5]));
        let mut without = Interactions::default();
        without.push([1, 2], 3.0, None);
        assert_eq!((without.columns, without.timestamps), (vec![vec![1], vec![2]], None));
    }

    #[test]
    fn mean_and_range_are_of_targets_and_there_is_none_of_nothing() {
        assert_eq!((some().mean(), some().range()), (Some(5.5 / 3.0), Some((-1.5, 4.0))));
        let none = Interactions::default();
        assert_eq!((none.mean(), none.range(), none.is_empty()), (None, None, true));
    }

    #[test]
    fn those_alike_have_the_same_columns_and_bags() {
        let mut interactions = some();
        let history = Bag::history(|field| interactions.column(field), &Frame::pair(3, 13), USER, ITEM);
        (interactions.weights, interactions.bags) = (Some(vec![1.0; 3]), Arc::new(vec![history]));
        let none = interactions.like(5);
        assert_eq!((none.columns, none.targets), (vec![Vec::new(); 3], Vec::new()));
        assert_eq!((none.weights, none.timestamps), (Some(Vec::new()), Some(Vec::new())));
        assert!(Arc::ptr_eq(&none.bags, &interactions.bags));
        assert_eq!(none.bags[0].of_row(2).0, interactions.bag(BagId(0)).of_row(2).0);
        let without = Interactions::default().like(5);
        assert_eq!((without.weights, without.timestamps), (None, None));
    }

    #[test]
    fn the_first_two_fields_are_a_matrix() {
        let matrix = some().to_matrix(3, 13).expect("all indices are inside");
        assert_eq!((matrix.rows(), matrix.columns()), (3, 13));
        assert!(some().to_matrix(3, 12).is_err());
        assert!(some().to_matrix(2, 13).is_err());
    }

    #[test]
    fn what_is_kept_keeps_its_columns_together() {
        let mut interactions = Interactions::of_fields(3);
        for at in 0..5 {
            interactions.push([at, at + 10, at + 20], at as f32, Some(i64::from(at)));
        }
        interactions.weights = Some(vec![0.5, 0.6, 0.7, 0.8, 0.9]);
        interactions.retain_from(1, &[true, false, true, false]);
        assert_eq!(interactions.columns, [vec![0, 1, 3], vec![10, 11, 13], vec![20, 21, 23]]);
        assert_eq!((interactions.targets, interactions.timestamps), (vec![0.0, 1.0, 3.0], Some(vec![0, 1, 3])));
        assert_eq!(interactions.weights, Some(vec![0.5, 0.6, 0.8]));
    }
}
