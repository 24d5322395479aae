//! Matrices whose zeros are data: images, documents × terms, genes × samples.
//!
//! A list of ratings says what was observed and nothing of the rest. A [`Matrix`] has a value in every cell, and a sparse
//! one keeps only those that are not zero. Where a sparse matrix does have missing cells (masked factorization), the
//! solver is told so; the stored cells, stored zeros among them, are then the observed ones.

use rayon::prelude::*;

use super::dense::Dense;
use super::groups::{Cells, Groups};
use super::sparse::Csr;
use crate::error::Result;

/// A matrix of finite values, dense or sparse.
#[derive(Debug, Clone, PartialEq)]
pub enum Matrix {
    /// Every cell is stored.
    Dense(Dense),
    /// Cells that are not stored are zero.
    Sparse(Csr),
}

impl Matrix {
    /// A dense matrix; see [`Dense::new`].
    pub fn dense(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self> {
        Dense::new(rows, columns, values).map(Self::Dense)
    }

    /// A sparse matrix; see [`Csr::new`].
    pub fn sparse(columns: usize, offsets: Vec<usize>, indices: Vec<u32>, values: Vec<f32>) -> Result<Self> {
        Csr::new(columns, offsets, indices, values).map(Self::Sparse)
    }

    /// A matrix of cells in any order: dense if they are all there, else sparse.
    ///
    /// # Errors
    /// As [`Csr::from_cells`].
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
        let csr = Csr::from_cells(rows, columns, row_indices, column_indices, values)?;
        let is_complete = Some(csr.stored()) == rows.checked_mul(columns);
        if is_complete { Self::dense(rows, columns, csr.into_values()) } else { Ok(Self::Sparse(csr)) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.rows(),
            Self::Sparse(csr) => csr.rows(),
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.columns(),
            Self::Sparse(csr) => csr.columns(),
        }
    }

    /// Number of stored cells: all of a dense matrix.
    pub fn stored(&self) -> usize {
        self.values().len()
    }

    /// Values of the stored cells, row by row.
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Dense(dense) => dense.values(),
            Self::Sparse(csr) => csr.values(),
        }
    }

    /// The value of one cell.
    pub fn get(&self, row: usize, column: usize) -> f32 {
        match self {
            Self::Dense(dense) => dense.row(row)[column],
            Self::Sparse(csr) => {
                let (indices, values) = csr.row(row);
                indices.binary_search(&(column as u32)).map_or(0.0, |at| values[at])
            }
        }
    }

    /// Row and column of the `at`-th stored cell.
    pub fn place(&self, at: usize) -> (usize, usize) {
        match self {
            Self::Dense(dense) => (at / dense.columns(), at % dense.columns()),
            Self::Sparse(csr) => {
                let indices = csr.indices();
                (indices.starts().partition_point(|&start| start <= at) - 1, indices.members()[at] as usize)
            }
        }
    }

    /// Aᵀ.
    pub fn transposed(&self) -> Self {
        match self {
            Self::Dense(dense) => Self::Dense(dense.transposed()),
            Self::Sparse(csr) => Self::Sparse(csr.transposed()),
        }
    }

    /// The cells for which `keep(row, column)` holds, of those stored. What is left out counts as missing if a
    /// solver is told that unstored cells are, and as zero otherwise.
    pub fn filtered(&self, mut keep: impl FnMut(usize, usize) -> bool) -> Csr {
        let (mut starts, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in 0..self.rows() {
            let mut push = |column: usize, value: f32| {
                if keep(row, column) {
                    indices.push(column as u32);
                    values.push(value);
                }
            };
            match self {
                Self::Dense(dense) => {
                    dense.row(row).iter().enumerate().for_each(|(column, &value)| push(column, value))
                }
                Self::Sparse(csr) => {
                    let (columns, values) = csr.row(row);
                    columns.iter().zip(values).for_each(|(&column, &value)| push(column as usize, value));
                }
            }
            starts.push(values.len());
        }
        let indices = Groups::from_parts(starts, indices).expect("a start for each row");
        Csr::of(self.columns(), Cells::from_parts(indices, values).expect("a value for each index"))
    }

    /// ‖A‖²: the sum of squares of all cells.
    pub fn norm_squared(&self) -> f64 {
        self.sum_of(|value| value * value)
    }

    /// The sum of all cells.
    pub fn sum(&self) -> f64 {
        self.sum_of(|value| value)
    }

    /// Σ `term(value)` over the stored cells, in an order that does not depend on the number of threads.
    fn sum_of(&self, term: impl Fn(f64) -> f64 + Sync) -> f64 {
        let part = |values: &[f32]| values.iter().map(|&value| term(f64::from(value))).sum::<f64>();
        self.values().par_chunks(1 << 16).map(part).collect::<Vec<_>>().iter().sum()
    }

    /// Mean of each column over all rows, zeros included; zeros for a matrix without rows.
    pub fn column_means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns()];
        match self {
            Self::Dense(dense) => {
                for row in 0..dense.rows() {
                    sums.iter_mut().zip(dense.row(row)).for_each(|(sum, &value)| *sum += f64::from(value));
                }
            }
            Self::Sparse(csr) => {
                for (&column, &value) in csr.indices().members().iter().zip(csr.values()) {
                    sums[column as usize] += f64::from(value);
                }
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= self.rows().max(1) as f64);
        sums
    }

    /// Mean of each row over all columns, zeros included; zeros for a matrix without columns.
    pub fn row_means(&self) -> Vec<f64> {
        let values = |row| match self {
            Self::Dense(dense) => dense.row(row),
            Self::Sparse(csr) => csr.row(row).1,
        };
        let mean = |row| values(row).iter().map(|&value| f64::from(value)).sum::<f64>() / self.columns().max(1) as f64;
        (0..self.rows()).map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn message<T>(result: Result<T>) -> String {
        match result {
            Err(Error::Usage(message)) => message,
            _ => panic!("a usage error"),
        }
    }

    /// 0 2 0 / 0 0 0 / 3 0 -1
    fn small() -> Matrix {
        Matrix::sparse(3, vec![0, 1, 1, 3], vec![1, 0, 2], vec![2.0, 3.0, -1.0]).expect("valid")
    }

    #[test]
    fn cells_in_any_order_make_the_same_matrix() {
        let matrix = Csr::from_cells(3, 3, &[2, 0, 2], &[2, 1, 0], &[-1.0, 2.0, 3.0]).expect("valid");
        assert_eq!(Matrix::Sparse(matrix), small());
        assert_eq!(Matrix::from_cells(3, 3, &[2, 2, 0], &[0, 2, 1], &[3.0, -1.0, 2.0]).expect("valid"), small());
        let full = Matrix::from_cells(1, 2, &[0, 0], &[1, 0], &[4.0, 3.0]).expect("valid");
        assert_eq!(full, Matrix::dense(1, 2, vec![3.0, 4.0]).expect("valid"));
    }

    #[test]
    fn dense_and_sparse_tell_the_same() {
        let sparse = small();
        let dense = Matrix::dense(3, 3, vec![0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, -1.0]).expect("valid");
        for matrix in [&sparse, &dense] {
            assert_eq!((matrix.rows(), matrix.columns(), matrix.get(2, 2), matrix.get(1, 1)), (3, 3, -1.0, 0.0));
            assert_eq!((matrix.norm_squared(), matrix.sum()), (14.0, 4.0));
            assert_eq!(matrix.column_means(), [1.0, 2.0 / 3.0, -1.0 / 3.0]);
            assert_eq!(matrix.row_means(), [2.0 / 3.0, 0.0, 2.0 / 3.0]);
            assert_eq!((matrix.transposed().get(0, 2), matrix.transposed().transposed()), (3.0, (*matrix).clone()));
            for (at, &value) in matrix.values().iter().enumerate() {
                let (row, column) = matrix.place(at);
                assert_eq!(matrix.get(row, column), value);
            }
        }
        assert_eq!((sparse.stored(), dense.stored()), (3, 9));
        assert_eq!(Matrix::Sparse(dense.filtered(|row, column| dense.get(row, column) != 0.0)), sparse);
        assert_eq!(sparse.filtered(|row, _| row == 2).stored(), 2);
        let wide = Matrix::dense(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("valid").transposed();
        assert_eq!((wide.rows(), wide.values()), (3, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]));
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        assert!(message(Matrix::dense(2, 2, vec![0.0; 3])).contains("3 values for a matrix of 2 rows and 2 columns"));
        assert!(message(Matrix::dense(2, 2, vec![0.0, 0.0, 0.0, f32::NAN])).contains("row 1, column 1 is NaN"));
        let sparse = |offsets, indices, values| message(Matrix::sparse(3, offsets, indices, values));
        assert!(sparse(vec![0, 2], vec![1, 1], vec![1.0, 1.0]).contains("row 0: column 1 after column 1"));
        assert!(sparse(vec![0, 0, 1], vec![3], vec![1.0]).contains("row 1, column 3 is outside"));
        assert!(sparse(vec![0, 1], vec![2], vec![f32::INFINITY]).contains("row 0, column 2 is inf"));
        for (offsets, indices) in
            [(vec![], vec![]), (vec![0, 1, 0, 1], vec![0]), (vec![0, 1], vec![0, 1]), (vec![1, 1], vec![0])]
        {
            assert!(sparse(offsets, indices, vec![1.0]).contains("offsets"));
        }
        let cells = |rows: &[u32], columns: &[u32]| message(Csr::from_cells(3, 3, rows, columns, &[1.0, 2.0]));
        assert!(cells(&[0, 3], &[0, 0]).contains("row 3, column 0 is outside of a matrix of 3 rows and 3 columns"));
        assert!(cells(&[2, 2], &[1, 1]).contains("row 2, column 1 is given twice"));
        assert!(cells(&[0, u32::MAX], &[0, 0]).contains("outside"));
    }
}
