//! Solvers: how parameters are found.

pub mod gradient;
pub mod optimizer;
pub mod schedule;
mod touched;

pub use gradient::{Clip, GradientStep, Regularization, Rows};
pub use optimizer::{Optimizer, Rule};
pub use schedule::{Decay, Schedule};
