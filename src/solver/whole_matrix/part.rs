//! SVD and NMF in configs.

use super::projection::{Penalty, Projection};
use super::{MatrixMethod, WholeMatrix};
use crate::config::{Keys, Values, is};
use crate::data::{ITEM, Role, USER};
use crate::error::{Error, Result};
use crate::model::{AnyModel, ModelKind};
use crate::solver::als::OneSide;
use crate::solver::combinations::{check_squared, needs_bounds, needs_signs};
use crate::solver::nmf::{NmfOptions, Zeros};
use crate::solver::part::{Components, Footprint, Misfit, ModelSize, Setup, SolverPart};
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;
use crate::solver::svd;

/// The ratings as one matrix, on the CPU: for dot-product models and squared loss. See [`WholeMatrix`].
#[derive(Debug, Clone, Copy)]
pub enum WholeMatrixPart {
    /// Truncated SVD of the whole matrix, A ≈ U·diag(σ)·Vᵀ, exact or randomized (Halko, Martinsson & Tropp 2011).
    ///
    /// For `mf`, with P = U·diag(σ) and Q = V; with `biased-mf`, the mean of each column is subtracted first. Cells that are
    /// not in the data are zeros, and a sparse matrix stays sparse.
    Svd,
    /// Non-negative factorization of the whole matrix by coordinate descent (HALS: Cichocki & Phan 2009).
    ///
    /// For `nmf` and squared error, with L1 and L2 penalties, from a start by NNDSVD or at random. Cells that are not in the
    /// data are zeros, or missing.
    Hals,
    /// Non-negative factorization of the whole matrix by multiplicative updates (Lee & Seung 2001).
    ///
    /// As HALS, but also for the Kullback–Leibler divergence Σ a·ln(a/p) − a + p.
    Multiplicative,
}

/// The key that says how data are divided. A cell that is held out is a zero to whoever takes cells that are not there for
/// zeros: the factors would be those of another matrix.
const SPLIT: &str = "data.split.kind";

impl WholeMatrixPart {
    /// The method set in a config.
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

    fn takes_repeats(&self) -> bool {
        false
    }

    fn takes_start(&self, values: &Values) -> bool {
        values.is("solver.start", "model")
    }

    fn keys(&self, models: &[ModelKind]) -> Keys {
        let nmf = |keys: Keys, epochs: &str| {
            MatrixMethod::nmf_keys()
                .and(keys)
                .and(Regularization::optional_factor_keys())
                .default_for("solver.regularization.<entity>_factors", "0.0")
                .default_for("train.epochs", epochs)
                .default_for_if(SPLIT, is("solver.zeros", [Zeros::Data.name()]), "'none'")
                .rule(needs_bounds(models))
                .rule(check_squared)
        };
        match self {
            Self::Svd => {
                let keys = MatrixMethod::svd_keys().default_for("train.epochs", "1").default_for(SPLIT, "'none'");
                keys.rule(needs_signs(models)).rule(check_squared)
            }
            Self::Hals => nmf(Keys::default(), "200"),
            Self::Multiplicative => nmf(MatrixMethod::divergence_keys(), "20"),
        }
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        let (loss, regularization) = (setup.loss(self.name())?, Regularization::of_config(values));
        Ok(Box::new(WholeMatrix::new(loss, regularization, self.method(values), setup.seed)))
    }

    fn fold_in(&self, values: &Values, _: &Setup, role: Role, _: &AnyModel) -> Result<Box<dyn Solver>> {
        let (side, field) = match role {
            Role::User => ("user", USER),
            Role::Item => ("item", ITEM),
        };
        let of = |kind: &str| values.find(&format!("solver.regularization.{side}_{kind}")).unwrap_or(0.0);
        let penalty = Penalty { l1: of("l1"), l2: of("factors") };
        Ok(Box::new(Projection::new(self.zeros(values), penalty, role, field)))
    }

    fn linear(&self, _: &Values, _: &Setup, _: Role, _: &AnyModel) -> Result<Option<OneSide>> {
        Ok(None)
    }

    fn zeros(&self, values: &Values) -> Zeros {
        self.method(values).zeros()
    }

    fn remedies(&self, _: &Values, misfit: Misfit) -> Vec<&'static str> {
        match (self, misfit) {
            (_, Misfit::Over) => vec!["lower model.rank"],
            (Self::Svd, Misfit::Under) => vec!["raise model.rank"],
            (_, Misfit::Under) => vec!["raise model.rank", "raise train.epochs"],
        }
    }

    fn components(&self) -> Components {
        match self {
            Self::Svd => Components::SingularVectors,
            _ => Components::Factors,
        }
    }

    fn nmf(&self, values: &Values, rank: usize, seed: u64) -> Result<NmfOptions> {
        let method = self.method(values);
        let lambdas = ["user", "item"].map(|entity| format!("solver.regularization.{entity}_factors"));
        let nmf = method.nmf(rank, lambdas.map(|path| values.find(&path).unwrap_or(0.0)), seed);
        let nmf =
            nmf.ok_or_else(|| Error::Usage("the result of an SVD is unique, so a consensus says nothing".into()))?;
        let max_iterations = values.get::<usize>("train.epochs") * method.iterations_of_an_epoch();
        Ok(NmfOptions { max_iterations, ..nmf })
    }

    fn footprint(&self, values: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { users, items, parameters, train, .. } = *size;
        let exact = match self.method(values) {
            MatrixMethod::Svd { method, .. } if method.is_exact(users, items) => svd::exact_footprint(users, items),
            _ => 0,
        };
        // Rows and columns of the matrix, the factors, the new model beside the old one, and a few matrices as tall.
        Footprint { copies: parameters, moments: 0, lasting: 4 * train, in_step: exact.max(4 * parameters) }
    }

    fn memory_remedies(&self, values: &Values) -> Vec<&'static str> {
        match self.method(values) {
            MatrixMethod::Svd { method: svd::Method::Exact, .. } => vec!["set solver.method = \"randomized\""],
            _ => Vec::new(),
        }
    }
}
