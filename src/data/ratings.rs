//! Observed cells of a matrix: what is absent is unknown.

use std::path::Path;

use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// An index that no vocabulary holds: the id was not seen in training.
pub const UNKNOWN: u32 = u32::MAX;

/// Ratings as a structure of arrays, one entry a rating, in file order.
///
/// 12 bytes a rating, 20 with timestamps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ratings {
    /// User index of each rating, or [`UNKNOWN`].
    pub users: Vec<u32>,
    /// Item index of each rating, or [`UNKNOWN`].
    pub items: Vec<u32>,
    /// The rating itself; always finite.
    pub values: Vec<f32>,
    /// Seconds since 1970 (or whatever the file counts in), where the file has them.
    pub timestamps: Option<Vec<i64>>,
}

impl Ratings {
    /// No ratings, with room for exactly `count`.
    pub fn with_capacity(count: usize, timestamps: bool) -> Self {
        Self {
            users: Vec::with_capacity(count),
            items: Vec::with_capacity(count),
            values: Vec::with_capacity(count),
            timestamps: timestamps.then(|| Vec::with_capacity(count)),
        }
    }

    /// Number of ratings.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no rating.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds one rating. The first decides whether there are timestamps.
    #[inline]
    pub fn push(&mut self, user: u32, item: u32, value: f32, timestamp: Option<i64>) {
        if let Some(timestamp) = timestamp {
            self.timestamps.get_or_insert_default().push(timestamp);
        }
        self.users.push(user);
        self.items.push(item);
        self.values.push(value);
    }

    /// The ratings as a matrix whose rows are users and whose columns are items: dense where every pair is rated, else
    /// sparse.
    ///
    /// # Errors
    /// [`Error::Usage`] where a user or item is unknown or out of range, or a pair is rated twice (the reader's
    /// `duplicates` decides which one stays).
    pub fn to_matrix(&self, num_users: usize, num_items: usize) -> Result<Matrix> {
        Matrix::from_cells(num_users, num_items, &self.users, &self.items, &self.values)
    }

    /// Mean rating in f64; `None` without ratings.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.values.iter().map(|&value| f64::from(value)).sum::<f64>() / self.len() as f64)
    }

    /// Smallest and largest rating; `None` without ratings.
    pub fn range(&self) -> Option<(f32, f32)> {
        let first = *self.values.first()?;
        Some(self.values.iter().fold((first, first), |(low, high), &value| (low.min(value), high.max(value))))
    }
}

/// Refuses more ratings than an index can tell apart; `path` is where they come from.
pub(super) fn check_count(path: &Path, ratings: usize) -> Result<()> {
    match u32::try_from(ratings) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::data(path, format!("more than {} ratings; divide the data", u32::MAX))),
    }
}
