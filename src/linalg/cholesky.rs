//! Systems with a symmetric matrix on padded rows, solved by Cholesky factorization: A = L·Lᵀ.
//!
//! Columns are factorized in blocks of eight: all earlier columns are taken away from a block at once, as a Gram matrix
//! is summed, and then its own ones from each other. Every number of L is thereby one sum over the columns before it, in
//! their order, and so is every unknown, in the order of [`lanes`](super::lanes).
//!
//! Where a pivot should be zero, rounding leaves something of the size of n·ε times its place in the diagonal of A. A pivot
//! up to eight times that therefore counts as zero, whatever the unit that its unknown is measured in.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Simd, WithSimd};

use super::lanes::{COLUMNS, Lane, add_squares, dot, vectors, vectors_mut};

/// The largest pivot of a matrix with `size` unknowns, as a part of its place in the diagonal, that counts as zero.
pub fn least_pivot(size: usize) -> f32 {
    8.0 * size as f32 * f32::EPSILON
}

/// Turns A into L, with 1/L_jj in the diagonal. Whether A is positive definite; if not, L is left incomplete.
pub(crate) struct Factor<'a> {
    /// A, column by column, of which the lower triangle is read.
    pub matrix: &'a mut [Lane],
    /// Lanes of a column.
    pub lanes: usize,
    /// Unknowns; numbers beyond them are zeros.
    pub size: usize,
}

impl WithSimd for Factor<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { matrix, lanes, size } = self;
        let least = least_pivot(size);
        for first in (0..size).step_by(COLUMNS) {
            let (before, block) = matrix.split_at_mut(first * lanes);
            let block = &mut block[..COLUMNS * lanes];
            let count = COLUMNS.min(size - first);
            let mut least_pivots = [0.0; COLUMNS];
            for (at, pivot) in least_pivots[..count].iter_mut().enumerate() {
                *pivot = least * cast_slice::<_, f32>(&block[at * lanes..])[first + at];
            }
            add_squares::<S, true>(simd, before, block, lanes, first);
            for at in 0..count {
                let place = first + at;
                // Everything above this lane is above the diagonal.
                let start = place / Lane::WIDTH;
                let (column, others) = block[at * lanes..].split_at_mut(lanes);
                let pivot = cast_slice::<_, f32>(column)[place];
                if pivot.is_nan() || pivot <= least_pivots[at] {
                    return false;
                }
                let inverse = 1.0 / pivot.sqrt();
                let scale = simd.splat_f32s(inverse);
                for numbers in vectors_mut::<S>(&mut column[start..]) {
                    *numbers = simd.mul_f32s(scale, *numbers);
                }
                let numbers: &mut [f32] = cast_slice_mut(column);
                numbers[start * Lane::WIDTH..place].fill(0.0);
                numbers[place] = inverse;
                let (numbers, column) = (&cast_slice::<_, f32>(column)[place..], vectors::<S>(&column[start..]));
                for (other, later) in others.chunks_exact_mut(lanes).zip(at + 1..count) {
                    let factor = simd.splat_f32s(-numbers[later - at]);
                    for (other, &number) in vectors_mut::<S>(&mut other[start..]).iter_mut().zip(column) {
                        *other = simd.mul_add_f32s(factor, number, *other);
                    }
                }
            }
        }
        true
    }
}

/// Solves L·Lᵀ·x = b for an L of [`Factor`].
pub(crate) struct Solve<'a> {
    /// L.
    pub factor: &'a [Lane],
    /// Unknowns.
    pub size: usize,
    /// b, which is overwritten.
    pub right: &'a mut [Lane],
    /// Room for L⁻¹·b.
    pub half: &'a mut [Lane],
    /// ε, which is added to L⁻¹·b: if these are standard normal draws, x is one of N(A⁻¹b, A⁻¹).
    pub noise: Option<&'a [f32]>,
    /// x.
    pub x: &'a mut [Lane],
}

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factor, size, right, half, noise, x } = self;
        let lanes = right.len();
        for (place, column) in factor.chunks_exact(lanes).enumerate().take(size) {
            let start = place / Lane::WIDTH;
            let found = cast_slice::<_, f32>(right)[place] * cast_slice::<_, f32>(column)[place];
            cast_slice_mut::<_, f32>(half)[place] = found;
            let found = simd.splat_f32s(-found);
            let right = vectors_mut::<S>(&mut right[start..]);
            for (right, &number) in right.iter_mut().zip(vectors::<S>(&column[start..])) {
                *right = simd.mul_add_f32s(found, number, *right);
            }
        }
        if let Some(noise) = noise {
            cast_slice_mut::<_, f32>(half)[..size].iter_mut().zip(noise).for_each(|(half, noise)| *half += noise);
        }
        // Unknowns that are not known yet are zeros, and so is L above its diagonal.
        x.fill(Lane::ZERO);
        for (place, column) in factor.chunks_exact(lanes).enumerate().take(size).rev() {
            let start = place / Lane::WIDTH;
            let rest = cast_slice::<_, f32>(half)[place] - dot(simd, &column[start..], &x[start..]);
            cast_slice_mut::<_, f32>(x)[place] = rest * cast_slice::<_, f32>(column)[place];
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::linalg::instruction_sets::{assert_same_bits, on_every_instruction_set};
    use crate::linalg::lanes::Squares;

    /// Factorizes Σ qqᵀ + `ridge` · I over `rows` of `size` numbers, and solves with the first row as b: L and x, or
    /// nothing if there is no L.
    #[derive(Clone, Copy)]
    struct System<'a> {
        rows: &'a [Lane],
        lanes: usize,
        size: usize,
        ridge: f32,
    }

    impl System<'_> {
        #[inline(always)]
        fn matrix<S: Simd>(self, simd: S) -> Vec<Lane> {
            let Self { rows, lanes, size, ridge } = self;
            let mut matrix = vec![Lane::ZERO; lanes * lanes * Lane::WIDTH];
            Squares { panel: rows, lanes, columns: size, matrix: &mut matrix }.with_simd(simd);
            let numbers: &mut [f32] = cast_slice_mut(&mut matrix);
            (0..size).for_each(|at| numbers[at * lanes * Lane::WIDTH + at] += ridge);
            matrix
        }
    }

    impl WithSimd for System<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let Self { rows, lanes, size, .. } = self;
            let mut matrix = self.matrix(simd);
            if !(Factor { matrix: &mut matrix, lanes, size }).with_simd(simd) {
                return Vec::new();
            }
            let [mut right, mut half, mut x] = std::array::from_fn(|_| rows[..lanes].to_vec());
            let (right, half) = (&mut right, &mut half);
            Solve { factor: &matrix, size, right, half, noise: None, x: &mut x }.with_simd(simd);
            let mut numbers = cast_slice::<_, f32>(&x).to_vec();
            for (at, column) in cast_slice::<_, f32>(&matrix).chunks_exact(lanes * Lane::WIDTH).enumerate().take(size) {
                numbers.extend_from_slice(&column[at..size]);
            }
            numbers
        }
    }

    /// Rows of `size` random numbers in whole lanes.
    fn random_rows(count: usize, size: usize) -> (Vec<Lane>, usize) {
        let mut stream = crate::random::stream(4, "cholesky");
        let lanes = Lane::count(size);
        let mut rows = vec![Lane::ZERO; count * lanes];
        for row in cast_slice_mut::<_, f32>(&mut rows).chunks_exact_mut(lanes * Lane::WIDTH) {
            row[..size].iter_mut().for_each(|number| *number = stream.random_range(-1.0..1.0));
        }
        (rows, lanes)
    }

    const SIZES: [usize; 11] = [1, 2, 7, 8, 9, 15, 16, 17, 33, 65, 130];

    #[test]
    fn solutions_solve_their_systems() {
        for size in SIZES {
            let (rows, lanes) = random_rows(2 * size + 3, size);
            let system = System { rows: &rows, lanes, size, ridge: 0.5 };
            let found = pulp::Arch::new().dispatch(system);
            let rows: Vec<&[f32]> = cast_slice::<_, f32>(&rows).chunks_exact(lanes * Lane::WIDTH).collect();
            for (at, &right) in rows[0].iter().enumerate() {
                let dot = |row: &[f32]| row.iter().zip(&found).map(|(q, x)| f64::from(*q) * f64::from(*x)).sum::<f64>();
                let left: f64 = rows.iter().map(|row| f64::from(row[at]) * dot(row)).sum();
                let x = f64::from(found[at]);
                assert!((left + 0.5 * x - f64::from(right)).abs() < 1e-4, "size {size}, row {at}: {left} for {right}");
            }
        }
    }

    #[test]
    fn the_bits_are_the_same_on_every_instruction_set() {
        for size in SIZES.into_iter().skip(1) {
            let (rows, lanes) = random_rows(size + 2, size);
            assert_same_bits(System { rows: &rows, lanes, size, ridge: 0.5 });
        }
    }

    /// The last unknown tied to the first, and fewer rows than unknowns: pivots are what rounding makes of zero.
    #[test]
    fn a_pivot_of_rounding_size_is_none() {
        for size in SIZES.into_iter().skip(1) {
            let (mut tied, lanes) = random_rows(2 * size + 3, size);
            for row in cast_slice_mut::<_, f32>(&mut tied).chunks_exact_mut(lanes * Lane::WIDTH) {
                row[size - 1] = 0.3 * row[0];
            }
            let few = random_rows(size / 2, size).0;
            for (rows, scale) in [(&tied, 1.0), (&tied, 1e-6), (&tied, 1e6), (&few, 1.0), (&few, 1e-6), (&few, 1e6)] {
                let mut rows = rows.clone();
                cast_slice_mut::<_, f32>(&mut rows).iter_mut().for_each(|number| *number *= scale);
                let system = System { rows: &rows, lanes, size, ridge: 0.0 };
                assert!(on_every_instruction_set(system).iter().all(Vec::is_empty), "size {size}, scale {scale}");
                let system = System { ridge: scale * scale * 0.1, ..system };
                assert!(!pulp::Arch::new().dispatch(system).is_empty(), "size {size}, scale {scale} with a penalty");
            }
        }
    }
}
