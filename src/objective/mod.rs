//! Objectives: how a prediction is judged in training.
//!
//! A model gives a score s; a loss's link turns it into a prediction r̂ (the same number, except for [`Logistic`],
//! [`Poisson`] and [`Glove`]). A [`PointwiseLoss`] looks at one rating at a time: it has an unreduced tensor form for training and a
//! scalar `f64` form for evaluation and kernels; a test checks that they agree. An [`Objective`] may also draw
//! candidates to compare the ratings with; those of [`ranking`] compare an item with others that the user has not met.

mod absolute;
mod built_in;
mod glove;
mod huber;
mod kind;
mod logistic;
pub(crate) mod negatives;
mod pointwise;
mod poisson;
mod quantile;
pub mod ranking;
mod squared;

pub use absolute::Absolute;
pub use built_in::Loss;
pub use glove::Glove;
pub use huber::Huber;
pub(crate) use kind::LIST_METRICS;
pub use kind::{Draw, Objective, ObjectiveKind, ObjectivePart};
pub use logistic::Logistic;
pub use negatives::{NegativeSampler, Negatives};
pub use pointwise::PointwiseLoss;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use squared::Squared;
