//! Gibbs sampling as configs name it.

use super::{Gibbs, GibbsConfig};
use crate::config::words::joined;
use crate::config::{Key, KeyKind, Keys, Problem, Values};
use crate::data::{Features, Interactions, Role};
use crate::error::Result;
use crate::linalg::Lane;
use crate::model::{AnyModel, Constraint, DRAWS, Declaration, ModelKind};
use crate::objective::{Loss, Squared};
use crate::solver::als::OneSide;
use crate::solver::combinations::{check_squared, needs_model};
use crate::solver::fold_in::Descent;
use crate::solver::part::{Footprint, Misfit, ModelSize, Setup, SolverPart};
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;

/// Draws from the posterior distribution instead of one solution, on the CPU: models whose score is a sum of products, squared loss,
/// and no λ. See [`Gibbs`].
#[derive(Debug, Clone, Copy)]
pub struct GibbsPart;

const SWEEPS: &str = "solver.sweeps";
const BURN_IN: &str = "solver.burn_in";
const FOLD_IN_PENALTY: &str = "solver.fold_in_penalty";
const EPOCHS: &str = "train.epochs";

impl SolverPart for GibbsPart {
    fn name(&self) -> &str {
        "gibbs"
    }

    fn keys(&self, models: &[ModelKind]) -> Keys {
        let meaning = "Draws of all parameters in an epoch.";
        let sweeps = Key::new(SWEEPS, KeyKind::AT_LEAST_ONE, meaning).default("10");
        let meaning = "Epochs before the first draw is kept; if absent, a tenth of train.epochs, but at least one.";
        let burn_in = Key::new(BURN_IN, KeyKind::ANY_COUNT, meaning);
        let fits = |model: Declaration| model.is_factored && model.constraint == Constraint::None;
        let needs_sum = needs_model(models, fits, |fit, solver, model| {
            let fit = joined(fit, "and");
            format!(
                "solver.kind = {solver:?} supports only {fit}, whose score is a sum of products of two rows, but model.kind is \
                 {model:?}; use \"adam\""
            )
        });
        let meaning = "Penalty of the factors of a row that is folded into the finished model, √n times for n ratings. If absent, the \
                       standard deviation of the training ratings.";
        let penalty = Key::new(FOLD_IN_PENALTY, KeyKind::NOT_NEGATIVE, meaning);
        Keys::new([sweeps, burn_in, penalty])
            .default_for(EPOCHS, "22")
            .default_for("model.init_std", "0.1")
            .rule(needs_sum)
            .rule(check_squared)
            .rule(check_epochs)
            .rule(check_own_factors)
            .rule(check_products)
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        setup.loss(self.name())?;
        let config = GibbsConfig {
            burn_in: burn_in(values),
            epochs: values.get(EPOCHS),
            sweeps: values.get(SWEEPS),
            draws: values.find(DRAWS).unwrap_or(1),
        };
        Ok(Box::new(Gibbs::new(setup.seed, config)))
    }

    fn takes_features(&self) -> bool {
        true
    }

    fn takes_start(&self, _: &Values) -> bool {
        false
    }

    fn settled(&self, values: &Values, _: Declaration, train: &Interactions) -> Values {
        let mut settled = values.clone();
        if !values.contains(FOLD_IN_PENALTY) {
            settled.insert(FOLD_IN_PENALTY, train.standard_deviation());
        }
        settled
    }

    /// New rows have no draws of their own: they are the least squares that the mean of the draws gives, as [`Als`](crate::solver::Als)
    /// has them.
    fn linear(&self, values: &Values, _: &Setup, role: Role, model: &AnyModel) -> Result<Option<OneSide>> {
        let penalty = values.find(FOLD_IN_PENALTY).unwrap_or(Regularization::OF_FACTORS);
        let regularization = Regularization::of_pairs(penalty, 1.0);
        Ok(model.factored().map(|_| OneSide::half_counted(Loss::Squared(Squared {}), regularization, role)))
    }

    fn fold_in(&self, values: &Values, setup: &Setup, role: Role, model: &AnyModel) -> Result<Box<dyn Solver>> {
        Ok(match self.linear(values, setup, role, model)? {
            Some(exact) => Box::new(exact),
            None => {
                let usual = Regularization::usual();
                Box::new(Descent::new(setup.objective.clone(), usual, model.constraint(), setup.device))
            }
        })
    }

    /// The last draw and those kept, which the model holds once more, interactions by field, and the model that is written. Where
    /// something is known of rows, what the interactions say about each row of a field, which is a matrix.
    fn footprint(&self, values: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { users, items, parameters, train, .. } = *size;
        let width = Lane::count(values.get::<usize>("model.rank") + 1) * Lane::WIDTH;
        let is_described = values.is("model.kind", "svdpp") || !Features::of(values).is_empty();
        let evidence = if is_described { users.max(items) * width * (width + 1) } else { 0 };
        Footprint { copies: 0, moments: parameters, lasting: 6 * train, in_step: parameters + evidence }
    }

    fn remedies(&self, _: &Values, misfit: Misfit) -> Vec<&'static str> {
        match misfit {
            Misfit::Over => vec!["lower model.rank", "raise train.epochs"],
            Misfit::Under => vec!["raise train.epochs", "raise model.rank"],
        }
    }

    fn memory_remedies(&self, _: &Values) -> Vec<&'static str> {
        vec!["lower model.draws", "lower model.rank"]
    }
}

/// Epochs before the first draw is kept.
fn burn_in(values: &Values) -> u64 {
    let epochs: u64 = values.get(EPOCHS);
    values.find(BURN_IN).unwrap_or_else(|| (epochs / 10).max(1).min(epochs.saturating_sub(1)))
}

/// Something has to follow the burn-in.
fn check_epochs(values: &Values) -> Vec<Problem> {
    let (burn_in, epochs): (u64, u64) = (burn_in(values), values.get(EPOCHS));
    let message = || format!("{EPOCHS} must be above {BURN_IN}, but they are {epochs} and {burn_in}");
    (epochs <= burn_in && epochs > 0).then(|| Problem::new([EPOCHS, BURN_IN], message())).into_iter().collect()
}

/// An asymmetric model has no rows of users to draw.
fn check_own_factors(values: &Values) -> Vec<Problem> {
    let key = "model.asymmetric";
    let message = || format!("{key} = true leaves solver.kind = \"gibbs\" no factors of users to draw; use \"adam\"");
    let is_asymmetric = values.find(key).unwrap_or(false);
    is_asymmetric.then(|| Problem::new([key, "solver.kind"], message())).into_iter().collect()
}

/// A factorization machine multiplies the features of a row with each other.
fn check_products(values: &Values) -> Vec<Problem> {
    let Some(key) = Features::key(values).filter(|_| values.is("model.kind", "fm")) else { return Vec::new() };
    let message = format!(
        "{key}: solver.kind = \"gibbs\" has no products of a row's features with each other, which model.kind = \"fm\" has; use \
         \"biased-mf\" or \"adam\""
    );
    vec![Problem::new(["model.kind", key.as_str()], message)]
}
