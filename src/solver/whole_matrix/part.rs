//! SVD and NMF in configs.

use super::{MatrixMethod, WholeMatrix};
use crate::config::{Keys, Values};
use crate::error::{Error, Result};
use crate::model::ModelKind;
use crate::solver::nmf::{NmfOptions, Zeros};
use crate::solver::part::{
    Components, Footprint, ModelSize, Refusal, Setup, SolverPart, check_squared, needs_bounds, needs_signs,
};
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;

/// The ratings as one matrix, on the CPU: for dot-product models and squared loss. See [`WholeMatrix`].
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
            (is_nmf && target < 0.0).then_some("nmf needs ratings of at least 0; use mf with svd or als")
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

    fn nmf(&self, values: &Values, rank: usize, seed: u64) -> Result<NmfOptions> {
        let method = self.method(values);
        let lambdas = ["user", "item"].map(|entity| format!("solver.regularization.{entity}_factors"));
        let nmf = method.nmf(rank, lambdas.map(|path| values.find(&path).unwrap_or(0.0)), seed);
        let nmf =
            nmf.ok_or_else(|| Error::Usage("the result of an SVD is unique, so a consensus says nothing".into()))?;
        let max_iterations = values.get::<usize>("train.epochs") * method.iterations_of_an_epoch();
        Ok(NmfOptions { max_iterations, ..nmf })
    }

    fn footprint(&self, _: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { parameters, train, .. } = *size;
        // Rows and columns of the matrix, the factors, the new model beside the old one, and a few matrices of the same
        // height.
        Footprint { copies: parameters, moments: 0, lasting: 4 * train, in_step: 4 * parameters }
    }
}
