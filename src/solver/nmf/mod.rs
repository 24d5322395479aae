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
//! [`Solver::Hals`] (Frobenius) updates one entry of a factor after the other to its optimum (Cichocki & Phan 2009), in
//! several sweeps for each product with A where those are cheap beside it (Gillis & Glineur 2012).
//! [`Solver::Multiplicative`] (both divergences) are the updates of Lee & Seung (2001). Both lower the objective in
//! every step. The bytes of a result do not depend on the number of threads.

pub mod consensus;
mod hals;
mod multiplicative;
mod objective;
mod start;

use crate::config::choice;
use crate::error::{Error, Result};
use crate::linalg::{Dense, Matrix, Sides};

pub(super) use multiplicative::LOOK;
pub use objective::objective;
pub use start::Start;

choice! {
    /// What a cell that is not stored means.
    #[derive(Default)]
    pub enum Zeros {
        /// It is zero, and to be fitted like any other value.
        #[default]
        Data = "data",
        /// It is missing, and does not count. In a dense matrix nothing is missing.
        Missing = "missing",
    }
}

choice! {
    /// How the distance of W·H from A is measured.
    #[derive(Default)]
    pub enum Divergence {
        /// d(a, p) = ½(a − p)²: normal noise.
        #[default]
        Frobenius = "frobenius",
        /// d(a, p) = a·ln(a/p) − a + p: the Poisson noise of counts.
        KullbackLeibler = "kullback-leibler",
    }
}

/// How the factors are improved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Solver {
    /// Hierarchical alternating least squares, that is coordinate descent; Frobenius only.
    #[default]
    Hals,
    /// Multiplicative updates. Slower, and entries approach zero without reaching it.
    Multiplicative,
}

/// λ of one factor, per cell; both 0 by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Penalty {
    /// Weight of ‖·‖₁, which sets entries to zero; ≥ 0.
    pub l1: f64,
    /// Weight of ½‖·‖²; ≥ 0.
    pub l2: f64,
}

/// What is minimized.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Problem {
    /// The distance of W·H from A.
    pub divergence: Divergence,
    /// What cells that are not stored mean.
    pub zeros: Zeros,
    /// Penalty on W.
    pub w: Penalty,
    /// Penalty on H.
    pub h: Penalty,
}

/// What is minimized, and how.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `rank` | | columns of W, rows of H | ≥ 1 |
/// | `problem` | Frobenius, zeros are data, no penalty | the objective | |
/// | `solver` | `Hals` | how it is lowered | |
/// | `start` | `Nndsvda` | where W and H begin | |
/// | `max_iterations` | 200 | updates of both factors | ≥ 1 |
/// | `tolerance` | 1e-5 | when to stop before that; see [`Stop`] | ≥ 0 |
/// | `seed` | 0 | of a random start | |
#[derive(Debug, Clone, PartialEq)]
pub struct NmfConfig {
    /// Number of components: columns of W and rows of H.
    pub rank: usize,
    /// What is minimized.
    pub problem: Problem,
    /// How it is lowered.
    pub solver: Solver,
    /// Where W and H begin.
    pub start: Start,
    /// Iterations at most, each an update of W and then of H.
    pub max_iterations: usize,
    /// When to stop; 0 for all iterations.
    pub tolerance: f64,
    /// Seed of a random start.
    pub seed: u64,
}

impl NmfConfig {
    /// `rank` components, all else at its default.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            problem: Problem::default(),
            solver: Solver::default(),
            start: Start::default(),
            max_iterations: 200,
            tolerance: 1e-5,
            seed: 0,
        }
    }
}

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
pub struct Nmf {
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
/// [`Error::Usage`] where A has a negative value or no cell that is not zero; where the rank is 0, or for an NNDSVD
/// start larger than a side of A; where a given start has another shape or a value that is negative or not finite;
/// where a penalty or the tolerance is not a number ≥ 0; for HALS with another divergence than Frobenius.
/// [`Error::Failed`] where the values are so large that the objective leaves the finite numbers.
pub fn nmf(matrix: &Matrix, config: &NmfConfig) -> Result<Nmf> {
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
    Ok(Nmf { w, h: ht.transposed(), objective, trace, iterations, stop })
}

/// Both factors by their long sides, so that each cell of A meets a row of each.
#[derive(Debug, Clone)]
pub(super) struct Factors {
    /// W: `[rows, rank]`.
    pub w: Dense,
    /// Hᵀ: `[columns, rank]`.
    pub ht: Dense,
}

/// A factorization under way.
pub(super) struct Descent {
    /// As they are now.
    pub factors: Factors,
    /// Iterations done.
    pub iterations: usize,
    updates: Updates,
}

enum Updates {
    Hals(hals::Hals),
    Multiplicative(multiplicative::Multiplicative),
}

/// What iterations up to a look at the objective tell.
pub(super) struct Round {
    /// Σ d(a, p) over the cells that count.
    pub divergence: f64,
    /// The penalty.
    pub penalty: f64,
    /// ‖A − W·H‖² over the cells that count.
    pub squared: f64,
    /// Whether `tolerance` is reached.
    pub is_converged: bool,
}

/// What one iteration tells.
struct Iterated {
    /// The objective, where it was looked at.
    objective: Option<f64>,
    /// Whether `tolerance` is reached; see [`Stop::Converged`].
    is_converged: bool,
}

impl Descent {
    /// At the start that `config` names.
    ///
    /// # Errors
    /// Those of [`nmf`].
    pub fn start(sides: &Sides<'_>, config: &NmfConfig) -> Result<Self> {
        check(sides.matrix(), config)?;
        let factors = start::start(sides, config)?;
        Ok(Self::at(sides, config, factors, 0))
    }

    /// At these factors, after so many iterations.
    pub fn at(sides: &Sides<'_>, config: &NmfConfig, mut factors: Factors, iterations: usize) -> Self {
        let updates = match config.solver {
            Solver::Hals => Updates::Hals(hals::Hals::new(sides, &factors)),
            Solver::Multiplicative => {
                Updates::Multiplicative(multiplicative::Multiplicative::new(sides, config, &mut factors))
            }
        };
        Self { factors, iterations, updates }
    }

    /// The objective before the first iteration, where the updates look at it.
    fn objective_at_start(&self) -> Option<f64> {
        match &self.updates {
            Updates::Hals(_) => None,
            Updates::Multiplicative(multiplicative) => Some(multiplicative.looked_at),
        }
    }

    /// Iterates until the objective is looked at, which multiplicative updates do every tenth time. The objective is
    /// given in its two parts: the divergence over the cells, and the penalty.
    pub fn round(&mut self, sides: &Sides<'_>, config: &NmfConfig) -> Round {
        loop {
            let Iterated { objective, is_converged } = self.iterate(sides, config);
            let Some(objective) = objective else { continue };
            let Factors { w, ht } = &self.factors;
            let Problem { zeros, w: of_w, h: of_h, .. } = config.problem;
            let penalty = objective::penalty(sides.by_rows(), w, zeros, of_w)
                + objective::penalty(sides.by_columns(), ht, zeros, of_h);
            let divergence = (objective - penalty).max(0.0);
            let squared = match config.problem.divergence {
                Divergence::Frobenius => 2.0 * divergence,
                _ => 2.0 * objective::exact(sides, w, ht, &Problem { zeros, ..Problem::default() }),
            };
            return Round { divergence, penalty, squared, is_converged };
        }
    }

    /// Updates W and then H.
    fn iterate(&mut self, sides: &Sides<'_>, config: &NmfConfig) -> Iterated {
        self.iterations += 1;
        match &mut self.updates {
            Updates::Hals(hals) => hals.iterate(sides, config, &mut self.factors),
            Updates::Multiplicative(multiplicative) => {
                multiplicative.iterate(sides, config, &mut self.factors, self.iterations)
            }
        }
    }
}

fn check(matrix: &Matrix, config: &NmfConfig) -> Result<()> {
    let refuse = |message: String| Err(Error::Usage(message));
    if let Some(at) = matrix.values().iter().position(|&value| value < 0.0) {
        let ((row, column), value) = (matrix.place(at), matrix.values()[at]);
        return refuse(format!("row {row}, column {column} is {value}; a non-negative factorization needs values ≥ 0"));
    }
    if matrix.values().iter().all(|&value| value == 0.0) {
        return refuse("a matrix of zeros has nothing to factorize".into());
    }
    if config.rank == 0 || config.max_iterations == 0 {
        return refuse("rank and max_iterations are at least 1".into());
    }
    let Problem { w, h, divergence, .. } = config.problem;
    for (name, value) in [
        ("the l1 penalty of W", w.l1),
        ("the l2 penalty of W", w.l2),
        ("the l1 penalty of H", h.l1),
        ("the l2 penalty of H", h.l2),
        ("the tolerance", config.tolerance),
    ] {
        if !(value.is_finite() && value >= 0.0) {
            return refuse(format!("{name} is {value}; it is a finite number ≥ 0"));
        }
    }
    if config.solver == Solver::Hals && divergence != Divergence::Frobenius {
        return refuse(
            "HALS minimizes the Frobenius norm only; take multiplicative updates for other divergences".into(),
        );
    }
    Ok(())
}
