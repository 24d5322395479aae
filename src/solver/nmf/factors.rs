//! The factors, and what an iteration of them tells.

use crate::linalg::Dense;

/// Both factors by their long sides, so that each cell of A meets a row of each.
#[derive(Debug, Clone)]
pub(in crate::solver) struct Factors {
    /// W: `[rows, rank]`.
    pub w: Dense,
    /// Hᵀ: `[columns, rank]`.
    pub ht: Dense,
}

/// What one iteration tells.
pub(super) struct Iterated {
    /// The objective, if it was computed.
    pub objective: Option<f64>,
    /// Whether `tolerance` is reached; see [`Stop::Converged`](super::Stop::Converged).
    pub is_converged: bool,
}
