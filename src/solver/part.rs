//! Kinds of solvers that a config can name.

use std::fmt;
use std::sync::Arc;

use burn::tensor::Device;

use super::als::OneSide;
use super::fold_in::{Descent, linear};
use super::nmf::{NmfOptions, Zeros};
use super::regularization::Regularization;
use super::solve::Solver;
use crate::config::{Keys, Values};
use crate::data::{Interactions, Role};
use crate::error::{Error, Result};
use crate::model::{AnyModel, Declaration, ModelKind};
use crate::objective::{Loss, Objective};

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

    /// Whether a user may meet an item more than once, each time by itself (`data.duplicates = "keep"`). By default it may.
    fn takes_repeats(&self) -> bool {
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
