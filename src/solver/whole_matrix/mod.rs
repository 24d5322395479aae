//! Solvers for the ratings as one matrix: truncated SVD and non-negative matrix factorization.
//!
//! Users are rows and items columns of A, and user factors P and item factors Q become A ≈ P·Qᵀ.
//!
//! **[SVD](super::svd)** in a single step: P = U·diag(σ), Q = V. Cells that are not in the data are zeros. For `mf`; with
//! `biased-mf` the mean of each column is subtracted first (principal components), which its item biases then hold, while
//! user biases are 0.
//!
//! **[NMF](super::nmf)** for `nmf`: an epoch is one iteration of HALS, or ten multiplicative updates, after which their
//! objective is checked. Its penalty is that of the other solvers, λ‖row‖² per cell: with the Frobenius norm this is
//! twice the objective of NMF, with the Kullback–Leibler divergence the objective itself.
//!
//! Both run on the CPU, with bitwise equal results for any number of threads.

mod method;
mod part;
mod projection;

use std::collections::BTreeMap;

pub use self::method::{MatrixMethod, NmfStart};
pub use self::part::WholeMatrixPart;
use super::dot_product::{DotProduct, ParameterRoles, SideTables};
use super::nmf::{self, Descent, Divergence, Factors, NmfOptions, Zeros};
use super::regularization::Regularization;
use super::solve::Solver;
use super::step::{StepNumber, StepOutcome, StepSums, Stepped};
use super::svd::{self, Svd, SvdConfig};
use crate::data::{Interactions, Role};
use crate::error::{Error, Result};
use crate::linalg::{Dense, Matrix, Sides};
use crate::model::{AnyModel, HostTensor, TableKind};
use crate::objective::Loss;

/// The solver. Its only state between epochs is the parameters.
pub struct WholeMatrix {
    loss: Loss,
    regularization: Regularization,
    method: MatrixMethod,
    seed: u64,
    /// Epochs done before this solver began.
    epochs: u64,
    /// Everything that training changes, once it has begun.
    state: Option<State>,
}

struct State {
    sides: Sides<'static>,
    /// μ of the model.
    offset: f32,
    places: ParameterRoles,
    progress: Progress,
}

enum Progress {
    Svd { config: SvdConfig, found: Option<Svd> },
    Nmf { config: NmfOptions, descent: Box<Descent> },
}

/// Sums over the cells that count.
struct Sums {
    loss: f64,
    penalty: f64,
    squared: f64,
    is_converged: bool,
}

impl WholeMatrix {
    /// A solver for squared loss before training.
    pub fn new(loss: Loss, regularization: Regularization, method: MatrixMethod, seed: u64) -> Self {
        Self { loss, regularization, method, seed, epochs: 0, state: None }
    }

    fn work(&self, model: &DotProduct, sides: &Sides<'_>) -> Result<Progress> {
        let DotProduct { rank, non_negative, users, items, .. } = model;
        let (rank, non_negative) = (*rank, *non_negative);
        let name = self.method.name();
        if !matches!(self.loss, Loss::Squared(_)) {
            return Err(Error::Usage(format!("the {name} solver supports only squared loss")));
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
                Ok(Progress::Svd { config, found: None })
            }
            MatrixMethod::Nmf { .. } if !non_negative || has_biases => {
                Err(Error::Usage(format!("the {name} solver supports only nmf, whose factors are at least 0")))
            }
            MatrixMethod::Nmf { start, .. } => {
                let dense = |side: &SideTables| Dense::new(side.num_rows, rank, side.factors.clone());
                let factors = Factors { w: dense(users)?, ht: dense(items)? };
                let lambdas = [users, items].map(|side| self.regularization.of(&side.group(TableKind::Factors)));
                let config = self.method.nmf(rank, lambdas, self.seed).expect("it is one");
                let config = match start {
                    NmfStart::Model => {
                        NmfOptions { start: nmf::NmfInit::Given(factors.w.clone(), factors.ht.transposed()), ..config }
                    }
                    _ => config,
                };
                let descent = match self.epochs {
                    0 => Descent::start(sides, &config)?,
                    _ => Descent::at(sides, &config, factors, 0),
                };
                Ok(Progress::Nmf { config, descent: Box::new(descent) })
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
    /// [`Error::Usage`] for an iteration that does not terminate.
    fn advance(&mut self) -> Result<Sums> {
        match &mut self.progress {
            Progress::Svd { config, found } => {
                let svd = svd::decompose(&self.sides, config)?;
                let explained: f64 = svd.singular_values.iter().map(|value| value * value).sum();
                // Rounding must not make the sum of squares negative for a matrix that is explained completely.
                let squared = (svd.norm_squared - explained).max(0.0);
                *found = Some(svd);
                Ok(Sums { loss: squared, penalty: 0.0, squared, is_converged: true })
            }
            Progress::Nmf { config, descent } => {
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
            (Progress::Nmf { descent, .. }, Role::User) => descent.factors.w.values(),
            (Progress::Nmf { descent, .. }, Role::Item) => descent.factors.ht.values(),
            (Progress::Svd { found, .. }, Role::Item) => found.as_ref()?.right.values(),
            (Progress::Svd { found, .. }, Role::User) => {
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
            (Progress::Svd { found: Some(Svd { means: Some(means), .. }), .. }, Role::Item) => {
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
