//! ALS as configs name it.

use super::{Als, AlsConfig, Feedback};
use crate::config::{Keys, Values};
use crate::error::Result;
use crate::model::{Constraint, ModelKind, names_where};
use crate::solver::part::{Predictions, Refusal, Setup, SolverPart, check_squared, needs_dot_product};
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;

/// Row after row, each solved for, on the CPU: models that are a dot product, squared loss. See [`Als`].
#[derive(Debug, Clone, Copy)]
pub struct AlsPart;

impl SolverPart for AlsPart {
    fn name(&self) -> &str {
        "als"
    }

    fn keys(&self, models: &[ModelKind]) -> Keys {
        AlsConfig::keys(&names_where(models, |model| model.constraint == Constraint::NonNegative))
            .and(Regularization::optional_factor_keys())
            .and(Regularization::optional_bias_keys(models))
            .rule(needs_dot_product(models))
            .rule(check_squared)
            .rule(AlsConfig::rule(models))
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        let (loss, config) = (setup.loss(self.name())?, AlsConfig::of(values));
        let gives_penalties = values.section("solver.regularization").iter().next().is_some();
        let given = Regularization::of_config(values);
        Ok(Box::new(match config.feedback {
            Feedback::Explicit if !gives_penalties => Als::with_default_penalties(loss, config),
            Feedback::Explicit => Als::new(loss, given.or(Regularization::usual()), config),
            Feedback::Implicit { .. } => Als::new(loss, given.or(AlsConfig::of_implicit()), config),
        }))
    }

    fn refusal(&self, values: &Values) -> Refusal {
        let feedback = AlsConfig::of(values).feedback;
        Box::new(move |target| feedback.refuses(target))
    }

    fn predictions(&self, values: &Values) -> Predictions {
        match AlsConfig::of(values).feedback {
            Feedback::Explicit => Predictions::Targets,
            Feedback::Implicit { .. } => Predictions::Preferences,
        }
    }
}
