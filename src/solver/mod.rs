//! Solvers: how parameters are found.

pub mod gradient;
pub mod nmf;
pub mod optimizer;
pub mod schedule;
pub mod svd;
mod touched;

pub use gradient::{Clip, GradientStep, Regularization, Rows};
pub use optimizer::{Optimizer, Rule};
pub use schedule::{Decay, Schedule};
