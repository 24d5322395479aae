//! How the matrix is factorized, and the config keys for it.

use crate::config::{Key, KeyKind, Keys, Values, choice};
use crate::solver::nmf::{self, Divergence, NmfObjective, NmfOptions, Zeros};
use crate::solver::svd;

/// How a matrix is factorized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MatrixMethod {
    /// Truncated singular value decomposition.
    Svd {
        /// Exact or randomized.
        method: svd::Method,
        /// Columns of the random basis beyond the rank; `None` for 10 + rank / 2.
        oversampling: Option<usize>,
        /// Power iterations at most.
        power_iterations: usize,
        /// When to stop before that; see [`svd::SvdConfig::tolerance`].
        tolerance: f64,
    },
    /// Non-negative matrix factorization.
    Nmf {
        /// How the objective is minimized.
        solver: nmf::NmfMethod,
        /// How the distance of P·Qᵀ from A is measured.
        divergence: Divergence,
        /// How cells that are not in the data are treated.
        zeros: Zeros,
        /// Initial factors.
        start: NmfStart,
        /// Weight of ‖p‖₁, per cell.
        user_l1: f64,
        /// Weight of ‖q‖₁, per cell.
        item_l1: f64,
        /// When to stop; see [`nmf::Stop`].
        tolerance: f64,
    },
}

choice! {
    /// The initial factors of a non-negative factorization.
    pub enum NmfStart {
        /// Non-negative double SVD.
        Nndsvd = "nndsvd",
        /// The same with the mean of A in place of zeros.
        Nndsvda = "nndsvda",
        /// Those of the model.
        Model = "model",
    }
}

/// `solver.tolerance`.
fn tolerance_key() -> Key {
    let meaning = "When to stop: svd, no singular value grew by more than this fraction of itself; hals, the parts of \
                   the gradient cancel to this fraction; multiplicative, the objective fell by less than this fraction \
                   of itself in ten iterations.";
    Key::new("solver.tolerance", KeyKind::NOT_NEGATIVE, meaning).default("1e-5")
}

impl MatrixMethod {
    /// The config keys of an SVD.
    pub(super) fn svd_keys() -> Keys {
        let method =
            "Exact, or randomized (Halko, Martinsson & Tropp 2011); \"auto\" is exact if a side is at most 128.";
        let oversampling = "Columns of the random basis beyond the rank; 10 + rank / 2 if absent. More columns need \
                            fewer iterations.";
        Keys::new([
            Key::new("solver.method", KeyKind::choice(svd::Method::NAMES.to_vec()), method).default("'auto'"),
            Key::new("solver.oversampling", KeyKind::ANY_COUNT, oversampling),
            Key::new("solver.power_iterations", KeyKind::ANY_COUNT, "Power iterations at most.").default("100"),
            tolerance_key(),
        ])
    }

    /// The config keys of a non-negative factorization.
    pub(super) fn nmf_keys() -> Keys {
        let zeros = "How a cell that is not in the data is treated: as a zero to be fitted, or as missing.";
        let start = "Initial factors: \"nndsvd\" (Boutsidis & Gallopoulos 2008), \"nndsvda\", the same with the mean \
                     in place of zeros, or \"model\", random as in model.init.";
        let l1 = "Weight of the sum of <entity> factors, per cell.";
        Keys::new([
            Key::new("solver.zeros", KeyKind::choice(Zeros::NAMES.to_vec()), zeros).default("'data'"),
            Key::new("solver.start", KeyKind::choice(NmfStart::NAMES.to_vec()), start).default("'nndsvda'"),
            tolerance_key(),
            Key::new("solver.regularization.<entity>_l1", KeyKind::NOT_NEGATIVE, l1).default("0.0"),
        ])
    }

    /// The further config keys of multiplicative updates.
    pub(super) fn divergence_keys() -> Keys {
        let meaning = "What is minimized: half the squared difference, or the Kullback-Leibler divergence of counts.";
        let kind = KeyKind::choice(Divergence::NAMES.to_vec());
        Key::new("solver.divergence", kind, meaning).default("'frobenius'").into()
    }

    /// An SVD as set in a config.
    pub(super) fn svd_of(values: &Values) -> Self {
        Self::Svd {
            method: values.get("solver.method"),
            oversampling: values.find("solver.oversampling"),
            power_iterations: values.get("solver.power_iterations"),
            tolerance: values.get("solver.tolerance"),
        }
    }

    /// HALS as set in a config.
    pub(super) fn hals_of(values: &Values) -> Self {
        Self::nmf_of(values, nmf::NmfMethod::Hals, Divergence::Frobenius)
    }

    /// Multiplicative updates as set in a config.
    pub(super) fn multiplicative_of(values: &Values) -> Self {
        Self::nmf_of(values, nmf::NmfMethod::Multiplicative, values.get("solver.divergence"))
    }

    fn nmf_of(values: &Values, solver: nmf::NmfMethod, divergence: Divergence) -> Self {
        Self::Nmf {
            solver,
            divergence,
            zeros: values.get("solver.zeros"),
            start: values.get("solver.start"),
            user_l1: values.get("solver.regularization.user_l1"),
            item_l1: values.get("solver.regularization.item_l1"),
            tolerance: values.get("solver.tolerance"),
        }
    }

    /// How cells that are not in the data are treated.
    pub fn zeros(self) -> Zeros {
        match self {
            Self::Svd { .. } => Zeros::Data,
            Self::Nmf { zeros, .. } => zeros,
        }
    }

    /// The options of this non-negative factorization, except the number of iterations; with [`NmfStart::Model`] from a
    /// random start; `[w, h]` are λ of the user and the item factors. `None` for an SVD.
    pub fn nmf(self, rank: usize, [w, h]: [f64; 2], seed: u64) -> Option<NmfOptions> {
        let Self::Nmf { solver, divergence, zeros, start, user_l1, item_l1, tolerance } = self else { return None };
        // d is half a square for the Frobenius norm.
        let (l1, l2) = match divergence {
            Divergence::Frobenius => (0.5, 1.0),
            Divergence::KullbackLeibler => (1.0, 2.0),
        };
        let problem = NmfObjective {
            divergence,
            zeros,
            w: nmf::Penalty { l1: l1 * user_l1, l2: l2 * w },
            h: nmf::Penalty { l1: l1 * item_l1, l2: l2 * h },
        };
        let start = match start {
            NmfStart::Nndsvd => nmf::NmfInit::Nndsvd,
            NmfStart::Nndsvda => nmf::NmfInit::Nndsvda,
            NmfStart::Model => nmf::NmfInit::Random,
        };
        Some(NmfOptions { problem, solver, start, tolerance, seed, ..NmfOptions::new(rank) })
    }

    /// Updates of both factors per epoch; an SVD takes one.
    pub fn iterations_of_an_epoch(self) -> usize {
        match self {
            Self::Nmf { solver: nmf::NmfMethod::Multiplicative, .. } => nmf::LOOK,
            _ => 1,
        }
    }

    /// Its name in configs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Svd { .. } => "svd",
            Self::Nmf { solver: nmf::NmfMethod::Hals, .. } => "hals",
            Self::Nmf { solver: nmf::NmfMethod::Multiplicative, .. } => "multiplicative",
        }
    }
}
