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

use super::dot_product::{DotProduct, Places, SideTables};
use super::nmf::{self, Descent, Divergence, Factors, NmfConfig, Problem, Zeros};
use super::part::{
    Components, Footprint, ModelSize, Refusal, Setup, SolverPart, check_squared, needs_bounds, needs_signs,
};
use super::regularization::Regularization;
use super::solve::Solver;
use super::step::{StepNumber, StepOutcome, StepSums, Stepped};
use super::svd::{self, Svd, SvdConfig};
use crate::config::{Key, KeyKind, Keys, Values, choice};
use crate::data::{Interactions, Role};
use crate::error::{Error, Result};
use crate::linalg::{Dense, Matrix, Sides};
use crate::model::{AnyModel, HostTensor, ModelKind, TableKind};
use crate::objective::Loss;

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
    pub(super) fn svd_of(values: &Values) -> Self {
        Self::Svd {
            method: values.get("solver.method"),
            oversampling: values.find("solver.oversampling"),
            power_iterations: values.get("solver.power_iterations"),
            tolerance: values.get("solver.tolerance"),
        }
    }

    /// HALS as a config asks for it.
    pub(super) fn hals_of(values: &Values) -> Self {
        Self::nmf_of(values, nmf::Solver::Hals, Divergence::Frobenius)
    }

    /// Multiplicative updates as a config asks for them.
    pub(super) fn multiplicative_of(values: &Values) -> Self {
        Self::nmf_of(values, nmf::Solver::Multiplicative, values.get("solver.divergence"))
    }

    fn nmf_of(values: &Values, solver: nmf::Solver, divergence: Divergence) -> Self {
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
    /// random start; `[w, h]` are λ of the user and the item factors. `None` for an SVD.
    pub fn nmf(self, rank: usize, [w, h]: [f64; 2], seed: u64) -> Option<NmfConfig> {
        let Self::Nmf { solver, divergence, zeros, start, user_l1, item_l1, tolerance } = self else { return None };
        // d is half a square where it is the Frobenius norm's.
        let (l1, l2) = match divergence {
            Divergence::Frobenius => (0.5, 1.0),
            Divergence::KullbackLeibler => (1.0, 2.0),
        };
        let problem = Problem {
            divergence,
            zeros,
            w: nmf::Penalty { l1: l1 * user_l1, l2: l2 * w },
            h: nmf::Penalty { l1: l1 * item_l1, l2: l2 * h },
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
    places: Places,
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

    fn work(&self, model: &DotProduct, sides: &Sides<'_>) -> Result<Work> {
        let DotProduct { rank, non_negative, users, items, .. } = model;
        let (rank, non_negative) = (*rank, *non_negative);
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
                let dense = |side: &SideTables| Dense::new(side.num_rows, rank, side.factors.clone());
                let factors = Factors { w: dense(users)?, ht: dense(items)? };
                let lambdas = [users, items].map(|side| self.regularization.of(&side.group(TableKind::Factors)));
                let config = self.method.nmf(rank, lambdas, self.seed).expect("it is one");
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
    ///
    /// # Errors
    /// [`Error::Usage`] for an iteration that does not end.
    fn advance(&mut self) -> Result<Sums> {
        match &mut self.progress {
            Work::Svd { config, found } => {
                let svd = svd::decompose(&self.sides, config)?;
                let explained: f64 = svd.singular_values.iter().map(|value| value * value).sum();
                // Rounding must not make a negative sum of squares of a matrix that is explained to the end.
                let squared = (svd.norm_squared - explained).max(0.0);
                *found = Some(svd);
                Ok(Sums { loss: squared, penalty: 0.0, squared, is_converged: true })
            }
            Work::Nmf { config, descent } => {
                let nmf::Round { divergence, penalty, squared, is_converged } = descent.round(&self.sides, config);
                let times = match config.problem.divergence {
                    Divergence::Frobenius => 2.0,
                    Divergence::KullbackLeibler => 1.0,
                };
                Ok(Sums { loss: times * divergence, penalty: times * penalty, squared, is_converged })
            }
        }
    }

    /// Factors of one side, row by row; `None` before the first step of an SVD.
    fn factors(&self, role: Role) -> Option<Vec<f32>> {
        let factors = match (&self.progress, role) {
            (Work::Nmf { descent, .. }, Role::User) => descent.factors.w.values(),
            (Work::Nmf { descent, .. }, Role::Item) => descent.factors.ht.values(),
            (Work::Svd { found, .. }, Role::Item) => found.as_ref()?.right.values(),
            (Work::Svd { found, .. }, Role::User) => {
                let Svd { left, singular_values, .. } = found.as_ref()?;
                let scales = singular_values.iter().map(|&value| value as f32).cycle();
                return Some(left.values().iter().zip(scales).map(|(value, scale)| value * scale).collect());
            }
        };
        Some(factors.to_vec())
    }

    /// Biases of `num_rows` rows of one side.
    fn biases(&self, role: Role, num_rows: usize) -> Vec<f32> {
        match (&self.progress, role) {
            (Work::Svd { found: Some(Svd { means: Some(means), .. }), .. }, Role::Item) => {
                means.iter().map(|mean| mean - self.offset).collect()
            }
            _ => vec![0.0; num_rows],
        }
    }
}

impl Solver for WholeMatrix {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        let model = DotProduct::read(model, self.method.name())?;
        let [of_users, of_items] = model.columns(train);
        let (num_users, num_items) = (model.users.num_rows, model.items.num_rows);
        let sides = Sides::owning(Matrix::from_cells(num_users, num_items, of_users, of_items, &train.targets)?);
        let progress = self.work(&model, &sides)?;
        self.state = Some(State { sides, offset: model.offset, places: model.places, progress });
        Ok(1)
    }

    fn step(&mut self, model: AnyModel, train: &Interactions, _: StepNumber) -> Stepped {
        let counts_zeros = self.counts_zeros();
        let state = self.state.as_mut().expect("begun");
        let outcome = state.advance().map(|Sums { loss, penalty, squared, is_converged }| {
            let matrix = state.sides.matrix();
            let count = if counts_zeros { matrix.rows() * matrix.columns() } else { train.len() };
            let sums = StepSums::on_host([loss, penalty, squared], count, &model.device());
            StepOutcome { sums, norms: None, is_converged }
        });
        Stepped { model, outcome }
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        let Some(state) = &self.state else { return model };
        let Some((users, items)) = state.factors(Role::User).zip(state.factors(Role::Item)) else { return model };
        let (num_users, num_items) = (state.sides.matrix().rows(), state.sides.matrix().columns());
        state.places.write(model, |role, kind| match (kind, role) {
            (TableKind::Factors, Role::User) => users.clone(),
            (TableKind::Factors, Role::Item) => items.clone(),
            (TableKind::Biases, Role::User) => state.biases(role, num_users),
            (TableKind::Biases, Role::Item) => state.biases(role, num_items),
        })
    }

    fn restore(&mut self, steps: u64, _: &BTreeMap<String, HostTensor>) {
        self.epochs = steps;
    }
}

/// The ratings as one matrix, on the CPU: models that are a dot product, squared loss. See [`WholeMatrix`].
#[derive(Debug, Clone, Copy)]
pub enum WholeMatrixPart {
    /// Truncated SVD.
    Svd,
    /// Non-negative matrix factorization by HALS.
    Hals,
    /// Non-negative matrix factorization by multiplicative updates.
    Multiplicative,
}

impl WholeMatrixPart {
    /// What a config asks for.
    pub(crate) fn method(self, values: &Values) -> MatrixMethod {
        match self {
            Self::Svd => MatrixMethod::svd_of(values),
            Self::Hals => MatrixMethod::hals_of(values),
            Self::Multiplicative => MatrixMethod::multiplicative_of(values),
        }
    }
}

impl SolverPart for WholeMatrixPart {
    fn name(&self) -> &str {
        match self {
            Self::Svd => "svd",
            Self::Hals => "hals",
            Self::Multiplicative => "multiplicative",
        }
    }

    fn keys(&self, models: &[ModelKind]) -> Keys {
        let nmf = |keys: Keys, epochs: &str| {
            MatrixMethod::nmf_keys()
                .and(keys)
                .and(Regularization::optional_factor_keys())
                .default_for("solver.regularization.<entity>_factors", "0.0")
                .default_for("train.epochs", epochs)
                .rule(needs_bounds(models))
                .rule(check_squared)
        };
        match self {
            Self::Svd => {
                MatrixMethod::svd_keys().default_for("train.epochs", "1").rule(needs_signs(models)).rule(check_squared)
            }
            Self::Hals => nmf(Keys::default(), "200"),
            Self::Multiplicative => nmf(MatrixMethod::divergence_keys(), "20"),
        }
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        let (loss, regularization) = (setup.loss(self.name())?, Regularization::of_config(values));
        Ok(Box::new(WholeMatrix::new(loss, regularization, self.method(values), setup.seed)))
    }

    fn refusal(&self, _: &Values) -> Refusal {
        let is_nmf = !matches!(self, Self::Svd);
        Box::new(move |target| {
            (is_nmf && target < 0.0).then_some("nmf makes sums of what is at least 0; use mf with svd or als")
        })
    }

    fn zeros(&self, values: &Values) -> Zeros {
        self.method(values).zeros()
    }

    fn components(&self) -> Components {
        match self {
            Self::Svd => Components::SingularVectors,
            _ => Components::Factors,
        }
    }

    fn nmf(&self, values: &Values, rank: usize, seed: u64) -> Result<NmfConfig> {
        let method = self.method(values);
        let lambdas = ["user", "item"].map(|entity| format!("solver.regularization.{entity}_factors"));
        let nmf = method.nmf(rank, lambdas.map(|path| values.find(&path).unwrap_or(0.0)), seed);
        let nmf = nmf.ok_or_else(|| Error::Usage("an SVD has one result, with which it always agrees".into()))?;
        let max_iterations = values.get::<usize>("train.epochs") * method.iterations_of_an_epoch();
        Ok(NmfConfig { max_iterations, ..nmf })
    }

    fn footprint(&self, _: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { parameters, train, .. } = *size;
        // Rows and columns of the matrix, the factors, the new model beside the old one, and a few matrices as tall.
        Footprint { copies: parameters, moments: 0, lasting: 4 * train, in_step: 4 * parameters }
    }
}
