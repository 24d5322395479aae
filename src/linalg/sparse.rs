//! Matrices that keep only some of their cells.

use super::dense::not_finite;
use super::groups::{Cells, Groups};
use crate::error::{Error, Result};

/// A sparse matrix in compressed sparse row (CSR) form. Column indices ascend strictly within each row.
///
/// 8 bytes a stored cell and 8 a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Csr {
    columns: usize,
    cells: Cells,
}

impl Csr {
    /// A matrix in compressed sparse row form: row `i` has `values[offsets[i]..offsets[i + 1]]` in the columns
    /// `indices[offsets[i]..offsets[i + 1]]`.
    ///
    /// # Errors
    /// [`Error::Usage`] if the parts do not fit together, a column is out of range, the columns of a row do not
    /// ascend strictly, or a value is not finite.
    pub fn new(columns: usize, offsets: Vec<usize>, indices: Vec<u32>, values: Vec<f32>) -> Result<Self> {
        let cells = Groups::from_parts(offsets, indices).and_then(|columns| Cells::from_parts(columns, values));
        let Some(cells) = cells else {
            let message = "the offsets of a sparse matrix start at 0, never fall and end at the number of stored \
                           cells, of which each has a column and a value";
            return Err(Error::Usage(message.into()));
        };
        let matrix = Self { columns, cells };
        for row in 0..matrix.rows() {
            let (indices, values) = matrix.row(row);
            if let Some(pair) = indices.windows(2).find(|pair| pair[0] >= pair[1]) {
                let [left, right] = [pair[0], pair[1]];
                return Err(Error::Usage(format!("row {row}: column {right} after column {left}; sort them")));
            }
            if let Some(&column) = indices.last().filter(|&&column| column as usize >= columns) {
                return Err(outside(row, column, matrix.rows(), columns));
            }
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return Err(not_finite(row, indices[at] as usize, values[at]));
            }
        }
        Ok(matrix)
    }

    /// A matrix of cells in any order.
    ///
    /// # Errors
    /// [`Error::Usage`] if a cell is outside of the matrix or appears twice, or a value is not finite.
    ///
    /// # Panics
    /// If the three slices differ in length.
    pub fn from_cells(
        rows: usize,
        columns: usize,
        row_indices: &[u32],
        column_indices: &[u32],
        values: &[f32],
    ) -> Result<Self> {
        assert!(row_indices.len() == values.len() && column_indices.len() == values.len(), "one of each a cell");
        for (&row, &column) in row_indices.iter().zip(column_indices) {
            if row as usize >= rows || column as usize >= columns {
                return Err(outside(row as usize, column, rows, columns));
            }
        }
        // Sorting by column and then, keeping that order, by row.
        let cells = column_indices.iter().zip(row_indices).zip(values);
        let by_column = Cells::new(columns, cells.map(|((&column, &row), &value)| (column, row, value)));
        let matrix = Self { columns: rows, cells: by_column }.transposed();
        for row in 0..rows {
            let (indices, values) = matrix.row(row);
            if let Some(pair) = indices.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(Error::Usage(format!("row {row}, column {} is given twice; merge them first", pair[0])));
            }
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return Err(not_finite(row, indices[at] as usize, values[at]));
            }
        }
        Ok(matrix)
    }

    /// Cells of which it is known that columns ascend and are in range.
    pub(super) fn of(columns: usize, cells: Cells) -> Self {
        Self { columns, cells }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.cells.rows()
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of stored cells.
    pub fn stored(&self) -> usize {
        self.values().len()
    }

    /// Columns and values of the stored cells of one row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        self.cells.row(row)
    }

    /// Columns of the stored cells by row.
    pub fn indices(&self) -> &Groups {
        self.cells.columns()
    }

    /// Values of the stored cells, row by row.
    pub fn values(&self) -> &[f32] {
        self.cells.values()
    }

    /// The values alone.
    pub(super) fn into_values(self) -> Vec<f32> {
        self.cells.into_values()
    }

    /// Aᵀ, again by rows.
    pub fn transposed(&self) -> Self {
        let of_row = |row: usize| {
            let (indices, values) = self.row(row);
            indices.iter().zip(values).map(move |(&column, &value)| (column, row as u32, value))
        };
        Self { columns: self.rows(), cells: Cells::new(self.columns, (0..self.rows()).flat_map(of_row)) }
    }
}

fn outside(row: usize, column: u32, rows: usize, columns: usize) -> Error {
    Error::Usage(format!("row {row}, column {column} is outside of a matrix of {rows} rows and {columns} columns"))
}
