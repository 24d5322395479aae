//! Gram matrices XᵀX.
//!
//! | function | precision | order |
//! |---|---|---|
//! | [`Dense::gram`] | f64 | blocks of rows on all threads, added in order; inside a block as faer multiplies |
//! | [`gram_in_order`] | f64 | row after row |
//! | [`Dense::gram_of_rows`] | f32 | panels of 256 rows, as faer multiplies |
//! | [`lanes::gram`](super::lanes::gram) | f32 | as the kernels of [`lanes`](super::lanes) add |

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::traits::ComplexField;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::dense::Dense;

/// Rows that are multiplied at once.
const PANEL: usize = 256;

/// How many of `rows` belong to one task, so that there are at most 64 tasks and none is tiny. A function of the data
/// alone: partial sums over such blocks, added in order, are the same for any number of threads.
fn block_rows(rows: usize) -> usize {
    rows.div_ceil(64).max(PANEL)
}

/// Adds XᵀX to the lower triangle of `sum`.
fn add_lower<T: ComplexField>(sum: MatMut<'_, T>, rows: MatRef<'_, T>) {
    triangular::matmul(
        sum,
        BlockStructure::TriangularLower,
        Accum::Add,
        rows.transpose(),
        BlockStructure::Rectangular,
        rows,
        BlockStructure::Rectangular,
        T::one_impl(),
        Par::Seq,
    );
}

impl Dense {
    /// XᵀX in f64: `[columns, columns]`.
    pub fn gram(&self) -> Mat<f64> {
        let width = self.columns;
        let mut sum = Mat::zeros(width, width);
        if self.values.is_empty() {
            return sum;
        }
        let block = block_rows(self.rows) * width;
        let part = |values: &[f32]| {
            let mut sum = Mat::zeros(width, width);
            let mut wide = Vec::new();
            for values in values.chunks(PANEL * width) {
                wide.clear();
                wide.extend(values.iter().map(|&value| f64::from(value)));
                add_lower(sum.as_mut(), MatRef::from_row_major_slice(&wide, values.len() / width, width));
            }
            sum
        };
        for part in self.values.par_chunks(block).map(part).collect::<Vec<_>>() {
            sum += part;
        }
        for row in 0..width {
            for column in 0..row {
                sum[(column, row)] = sum[(row, column)];
            }
        }
        sum
    }

    /// XᵀX over some rows, in f32, into `gram`: `[columns, columns]`. `panel` is room for a few of them.
    ///
    /// # Panics
    /// If `gram` has another size, or a row is out of range.
    pub fn gram_of_rows(&self, rows: &[u32], panel: &mut Vec<f32>, gram: &mut [f32]) {
        let width = self.columns;
        assert_eq!(gram.len(), width * width, "a cell for each pair of columns");
        gram.fill(0.0);
        for rows in rows.chunks(PANEL) {
            panel.clear();
            rows.iter().for_each(|&row| panel.extend_from_slice(self.row(row as usize)));
            let sum = MatMut::from_row_major_slice_mut(gram, width, width);
            add_lower(sum, MatRef::from_row_major_slice(panel, rows.len(), width));
        }
        for row in 0..width {
            for column in 0..row {
                gram[column * width + row] = gram[row * width + column];
            }
        }
    }
}

/// XᵀX in f64 of a matrix with `values` as its rows of `width` numbers: `[width, width]`.
///
/// # Panics
/// If `width` is 0.
pub fn gram_in_order(values: &[f32], width: usize) -> Mat<f64> {
    let mut gram = vec![0.0; width * width];
    for row in values.chunks_exact(width) {
        for (sums, &left) in gram.chunks_exact_mut(width).zip(row) {
            sums.iter_mut().zip(row).for_each(|(sum, &right)| *sum += f64::from(left) * f64::from(right));
        }
    }
    Mat::from_fn(width, width, |row, column| gram[row * width + column])
}

/// ⟨A, B⟩: the sum of the products of the cells of two small matrices, column by column, and then over the columns.
/// ‖W·H‖² = ⟨WᵀW, H·Hᵀ⟩.
pub fn inner(left: &Mat<f64>, right: &Mat<f64>) -> f64 {
    let columns = left.col_iter().zip(right.col_iter());
    columns.map(|(left, right)| left.iter().zip(right.iter()).map(|(left, right)| left * right).sum::<f64>()).sum()
}

/// ⟨A, B⟩ as [`inner`], but in one sum over all cells, column after column.
pub fn inner_in_order(left: &Mat<f64>, right: &Mat<f64>) -> f64 {
    let columns = left.col_iter().zip(right.col_iter());
    columns.flat_map(|(left, right)| left.iter().zip(right.iter())).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of small integers, which are exact in f32 too, so that all orders agree.
    #[test]
    fn every_way_gives_the_naive_sums_over_many_blocks() {
        let tall = Dense::from_fn(20_000, 5, |row, column| ((row * 7 + column * 13) % 11) as f32 - 5.0);
        let some: Vec<u32> = (0..20_000).filter(|row| row % 7 < 3).collect();
        let (mut panel, mut narrow) = (Vec::new(), vec![f32::NAN; 25]);
        tall.gram_of_rows(&some, &mut panel, &mut narrow);
        let (gram, in_order) = (tall.gram(), gram_in_order(tall.values(), 5));
        for row in 0..5 {
            for column in 0..5 {
                let term = |at: usize| f64::from(tall.row(at)[row]) * f64::from(tall.row(at)[column]);
                let expected = (0..20_000).map(term).sum::<f64>();
                assert_eq!([gram[(row, column)], in_order[(row, column)]], [expected; 2]);
                let expected = some.iter().map(|&at| term(at as usize)).sum::<f64>();
                assert_eq!(f64::from(narrow[row * 5 + column]), expected);
            }
        }
    }

    #[test]
    fn inner_products_are_of_cells() {
        let (left, right) = (faer::mat![[1.0, 2.0], [3.0, 4.0]], faer::mat![[5.0, 6.0], [7.0, 8.0]]);
        assert_eq!([inner(&left, &right), inner_in_order(&left, &right)], [70.0; 2]);
    }
}
