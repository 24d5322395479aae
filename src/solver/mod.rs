//! Solvers: how parameters are found.

pub mod gradient;
pub mod optimizer;
pub mod schedule;

pub use gradient::{Clip, GradientStep, Regularization};
pub use optimizer::{Optimizer, Rule};
pub use schedule::{Decay, Schedule};
