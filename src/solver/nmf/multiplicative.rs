//! Multiplicative updates (Lee & Seung 2001): each entry is scaled by the ratio of the negative to the positive part of
//! its gradient.
//!
//! | divergence | numerator N | denominator D |
//! |---|---|---|
//! | Frobenius | A·Hᵀ | (W·H)·Hᵀ |
//! | Kullback–Leibler | (A / W·H)·Hᵀ | 1·Hᵀ |
//!
//! for W, sums over the cells that count; H is updated in the same way from Aᵀ ≈ HᵀWᵀ. With a penalty the Frobenius
//! update is w·N / (D + l1 + l2·w). The Kullback–Leibler update minimizes the same majorizer with the penalty added: w
//! ← 2wN / (D' + √(D'² + 4·l2·w·N)) with D' = D + l1, so that the objective never rises.
//!
//! Entries are kept above a floor far below the data, for an entry that reaches zero could never leave it.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::config::NmfOptions;
use super::factors::{Factors, Iterated};
use super::objective::{cells, exact};
use super::problem::{Divergence, Penalty, Zeros};
use crate::linalg::dot::{column_sums, dot_f32_in_eight};
use crate::linalg::product::combine;
use crate::linalg::{Csr, Dense, Sides, View};

/// How many iterations pass between two looks at the objective.
pub const LOOK: usize = 10;

pub(super) struct Multiplicative {
    rule: Rule,
    /// The objective when it was last computed.
    pub looked_at: f64,
}

impl Multiplicative {
    /// Raises entries of the factors to the floor.
    pub fn new(sides: &Sides<'_>, config: &NmfOptions, factors: &mut Factors) -> Self {
        let (matrix, problem) = (sides.matrix(), &config.problem);
        let mean = matrix.sum() / (matrix.rows() * matrix.columns()) as f64;
        let floor = f32::EPSILON * (mean / config.rank as f64).sqrt() as f32;
        for factor in [&mut factors.w, &mut factors.ht] {
            factor.values_mut().iter_mut().for_each(|value| *value = value.max(floor));
        }
        let rule = Rule { divergence: problem.divergence, zeros: problem.zeros, floor };
        Self { rule, looked_at: exact(sides, &factors.w, &factors.ht, problem) }
    }

    pub fn iterate(
        &mut self,
        sides: &Sides<'_>,
        config: &NmfOptions,
        Factors { w, ht }: &mut Factors,
        iteration: usize,
    ) -> Iterated {
        let problem = &config.problem;
        self.rule.improve(sides.by_rows(), w, ht, problem.w);
        self.rule.improve(sides.by_columns(), ht, w, problem.h);
        if !iteration.is_multiple_of(LOOK) {
            return Iterated { objective: None, is_converged: false };
        }
        let objective = exact(sides, w, ht, problem);
        let fell = std::mem::replace(&mut self.looked_at, objective) - objective;
        // Rounding makes an objective that has settled rise now and then.
        let is_converged = config.tolerance > 0.0 && fell < config.tolerance * objective;
        Iterated { objective: Some(objective), is_converged }
    }
}

struct Rule {
    divergence: Divergence,
    zeros: Zeros,
    floor: f32,
}

impl Rule {
    /// Updates `own` in A ≈ own · otherᵀ, A seen along the rows of `own`.
    fn improve(&self, view: View<'_>, own: &mut Dense, other: &Dense, penalty: Penalty) {
        let (numerator, denominator) = self.ratio(view, own, other);
        let rank = own.columns();
        let up = numerator.values().par_chunks(rank);
        let down = denominator.values().par_chunks(rank);
        let rows = own.values_mut().par_chunks_mut(rank).zip(up.zip(down)).enumerate();
        rows.with_min_len(64).for_each(|(row, (own, (up, down)))| {
            let count = cells(view, self.zeros, row) as f64;
            let (l1, l2) = ((penalty.l1 * count) as f32, (penalty.l2 * count) as f32);
            for (value, (&up, &down)) in own.iter_mut().zip(up.iter().zip(down)) {
                let down = down + l1;
                let new = match self.divergence {
                    Divergence::Frobenius => *value * up / (down + l2 * *value),
                    Divergence::KullbackLeibler => {
                        2.0 * *value * up / (down + (down * down + 4.0 * l2 * *value * up).sqrt())
                    }
                };
                // Only a row without cells has 0 / 0; the maximum takes it to the floor.
                *value = new.max(self.floor);
            }
        });
    }

    /// N and D, without penalties.
    fn ratio(&self, view: View<'_>, own: &Dense, other: &Dense) -> (Dense, Dense) {
        match (self.divergence, view, self.zeros) {
            (_, View::Sparse(csr), Zeros::Missing) => self.stored(csr, own, other),
            (Divergence::Frobenius, ..) => {
                let gram = other.gram();
                let gram = Dense::from_fn(gram.nrows(), gram.ncols(), |row, column| gram[(row, column)] as f32);
                (view.times(other), View::Dense(own.view()).times(&gram))
            }
            (Divergence::KullbackLeibler, ..) => {
                let up = match view {
                    View::Sparse(csr) => self.stored(csr, own, other).0,
                    View::Dense(view) => dense_ratios(view, own, other),
                };
                let sums = column_sums(other.values(), other.columns());
                (up, Dense::from_fn(own.rows(), sums.len(), |_, column| sums[column] as f32))
            }
        }
    }

    /// N and D over the stored cells; D only if nothing else counts.
    fn stored(&self, csr: &Csr, own: &Dense, other: &Dense) -> (Dense, Dense) {
        const TASK: usize = 32;
        let rank = own.columns();
        let (mut up, mut down) = (Dense::zeros(own.rows(), rank), Dense::zeros(own.rows(), rank));
        let rows = up.values_mut().par_chunks_mut(TASK * rank).zip(down.values_mut().par_chunks_mut(TASK * rank));
        rows.enumerate().for_each(|(task, (up, down))| {
            Arch::new().dispatch(StoredRows { csr, first: task * TASK, own, other, rule: self, up, down });
        });
        (up, down)
    }
}

/// Numerators and denominators of the rows from `first`, over their stored cells.
struct StoredRows<'a> {
    csr: &'a Csr,
    first: usize,
    own: &'a Dense,
    other: &'a Dense,
    rule: &'a Rule,
    up: &'a mut [f32],
    down: &'a mut [f32],
}

impl WithSimd for StoredRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rank = self.own.columns();
        let mut products = Vec::new();
        for (row, (up, down)) in self.up.chunks_exact_mut(rank).zip(self.down.chunks_exact_mut(rank)).enumerate() {
            let row = self.first + row;
            let (indices, values) = self.csr.row(row);
            let own = self.own.row(row);
            products.clear();
            // Loops, not closures: those would not be compiled for the wide registers.
            for &index in indices {
                products.push(dot_f32_in_eight(own, self.other.row(index as usize)));
            }
            match self.rule.divergence {
                Divergence::Frobenius => combine(up, indices, values, self.other),
                Divergence::KullbackLeibler => {
                    divide(values, &mut products);
                    combine(up, indices, &products, self.other);
                    products.fill(1.0);
                }
            }
            if self.rule.zeros == Zeros::Missing {
                combine(down, indices, &products, self.other);
            }
        }
    }
}

/// x / y in the place of y.
#[inline(always)]
fn divide(x: &[f32], y: &mut [f32]) {
    for (x, y) in x.iter().zip(y) {
        *y = x / *y;
    }
}

/// (A / (own · otherᵀ)) · other, tile by tile, so that a tile of ratios stays in the cache.
fn dense_ratios(view: MatRef<'_, f32>, own: &Dense, other: &Dense) -> Dense {
    const ROWS: usize = 64;
    const COLUMNS: usize = 512;
    let rank = own.columns();
    let mut sums = Dense::zeros(own.rows(), rank);
    let tasks = sums.values_mut().par_chunks_mut(ROWS * rank).zip(own.values().par_chunks(ROWS * rank));
    tasks.enumerate().for_each(|(task, (sums, own))| {
        let rows = own.len() / rank;
        let own = MatRef::from_row_major_slice(own, rows, rank);
        let mut sums = MatMut::from_row_major_slice_mut(sums, rows, rank);
        let mut tile = vec![0.0; rows * COLUMNS.min(view.ncols())];
        for start in (0..view.ncols()).step_by(COLUMNS) {
            let columns = COLUMNS.min(view.ncols() - start);
            let cells = view.submatrix(task * ROWS, start, rows, columns);
            let tile = &mut tile[..rows * columns];
            let other = other.view().subrows(start, columns);
            // Laid out as A is, so that both are passed through in order.
            let turned = cells.row_stride() == 1;
            let lines = if turned { cells.transpose() } else { cells };
            let mut products = MatMut::from_row_major_slice_mut(&mut *tile, lines.nrows(), lines.ncols());
            let products = if turned { products.as_mut().transpose_mut() } else { products.as_mut() };
            matmul(products, Accum::Replace, own, other.transpose(), 1.0, Par::Seq);
            Arch::new().dispatch(DivideLines { lines, products: tile });
            let ratios = MatRef::from_row_major_slice(&*tile, lines.nrows(), lines.ncols());
            let ratios = if turned { ratios.transpose() } else { ratios };
            matmul(sums.as_mut(), Accum::Add, ratios, other, 1.0, Par::Seq);
        }
    });
    sums
}

/// Ratios of the cells of `lines` to `products`, in the place of these.
struct DivideLines<'a> {
    lines: MatRef<'a, f32>,
    products: &'a mut [f32],
}

impl WithSimd for DivideLines<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (line, products) in self.products.chunks_exact_mut(self.lines.ncols()).enumerate() {
            let cells = self.lines.row(line).try_as_row_major().expect("a line of A is contiguous");
            divide(cells.as_slice(), products);
        }
    }
}
