//! The objective, evaluated for its own sake and not along the way.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::problem::{Divergence, NmfObjective, Penalty, Zeros};
use crate::error::{Error, Result};
use crate::linalg::dot::{column_sums, dot_in_eight};
use crate::linalg::gram::inner;
use crate::linalg::{Csr, Dense, Matrix, Sides, View};

/// The value of `problem` at W `[rows, rank]` and H `[rank, columns]`.
///
/// It is infinite for the Kullback–Leibler divergence where (WH)_ij = 0 and a_ij > 0.
///
/// # Errors
/// [`Error::Usage`] if the shapes do not fit.
pub fn objective(matrix: &Matrix, w: &Dense, h: &Dense, problem: &NmfObjective) -> Result<f64> {
    if w.rows() != matrix.rows() || h.columns() != matrix.columns() || w.columns() != h.rows() {
        return Err(Error::Usage(format!(
            "W of {} × {} and H of {} × {} for a matrix of {} × {}",
            w.rows(),
            w.columns(),
            h.rows(),
            h.columns(),
            matrix.rows(),
            matrix.columns(),
        )));
    }
    Ok(exact(&Sides::new(matrix), w, &h.transposed(), problem))
}

/// [`objective`] with Hᵀ.
pub(super) fn exact(sides: &Sides<'_>, w: &Dense, ht: &Dense, problem: &NmfObjective) -> f64 {
    let divergence = problem.divergence;
    let cells = match sides.matrix() {
        Matrix::Dense(dense) => dense_cells(dense, w, ht, divergence),
        Matrix::Sparse(csr) => match problem.zeros {
            Zeros::Missing => stored_cells(csr, w, ht, |a, p| divergence.of(a, p)),
            Zeros::Data => {
                // d(0, p) of all cells, and what the stored ones have instead.
                let all = match divergence {
                    Divergence::Frobenius => 0.5 * inner(&w.gram(), &ht.gram()),
                    Divergence::KullbackLeibler => {
                        let sums = |factor: &Dense| column_sums(factor.values(), factor.columns());
                        sums(w).iter().zip(sums(ht)).map(|(w, h)| w * h).sum()
                    }
                };
                all + stored_cells(csr, w, ht, |a, p| divergence.of(a, p) - divergence.of(0.0, p))
            }
        },
    };
    cells
        + penalty(sides.by_rows(), w, problem.zeros, problem.w)
        + penalty(sides.by_columns(), ht, problem.zeros, problem.h)
}

fn dense_cells(dense: &Dense, w: &Dense, ht: &Dense, divergence: Divergence) -> f64 {
    const BLOCK: usize = 64;
    let (columns, rank) = (dense.columns(), w.columns());
    let part = |(cells, w): (&[f32], &[f32])| {
        let rows = w.len() / rank;
        let mut product = vec![0.0; cells.len()];
        let left = MatRef::from_row_major_slice(w, rows, rank);
        let view = MatMut::from_row_major_slice_mut(&mut product, rows, columns);
        matmul(view, Accum::Replace, left, ht.view().transpose(), 1.0, Par::Seq);
        cells.iter().zip(product).map(|(&a, p)| divergence.of(f64::from(a), f64::from(p))).sum::<f64>()
    };
    let blocks = dense.values().par_chunks(BLOCK * columns).zip(w.values().par_chunks(BLOCK * rank));
    blocks.map(part).collect::<Vec<_>>().iter().sum()
}

fn stored_cells(csr: &Csr, w: &Dense, ht: &Dense, term: impl Fn(f64, f64) -> f64 + Sync) -> f64 {
    let part = |row: usize| Arch::new().dispatch(StoredCells { csr, row, w: w.row(row), ht, term: &term });
    (0..csr.rows()).into_par_iter().map(part).collect::<Vec<_>>().iter().sum()
}

/// Σ `term(a, p)` over the stored cells of one row.
struct StoredCells<'a, F> {
    csr: &'a Csr,
    row: usize,
    w: &'a [f32],
    ht: &'a Dense,
    term: &'a F,
}

impl<F: Fn(f64, f64) -> f64> WithSimd for StoredCells<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let (indices, values) = self.csr.row(self.row);
        let mut sum = 0.0;
        for (&column, &value) in indices.iter().zip(values) {
            sum += (self.term)(f64::from(value), dot_in_eight(self.w, self.ht.row(column as usize)));
        }
        sum
    }
}

/// Number of cells that count in one row of `view`.
pub(super) fn cells(view: View<'_>, zeros: Zeros, row: usize) -> usize {
    match (view, zeros) {
        (View::Sparse(csr), Zeros::Missing) => csr.row(row).0.len(),
        _ => view.columns(),
    }
}

/// Σ_i c_i (l1 ‖f_i‖₁ + ½ l2 ‖f_i‖²) over the rows of a factor.
pub(super) fn penalty(view: View<'_>, factor: &Dense, zeros: Zeros, Penalty { l1, l2 }: Penalty) -> f64 {
    if l1 == 0.0 && l2 == 0.0 {
        return 0.0;
    }
    let entry = |&value: &f32| l1 * f64::from(value) + 0.5 * l2 * f64::from(value).powi(2);
    let row = |row| cells(view, zeros, row) as f64 * factor.row(row).iter().map(entry).sum::<f64>();
    (0..factor.rows()).map(row).sum()
}
