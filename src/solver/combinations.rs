//! Which solvers go with which models, objectives and data: rules of configs, each with what to do instead.

use std::sync::Arc;

use super::part::SolverPart;
use crate::config::words::joined;
use crate::config::{Problem, Values};
use crate::data::Features;
use crate::model::{Constraint, Declaration, ModelKind, START_FROM, names_where};
use crate::objective::Squared;

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
        let Some(key) = Features::key(values) else { return Vec::new() };
        let message = || {
            // Of users and items, the section tells more than its file.
            let (taking, key) = (joined(&taking, "and"), key.trim_end_matches(".path"));
            format!(
                "{key} needs a solver that takes features ({taking}), but solver.kind is {solver:?} (model.kind = {model:?})"
            )
        };
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
        let (solver, model) = kinds(values);
        let takes_none = parts.iter().any(|part| part.name() == solver && !part.takes_start(values));
        if !(takes_none && values.contains(START_FROM)) {
            return Vec::new();
        }
        let message = format!(
            "{START_FROM} changes nothing with solver.kind = {solver:?} (model.kind = {model:?}), which begins with the data alone"
        );
        vec![Problem::new([START_FROM, "solver.kind"], message)]
    }
}

/// A rule that repeated interactions stay apart only for a solver that takes each by itself.
pub(super) fn check_repeats(parts: &[Arc<dyn SolverPart>]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let without: Vec<String> =
        parts.iter().filter(|part| !part.takes_repeats()).map(|part| part.name().into()).collect();
    move |values| {
        let (solver, _) = kinds(values);
        if !(values.is("data.duplicates", "keep") && without.contains(&solver)) {
            return Vec::new();
        }
        let message = format!(
            "data.duplicates = \"keep\" needs a solver that takes each interaction by itself, but solver.kind = {solver:?} has one \
             cell for a user and an item; take \"last\" or \"sum\""
        );
        vec![Problem::new(["data.duplicates", "solver.kind"], message)]
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
