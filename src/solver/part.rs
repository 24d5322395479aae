//! Kinds of solvers that a config can name.

use std::fmt;
use std::sync::Arc;

use burn::tensor::Device;

use super::als::OneSide;
use super::fold_in::{Descent, linear};
use super::nmf::{NmfOptions, Zeros};
use super::regularization::Regularization;
use super::solve::Solver;
use crate::config::words::joined;
use crate::config::{Keys, Problem, Values};
use crate::data::{Features, Interactions, Role};
use crate::error::{Error, Result};
use crate::model::{AnyModel, Constraint, Declaration, ModelKind, START_FROM, names_where};
use crate::objective::{Loss, Objective, Squared};

/// Checks a target: the requirement that it violates, or `None`.
pub type Refusal = Box<dyn Fn(f32) -> Option<&'static str> + Send + Sync>;

/// A kind of solver that a config can name.
pub trait SolverPart: fmt::Debug + Send + Sync {
    /// `solver.kind`.
    fn name(&self) -> &str;

    /// The keys that it reads, for these models, with the rules about valid combinations.
    fn keys(&self, models: &[ModelKind]) -> Keys;

    /// The solver as set in a config.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unsupported objective, or if the solver cannot be created for another reason.
    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>>;

    /// A key that a config leaves to the validation part, if it does, and the values to choose from.
    fn left_open(&self, values: &Values) -> Option<(&'static str, &'static [&'static str])> {
        let _ = values;
        None
    }

    /// The values of its keys, with those filled in that it chooses by model and training interactions: what
    /// [`fold_in`](Self::fold_in) is given.
    fn settled(&self, values: &Values, model: Declaration, train: &Interactions) -> Values {
        let _ = (model, train);
        values.clone()
    }

    /// A solver of the rows of users, or of items, that training never saw, with all other parameters as they are. It is
    /// begun with a model whose tables of that side have only those rows, and their interactions with the other side, and
    /// steps until it has converged. By default it minimizes the objective with λ once an interaction: exactly where rows
    /// are [`linear`](Self::linear), elsewhere by gradients.
    ///
    /// # Errors
    /// [`Error::Usage`] if such rows cannot be found without the training interactions.
    fn fold_in(&self, values: &Values, setup: &Setup, role: Role, model: &AnyModel) -> Result<Box<dyn Solver>> {
        Ok(match self.linear(values, setup, role, model)? {
            Some(exact) => Box::new(exact),
            None => {
                let regularization = Regularization::of_config(values);
                Box::new(Descent::new(setup.objective.clone(), regularization, model.constraint(), setup.device))
            }
        })
    }

    /// The same where new rows are solutions of linear systems, which tell what each interaction adds to a score. By default
    /// for squared loss and dot products.
    ///
    /// # Errors
    /// Those of [`fold_in`](Self::fold_in).
    fn linear(&self, values: &Values, setup: &Setup, role: Role, model: &AnyModel) -> Result<Option<OneSide>> {
        Ok(linear(&setup.objective, Regularization::of_config(values), role, model))
    }

    /// Whether it trains models whose rows have features. By default it does not.
    fn takes_features(&self) -> bool {
        false
    }

    /// Whether it begins with the parameters that a model has. By default it does.
    fn takes_start(&self, values: &Values) -> bool {
        let _ = values;
        true
    }

    /// The targets that the solver rejects; by default none.
    fn refusal(&self, values: &Values) -> Refusal {
        let _ = values;
        Box::new(|_| None)
    }

    /// How it treats cells that are not in the data; by default as missing.
    fn zeros(&self, values: &Values) -> Zeros {
        let _ = values;
        Zeros::Missing
    }

    /// What the predictions of a model are that it has trained; by default what the targets are.
    fn predictions(&self, values: &Values) -> Predictions {
        let _ = values;
        Predictions::Targets
    }

    /// What the columns of the factors are.
    fn components(&self) -> Components {
        Components::Factors
    }

    /// The non-negative factorization of the whole matrix that it computes, with `rank` components, for a consensus to
    /// repeat.
    ///
    /// # Errors
    /// [`Error::Usage`] if it computes none.
    fn nmf(&self, values: &Values, rank: usize, seed: u64) -> Result<NmfOptions> {
        let _ = (values, rank, seed);
        Err(Error::Usage("a consensus needs solver.kind = \"hals\" or \"multiplicative\"".into()))
    }

    /// Its estimated memory beside data and model. By default the parameters once more, the interactions twice, and the
    /// new model beside the old one.
    fn footprint(&self, values: &Values, size: &ModelSize) -> Footprint {
        let _ = values;
        let ModelSize { parameters, train, .. } = *size;
        Footprint { copies: parameters, moments: 0, lasting: 4 * train, in_step: parameters }
    }

    /// What would make a model predict better that is worse than a trivial baseline, as advice to somebody who edits a
    /// config.
    fn remedies(&self, values: &Values, misfit: Misfit) -> Vec<&'static str> {
        let _ = values;
        match misfit {
            Misfit::Over => vec!["raise solver.regularization", "lower model.rank"],
            Misfit::Under => vec!["raise train.epochs", "lower solver.regularization", "raise model.rank"],
        }
    }

    /// What would make it need less memory, as advice to somebody who edits a config.
    fn memory_remedies(&self, values: &Values) -> Vec<&'static str> {
        let _ = values;
        Vec::new()
    }
}

/// The inputs of a solver beside its own keys.
pub struct Setup<'a> {
    /// The objective without the penalty.
    pub objective: Arc<dyn Objective>,
    /// The seed of all random draws.
    pub seed: u64,
    /// The device of the model.
    pub device: &'a Device,
}

impl Setup<'_> {
    /// The objective as one of the losses that kernels know, for the solver named `solver` in configs.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is none of them.
    pub fn loss(&self, solver: &str) -> Result<Loss> {
        let loss = Loss::of_objective(&*self.objective);
        loss.ok_or_else(|| {
            Error::Usage(format!("the {solver} solver supports only the built-in losses; use adam, sgd or adagrad"))
        })
    }
}

/// What predictions are, beside the targets that they are compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predictions {
    /// The same: a rating is predicted for a rating.
    #[default]
    Targets,
    /// Preferences, near 0 without and near 1 with an interaction, whatever targets count.
    Preferences,
    /// Scores that only put items in order.
    Order,
}

/// In which way a model is worse than a trivial baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It is better on what it was trained on: it has learned the noise as well.
    Over,
    /// It is no better there.
    Under,
}

/// What the columns of the factors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Components {
    /// Any basis: only products are meaningful, and scale is shared between the factors arbitrarily.
    Factors,
    /// Orthogonal directions by size, with the singular values in the user factors.
    SingularVectors,
}

/// The size of a training. All but the first three are counts of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelSize {
    /// Users with a training interaction.
    pub users: usize,
    /// Items with a training interaction.
    pub items: usize,
    /// Training interactions.
    pub train: usize,
    /// All parameters.
    pub parameters: usize,
    /// The largest of them.
    pub largest: usize,
    /// The longest row of a table.
    pub widest: usize,
    /// The numbers that an interaction reads from the tables.
    pub of_an_interaction: usize,
    /// The numbers that an interaction copies from the tables and passes through the layers; 0 if scores are dot
    /// products, which are computed in place.
    pub passing: usize,
}

/// The memory of a solver beside data and model, in numbers of four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Its own copies of parameters.
    pub copies: usize,
    /// State per parameter, which checkpoints also hold.
    pub moments: usize,
    /// Anything else that lasts from the first step to the last, such as the order of the interactions.
    pub lasting: usize,
    /// Memory within a step.
    pub in_step: usize,
}

/// [`SolverPart::remedies`] of solvers with a learning rate.
pub(super) fn gradient_remedies(misfit: Misfit) -> Vec<&'static str> {
    match misfit {
        Misfit::Over => vec!["raise solver.regularization", "lower model.rank"],
        Misfit::Under => vec!["raise train.epochs", "try another solver.learning_rate", "lower solver.regularization"],
    }
}

/// Numbers that a step has for each interaction of its batch, beside what it reads of the tables and passes through
/// layers: indices twice, scores, residuals, losses and their slopes.
pub const OF_A_STEP: usize = 10;

/// The names of solver and model, for messages.
pub(super) fn kinds(values: &Values) -> (String, String) {
    (values.get("solver.kind"), values.get("model.kind"))
}

/// A rule that the model is one of those for which `is_fit` holds, or the message.
pub(super) fn needs_model(
    models: &[ModelKind],
    is_fit: impl Fn(Declaration) -> bool,
    message: impl Fn(&[String], &str, &str) -> String + Send + Sync + 'static,
) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let fit = names_where(models, is_fit);
    // Those have a message of their own.
    let tied = names_where(models, |model| model.has_own_solvers());
    move |values| {
        let (solver, model) = kinds(values);
        if tied.contains(&model) {
            return Vec::new();
        }
        let problem = || Problem::new(["solver.kind", "model.kind"], message(&fit, &solver, &model));
        (!fit.contains(&model)).then(problem).into_iter().collect()
    }
}

/// A rule that the score is a dot product.
pub(super) fn needs_dot_product(models: &[ModelKind]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    needs_model(
        models,
        |model| model.is_dot_product,
        |fit, solver, model| {
            let fit = joined(fit, "and");
            format!(
                "solver.kind = {solver:?} supports only {fit}, whose score is a dot product, but model.kind is \
                 {model:?}; use \"adam\""
            )
        },
    )
}

/// A rule that factors may have both signs, as in a singular value decomposition.
pub(super) fn needs_signs(models: &[ModelKind]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let is_fit = |model: Declaration| model.is_dot_product && model.constraint == Constraint::None;
    let centred = names_where(models, |model| is_fit(model) && model.has_biases);
    needs_model(models, is_fit, move |fit, _, model| {
        let plain: Vec<&String> = fit.iter().filter(|name| !centred.contains(name)).collect();
        let (plain, centred) = (joined(&plain, "and"), joined(&centred, "and"));
        format!(
            "solver.kind = \"svd\" supports only {plain} and, with column means subtracted, {centred}, but \
             model.kind is {model:?}"
        )
    })
}

/// A rule that factors are at least 0.
pub(super) fn needs_bounds(models: &[ModelKind]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    needs_model(models, Declaration::is_sum_of_parts, |fit, solver, model| {
        let fit = joined(fit, "and");
        format!(
            "solver.kind = {solver:?} supports only {fit}, whose factors are at least 0, but model.kind is {model:?}"
        )
    })
}

/// Models that one solver alone finds go with that solver, and it with them.
pub(super) fn check_tied(models: &[ModelKind]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let tied: Vec<(&'static str, &'static [&'static str])> =
        models.iter().map(|kind| (kind.name, kind.declaration.solvers)).filter(|(_, own)| !own.is_empty()).collect();
    move |values| {
        let (solver, model) = kinds(values);
        let of_model = tied.iter().find(|(name, _)| *name == model);
        let finds = |own: &[&str]| own.contains(&solver.as_str());
        let of_solver: Vec<&str> = tied.iter().filter(|(_, own)| finds(own)).map(|(name, _)| *name).collect();
        let message = match of_model {
            Some((_, own)) if !finds(own) => {
                let own = joined(&own.iter().map(|own| format!("{own:?}")).collect::<Vec<_>>(), "or");
                format!("model.kind = {model:?} is found by solver.kind = {own} alone, but solver.kind is {solver:?}")
            }
            None if !of_solver.is_empty() => {
                let fit = joined(&of_solver, "and");
                format!(
                    "solver.kind = {solver:?} finds only {fit}, but model.kind is {model:?}; use \"als\" or \"adam\""
                )
            }
            _ => return Vec::new(),
        };
        vec![Problem::new(["solver.kind", "model.kind"], message)]
    }
}

/// A rule that features go with a solver that takes them.
pub(super) fn check_features(
    parts: &[Arc<dyn SolverPart>],
) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let taking: Vec<String> =
        parts.iter().filter(|part| part.takes_features()).map(|part| part.name().into()).collect();
    move |values| {
        let (solver, model) = kinds(values);
        let features = Features::of(values);
        let Some(section) = features.first().map(|features| Features::section(features.role)) else {
            return Vec::new();
        };
        let message = || {
            let taking = joined(&taking, "and");
            format!(
                "{section} needs a solver that takes features ({taking}), but solver.kind is {solver:?} (model.kind = {model:?})"
            )
        };
        let key = format!("{section}.path");
        (!taking.contains(&solver))
            .then(|| Problem::new(["solver.kind", key.as_str()], message()))
            .into_iter()
            .collect()
    }
}

/// A rule that trained models are a start only for a solver that begins with what there is.
pub(super) fn check_start(parts: &[Arc<dyn SolverPart>]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let parts = parts.to_vec();
    move |values| {
        let (solver, _) = kinds(values);
        let takes_none = parts.iter().any(|part| part.name() == solver && !part.takes_start(values));
        if !(takes_none && values.contains(START_FROM)) {
            return Vec::new();
        }
        let message =
            format!("{START_FROM} changes nothing with solver.kind = {solver:?}, which begins with the data alone");
        vec![Problem::new([START_FROM, "solver.kind"], message)]
    }
}

/// Solvers in closed form minimize squares.
pub(super) fn check_squared(values: &Values) -> Vec<Problem> {
    if values.is("loss.kind", Squared::NAME) {
        return Vec::new();
    }
    let (solver, loss): (String, String) = (values.get("solver.kind"), values.get("loss.kind"));
    let message = format!(
        "solver.kind = {solver:?} supports only squared loss, but loss.kind is {loss:?}; use \"squared\" or another solver"
    );
    vec![Problem::new(["solver.kind", "loss.kind"], message)]
}
