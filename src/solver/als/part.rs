//! ALS as configs name it.

use super::config::{AUTO, CONFIDENCE, default_penalties};
use super::{Als, AlsConfig, Confidence, Feedback, OneSide};
use crate::config::{Keys, Values};
use crate::data::{Interactions, Role};
use crate::error::{Error, Result};
use crate::model::{AnyModel, Constraint, Declaration, ModelKind, names_where};
use crate::solver::combinations::{check_squared, needs_dot_product};
use crate::solver::part::{Predictions, Refusal, Setup, SolverPart};
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;

/// Row after row, each solved for, on the CPU: models that are a dot product, squared loss. See [`Als`].
#[derive(Debug, Clone, Copy)]
pub struct AlsPart;

/// The key of ν.
const COUNT_EXPONENT: &str = "solver.regularization.count_exponent";

/// Whether a config has a penalty of its own.
fn gives_penalties(values: &Values) -> bool {
    values.section("solver.regularization").iter().next().is_some()
}

/// λ as set in a config, and what goes with the feedback where it is not.
fn penalties(values: &Values, feedback: Feedback) -> Regularization {
    let given = Regularization::of_config(values);
    given.or(match feedback {
        Feedback::Explicit => Regularization::usual(),
        Feedback::Implicit { .. } => AlsConfig::of_implicit(),
    })
}

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
        if self.left_open(values).is_some() {
            return Err(Error::Usage(format!(
                "{CONFIDENCE} = \"auto\" is for `lowrank train`; name a transform, or search for one"
            )));
        }
        let (loss, config) = (setup.loss(self.name())?, AlsConfig::of(values));
        Ok(Box::new(match config.feedback {
            Feedback::Explicit if !gives_penalties(values) => Als::with_default_penalties(loss, config),
            _ => Als::new(loss, penalties(values, config.feedback), config),
        }))
    }

    fn left_open(&self, values: &Values) -> Option<(&'static str, &'static [&'static str])> {
        values.is(CONFIDENCE, AUTO).then_some((CONFIDENCE, Confidence::NAMES))
    }

    fn settled(&self, values: &Values, model: Declaration, train: &Interactions) -> Values {
        let mut settled = values.clone();
        if AlsConfig::of(values).feedback == Feedback::Explicit && !gives_penalties(values) {
            let (regularization, exponent) = default_penalties(model.has_biases, train);
            regularization.write(&mut settled);
            settled.insert(COUNT_EXPONENT, exponent);
        }
        settled
    }

    fn linear(&self, values: &Values, setup: &Setup, role: Role, _: &AnyModel) -> Result<Option<OneSide>> {
        let config = AlsConfig::of(values);
        if config.confidence == Confidence::Bm25 {
            return Err(Error::Usage(
                "the model was trained with solver.confidence = \"bm25\", which weighs what was counted by the whole log; train \
                 anew with the new interactions in it"
                    .into(),
            ));
        }
        let penalties = penalties(values, config.feedback);
        Ok(Some(OneSide::new(setup.loss(self.name())?, penalties, config, role)))
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
