//! The cells of a matrix, as they come.

use std::path::Path;

use super::super::places::insert_numbers;
use crate::data::interactions::check_count;
use crate::data::{Dataset, Layout};
use crate::error::Result;

/// A matrix that is being filled.
pub(super) struct Cells<'a> {
    path: &'a Path,
    dataset: &'a mut Dataset,
    size: [u64; 2],
    /// Number of cells that are not a number.
    missing: u64,
}

impl<'a> Cells<'a> {
    /// An empty matrix of `size` rows and columns, none of them more than an index can distinguish. Its ids are added at
    /// the end, when the file has shown that it holds what it announces.
    pub fn new(path: &'a Path, dataset: &'a mut Dataset, size: [u64; 2]) -> Self {
        Self { path, dataset, size, missing: 0 }
    }

    /// Adds the cell in this row and column, from 0. NaN is a missing one.
    ///
    /// # Errors
    /// For an infinite number, with its place as people count; for more cells than an index can distinguish.
    #[inline]
    pub fn push(&mut self, [row, column]: [u64; 2], value: f64) -> Result<(), String> {
        let narrow = value as f32;
        if narrow.is_finite() {
            self.dataset.interactions.push([row, column].map(|index| index as u32), narrow, None);
            return Ok(());
        }
        if value.is_nan() {
            self.missing += 1;
            return Ok(());
        }
        let place = format!("row {}, column {}", row + 1, column + 1);
        Err(match value.is_infinite() {
            true => format!("holds {value} in {place}, and numbers have to be finite; put nan there if it is missing"),
            false => {
                format!("holds {value:e} in {place}, and the largest number is {:e}; scale the array down", f32::MAX)
            }
        })
    }

    /// Refuses more cells than an index can distinguish.
    ///
    /// # Errors
    /// [`Error::Data`](crate::error::Error::Data).
    pub fn check(&self, cells: Option<u64>) -> Result<()> {
        check_count(self.path, cells.and_then(|cells| cells.try_into().ok()).unwrap_or(usize::MAX))
    }

    /// Adds the ids of rows and columns; the data are laid out as `layout`.
    pub fn finish(self, layout: Layout) {
        let Self { path, dataset, size: [rows, columns], missing } = self;
        insert_numbers(dataset, rows, columns);
        dataset.layout = layout;
        let path = path.display();
        dataset
            .notes
            .push(format!("{path}: rows and columns are numbered from 1, so that row 1 is what Python calls [0]"));
        if missing > 0 {
            let what = if missing == 1 { "cell is" } else { "cells are" };
            dataset.notes.push(format!("{path}: {missing} {what} missing (nan)"));
        }
    }
}
