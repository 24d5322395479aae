//! Training objectives, and how configs name them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use burn::tensor::Tensor;

use super::negatives::Negatives;
use super::pointwise::PointwiseLoss;
use crate::config::{Keys, Values};
use crate::data::Interactions;
use crate::data::batch::{Batch, Samples};
use crate::data::unseen::Unseen;
use crate::error::Result;

/// `evaluation.metrics`, in TOML, of scores that can be ranked but not compared with targets.
pub(crate) const LIST_METRICS: &str = "['ndcg@10', 'hit-rate@10', 'recall@10', 'auc']";

/// What training minimizes: a mean over positions of the training interactions.
pub trait Objective: fmt::Debug + Send + Sync + Any {
    /// The samples of a step on the interactions at `positions`: by default the interactions themselves. An objective
    /// that compares them with others draws candidates for a field (see [`Samples`]). The draw may depend only on the
    /// seed, the epoch, the positions and the model's scores.
    fn draw(&self, train: &Interactions, positions: &[u64], draw: &Draw) -> Samples {
        let _ = draw;
        Samples::gather(train, positions)
    }

    /// Loss of each position, not reduced.
    ///
    /// # Shapes
    /// - `scores`: `[positions, draws]`
    /// - output: `[positions]`
    fn loss(&self, scores: Tensor<2>, batch: &Batch) -> Tensor<1>;

    /// The objective as a loss of one rating at a time, if it is one; needed by kernels, links and evaluation.
    fn pointwise(&self) -> Option<&dyn PointwiseLoss> {
        None
    }

    /// How it draws items that a user has not met, if it does: it is then given [`Draw::unseen`].
    fn candidates(&self) -> Option<&Negatives> {
        None
    }

    /// Whether it only puts scores in order, so that they are not comparable with targets.
    fn only_ranks(&self) -> bool {
        false
    }
}

/// What a draw may depend on.
pub struct Draw<'a> {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, from 1.
    pub epoch: u64,
    /// Scores of samples by the current model.
    pub scorer: &'a dyn Fn(&Arc<Samples>) -> Vec<f32>,
    /// The items that each user has not met in training, for an objective with [`candidates`](Objective::candidates).
    pub unseen: Option<&'a Unseen>,
}

impl<L: PointwiseLoss + 'static> Objective for L {
    fn loss(&self, scores: Tensor<2>, batch: &Batch) -> Tensor<1> {
        let loss = self.forward(scores.squeeze_dim(1), batch.targets().clone());
        match batch.weights() {
            None => loss,
            Some(weights) => loss * weights.clone(),
        }
    }

    fn pointwise(&self) -> Option<&dyn PointwiseLoss> {
        Some(self)
    }
}

impl dyn Objective {
    /// r̂ of a score.
    pub fn prediction(&self, score: f64) -> f64 {
        self.pointwise().map_or(score, |loss| loss.prediction(score))
    }

    /// The score whose prediction is `target`.
    pub fn score(&self, target: f64) -> f64 {
        self.pointwise().map_or(target, |loss| loss.score(target))
    }

    /// Whether score and prediction differ.
    pub fn has_link(&self) -> bool {
        self.pointwise().is_some_and(PointwiseLoss::has_link)
    }

    /// The requirement on targets that `target` violates, if it does.
    pub fn refuses(&self, target: f32) -> Option<&'static str> {
        self.pointwise()?.refuses(target)
    }
}

/// An objective that a config can name.
pub trait ObjectivePart: Objective + Sized + 'static {
    /// `loss.kind`.
    const NAME: &'static str;

    /// The keys of `[loss]` that it reads.
    fn keys() -> Keys {
        Keys::default()
    }

    /// The objective set in a config.
    ///
    /// # Errors
    /// If it cannot be created.
    fn of(values: &Values) -> Result<Self>;
}

type Make = fn(&Values) -> Result<Arc<dyn Objective>>;

/// A kind of objective, as a value.
#[derive(Clone, Copy)]
pub struct ObjectiveKind {
    /// `loss.kind`.
    pub name: &'static str,
    keys: fn() -> Keys,
    make: Make,
}

impl ObjectiveKind {
    pub(super) fn new(name: &'static str, keys: fn() -> Keys, make: Make) -> Self {
        Self { name, keys, make }
    }

    /// The kind of objectives of type `O`.
    pub fn of<O: ObjectivePart>() -> Self {
        Self::new(O::NAME, O::keys, |values| Ok(Arc::new(O::of(values)?)))
    }

    /// The config keys that it reads.
    pub fn keys(&self) -> Keys {
        (self.keys)()
    }

    /// The objective set in a config.
    ///
    /// # Errors
    /// Those of [`ObjectivePart::of`].
    pub fn make(&self, values: &Values) -> Result<Arc<dyn Objective>> {
        (self.make)(values)
    }
}

impl fmt::Debug for ObjectiveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectiveKind").field(&self.name).finish()
    }
}
