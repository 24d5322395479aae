//! Rows padded to whole cache lines, and what kernels do with them that are written for vector registers.
//!
//! Padding is zeros, and stays zeros. Sums are in f32 with fused multiply-adds, in an order that depends neither on the
//! number of threads nor on the processor: whatever the width of the vector registers, a dot product is sixteen sums, one
//! for each place of a lane, which are added in halves. Sixteen is the widest register there is, so that narrower ones
//! hold a lane in several and none is left partly empty. Every instruction set fuses multiply-adds: one without such an
//! instruction computes them in software, slowly and exactly.

use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Sixteen numbers in one cache line: rows are padded to whole lanes, with zeros that stay zero.
#[derive(Debug, Clone, Copy, PartialEq, Zeroable, Pod)]
#[repr(C, align(64))]
pub struct Lane([f32; Lane::WIDTH]);

impl Lane {
    /// Numbers in a lane.
    pub const WIDTH: usize = 16;
    /// Sixteen zeros.
    pub const ZERO: Self = Self([0.0; Self::WIDTH]);

    /// Lanes that hold a row of `rank` numbers.
    pub fn count(rank: usize) -> usize {
        rank.div_ceil(Self::WIDTH)
    }
}

/// Lanes as vectors of the instruction set.
#[inline(always)]
pub(crate) fn vectors<S: Simd>(lanes: &[Lane]) -> &[S::f32s] {
    let (vectors, rest) = S::as_simd_f32s(cast_slice(lanes));
    debug_assert!(rest.is_empty(), "a lane is a whole number of vectors");
    vectors
}

/// The same, to be written.
#[inline(always)]
pub(crate) fn vectors_mut<S: Simd>(lanes: &mut [Lane]) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(cast_slice_mut(lanes)).0
}

/// Each number in all places of a vector. A loop, as everywhere here where vectors are handled: the closure of an array's
/// `map` is compiled without the instruction set.
#[inline(always)]
pub(crate) fn splat<S: Simd, const COUNT: usize>(simd: S, numbers: [f32; COUNT]) -> [S::f32s; COUNT] {
    let mut vectors = [simd.splat_f32s(0.0); COUNT];
    for at in 0..COUNT {
        vectors[at] = simd.splat_f32s(numbers[at]);
    }
    vectors
}

/// Vectors that hold a lane.
pub(crate) const fn vectors_of_lane<S: Simd>() -> usize {
    Lane::WIDTH / S::F32_LANES
}

/// A dot product under way: a sum for each place of a lane. Only the first [`vectors_of_lane`] are in use.
pub(crate) type Sums<S> = [<S as Simd>::f32s; Lane::WIDTH];

/// Sums of nothing.
#[inline(always)]
pub(crate) fn no_sums<S: Simd>(simd: S) -> Sums<S> {
    [simd.splat_f32s(0.0); Lane::WIDTH]
}

/// The total of sixteen sums: the upper half is added to the lower one until one is left.
#[inline(always)]
pub(crate) fn total<S: Simd>(simd: S, mut sums: Sums<S>) -> f32 {
    let mut count = vectors_of_lane::<S>();
    while count > 1 {
        count /= 2;
        for at in 0..count {
            sums[at] = simd.add_f32s(sums[at], sums[at + count]);
        }
    }
    // Within a vector, halves are added too, on every instruction set.
    simd.reduce_sum_f32s(sums[0])
}

/// xᵀy.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, left: &[Lane], right: &[Lane]) -> f32 {
    let count = vectors_of_lane::<S>();
    let mut sums = no_sums(simd);
    let lanes = vectors::<S>(left).chunks_exact(count).zip(vectors::<S>(right).chunks_exact(count));
    for (left, right) in lanes {
        for at in 0..count {
            sums[at] = simd.mul_add_f32s(left[at], right[at], sums[at]);
        }
    }
    total(simd, sums)
}

/// `out` = `scale` · `out` + `factor` · `x`.
#[inline(always)]
pub(crate) fn add<S: Simd>(simd: S, out: &mut [Lane], scale: f32, factor: f32, x: &[Lane]) {
    let (scale, factor) = (simd.splat_f32s(scale), simd.splat_f32s(factor));
    for (out, &x) in vectors_mut::<S>(out).iter_mut().zip(vectors::<S>(x)) {
        *out = simd.mul_add_f32s(factor, x, simd.mul_f32s(scale, *out));
    }
}

/// Bytes of a panel: about a first-level cache.
const PANEL_BYTES: usize = 32 * 1024;

/// Rows of a panel if a row has so many lanes.
pub(crate) fn panel_rows(lanes: usize) -> usize {
    (PANEL_BYTES / size_of::<Lane>() / lanes).max(16)
}

/// Copies the lower triangle to the upper one.
pub(crate) fn mirror(matrix: &mut [Lane], lanes: usize) {
    let width = lanes * Lane::WIDTH;
    let matrix: &mut [f32] = cast_slice_mut(matrix);
    for column in 1..width {
        for row in 0..column {
            matrix[column * width + row] = matrix[row * width + column];
        }
    }
}

/// Columns that are summed at once.
pub(crate) const COLUMNS: usize = 8;

/// Adds Σ qqᵀ over the rows of a panel to the lower triangle of a matrix, to some of its first columns at least.
pub(crate) struct Squares<'a> {
    /// Its rows, one after another.
    pub panel: &'a [Lane],
    /// Lanes of a row.
    pub lanes: usize,
    /// How many columns.
    pub columns: usize,
    /// Column by column.
    pub matrix: &'a mut [Lane],
}

impl WithSimd for Squares<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { panel, lanes, columns, matrix } = self;
        for first in (0..columns).step_by(COLUMNS) {
            add_squares::<S, false>(simd, panel, &mut matrix[first * lanes..], lanes, first);
        }
    }
}

/// Adds Σ qqᵀ over the rows of a panel to [`COLUMNS`] columns of a matrix, which begins with column `first`, or takes it
/// away. Above the diagonal, columns may be left as they are.
#[inline(always)]
pub(crate) fn add_squares<S: Simd, const NEGATED: bool>(
    simd: S,
    panel: &[Lane],
    matrix: &mut [Lane],
    lanes: usize,
    first: usize,
) {
    let count = lanes * vectors_of_lane::<S>();
    let mut vector = first / S::F32_LANES;
    // Sums stay in registers, of which some are left for the rows.
    while S::REGISTER_COUNT > 2 * COLUMNS && vector + 2 <= count {
        tile::<S, 2, NEGATED>(simd, panel, matrix, lanes, first, vector);
        vector += 2;
    }
    while vector < count {
        tile::<S, 1, NEGATED>(simd, panel, matrix, lanes, first, vector);
        vector += 1;
    }
}

/// [`add_squares`] in `VECTORS` vectors from `vector`.
#[inline(always)]
fn tile<S: Simd, const VECTORS: usize, const NEGATED: bool>(
    simd: S,
    panel: &[Lane],
    matrix: &mut [Lane],
    lanes: usize,
    first: usize,
    vector: usize,
) {
    let (width, count) = (lanes * Lane::WIDTH, lanes * vectors_of_lane::<S>());
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; COLUMNS];
    let numbers: &[f32] = cast_slice(panel);
    for (row, numbers) in vectors::<S>(panel).chunks_exact(count).zip(numbers.chunks_exact(width)) {
        let row = &row[vector..vector + VECTORS];
        let numbers = &numbers[first..first + COLUMNS];
        for column in 0..COLUMNS {
            let number = simd.splat_f32s(numbers[column]);
            for at in 0..VECTORS {
                sums[column][at] = simd.mul_add_f32s(number, row[at], sums[column][at]);
            }
        }
    }
    let matrix = vectors_mut::<S>(matrix);
    for (column, sums) in sums.iter().enumerate() {
        let cells = &mut matrix[column * count + vector..][..VECTORS];
        for at in 0..VECTORS {
            let sum = if NEGATED { simd.neg_f32s(sums[at]) } else { sums[at] };
            cells[at] = simd.add_f32s(cells[at], sum);
        }
    }
}

/// Adds a symmetric matrix times `x` to `out`.
pub(crate) struct Times<'a> {
    /// Column by column.
    pub matrix: &'a [Lane],
    /// x.
    pub x: &'a [Lane],
    /// What it is added to.
    pub out: &'a mut [Lane],
}

impl WithSimd for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { matrix, x, out } = self;
        let out = vectors_mut::<S>(out);
        let numbers: &[f32] = cast_slice(x);
        for (columns, numbers) in vectors::<S>(matrix).chunks_exact(4 * out.len()).zip(numbers.as_chunks::<4>().0) {
            let mut columns = columns.chunks_exact(out.len());
            let mut next = || columns.next().expect("four columns");
            let (first, second, third, fourth) = (next(), next(), next(), next());
            let numbers = splat(simd, *numbers);
            for at in 0..out.len() {
                let left = simd.mul_add_f32s(numbers[0], first[at], simd.mul_f32s(numbers[1], second[at]));
                let right = simd.mul_add_f32s(numbers[2], third[at], simd.mul_f32s(numbers[3], fourth[at]));
                out[at] = simd.add_f32s(out[at], simd.add_f32s(left, right));
            }
        }
    }
}

/// Rows of one part of a Gram matrix's sum, whatever the number of threads.
const GRAM_ROWS: usize = 1024;

/// Σ qqᵀ over rows of so many lanes, column by column: `[width, width]` for rows of `width = 16 · lanes` numbers.
pub fn gram(rows: &[Lane], lanes: usize) -> Vec<Lane> {
    let zeros = || vec![Lane::ZERO; lanes * lanes * Lane::WIDTH];
    let part = |rows: &[Lane]| {
        let mut matrix = zeros();
        for panel in rows.chunks(lanes * panel_rows(lanes)) {
            Arch::new().dispatch(Squares { panel, lanes, columns: lanes * Lane::WIDTH, matrix: &mut matrix });
        }
        mirror(&mut matrix, lanes);
        matrix
    };
    let parts: Vec<_> = rows.par_chunks(GRAM_ROWS * lanes).map(part).collect();
    let add = |mut sum: Vec<Lane>, part: Vec<Lane>| {
        let numbers: &mut [f32] = cast_slice_mut(&mut sum);
        numbers.iter_mut().zip(cast_slice::<_, f32>(&part)).for_each(|(sum, part)| *sum += part);
        sum
    };
    parts.into_iter().reduce(add).unwrap_or_else(zeros)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::linalg::instruction_sets::assert_same_bits;

    /// Small integers, whose sums are exact in f32: 20 numbers a row and padding.
    fn rows(count: usize) -> Vec<Lane> {
        let mut rows = vec![Lane::ZERO; 2 * count];
        let numbers: &mut [f32] = cast_slice_mut(&mut rows);
        for (row, numbers) in numbers.chunks_exact_mut(32).enumerate() {
            (0..20).for_each(|at| numbers[at] = ((row * 7 + at * 3) % 9) as f32 - 4.0);
        }
        rows
    }

    #[derive(Clone, Copy)]
    struct Product<'a>(&'a [Lane], &'a [Lane]);

    impl WithSimd for Product<'_> {
        type Output = (Vec<Lane>, f32);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut out = self.1.to_vec();
            Times { matrix: self.0, x: self.1, out: &mut out }.with_simd(simd);
            add(simd, &mut out, 2.0, -3.0, self.1);
            (out, dot(simd, self.1, self.1))
        }
    }

    #[test]
    fn gram_matrices_and_products_are_the_naive_ones() {
        let rows = rows(3000);
        let numbers: &[f32] = cast_slice(&rows);
        let gram = gram(&rows, 2);
        let cells: &[f32] = cast_slice(&gram);
        for row in 0..32 {
            for column in 0..32 {
                let expected: f32 = numbers.chunks_exact(32).map(|numbers| numbers[row] * numbers[column]).sum();
                assert_eq!(cells[column * 32 + row], expected);
            }
        }
        let (out, square) = Arch::new().dispatch(Product(&gram, &rows[..2]));
        for (row, out) in cast_slice::<_, f32>(&out).iter().enumerate() {
            let expected: f32 = (0..32).map(|column| cells[column * 32 + row] * numbers[column]).sum();
            assert_eq!(*out, 2.0 * (numbers[row] + expected) - 3.0 * numbers[row]);
        }
        assert_eq!(square, numbers[..32].iter().map(|x| x * x).sum::<f32>());
        assert_eq!(super::gram(&[], 1), vec![Lane::ZERO; 16]);
    }
    /// Everything here, of numbers whose sums round: in `rows`, four lanes a row.
    #[derive(Clone, Copy)]
    struct Everything<'a>(&'a [Lane]);

    impl WithSimd for Everything<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut matrix = vec![Lane::ZERO; 4 * 64];
            Squares { panel: self.0, lanes: 4, columns: 64, matrix: &mut matrix }.with_simd(simd);
            mirror(&mut matrix, 4);
            let (out, square) = Product(&matrix, &self.0[..4]).with_simd(simd);
            let mut numbers = vec![square];
            numbers.extend_from_slice(cast_slice(&out));
            numbers.extend_from_slice(cast_slice(&matrix));
            numbers
        }
    }

    #[test]
    fn the_bits_are_the_same_on_every_instruction_set() {
        let mut stream = crate::random::stream(3, "lanes");
        let rows: Vec<Lane> =
            (0..4 * 37).map(|_| Lane(std::array::from_fn(|_| stream.random_range(-1.0..1.0)))).collect();
        assert_same_bits(Everything(&rows));
    }
}
