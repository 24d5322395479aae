//! The normal equations of one row, and what finds or improves their solution.
//!
//! With q_e the other side's row of rating e, its weight w_e and its target t_e, the row x minimizes
//!
//! f(x) = Σ_e [w_e (q_e·x)² − 2 t_e (q_e·x)] + xᵀ(G + D)x,
//!
//! that is, it solves Ax = b with A = G + D + Σ_e w_e q_e q_eᵀ and b = Σ_e t_e q_e. G is a Gram matrix or nothing, D is
//! diagonal. All rows are padded to whole lanes with zeros, which stay zero.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Arch, Simd, WithSimd};

use crate::linalg::cholesky::{Factor, Solve, least_pivot};
use crate::linalg::dot::dot as dot_in_order;
use crate::linalg::lanes::{
    Lane, Squares, Times, add, dot, mirror, no_sums, panel_rows, splat, total, vectors, vectors_mut, vectors_of_lane,
};
use crate::linalg::least_squares::least_norm;

/// What the equations of one row are made of.
#[derive(Debug, Clone, Copy)]
pub struct Equations<'a> {
    /// The other side's rows.
    pub rows: &'a [Lane],
    /// Lanes of a row.
    pub lanes: usize,
    /// Which of them were rated: one index a rating.
    pub indices: &'a [u32],
    /// w_e, at least zero.
    pub weights: &'a [f32],
    /// t_e.
    pub targets: &'a [f32],
    /// G, column by column, if there is one.
    pub gram: Option<&'a [Lane]>,
    /// Diagonal of D.
    pub ridge: &'a [Lane],
    /// Unknowns; what follows them in a row is padding, or a zero of the other side.
    pub size: usize,
}

impl Equations<'_> {
    /// Whether there are fewer ratings than unknowns that nothing else determines, so that there are many solutions. What
    /// rounding makes of pivots need not tell.
    fn is_underdetermined(&self) -> bool {
        let penalties: &[f32] = cast_slice(self.ridge);
        let free = penalties[..self.size].iter().filter(|&&penalty| penalty == 0.0).count();
        self.gram.is_none() && self.indices.len() < free
    }
}

/// Room to solve equations in.
pub struct Room {
    /// A, column by column. Its lower triangle, until something needs the rest.
    matrix: Vec<Lane>,
    /// b.
    right: Vec<Lane>,
    /// Rows of some ratings, scaled, one after another.
    panel: Vec<Lane>,
    /// b − Ax.
    residual: Vec<Lane>,
    direction: Vec<Lane>,
    image: Vec<Lane>,
}

impl Room {
    /// Room for rows of so many lanes.
    pub fn new(lanes: usize) -> Self {
        let zeros = |count| vec![Lane::ZERO; count];
        let width = lanes * Lane::WIDTH;
        Self {
            matrix: zeros(lanes * width),
            right: zeros(lanes),
            panel: zeros(lanes * panel_rows(lanes)),
            residual: zeros(lanes),
            direction: zeros(lanes),
            image: zeros(lanes),
        }
    }

    /// Solves the equations by Cholesky factorization. Where A has no inverse, `x` becomes the solution of least norm:
    /// the one that a penalty leads to as it goes to zero.
    pub fn cholesky(&mut self, equations: Equations, x: &mut [Lane]) {
        let arch = Arch::new();
        let Self { matrix, right, panel, residual: half, .. } = self;
        let Equations { size, lanes, .. } = equations;
        arch.dispatch(Form { equations, matrix, right, panel });
        if !equations.is_underdetermined() {
            if arch.dispatch(Factor { matrix, lanes, size }) {
                return arch.dispatch(Solve { factor: matrix, size, right, half, noise: None, x });
            }
            arch.dispatch(Form { equations, matrix, right, panel });
        }
        let numbers: &[f32] = cast_slice(matrix);
        let columns = numbers.chunks_exact(lanes * Lane::WIDTH).take(size);
        let found = least_norm(columns.map(|column| &column[..size]), &cast_slice(right)[..size], least_pivot(size));
        cast_slice_mut(x)[..size].copy_from_slice(&found);
    }

    /// Takes at most `steps` steps of conjugate gradients (Hestenes & Stiefel 1952) from `x`, without forming A.
    pub fn conjugate_gradient(&mut self, equations: Equations, x: &mut [Lane], steps: usize) {
        let Self { residual, direction, image, .. } = self;
        Arch::new().dispatch(ConjugateGradient { equations, x, steps, residual, direction, image });
    }

    /// Sets each unknown in turn to its optimum, but not below `lowest`, in at most `sweeps` rounds from `x`.
    pub fn coordinate_descent(&mut self, equations: Equations, x: &mut [Lane], sweeps: usize, lowest: f32) {
        let arch = Arch::new();
        arch.dispatch(Form { equations, matrix: &mut self.matrix, right: &mut self.right, panel: &mut self.panel });
        mirror(&mut self.matrix, equations.lanes);
        let Self { matrix, right, residual, .. } = self;
        arch.dispatch(Sweeps { matrix, right, residual, x, size: equations.size, sweeps, lowest });
    }

    /// q_e·x for every rating.
    pub fn scores(&self, equations: Equations, x: &[Lane], scores: &mut Vec<f32>) {
        scores.clear();
        Arch::new().dispatch(Scores { equations, x, scores });
    }

    /// xᵀGx; 0 without G.
    pub fn energy(&mut self, equations: Equations, x: &[Lane]) -> f64 {
        let Some(gram) = equations.gram else { return 0.0 };
        self.image.fill(Lane::ZERO);
        Arch::new().dispatch(Times { matrix: gram, x, out: &mut self.image });
        dot_in_order(cast_slice(x), cast_slice(&self.image))
    }
}

/// Forms A's lower triangle and b.
struct Form<'a> {
    equations: Equations<'a>,
    matrix: &'a mut [Lane],
    right: &'a mut [Lane],
    panel: &'a mut [Lane],
}

impl WithSimd for Form<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { equations, matrix, right, panel } = self;
        let Equations { rows, lanes, indices, weights, targets, gram, ridge, size } = equations;
        match gram {
            Some(gram) => matrix.copy_from_slice(gram),
            None => matrix.fill(Lane::ZERO),
        }
        right.fill(Lane::ZERO);
        let most = panel_rows(lanes);
        for ((indices, weights), targets) in indices.chunks(most).zip(weights.chunks(most)).zip(targets.chunks(most)) {
            let panel = &mut panel[..indices.len() * lanes];
            for (at, slot) in panel.chunks_exact_mut(lanes).enumerate() {
                let row = vectors::<S>(&rows[indices[at] as usize * lanes..][..lanes]);
                let (scale, target) = (simd.splat_f32s(weights[at].sqrt()), simd.splat_f32s(targets[at]));
                for ((slot, right), &q) in vectors_mut::<S>(slot).iter_mut().zip(vectors_mut::<S>(right)).zip(row) {
                    *slot = simd.mul_f32s(scale, q);
                    *right = simd.mul_add_f32s(target, q, *right);
                }
            }
            Squares { panel, lanes, columns: size, matrix }.with_simd(simd);
        }
        let width = lanes * Lane::WIDTH;
        let (matrix, ridge): (&mut [f32], &[f32]) = (cast_slice_mut(matrix), cast_slice(ridge));
        for at in 0..size {
            matrix[at * width + at] += ridge[at];
        }
    }
}

/// Ratings whose dot products are computed together: one alone would wait for its own sum.
const GROUP: usize = 8;

/// The rows of a group of ratings; the last one again if there are fewer.
#[inline(always)]
fn gather<'a, S: Simd>(equations: &Equations<'a>, indices: &[u32]) -> [&'a [S::f32s]; GROUP] {
    let Equations { rows, lanes, .. } = *equations;
    let mut group: [&[S::f32s]; GROUP] = [&[]; GROUP];
    for at in 0..GROUP {
        let index = indices[at.min(indices.len() - 1)];
        group[at] = vectors::<S>(&rows[index as usize * lanes..][..lanes]);
    }
    group
}

/// q·x of a group.
#[inline(always)]
fn dots<S: Simd>(simd: S, rows: &[&[S::f32s]; GROUP], x: &[S::f32s]) -> [f32; GROUP] {
    let count = vectors_of_lane::<S>();
    let mut sums = [no_sums(simd); GROUP];
    let rows = shortened(rows, x.len());
    for start in (0..x.len()).step_by(count) {
        for part in 0..count {
            for at in 0..GROUP {
                sums[at][part] = simd.mul_add_f32s(rows[at][start + part], x[start + part], sums[at][part]);
            }
        }
    }
    let mut dots = [0.0; GROUP];
    for at in 0..GROUP {
        dots[at] = total(simd, sums[at]);
    }
    dots
}

/// Rows of a length that loops over them are known to keep to.
#[inline(always)]
fn shortened<'a, T>(rows: &[&'a [T]; GROUP], length: usize) -> [&'a [T]; GROUP] {
    let mut shortened = *rows;
    for row in &mut shortened {
        *row = &row[..length];
    }
    shortened
}

struct Scores<'a> {
    equations: Equations<'a>,
    x: &'a [Lane],
    scores: &'a mut Vec<f32>,
}

impl WithSimd for Scores<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let x = vectors::<S>(self.x);
        for indices in self.equations.indices.chunks(GROUP) {
            let dots = dots(simd, &gather::<S>(&self.equations, indices), x);
            self.scores.extend_from_slice(&dots[..indices.len()]);
        }
    }
}

/// `out` = `share` · b − Ax.
#[inline(always)]
fn residual<S: Simd>(simd: S, equations: &Equations, x: &[Lane], share: f32, out: &mut [Lane]) {
    let Equations { indices, weights, targets, gram, ridge, .. } = *equations;
    out.fill(Lane::ZERO);
    if let Some(gram) = gram {
        Times { matrix: gram, x, out }.with_simd(simd);
    }
    let (x, out) = (vectors::<S>(x), vectors_mut::<S>(out));
    for ((out, &x), &ridge) in out.iter_mut().zip(x).zip(vectors::<S>(ridge)) {
        *out = simd.neg_f32s(simd.mul_add_f32s(ridge, x, *out));
    }
    for ((indices, weights), targets) in indices.chunks(GROUP).zip(weights.chunks(GROUP)).zip(targets.chunks(GROUP)) {
        let rows = gather::<S>(equations, indices);
        let dots = dots(simd, &rows, x);
        let mut shares = [0.0; GROUP];
        for at in 0..indices.len() {
            shares[at] = share * targets[at] - weights[at] * dots[at];
        }
        let rows = shortened(&rows, out.len());
        let shares = splat(simd, shares);
        for vector in 0..out.len() {
            // Two sums, so that neither waits for all the others.
            let (mut even, mut odd) = (out[vector], simd.splat_f32s(0.0));
            for at in (0..GROUP).step_by(2) {
                even = simd.mul_add_f32s(shares[at], rows[at][vector], even);
                odd = simd.mul_add_f32s(shares[at + 1], rows[at + 1][vector], odd);
            }
            out[vector] = simd.add_f32s(even, odd);
        }
    }
}

/// A part of a sum that its rounding in f32 may make up.
const ROUNDING: f32 = 8.0 * f32::EPSILON;

struct ConjugateGradient<'a> {
    equations: Equations<'a>,
    x: &'a mut [Lane],
    steps: usize,
    residual: &'a mut [Lane],
    direction: &'a mut [Lane],
    image: &'a mut [Lane],
}

impl WithSimd for ConjugateGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { equations, x, steps, residual: left, direction, image } = self;
        residual(simd, &equations, x, 1.0, left);
        direction.copy_from_slice(left);
        let mut square = dot(simd, left, left);
        // Below this, the residual is what rounding left of it.
        let rounding = (ROUNDING * ROUNDING) * square;
        let mut steepest = 0.0_f32;
        for _ in 0..steps {
            // −Ad.
            residual(simd, &equations, direction, 0.0, image);
            let curvature = -dot(simd, direction, image);
            let slope = curvature / dot(simd, direction, direction);
            steepest = steepest.max(slope);
            // Where A has no inverse, rounding leads to where it is flat, and from there without an end.
            if square <= rounding || slope <= ROUNDING * steepest || slope.is_nan() {
                break;
            }
            let length = square / curvature;
            add(simd, x, 1.0, length, direction);
            add(simd, left, 1.0, length, image);
            let next = dot(simd, left, left);
            add(simd, direction, next / square, 1.0, left);
            square = next;
        }
    }
}

struct Sweeps<'a> {
    matrix: &'a [Lane],
    right: &'a [Lane],
    /// Ax − b.
    residual: &'a mut [Lane],
    x: &'a mut [Lane],
    size: usize,
    sweeps: usize,
    lowest: f32,
}

impl WithSimd for Sweeps<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { matrix, right, residual, x, size, sweeps, lowest } = self;
        residual.fill(Lane::ZERO);
        Times { matrix, x, out: residual }.with_simd(simd);
        add(simd, residual, 1.0, -1.0, right);
        let lanes = right.len();
        for _ in 0..sweeps {
            let mut moved = false;
            for at in 0..size {
                let column = &matrix[at * lanes..][..lanes];
                let (curvature, slope): (f32, f32) = (cast_slice(column)[at], cast_slice(residual)[at]);
                // An unknown that nothing depends on stays.
                if curvature <= 0.0 || curvature.is_nan() {
                    continue;
                }
                let value: &mut f32 = &mut cast_slice_mut(x)[at];
                let step = (*value - slope / curvature).max(lowest) - *value;
                if step != 0.0 {
                    *value += step;
                    moved = true;
                    add(simd, residual, 1.0, step, column);
                }
            }
            if !moved {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::linalg::instruction_sets::assert_same_bits;

    /// Every way to a solution, from the same row.
    #[derive(Clone, Copy)]
    struct Everything<'a>(Equations<'a>);

    impl WithSimd for Everything<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let equations = self.0;
            let Equations { lanes, size, rows, .. } = equations;
            let Room { mut matrix, mut right, mut panel, mut residual, mut direction, mut image } = Room::new(lanes);
            let (matrix, right, panel) = (&mut matrix, &mut right, &mut panel);
            let (residual, direction, image) = (&mut residual, &mut direction, &mut image);
            let [mut exact, mut near, mut swept] = std::array::from_fn(|_| rows[..lanes].to_vec());
            ConjugateGradient { equations, x: &mut near, steps: 5, residual, direction, image }.with_simd(simd);
            Form { equations, matrix, right, panel }.with_simd(simd);
            mirror(matrix, lanes);
            Sweeps { matrix, right, residual, x: &mut swept, size, sweeps: 3, lowest: 0.0 }.with_simd(simd);
            assert!((Factor { matrix, lanes, size }).with_simd(simd), "there is a penalty");
            Solve { factor: matrix, size, right, half: residual, noise: None, x: &mut exact }.with_simd(simd);
            let mut scores = Vec::new();
            Scores { equations, x: &exact, scores: &mut scores }.with_simd(simd);
            [exact, near, swept].iter().for_each(|x| scores.extend_from_slice(cast_slice(x)));
            scores
        }
    }

    #[test]
    fn the_bits_are_the_same_on_every_instruction_set() {
        let mut stream = crate::random::stream(5, "als");
        for size in [5, 16, 30, 65] {
            let lanes = Lane::count(size);
            let mut rows = vec![Lane::ZERO; 90 * lanes];
            for row in cast_slice_mut::<_, f32>(&mut rows).chunks_exact_mut(lanes * Lane::WIDTH) {
                row[..size].iter_mut().for_each(|number| *number = stream.random_range(-1.0..1.0));
            }
            let indices: Vec<u32> = (3..90).collect();
            let mut draw = || -> Vec<f32> { indices.iter().map(|_| stream.random_range(0.5..5.0)).collect() };
            let (weights, targets) = (draw(), draw());
            let mut ridge = vec![Lane::ZERO; lanes];
            cast_slice_mut::<_, f32>(&mut ridge)[..size].fill(0.3);
            let gram = crate::linalg::lanes::gram(&rows, lanes);
            for gram in [None, Some(&gram[..])] {
                let (rows, indices, weights) = (&rows[..], &indices[..], &weights[..]);
                let (targets, ridge) = (&targets[..], &ridge[..]);
                assert_same_bits(Everything(Equations { rows, lanes, indices, weights, targets, gram, ridge, size }));
            }
        }
    }
}
