//! The stratified solver as configs name it.

use std::any::Any;
use std::sync::Arc;

use super::{RowRule, Stratified, StratifiedRanking};
use crate::config::{Keys, Values, is};
use crate::error::Result;
use crate::model::ModelKind;
use crate::objective::ranking::Ranking;
use crate::solver::combinations::needs_dot_product;
use crate::solver::learning_rate::LearningRate;
use crate::solver::part::{Footprint, Misfit, ModelSize, Setup, SolverPart, gradient_remedies};
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;

/// Numbers in a cache line, to which rows are filled up.
const LINE: usize = 16;
/// Numbers of a rating in a block: two indices and a value.
const RATING: usize = 3;

/// One rating at a time, in parallel blocks, on the CPU: models that are a dot product. See [`Stratified`].
#[derive(Debug, Clone, Copy)]
pub struct StratifiedPart;

impl SolverPart for StratifiedPart {
    fn name(&self) -> &str {
        "stratified"
    }

    fn keys(&self, models: &[ModelKind]) -> Keys {
        Keys::from(LearningRate::rate_key())
            .and(RowRule::keys())
            .and(Regularization::factor_keys())
            .and(Regularization::bias_keys(models))
            .and(LearningRate::schedule_keys())
            .default_for_if("solver.learning_rate", is("solver.rule", ["adagrad"]), "0.05")
            .rule(needs_dot_product(models))
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        let regularization = Regularization::of_config(values);
        let (rule, rate) = (RowRule::of(values), LearningRate::of(values));
        let any: Arc<dyn Any + Send + Sync> = setup.objective.clone();
        Ok(match any.downcast::<Ranking>() {
            Ok(objective) => Box::new(StratifiedRanking::new(objective, regularization, rule, rate, setup.seed)),
            Err(_) => Box::new(Stratified::new(setup.loss(self.name())?, regularization, rule, rate, setup.seed)),
        })
    }

    fn remedies(&self, _: &Values, misfit: Misfit) -> Vec<&'static str> {
        gradient_remedies(misfit)
    }

    fn footprint(&self, values: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { users, items, train, parameters, widest: rank, .. } = *size;
        let rows = users + items;
        let planes = if let RowRule::Adam(_) = RowRule::of(values) { 2 } else { 0 };
        let copies = rows * (rank.next_multiple_of(LINE) + 1);
        let moments = rows * (planes * rank.next_multiple_of(LINE) + planes.max(1) * 2);
        // Interactions by part and by block, what their users have not met, and the items before and after they are dealt.
        if values.find::<usize>("loss.negatives").is_some() {
            let of_items = items * (rank.next_multiple_of(LINE) * (1 + planes) + 1 + planes.max(1) * 2);
            let lasting = train * (2 * RATING * 3 / 2 + 3);
            return Footprint { copies, moments, lasting, in_step: parameters.max(of_items) };
        }
        // Ratings are put in order block by block, of which half stays with the allocator in small pieces. When the
        // parameters are written back, the new model is there beside the old.
        Footprint { copies, moments, lasting: RATING * train * 3 / 2, in_step: parameters }
    }
}
