//! A factorization under way, whatever lowers its objective.

use super::config::{NmfMethod, NmfOptions};
use super::factors::{Factors, Iterated};
use super::hals::Hals;
use super::multiplicative::Multiplicative;
use super::objective;
use super::problem::{Divergence, NmfObjective};
use super::start::start;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, Sides};

/// A factorization under way.
pub(in crate::solver) struct Descent {
    /// As they are now.
    pub factors: Factors,
    /// Iterations done.
    pub iterations: usize,
    updates: Updates,
}

enum Updates {
    Hals(Hals),
    Multiplicative(Multiplicative),
}

/// What iterations up to a look at the objective tell.
pub(in crate::solver) struct Round {
    /// Σ d(a, p) over the cells that count.
    pub divergence: f64,
    /// The penalty.
    pub penalty: f64,
    /// ‖A − W·H‖² over the cells that count.
    pub squared: f64,
    /// Whether `tolerance` is reached.
    pub is_converged: bool,
}

impl Descent {
    /// At the start that `config` names.
    ///
    /// # Errors
    /// Those of [`nmf`](super::nmf).
    pub fn start(sides: &Sides<'_>, config: &NmfOptions) -> Result<Self> {
        check(sides.matrix(), config)?;
        let factors = start(sides, config)?;
        Ok(Self::at(sides, config, factors, 0))
    }

    /// At these factors, after so many iterations.
    pub fn at(sides: &Sides<'_>, config: &NmfOptions, mut factors: Factors, iterations: usize) -> Self {
        let updates = match config.solver {
            NmfMethod::Hals => Updates::Hals(Hals::new(sides, &factors)),
            NmfMethod::Multiplicative => Updates::Multiplicative(Multiplicative::new(sides, config, &mut factors)),
        };
        Self { factors, iterations, updates }
    }

    /// The objective before the first iteration, if the updates look at it.
    pub fn objective_at_start(&self) -> Option<f64> {
        match &self.updates {
            Updates::Hals(_) => None,
            Updates::Multiplicative(multiplicative) => Some(multiplicative.looked_at),
        }
    }

    /// Iterates until the objective is computed, which multiplicative updates do every tenth time. The objective is
    /// given in its two parts: the divergence over the cells, and the penalty.
    pub fn round(&mut self, sides: &Sides<'_>, config: &NmfOptions) -> Round {
        loop {
            let Iterated { objective, is_converged } = self.iterate(sides, config);
            let Some(objective) = objective else { continue };
            let Factors { w, ht } = &self.factors;
            let NmfObjective { zeros, w: of_w, h: of_h, .. } = config.problem;
            let penalty = objective::penalty(sides.by_rows(), w, zeros, of_w)
                + objective::penalty(sides.by_columns(), ht, zeros, of_h);
            let divergence = (objective - penalty).max(0.0);
            let squared = match config.problem.divergence {
                Divergence::Frobenius => 2.0 * divergence,
                _ => 2.0 * objective::exact(sides, w, ht, &NmfObjective { zeros, ..NmfObjective::default() }),
            };
            return Round { divergence, penalty, squared, is_converged };
        }
    }

    /// Updates W and then H.
    pub(super) fn iterate(&mut self, sides: &Sides<'_>, config: &NmfOptions) -> Iterated {
        self.iterations += 1;
        match &mut self.updates {
            Updates::Hals(hals) => hals.iterate(sides, config, &mut self.factors),
            Updates::Multiplicative(multiplicative) => {
                multiplicative.iterate(sides, config, &mut self.factors, self.iterations)
            }
        }
    }
}

fn check(matrix: &Matrix, config: &NmfOptions) -> Result<()> {
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
    let NmfObjective { w, h, divergence, .. } = config.problem;
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
    if config.solver == NmfMethod::Hals && divergence != Divergence::Frobenius {
        return refuse(
            "HALS minimizes the Frobenius norm only; take multiplicative updates for other divergences".into(),
        );
    }
    Ok(())
}
