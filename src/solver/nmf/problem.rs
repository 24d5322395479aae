//! What a non-negative factorization minimizes.

use crate::config::choice;

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

impl Divergence {
    /// d(a, p).
    pub(super) fn of(self, a: f64, p: f64) -> f64 {
        match self {
            Self::Frobenius => 0.5 * (a - p).powi(2),
            Self::KullbackLeibler if a == 0.0 => p,
            // p stems from factors in f32; their logarithm is good enough, and twice as fast.
            Self::KullbackLeibler => a * f64::from(((a / p) as f32).ln()) - a + p,
        }
    }
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
pub struct NmfObjective {
    /// The distance of W·H from A.
    pub divergence: Divergence,
    /// What cells that are not stored mean.
    pub zeros: Zeros,
    /// Penalty on W.
    pub w: Penalty,
    /// Penalty on H.
    pub h: Penalty,
}
