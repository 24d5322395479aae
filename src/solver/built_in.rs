//! The solvers of this crate, in one list.

use std::sync::Arc;

use super::als::AlsPart;
use super::closed_form::{EasePart, ItemKnnPart, PopularityPart, SlimPart};
use super::combinations::{check_features, check_repeats, check_start, check_tied};
use super::gibbs::GibbsPart;
use super::gradient_descent::GradientDescent;
use super::part::SolverPart;
use super::stratified::StratifiedPart;
use super::whole_matrix::WholeMatrixPart;
use crate::config::{Choice, Key, Keys, in_toml, is};
use crate::model::ModelKind;

/// The solvers that every config can name, in the order of the documentation.
pub fn built_in() -> Vec<Arc<dyn SolverPart>> {
    vec![
        Arc::new(GradientDescent::ADAM),
        Arc::new(GradientDescent::ADAMW),
        Arc::new(GradientDescent::SGD),
        Arc::new(GradientDescent::ADAGRAD),
        Arc::new(StratifiedPart),
        Arc::new(AlsPart),
        Arc::new(GibbsPart),
        Arc::new(WholeMatrixPart::Svd),
        Arc::new(WholeMatrixPart::Hals),
        Arc::new(WholeMatrixPart::Multiplicative),
        Arc::new(PopularityPart),
        Arc::new(ItemKnnPart),
        Arc::new(SlimPart),
        Arc::new(EasePart),
    ]
}

/// The config keys of solvers, of which `solver.kind` chooses one.
pub fn keys(parts: &[Arc<dyn SolverPart>], models: &[ModelKind]) -> Keys {
    let of_model = |key: Key, kind: &ModelKind| match kind.declaration.solvers {
        [first, ..] => key.default_if(is("model.kind", [kind.name]), &in_toml(&(*first).into())),
        [] => key,
    };
    let choice = Choice::new("solver.kind", "How the parameters are found.")
        .with(|key| models.iter().fold(key.default("'adam'"), of_model));
    let choice = parts.iter().fold(choice, |choice, part| choice.part(part.name(), part.keys(models)));
    Keys::from(choice)
        .rule(check_tied(models))
        .rule(check_features(parts))
        .rule(check_start(parts))
        .rule(check_repeats(parts))
}
