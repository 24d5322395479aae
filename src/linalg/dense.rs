//! Matrices with a value in every cell.

use faer::MatRef;

use crate::error::{Error, Result};

/// A dense matrix in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
}

impl Dense {
    /// `rows` × `columns` zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// A matrix of `values`, row by row.
    ///
    /// # Errors
    /// [`Error::Usage`] if the number of values is not `rows * columns`, or one of them is not finite.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self> {
        if Some(values.len()) != rows.checked_mul(columns) {
            let given = values.len();
            return Err(Error::Usage(format!("{given} values for a matrix of {rows} rows and {columns} columns")));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(not_finite(at / columns, at % columns, values[at]));
        }
        Ok(Self { rows, columns, values })
    }

    /// The matrix of `value(row, column)`.
    pub fn from_fn(rows: usize, columns: usize, mut value: impl FnMut(usize, usize) -> f32) -> Self {
        let values = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        Self { rows, columns, values: values.map(|(row, column)| value(row, column)).collect() }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, row by row.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// The same matrix as faer sees it.
    pub fn view(&self) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(&self.values, self.rows, self.columns)
    }

    /// Aᵀ.
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |row, column| self.values[column * self.columns + row])
    }
}

/// Refuses a value.
pub(super) fn not_finite(row: usize, column: usize, value: f32) -> Error {
    Error::Usage(format!(
        "row {row}, column {column} is {value}; a missing cell is left out of a sparse matrix that is factorized with \
         missing cells"
    ))
}
