//! Non-negative matrix factorization: A ≈ W·H with W, H ≥ 0, by block coordinate descent.
//!
//! With `zeros = Data` every cell of A counts, with `zeros = Missing` only the stored ones do. W and H minimize
//!
//! > Σ_cells d(a_ij, (WH)_ij) + Σ_i c_i (l1_w ‖w_i‖₁ + ½ l2_w ‖w_i‖²) + Σ_j c_j (l1_h ‖h_j‖₁ + ½ l2_h ‖h_j‖²)
//!
//! where d(a, p) = ½(a − p)² (Frobenius) or a·ln(a/p) − a + p (Kullback–Leibler), w_i is row i of W, h_j column j of H,
//! and c_i and c_j count the cells of that row or column. The penalty is thus per cell, as everywhere here, and the
//! same as scikit-learn's `alpha_W`, `alpha_H` and `l1_ratio` with l1 = alpha · l1_ratio, l2 = alpha · (1 − l1_ratio).
//!
//! [`NmfMethod::Hals`] (Frobenius) updates one entry of a factor after the other to its optimum (Cichocki & Phan 2009), in
//! several sweeps for each product with A if those are cheap beside it (Gillis & Glineur 2012).
//! [`NmfMethod::Multiplicative`] (both divergences) are the updates of Lee & Seung (2001). Both lower the objective in
//! every step. The bytes of a result do not depend on the number of threads.

mod config;
pub mod consensus;
mod descent;
mod factors;
mod hals;
mod multiplicative;
mod objective;
mod problem;
mod start;

pub use config::{NmfInit, NmfMethod, NmfOptions};
pub(super) use descent::{Descent, Round};
pub(super) use factors::Factors;
use factors::Iterated;
pub(super) use multiplicative::LOOK;
pub use objective::objective;
pub use problem::{Divergence, NmfObjective, Penalty, Zeros};

use crate::error::{Error, Result};
use crate::linalg::{Dense, Matrix, Sides};

/// Why a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// HALS: for W and for H, Σ |projected gradient| over all entries, each as it was met in the first sweep of an
    /// iteration, fell to `tolerance` times Σ b: at a minimum the two parts of the gradient Gw − b cancel, and this is
    /// to how many digits. Unlike a comparison with the first iteration, it does not depend on how bad the start was.
    ///
    /// Multiplicative updates: the objective fell by less than `tolerance` times itself in ten iterations.
    Converged,
    /// `max_iterations` were done.
    MaxIterations,
}

/// A ≈ W·H.
#[derive(Debug, Clone, PartialEq)]
pub struct NmfFit {
    /// W: `[rows, rank]`, non-negative.
    pub w: Dense,
    /// H: `[rank, columns]`, non-negative.
    pub h: Dense,
    /// The objective at the end, penalties included.
    pub objective: f64,
    /// The objective after some of the iterations, as (iteration, objective): all with HALS, the start (0) and each
    /// tenth with multiplicative updates. It is computed along the way from products in f32, so expect six digits.
    pub trace: Vec<(usize, f64)>,
    /// Iterations done.
    pub iterations: usize,
    /// Why they ended.
    pub stop: Stop,
}

/// Factorizes a matrix.
///
/// # Errors
/// [`Error::Usage`] if A has a negative value or no cell that is not zero; if the rank is 0, or for an NNDSVD
/// start larger than a side of A; if a given start has another shape or a value that is negative or not finite;
/// if a penalty or the tolerance is not a number ≥ 0; for HALS with another divergence than Frobenius.
/// [`Error::Failed`] if the values are so large that the objective leaves the finite numbers.
pub fn nmf(matrix: &Matrix, config: &NmfOptions) -> Result<NmfFit> {
    let sides = Sides::new(matrix);
    let mut descent = Descent::start(&sides, config)?;
    let mut trace: Vec<_> = descent.objective_at_start().map(|objective| (0, objective)).into_iter().collect();
    let mut stop = Stop::MaxIterations;
    while descent.iterations < config.max_iterations && stop == Stop::MaxIterations {
        let Iterated { objective, is_converged } = descent.iterate(&sides, config);
        trace.extend(objective.map(|objective| (descent.iterations, objective)));
        if is_converged {
            stop = Stop::Converged;
        }
    }
    let Descent { factors: Factors { w, ht }, iterations, .. } = descent;
    let objective = objective::exact(&sides, &w, &ht, &config.problem);
    if !objective.is_finite() {
        return Err(Error::Failed(
            "the objective is not a finite number; divide the matrix by its largest value".into(),
        ));
    }
    Ok(NmfFit { w, h: ht.transposed(), objective, trace, iterations, stop })
}
