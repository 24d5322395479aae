//! Objectives: what is wanted of a prediction.
//!
//! A model gives a score s; a loss's link turns it into a prediction r̂ (the same number, except for [`Logistic`] and
//! [`Poisson`]). A [`PointwiseLoss`] looks at one rating at a time: it has an un-reduced tensor form for training and a
//! scalar `f64` form for evaluation and kernels; a test holds them to each other. An [`Objective`] may also draw what the
//! ratings are compared with.

mod absolute;
mod built_in;
mod huber;
mod kind;
mod logistic;
mod pointwise;
mod poisson;
mod quantile;
mod squared;

pub use absolute::Absolute;
pub use built_in::Loss;
pub use huber::Huber;
pub use kind::{Draw, Objective, ObjectiveKind, ObjectivePart};
pub use logistic::Logistic;
pub use pointwise::PointwiseLoss;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use squared::Squared;
