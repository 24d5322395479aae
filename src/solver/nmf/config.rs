//! What a non-negative factorization is told.

use super::problem::NmfObjective;
use crate::linalg::Dense;

/// How the factors are improved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NmfMethod {
    /// Hierarchical alternating least squares, that is coordinate descent; Frobenius only.
    #[default]
    Hals,
    /// Multiplicative updates. Slower, and entries approach zero without reaching it.
    Multiplicative,
}

/// Where W and H begin.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum NmfInit {
    /// Non-negative double SVD (Boutsidis & Gallopoulos 2008): of each leading pair of singular vectors the positive or
    /// negative part, whichever is larger. Many entries are zero. Not random.
    Nndsvd,
    /// The same with zeros replaced by the mean of A, as multiplicative updates want it. Not random.
    #[default]
    Nndsvda,
    /// |N(0, 1)|·√(mean of A / rank) for every entry.
    Random,
    /// Given factors: W `[rows, rank]` and H `[rank, columns]`.
    Given(Dense, Dense),
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
/// | `tolerance` | 1e-5 | when to stop before that; see [`Stop`](super::Stop) | ≥ 0 |
/// | `seed` | 0 | of a random start | |
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NmfOptions {
    /// Number of components: columns of W and rows of H.
    pub rank: usize,
    /// What is minimized.
    pub problem: NmfObjective,
    /// How it is lowered.
    pub solver: NmfMethod,
    /// Where W and H begin.
    pub start: NmfInit,
    /// Iterations at most, each an update of W and then of H.
    pub max_iterations: usize,
    /// When to stop; 0 for all iterations.
    pub tolerance: f64,
    /// Seed of a random start.
    pub seed: u64,
}

impl NmfOptions {
    /// `rank` components, all else at its default.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            problem: NmfObjective::default(),
            solver: NmfMethod::default(),
            start: NmfInit::default(),
            max_iterations: 200,
            tolerance: 1e-5,
            seed: 0,
        }
    }
}
