//! The inverse of a large symmetric positive definite matrix, in place and in f64.
//!
//! Gauss–Jordan elimination by symmetric sweeps (Goodnight 1979, "A Tutorial on the SWEEP Operator"): to sweep the block
//! K of A, with D = A_KK⁻¹, A_ij − A_iK·D·A_Kj replaces A_ij, A_iK·D replaces A_iK, and −D replaces A_KK. After all
//! blocks, A is −A⁻¹. Only the lower triangle is computed, so that there is as much to do as for a Cholesky factor, its
//! inverse and their product, and nearly all of it is one kernel on packed panels.
//!
//! Every number is a sum over the rows of a block, in their order, and then over the blocks: its bits depend neither on
//! the number of threads nor on the width of the vector registers.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows and columns that are swept at once.
const BLOCK: usize = 128;
/// Columns of a tile.
const COLUMNS: usize = 16;
/// Rows of a tile.
const ROWS: usize = 4;
/// Rows of a task.
const TASK: usize = 64;
/// What may be left of a cell of the diagonal, as a part of it, once the others explain it but for rounding.
const LEAST_PIVOT: f64 = 1e-13;

/// A symmetric matrix, row by row, of which the lower triangle counts. Its sides are padded to whole tiles with the
/// identity.
#[derive(Debug, Clone)]
pub struct Symmetric {
    size: usize,
    /// Numbers of a row.
    width: usize,
    values: Vec<f64>,
}

impl Symmetric {
    /// Zeros, `[size, size]`.
    pub fn zeros(size: usize) -> Self {
        let width = size.next_multiple_of(COLUMNS);
        let mut values = vec![0.0; width * width];
        (size..width).for_each(|at| values[at * width + at] = 1.0);
        Self { size, width, values }
    }

    /// A cell; of one above the diagonal, its mirror image.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row.max(column) * self.width + row.min(column)]
    }

    /// Hands out the rows, on all threads: the number of each, and its cells up to the diagonal.
    pub fn for_each_row(&mut self, change: impl Fn(usize, &mut [f64]) + Sync) {
        let rows = self.values.par_chunks_mut(self.width.max(1)).take(self.size).enumerate();
        rows.for_each(|(row, cells)| change(row, &mut cells[..=row]));
    }

    /// The inverse; `None` if the matrix is not positive definite, as far as rounding lets tell.
    pub fn inverse(mut self) -> Option<Self> {
        let diagonal: Vec<f64> = (0..self.width).map(|at| self.get(at, at)).collect();
        for (block, diagonal) in diagonal.chunks(BLOCK).enumerate() {
            self.sweep(block * BLOCK, diagonal)?;
        }
        self.for_each_row(|_, cells| cells.iter_mut().for_each(|cell| *cell = -*cell));
        Some(self)
    }

    /// Sweeps the block from row and column `first`; `diagonal` is what stood on its diagonal at first.
    fn sweep(&mut self, first: usize, diagonal: &[f64]) -> Option<()> {
        let (width, count) = (self.width, diagonal.len());
        let swept = first..first + count;
        let mut inverse: Vec<f64> = swept
            .clone()
            .flat_map(|row| swept.clone().map(move |column| (row, column)))
            .map(|(row, column)| self.get(row, column))
            .collect();
        invert(&mut inverse, diagonal)?;
        // W, `[width, count]`: the block's columns. Those of its own rows are zeros.
        let mut panel = vec![0.0; width * count];
        panel.par_chunks_exact_mut(count).enumerate().filter(|(row, _)| !swept.contains(row)).for_each(
            |(row, cells)| {
                cells.iter_mut().zip(first..).for_each(|(cell, column)| *cell = self.get(row, column));
            },
        );
        // −W·D.
        let mut product = vec![0.0; width * count];
        let right = packed::<COLUMNS>(&inverse, count, 1.0);
        product.par_chunks_mut(TASK * count).zip(panel.par_chunks(TASK * count)).for_each(|(out, panel)| {
            let left = packed::<ROWS>(panel, count, 1.0);
            Arch::new().dispatch(Subtract {
                left: &left,
                right: &right,
                depth: count,
                width: count,
                diagonal: None,
                out,
            });
        });
        // A − W·D·Wᵀ.
        let right = packed::<COLUMNS>(&panel, count, 1.0);
        let tasks = self.values.par_chunks_mut(TASK * width).zip(product.par_chunks(TASK * count)).enumerate();
        tasks.for_each(|(task, (out, product))| {
            let left = packed::<ROWS>(product, count, -1.0);
            let diagonal = Some(task * TASK);
            Arch::new().dispatch(Subtract { left: &left, right: &right, depth: count, width, diagonal, out });
        });
        for (row, cells) in self.values.chunks_exact_mut(width).enumerate().skip(first) {
            if row >= swept.end {
                let own = &product[row * count..][..count];
                cells[swept.clone()].iter_mut().zip(own).for_each(|(cell, number)| *cell = -number);
                continue;
            }
            let own = &inverse[(row - first) * count..][..count];
            cells[swept.clone()].iter_mut().zip(own).for_each(|(cell, number)| *cell = -number);
            let others = product[row - first..].iter().step_by(count);
            cells[..first].iter_mut().zip(others).for_each(|(cell, number)| *cell = -number);
        }
        Some(())
    }
}

/// The inverse of a small matrix, all of whose cells are given, in its place; `None` as in [`Symmetric::inverse`].
fn invert(matrix: &mut [f64], diagonal: &[f64]) -> Option<()> {
    let size = diagonal.len();
    for pivot in 0..size {
        let pivot_row = matrix[pivot * size..][..size].to_vec();
        let value = pivot_row[pivot];
        if !(value > LEAST_PIVOT * diagonal[pivot] && value.is_finite()) {
            return None;
        }
        let inverse = 1.0 / value;
        for (row, cells) in matrix.chunks_exact_mut(size).enumerate() {
            if row == pivot {
                cells.iter_mut().for_each(|cell| *cell *= inverse);
                cells[pivot] = -inverse;
            } else {
                let factor = cells[pivot] * inverse;
                cells.iter_mut().zip(&pivot_row).for_each(|(cell, number)| *cell -= factor * number);
                cells[pivot] = factor;
            }
        }
    }
    matrix.iter_mut().for_each(|cell| *cell = -*cell);
    Some(())
}

/// Rows of `depth` numbers, times `sign`, in groups of so many: of a group the first numbers of all, then the second.
fn packed<const GROUP: usize>(rows: &[f64], depth: usize, sign: f64) -> Vec<f64> {
    let mut packed = vec![0.0; rows.len()];
    for (packed, rows) in packed.chunks_exact_mut(GROUP * depth).zip(rows.chunks_exact(GROUP * depth)) {
        for (place, row) in rows.chunks_exact(depth).enumerate() {
            let own = packed[place..].iter_mut().step_by(GROUP);
            own.zip(row).for_each(|(cell, number)| *cell = sign * number);
        }
    }
    packed
}

/// Takes left·rightᵀ away from a matrix.
struct Subtract<'a> {
    /// Rows of `depth` numbers, packed in groups of [`ROWS`].
    left: &'a [f64],
    /// The same in groups of [`COLUMNS`].
    right: &'a [f64],
    depth: usize,
    /// Columns of the matrix.
    width: usize,
    /// The column on the diagonal in its first row, if cells above the diagonal may be left as they are.
    diagonal: Option<usize>,
    out: &'a mut [f64],
}

impl WithSimd for Subtract<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { left, right, depth, width, diagonal, out } = self;
        // The numbers of a tile's columns stay in the cache while all rows of the task pass by.
        for (start, right) in (0..width).step_by(COLUMNS).zip(right.chunks_exact(COLUMNS * depth)) {
            let rows = out.chunks_exact_mut(ROWS * width).zip(left.chunks_exact(ROWS * depth));
            for (tile, (rows, left)) in rows.enumerate() {
                if diagonal.is_none_or(|diagonal| start < diagonal + ROWS * (tile + 1)) {
                    subtract(simd, left, right, rows, width, start);
                }
            }
        }
    }
}

/// [`Subtract`] for one tile, whose columns begin at `start`.
#[inline(always)]
fn subtract<S: Simd>(simd: S, left: &[f64], right: &[f64], rows: &mut [f64], width: usize, start: usize) {
    let count = COLUMNS / S::F64_LANES;
    let right = S::as_simd_f64s(right).0;
    for at in (0..count).step_by(2) {
        let mut sums = [[simd.splat_f64s(0.0); 2]; ROWS];
        for (numbers, vectors) in left.chunks_exact(ROWS).zip(right.chunks_exact(count)) {
            let vectors = &vectors[at..at + 2];
            for row in 0..ROWS {
                let number = simd.splat_f64s(numbers[row]);
                for place in 0..2 {
                    sums[row][place] = simd.mul_add_f64s(number, vectors[place], sums[row][place]);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            let cells = S::as_mut_simd_f64s(&mut rows[row * width + start..][..COLUMNS]).0;
            for place in 0..2 {
                cells[at + place] = simd.sub_f64s(cells[at + place], sums[place]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::linalg::instruction_sets::on_every_instruction_set;

    /// XᵀX + ridge·I of random X with `rows` rows.
    fn gram(size: usize, rows: usize, ridge: f64) -> Symmetric {
        let mut stream = crate::random::stream(5, "inverse");
        let x: Vec<f64> = (0..rows * size).map(|_| stream.random_range(-1.0..1.0)).collect();
        let mut matrix = Symmetric::zeros(size);
        matrix.for_each_row(|row, cells| {
            for (column, cell) in cells.iter_mut().enumerate() {
                *cell = x.chunks_exact(size).map(|x| x[row] * x[column]).sum();
            }
            cells[row] += ridge;
        });
        matrix
    }

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        // Below a tile, whole tiles, more than a block, and a last block of another size.
        for size in [1, 2, 15, 16, 17, 128, 129, 300] {
            let matrix = gram(size, size + 3, 0.5);
            let inverse = matrix.clone().inverse().expect("positive definite");
            for row in 0..size {
                for column in 0..size {
                    let product: f64 = (0..size).map(|at| matrix.get(row, at) * inverse.get(at, column)).sum();
                    let expected = f64::from(u8::from(row == column));
                    assert!((product - expected).abs() < 1e-9, "size {size}: {product} at {row}, {column}");
                }
            }
        }
        assert!(Symmetric::zeros(0).inverse().is_some());
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_none() {
        assert!(gram(200, 150, 0.0).inverse().is_none(), "fewer rows than columns");
        assert!(gram(200, 150, 1e-6).inverse().is_some());
        let mut matrix = gram(40, 50, 0.1);
        matrix.for_each_row(|row, cells| cells[row] *= if row == 17 { -1.0 } else { 1.0 });
        assert!(matrix.inverse().is_none(), "a negative number on the diagonal");
        let mut matrix = gram(40, 50, 0.1);
        matrix.for_each_row(|row, cells| cells[0] = if row == 3 { f64::NAN } else { cells[0] });
        assert!(matrix.inverse().is_none(), "no number");
    }

    #[test]
    fn the_bits_are_the_same_for_any_number_of_threads() {
        let matrix = gram(300, 310, 0.01);
        let [one, three] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| matrix.clone().inverse().expect("positive definite").values)
        });
        assert_eq!(one, three);
    }

    #[derive(Clone, Copy)]
    struct Tiles<'a>(&'a [f64]);

    impl WithSimd for Tiles<'_> {
        type Output = Vec<f64>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
            let (left, right) = (packed::<ROWS>(self.0, 7, -1.0), packed::<COLUMNS>(self.0, 7, 1.0));
            let mut out = vec![0.1; 32 * 32];
            Subtract { left: &left, right: &right, depth: 7, width: 32, diagonal: None, out: &mut out }.with_simd(simd);
            out
        }
    }

    #[test]
    fn the_bits_are_the_same_on_every_instruction_set() {
        let mut stream = crate::random::stream(6, "inverse");
        let rows: Vec<f64> = (0..32 * 7).map(|_| stream.random_range(-1.0..1.0)).collect();
        let outputs = on_every_instruction_set(Tiles(&rows));
        assert!(outputs.iter().all(|output| output == &outputs[0]));
        let dot = |row: usize, column: usize| (0..7).map(|at| rows[row * 7 + at] * rows[column * 7 + at]).sum::<f64>();
        for (at, found) in outputs[0].iter().enumerate() {
            assert!((found - 0.1 - dot(at / 32, at % 32)).abs() < 1e-12, "{found}");
        }
    }
}
