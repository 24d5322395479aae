//! Products of a matrix with tall ones, on all threads and with the same bytes for any number of them: each row of a
//! result is computed by one thread, and partial sums are cut by the data and added in order.

use std::borrow::Cow;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, WithSimd};
use rayon::prelude::*;

use super::dense::Dense;
use super::matrix::Matrix;
use super::sparse::Csr;

/// A matrix as seen along its rows or, turned, along its columns.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Every cell is stored.
    Dense(MatRef<'a, f32>),
    /// Only some cells are stored.
    Sparse(&'a Csr),
}

/// A matrix with its transpose at hand, which a sparse one has to be sorted for, once.
#[derive(Debug)]
pub struct Sides<'a> {
    matrix: Cow<'a, Matrix>,
    transposed: Option<Csr>,
}

impl<'a> Sides<'a> {
    /// Both sides of `matrix`.
    pub fn new(matrix: &'a Matrix) -> Self {
        Self::of(Cow::Borrowed(matrix))
    }

    /// Both sides of a matrix that they keep.
    pub fn owning(matrix: Matrix) -> Sides<'static> {
        Sides::of(Cow::Owned(matrix))
    }

    fn of(matrix: Cow<'a, Matrix>) -> Self {
        let transposed = match &*matrix {
            Matrix::Dense(_) => None,
            Matrix::Sparse(csr) => Some(csr.transposed()),
        };
        Self { matrix, transposed }
    }

    /// The matrix itself.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// A.
    pub fn by_rows(&self) -> View<'_> {
        match self.matrix() {
            Matrix::Dense(dense) => View::Dense(dense.view()),
            Matrix::Sparse(csr) => View::Sparse(csr),
        }
    }

    /// Aᵀ.
    pub fn by_columns(&self) -> View<'_> {
        match (self.matrix(), &self.transposed) {
            (_, Some(csr)) => View::Sparse(csr),
            (Matrix::Dense(dense), None) => View::Dense(dense.view().transpose()),
            (Matrix::Sparse(_), None) => unreachable!("made by `new`"),
        }
    }
}

/// Rows of a dense operand that one task multiplies.
const DENSE_BLOCK: usize = 128;
/// Rows of a sparse operand that one task multiplies.
const SPARSE_BLOCK: usize = 32;

impl View<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense(view) => view.nrows(),
            Self::Sparse(csr) => csr.rows(),
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Self::Dense(view) => view.ncols(),
            Self::Sparse(csr) => csr.columns(),
        }
    }

    /// Number of stored cells.
    pub fn stored(&self) -> usize {
        match self {
            Self::Dense(view) => view.nrows() * view.ncols(),
            Self::Sparse(csr) => csr.stored(),
        }
    }

    /// A·X: `[rows, width]` from `[columns, width]`.
    ///
    /// # Panics
    /// If `x` does not have as many rows as this has columns.
    pub fn times(&self, x: &Dense) -> Dense {
        assert_eq!(self.columns(), x.rows, "inner sizes of a product");
        let width = x.columns;
        let mut product = Dense::zeros(self.rows(), width);
        if product.values.is_empty() {
            return product;
        }
        match *self {
            Self::Dense(view) => {
                product.values.par_chunks_mut(DENSE_BLOCK * width).enumerate().for_each(|(block, out)| {
                    let rows = out.len() / width;
                    let out = MatMut::from_row_major_slice_mut(out, rows, width);
                    let cells = view.subrows(block * DENSE_BLOCK, rows);
                    matmul(out, Accum::Replace, cells, x.view(), 1.0, Par::Seq);
                });
            }
            Self::Sparse(csr) => {
                product.values.par_chunks_mut(SPARSE_BLOCK * width).enumerate().for_each(|(block, out)| {
                    Arch::new().dispatch(SparseRows { csr, first: block * SPARSE_BLOCK, x, out });
                });
            }
        }
        product
    }
}

/// The rows from `first` of a sparse product.
struct SparseRows<'a> {
    csr: &'a Csr,
    first: usize,
    x: &'a Dense,
    out: &'a mut [f32],
}

impl WithSimd for SparseRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        for (row, out) in self.out.chunks_exact_mut(self.x.columns).enumerate() {
            let (indices, values) = self.csr.row(self.first + row);
            combine(out, indices, values, self.x);
        }
    }
}

/// `out` = `Σ values[e] · x[indices[e]]`: the kernel of every sparse product. To be inlined into code that was compiled
/// for the machine's SIMD registers (`Arch::dispatch`).
///
/// The width is covered by groups of lanes whose sums stay in registers. Where it is no multiple of them the last group
/// overlaps its neighbour and computes some sums twice, which is cheaper than going through the cells again. No lane
/// depends on another, so the bytes do not depend on the width of the registers either.
#[inline(always)]
pub(crate) fn combine(out: &mut [f32], indices: &[u32], values: &[f32], x: &Dense) {
    let width = out.len();
    let mut start = 0;
    while width - start > 64 {
        groups::<16, 4>(out, start, indices, values, x);
        start += 64;
    }
    match width - start {
        49.. => groups::<16, 4>(out, start, indices, values, x),
        33.. => groups::<16, 3>(out, start, indices, values, x),
        17.. => groups::<16, 2>(out, start, indices, values, x),
        _ if width >= 16 => groups::<16, 1>(out, start, indices, values, x),
        9.. => groups::<8, 2>(out, start, indices, values, x),
        8 => groups::<8, 1>(out, start, indices, values, x),
        5.. => groups::<4, 2>(out, start, indices, values, x),
        4 => groups::<4, 1>(out, start, indices, values, x),
        3 => groups::<1, 3>(out, start, indices, values, x),
        2 => groups::<1, 2>(out, start, indices, values, x),
        1 => groups::<1, 1>(out, start, indices, values, x),
        0 => {}
    }
}

/// `COUNT` groups of `LANES` sums from `start`, the last ones moved back to end within the width.
#[inline(always)]
fn groups<const LANES: usize, const COUNT: usize>(
    out: &mut [f32],
    start: usize,
    indices: &[u32],
    values: &[f32],
    x: &Dense,
) {
    let width = out.len();
    let starts: [usize; COUNT] = std::array::from_fn(|group| (start + group * LANES).min(width - LANES));
    let mut sums = [[0.0f32; LANES]; COUNT];
    for (&index, &value) in indices.iter().zip(values) {
        let row = &x.values[index as usize * width..][..width];
        for (sums, &start) in sums.iter_mut().zip(&starts) {
            let row = &row[start..start + LANES];
            for lane in 0..LANES {
                sums[lane] += value * row[lane];
            }
        }
    }
    for (sums, start) in sums.iter().zip(starts) {
        out[start..start + LANES].copy_from_slice(sums);
    }
}

impl Dense {
    /// X·M, rounded once from f64: `[rows, M's columns]`.
    ///
    /// # Panics
    /// If `right` does not have as many rows as this has columns.
    pub fn times_small(&self, right: MatRef<'_, f64>) -> Dense {
        assert_eq!(self.columns, right.nrows(), "inner sizes of a product");
        let mut product = Dense::zeros(self.rows, right.ncols());
        if product.values.is_empty() {
            return product;
        }
        let (width, to) = (self.columns, right.ncols());
        product.values.par_chunks_mut(DENSE_BLOCK * to).enumerate().for_each(|(block, out)| {
            let rows = out.len() / to;
            let wide = &self.values[block * DENSE_BLOCK * width..][..rows * width];
            let wide: Vec<f64> = wide.iter().map(|&value| f64::from(value)).collect();
            let mut exact = vec![0.0; out.len()];
            let left = MatRef::from_row_major_slice(&wide, rows, width);
            let view = MatMut::from_row_major_slice_mut(&mut exact, rows, to);
            matmul(view, Accum::Replace, left, right, 1.0, Par::Seq);
            out.iter_mut().zip(exact).for_each(|(out, exact)| *out = exact as f32);
        });
        product
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;

    fn pattern(rows: usize, columns: usize) -> Dense {
        Dense::from_fn(rows, columns, |row, column| ((row * 7 + column * 13) % 11) as f32 - 5.0)
    }

    /// Products of small integers are exact in f32, so that all layouts have to agree to the bit.
    #[test]
    fn every_width_and_layout_gives_the_naive_product() {
        let matrix = Matrix::Dense(pattern(150, 40));
        let stored = Matrix::Sparse(matrix.filtered(|row, column| matrix.get(row, column) != 0.0));
        for width in (0..=66).chain([127, 128, 129, 200]) {
            let (x, y) = (pattern(40, width), pattern(150, width));
            let expected = |a: &Dense, x: &Dense| {
                let cell = |row, column| (0..x.rows()).map(|at| a.row(row)[at] * x.row(at)[column]).sum();
                Dense::from_fn(a.rows(), x.columns(), cell)
            };
            for matrix in [&matrix, &stored] {
                let sides = Sides::new(matrix);
                assert_eq!(sides.by_rows().times(&x), expected(&pattern(150, 40), &x), "width {width}");
                assert_eq!(sides.by_columns().times(&y), expected(&pattern(150, 40).transposed(), &y), "width {width}");
                assert_eq!(sides.by_rows().stored(), matrix.stored());
            }
        }
    }

    #[test]
    fn small_products_are_exact_over_many_blocks() {
        let tall = pattern(20_000, 5);
        let right = Mat::from_fn(5, 2, |row, column| (row + 2 * column) as f64);
        let product = tall.times_small(right.as_ref());
        for row in [0, 127, 128, 19_999] {
            let expected = |column: usize| (0..5).map(|at| tall.row(row)[at] * (at + 2 * column) as f32).sum::<f32>();
            assert_eq!(product.row(row), [expected(0), expected(1)]);
        }
    }
}
