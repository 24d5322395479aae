//! Matrices whose zeros are data: images, documents × terms, genes × samples.
//!
//! [`Ratings`] lists what was observed and says nothing of the rest. A [`Matrix`] has a value in every cell, and a
//! sparse one keeps only those that are not zero. Where a sparse matrix does have missing cells (masked factorization),
//! the solver is told so; the stored cells, stored zeros among them, are then the observed ones.

mod product;

use faer::MatRef;
use rayon::prelude::*;

use crate::data::Ratings;
use crate::error::{Error, Result};

pub(crate) use product::combine;
pub use product::{Sides, View};

/// A dense matrix in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

/// A sparse matrix in compressed sparse row (CSR) form. Column indices ascend strictly within each row.
///
/// 8 bytes a stored cell and 8 a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Csr {
    columns: usize,
    /// Row `i` lies in `offsets[i]..offsets[i + 1]`.
    offsets: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// A matrix of finite values, dense or sparse.
#[derive(Debug, Clone, PartialEq)]
pub enum Matrix {
    /// Every cell is stored.
    Dense(Dense),
    /// Cells that are not stored are zero.
    Sparse(Csr),
}

impl Dense {
    /// `rows` × `columns` zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// A matrix of `values`, row by row.
    ///
    /// # Errors
    /// [`Error::Usage`] where the number of values is not `rows * columns`, or one of them is not finite.
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

impl Csr {
    /// A matrix in compressed sparse row form: row `i` has `values[offsets[i]..offsets[i + 1]]` in the columns
    /// `indices[offsets[i]..offsets[i + 1]]`.
    ///
    /// # Errors
    /// [`Error::Usage`] where the parts do not fit together, a column is out of range, the columns of a row do not
    /// ascend strictly, or a value is not finite.
    pub fn new(columns: usize, offsets: Vec<usize>, indices: Vec<u32>, values: Vec<f32>) -> Result<Self> {
        let fits = offsets.first() == Some(&0)
            && offsets.last() == Some(&values.len())
            && offsets.is_sorted()
            && indices.len() == values.len();
        if !fits {
            let message = "the offsets of a sparse matrix start at 0, never fall and end at the number of stored \
                           cells, of which each has a column and a value";
            return Err(Error::Usage(message.into()));
        }
        let matrix = Self { columns, offsets, indices, values };
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
    /// [`Error::Usage`] where a cell is outside of the matrix or appears twice, or a value is not finite.
    ///
    /// # Panics
    /// Where the three slices differ in length.
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
        let by_column =
            Self::grouped(columns, rows, column_indices.iter().copied().zip(row_indices.iter().copied()), values);
        let matrix = by_column.transposed();
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

    /// The stored cells grouped by the first of each pair, in the order given.
    fn grouped(groups: usize, others: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone, values: &[f32]) -> Self {
        let mut offsets = vec![0; groups + 1];
        for (group, _) in pairs.clone() {
            offsets[group as usize + 1] += 1;
        }
        for group in 0..groups {
            offsets[group + 1] += offsets[group];
        }
        let mut next = offsets.clone();
        let mut indices = vec![0; values.len()];
        let mut grouped = vec![0.0; values.len()];
        for ((group, other), &value) in pairs.zip(values) {
            let place = &mut next[group as usize];
            indices[*place] = other;
            grouped[*place] = value;
            *place += 1;
        }
        Self { columns: others, offsets, indices, values: grouped }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of stored cells.
    pub fn stored(&self) -> usize {
        self.values.len()
    }

    /// Columns and values of the stored cells of one row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let cells = self.offsets[row]..self.offsets[row + 1];
        (&self.indices[cells.clone()], &self.values[cells])
    }

    /// Aᵀ, again by rows.
    pub fn transposed(&self) -> Self {
        let pairs = (0..self.rows()).flat_map(|row| self.row(row).0.iter().map(move |&column| (column, row as u32)));
        Self::grouped(self.columns, self.rows(), pairs, &self.values)
    }
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

    /// Ratings as a matrix whose rows are users and whose columns are items: dense where every pair is rated, else sparse.
    ///
    /// # Errors
    /// [`Error::Usage`] where a user or item is unknown or out of range, or a pair is rated twice (the reader's
    /// `duplicates` decides which one stays).
    pub fn from_ratings(ratings: &Ratings, num_users: usize, num_items: usize) -> Result<Self> {
        let csr = Csr::from_cells(num_users, num_items, &ratings.users, &ratings.items, &ratings.values)?;
        let is_complete = Some(csr.stored()) == num_users.checked_mul(num_items);
        if is_complete { Self::dense(num_users, num_items, csr.values) } else { Ok(Self::Sparse(csr)) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.rows,
            Self::Sparse(csr) => csr.rows(),
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.columns,
            Self::Sparse(csr) => csr.columns,
        }
    }

    /// Number of stored cells: all of a dense matrix.
    pub fn stored(&self) -> usize {
        self.values().len()
    }

    /// Values of the stored cells, row by row.
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Dense(dense) => &dense.values,
            Self::Sparse(csr) => &csr.values,
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
            Self::Dense(dense) => (at / dense.columns, at % dense.columns),
            Self::Sparse(csr) => (csr.offsets.partition_point(|&offset| offset <= at) - 1, csr.indices[at] as usize),
        }
    }

    /// Aᵀ.
    pub fn transposed(&self) -> Self {
        match self {
            Self::Dense(dense) => Self::Dense(dense.transposed()),
            Self::Sparse(csr) => Self::Sparse(csr.transposed()),
        }
    }

    /// The cells for which `keep(row, column)` holds, of those stored. What is left out counts as missing where a
    /// solver is told that unstored cells are, and as zero otherwise.
    pub fn filtered(&self, mut keep: impl FnMut(usize, usize) -> bool) -> Csr {
        let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
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
            offsets.push(values.len());
        }
        Csr { columns: self.columns(), offsets, indices, values }
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
                for row in 0..dense.rows {
                    sums.iter_mut().zip(dense.row(row)).for_each(|(sum, &value)| *sum += f64::from(value));
                }
            }
            Self::Sparse(csr) => {
                for (&column, &value) in csr.indices.iter().zip(&csr.values) {
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

fn not_finite(row: usize, column: usize, value: f32) -> Error {
    Error::Usage(format!(
        "row {row}, column {column} is {value}; a missing cell is left out of a sparse matrix that is factorized with \
         missing cells"
    ))
}

fn outside(row: usize, column: u32, rows: usize, columns: usize) -> Error {
    Error::Usage(format!("row {row}, column {column} is outside of a matrix of {rows} rows and {columns} columns"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut ratings = Ratings::default();
        [(2, 0, 3.0), (2, 2, -1.0), (0, 1, 2.0)].into_iter().for_each(|(u, i, value)| ratings.push(u, i, value, None));
        assert_eq!(Matrix::from_ratings(&ratings, 3, 3).expect("valid"), small());
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
