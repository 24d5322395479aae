//! Hyper-parameter search: from a base config and a space to the best config.
//!
//! A space file ([`plan`]) defines what is searched ([`space`]) and how. Trials come from a sampler (at random, by
//! [`tpe`], or a grid), run side by side on data loaded once, are judged by the validation part alone and stopped early
//! if others are better ([`asha`]), and are recorded when they end ([`journal`]), so that a sweep can continue after
//! any interruption. Only the winner is retrained and tested, once, at the end ([`study`]).

mod asha;
mod directory;
pub mod journal;
pub mod plan;
pub mod report;
mod space;
mod study;
mod tpe;

pub use study::{Event, SweepOptions, Swept, sweep};
