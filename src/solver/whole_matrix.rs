//! Solvers of the ratings as one matrix: truncated SVD and non-negative matrix factorization.
//!
//! Users are rows and items columns of A, and user factors P and item factors Q become A ≈ P·Qᵀ.
//!
//! **[SVD](super::svd)** in a single step: P = U·diag(σ), Q = V. Cells that are not in the data are zeros. For `mf`; with
//! `biased-mf` the mean of each column is subtracted first (principal components), which its item biases then hold, while
//! user biases are 0.
//!
//! **[NMF](super::nmf)** for `nmf`: an epoch is one iteration of HALS, or ten multiplicative updates, after which their
//! objective is looked at. Its penalty is that of the other solvers, λ‖row‖² a cell: with the Frobenius norm this is the
//! objective of NMF times two, with the Kullback–Leibler divergence once.
//!
//! Both run on the CPU with the same bytes for any number of threads.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::dot_product::{self, DotProduct};
use super::nmf::{self, Descent, Divergence, Factors, NmfConfig, Problem, Zeros};
use super::regularization::Regularization;
use super::step::StepSums;
use super::svd::{self, Svd, SvdConfig};
use super::{Place, Solver, Stepped};
use crate::config::{Key, KeyKind, Keys, Values as Config, choice};
use crate::data::Ratings;
use crate::error::{Error, Result};
use crate::linalg::{Dense, Sides};
use crate::loss::Loss;
use crate::model::parameters::{Values, device};
use crate::model::{Column, Factorization, Group, Kind};

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
        /// When to stop before that; see [`SvdConfig::tolerance`].
        tolerance: f64,
    },
    /// Non-negative matrix factorization.
    Nmf {
        /// How the objective is lowered.
        solver: nmf::Solver,
        /// How the distance of P·Qᵀ from A is measured.
        divergence: Divergence,
        /// What cells that are not in the data mean.
        zeros: Zeros,
        /// Where factors begin.
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
    /// Where the factors of a non-negative factorization begin.
    pub enum NmfStart {
        /// Non-negative double SVD.
        Nndsvd = "nndsvd",
        /// The same with the mean of A in the place of zeros.
        Nndsvda = "nndsvda",
        /// Where the model begins.
        Model = "model",
    }
}

/// `solver.tolerance`.
fn tolerance_key() -> Key {
    let meaning = "When to stop: svd, no singular value grew by more than this part of itself; hals, the parts of the \
                   gradient cancel to this; multiplicative, the objective fell by less than this part of itself in ten \
                   iterations.";
    Key::new("solver.tolerance", KeyKind::NOT_NEGATIVE, meaning).default("1e-5")
}

impl MatrixMethod {
    /// The config keys of an SVD.
    pub(super) fn svd_keys() -> Keys {
        let method =
            "Exact, or randomized (Halko, Martinsson & Tropp 2011); \"auto\" is exact where a side is at most 128.";
        let oversampling = "Columns of the random basis beyond the rank; 10 + rank / 2 where absent. More columns need fewer \
                            iterations.";
        Keys::new([
            Key::new("solver.method", KeyKind::choice(svd::Method::NAMES.to_vec()), method).default("'auto'"),
            Key::new("solver.oversampling", KeyKind::ANY_COUNT, oversampling),
            Key::new("solver.power_iterations", KeyKind::ANY_COUNT, "Power iterations at most.").default("100"),
            tolerance_key(),
        ])
    }

    /// The config keys of a non-negative factorization.
    pub(super) fn nmf_keys() -> Keys {
        let zeros = "What a cell that is not in the data means: a zero to be fitted, or nothing.";
        let start = "Where factors begin: \"nndsvd\" (Boutsidis & Gallopoulos 2008), \"nndsvda\", the same with the mean in \
                     the place of zeros, or \"model\", at random as model.init says.";
        let l1 = "Weight of the sum of <entity> factors, per cell.";
        Keys::new([
            Key::new("solver.zeros", KeyKind::choice(Zeros::NAMES.to_vec()), zeros).default("'data'"),
            Key::new("solver.start", KeyKind::choice(NmfStart::NAMES.to_vec()), start).default("'nndsvda'"),
            tolerance_key(),
            Key::new("solver.regularization.<entity>_l1", KeyKind::NOT_NEGATIVE, l1).default("0.0"),
        ])
    }

    /// The config keys of multiplicative updates beside these.
    pub(super) fn divergence_keys() -> Keys {
        let meaning = "What is lowered: half the squared difference, or the Kullback-Leibler divergence of counts.";
        let kind = KeyKind::choice(Divergence::NAMES.to_vec());
        Key::new("solver.divergence", kind, meaning).default("'frobenius'").into()
    }

    /// An SVD as a config asks for it.
    pub(super) fn svd_of(values: &Config) -> Self {
        Self::Svd {
            method: values.get("solver.method"),
            oversampling: values.find("solver.oversampling"),
            power_iterations: values.get("solver.power_iterations"),
            tolerance: values.get("solver.tolerance"),
        }
    }

    /// HALS as a config asks for it.
    pub(super) fn hals_of(values: &Config) -> Self {
        Self::nmf_of(values, nmf::Solver::Hals, Divergence::Frobenius)
    }

    /// Multiplicative updates as a config asks for them.
    pub(super) fn multiplicative_of(values: &Config) -> Self {
        Self::nmf_of(values, nmf::Solver::Multiplicative, values.get("solver.divergence"))
    }

    fn nmf_of(values: &Config, solver: nmf::Solver, divergence: Divergence) -> Self {
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

    /// What cells that are not in the data mean.
    pub fn zeros(self) -> Zeros {
        match self {
            Self::Svd { .. } => Zeros::Data,
            Self::Nmf { zeros, .. } => zeros,
        }
    }

    /// The non-negative factorization that this is, but for the number of iterations; with [`NmfStart::Model`] from a
    /// random start. `None` for an SVD.
    pub fn nmf(self, rank: usize, regularization: &Regularization, seed: u64) -> Option<NmfConfig> {
        let Self::Nmf { solver, divergence, zeros, start, user_l1, item_l1, tolerance } = self else { return None };
        // d is half a square where it is the Frobenius norm's.
        let (l1, l2) = match divergence {
            Divergence::Frobenius => (0.5, 1.0),
            Divergence::KullbackLeibler => (1.0, 2.0),
        };
        let problem = Problem {
            divergence,
            zeros,
            w: nmf::Penalty { l1: l1 * user_l1, l2: l2 * regularization.user_factors },
            h: nmf::Penalty { l1: l1 * item_l1, l2: l2 * regularization.item_factors },
        };
        let start = match start {
            NmfStart::Nndsvd => nmf::Start::Nndsvd,
            NmfStart::Nndsvda => nmf::Start::Nndsvda,
            NmfStart::Model => nmf::Start::Random,
        };
        Some(NmfConfig { problem, solver, start, tolerance, seed, ..NmfConfig::new(rank) })
    }

    /// Updates of both factors in an epoch; an SVD is made in one.
    pub fn iterations_of_an_epoch(self) -> usize {
        match self {
            Self::Nmf { solver: nmf::Solver::Multiplicative, .. } => nmf::LOOK,
            _ => 1,
        }
    }

    /// What configs call it.
    fn name(self) -> &'static str {
        match self {
            Self::Svd { .. } => "svd",
            Self::Nmf { solver: nmf::Solver::Hals, .. } => "hals",
            Self::Nmf { solver: nmf::Solver::Multiplicative, .. } => "multiplicative",
        }
    }
}

/// The solver. It remembers nothing between epochs but the parameters.
pub struct WholeMatrix {
    loss: Loss,
    regularization: Regularization,
    method: MatrixMethod,
    seed: u64,
    /// Epochs done before this began.
    epochs: u64,
    /// Everything that training moves, once it has begun.
    state: Option<State>,
}

struct State {
    sides: Sides<'static>,
    /// μ of the model.
    offset: f32,
    progress: Work,
}

enum Work {
    Svd { config: SvdConfig, found: Option<Svd> },
    Nmf { config: NmfConfig, descent: Box<Descent> },
}

/// Sums over the cells that count.
struct Sums {
    loss: f64,
    penalty: f64,
    squared: f64,
    is_converged: bool,
}

impl WholeMatrix {
    /// A solver for squared loss that has seen nothing yet.
    pub fn new(loss: Loss, regularization: Regularization, method: MatrixMethod, seed: u64) -> Self {
        Self { loss, regularization, method, seed, epochs: 0, state: None }
    }

    fn work(&self, model: DotProduct, sides: &Sides<'_>) -> Result<Work> {
        let DotProduct { rank, non_negative, users, items, .. } = model;
        let name = self.method.name();
        if !matches!(self.loss, Loss::Squared(_)) {
            return Err(Error::Usage(format!("the {name} solver is for squared loss")));
        }
        let has_biases = users.biases.is_some();
        match self.method {
            MatrixMethod::Svd { .. } if non_negative => Err(Error::Usage(
                "singular vectors have both signs; factorize with mf or biased-mf, or nmf with hals".into(),
            )),
            MatrixMethod::Svd { method, oversampling, power_iterations, tolerance } => {
                let config = SvdConfig::new(rank);
                let oversampling = oversampling.unwrap_or(config.oversampling);
                let (seed, centre) = (self.seed, has_biases);
                let config = SvdConfig { method, centre, oversampling, power_iterations, tolerance, seed, ..config };
                svd::check(sides.matrix(), &config)?;
                Ok(Work::Svd { config, found: None })
            }
            MatrixMethod::Nmf { .. } if !non_negative || has_biases => {
                Err(Error::Usage(format!("the {name} solver is for nmf, whose factors are at least 0")))
            }
            MatrixMethod::Nmf { start, .. } => {
                let dense = |factors: Vec<f32>, num_rows: usize| Dense::new(num_rows, rank, factors);
                let factors =
                    Factors { w: dense(users.factors, users.num_rows)?, ht: dense(items.factors, items.num_rows)? };
                let config = self.method.nmf(rank, &self.regularization, self.seed).expect("it is one");
                let config = match start {
                    NmfStart::Model => {
                        NmfConfig { start: nmf::Start::Given(factors.w.clone(), factors.ht.transposed()), ..config }
                    }
                    _ => config,
                };
                let descent = match self.epochs {
                    0 => Descent::start(sides, &config)?,
                    _ => Descent::at(sides, &config, factors, 0),
                };
                Ok(Work::Nmf { config, descent: Box::new(descent) })
            }
        }
    }

    fn counts_zeros(&self) -> bool {
        !matches!(self.method, MatrixMethod::Nmf { zeros: Zeros::Missing, .. })
    }
}

impl State {
    /// One epoch.
    fn advance(&mut self) -> Sums {
        match &mut self.progress {
            Work::Svd { config, found } => {
                // What can be refused was, before the first step; what is left is an iteration that does not end.
                let Ok(svd) = svd::decompose(&self.sides, config) else {
                    return Sums { loss: f64::NAN, penalty: 0.0, squared: f64::NAN, is_converged: false };
                };
                let explained: f64 = svd.singular_values.iter().map(|value| value * value).sum();
                // Rounding must not make a negative sum of squares of a matrix that is explained to the end.
                let squared = (svd.norm_squared - explained).max(0.0);
                *found = Some(svd);
                Sums { loss: squared, penalty: 0.0, squared, is_converged: true }
            }
            Work::Nmf { config, descent } => {
                let nmf::Round { divergence, penalty, squared, is_converged } = descent.round(&self.sides, config);
                let times = match config.problem.divergence {
                    Divergence::Frobenius => 2.0,
                    Divergence::KullbackLeibler => 1.0,
                };
                Sums { loss: times * divergence, penalty: times * penalty, squared, is_converged }
            }
        }
    }

    /// Factors of one side, row by row; `None` before the first step of an SVD.
    fn factors(&self, column: Column) -> Option<Vec<f32>> {
        let factors = match (&self.progress, column) {
            (Work::Nmf { descent, .. }, Column::User) => descent.factors.w.values(),
            (Work::Nmf { descent, .. }, Column::Item) => descent.factors.ht.values(),
            (Work::Svd { found, .. }, Column::Item) => found.as_ref()?.right.values(),
            (Work::Svd { found, .. }, Column::User) => {
                let Svd { left, singular_values, .. } = found.as_ref()?;
                let scales = singular_values.iter().map(|&value| value as f32).cycle();
                return Some(left.values().iter().zip(scales).map(|(value, scale)| value * scale).collect());
            }
        };
        Some(factors.to_vec())
    }

    /// Biases of `num_rows` rows of one side.
    fn biases(&self, column: Column, num_rows: usize) -> Vec<f32> {
        match (&self.progress, column) {
            (Work::Svd { found: Some(Svd { means: Some(means), .. }), .. }, Column::Item) => {
                means.iter().map(|mean| mean - self.offset).collect()
            }
            _ => vec![0.0; num_rows],
        }
    }
}

impl<M: Factorization> Solver<M> for WholeMatrix {
    fn begin(&mut self, model: &M, train: &Ratings) -> Result<u64> {
        let model = DotProduct::read(model, self.method.name())?;
        let matrix = train.to_matrix(model.users.num_rows, model.items.num_rows)?;
        let sides = Sides::owning(matrix);
        let offset = model.offset;
        let progress = self.work(model, &sides)?;
        self.state = Some(State { sides, offset, progress });
        Ok(1)
    }

    fn step(&mut self, model: M, train: &Ratings, _: Place, _: f64) -> Stepped<M> {
        let counts_zeros = self.counts_zeros();
        let state = self.state.as_mut().expect("begun");
        let Sums { loss, penalty, squared, is_converged } = state.advance();
        let matrix = state.sides.matrix();
        let count = if counts_zeros { matrix.rows() * matrix.columns() } else { train.len() };
        let sums = [loss, penalty, squared].map(|sum| sum as f32);
        let sums = Tensor::from_floats(sums, &device(&model).without_autodiff());
        Stepped { model, sums: StepSums { sums, count }, norms: None, is_converged }
    }

    fn settle(&self, model: M) -> M {
        let Some(state) = &self.state else { return model };
        let Some((users, items)) = state.factors(Column::User).zip(state.factors(Column::Item)) else { return model };
        let (num_users, num_items) = (state.sides.matrix().rows(), state.sides.matrix().columns());
        dot_product::write(model, |Group { column, kind }| match (kind, column) {
            (Kind::Factors, Column::User) => users.clone(),
            (Kind::Factors, Column::Item) => items.clone(),
            (_, Column::User) => state.biases(column, num_users),
            (_, Column::Item) => state.biases(column, num_items),
        })
    }

    fn memory(&self) -> BTreeMap<String, Values> {
        BTreeMap::new()
    }

    fn restore(&mut self, steps: u64, _: &BTreeMap<String, Values>) {
        self.epochs = steps;
    }
}
