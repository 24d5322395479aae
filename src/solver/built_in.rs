//! The solvers of this crate, in one list.

use std::sync::Arc;

use super::als::AlsPart;
use super::descent::Descent;
use super::part::SolverPart;
use super::stratified::StratifiedPart;
use super::whole_matrix::WholeMatrixPart;
use crate::config::{Choice, Keys};
use crate::model::ModelKind;

/// The solvers that every config can name, in the order of the documentation.
pub fn built_in() -> Vec<Arc<dyn SolverPart>> {
    let matrix = [WholeMatrixPart::Svd, WholeMatrixPart::Hals, WholeMatrixPart::Multiplicative];
    let descents = [Descent::ADAM, Descent::ADAMW, Descent::SGD, Descent::ADAGRAD];
    let mut all: Vec<Arc<dyn SolverPart>> = descents.map(|part| Arc::new(part) as _).to_vec();
    all.extend([Arc::new(StratifiedPart) as _, Arc::new(AlsPart) as _]);
    all.extend(matrix.map(|part| Arc::new(part) as _));
    all
}

/// The config keys of solvers, of which `solver.kind` takes one.
pub fn keys(parts: &[Arc<dyn SolverPart>], models: &[ModelKind]) -> Keys {
    let choice = Choice::new("solver.kind", "What moves the parameters.").with(|key| key.default("'adam'"));
    parts.iter().fold(choice, |choice, part| choice.part(part.name(), part.keys(models))).into()
}
