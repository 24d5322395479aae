//! The size of a step, and how it changes.

use std::ops::Bound;

use super::schedule::{Decay, Schedule};
use super::step::StepNumber;
use crate::config::{Key, KeyKind, Keys, Values};

/// The learning rate η of solvers that have one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// η before the schedule.
    pub rate: f64,
    /// The factor of η over time.
    pub schedule: Schedule,
    /// Epochs that the schedule spans; training may stop earlier.
    pub epochs: u64,
}

impl LearningRate {
    /// The same rate at every step.
    pub fn constant(rate: f64) -> Self {
        Self { rate, schedule: Schedule { warmup: 0.0, decay: Decay::Constant }, epochs: 0 }
    }

    /// The config key of the rate.
    pub fn rate_key() -> Key {
        let kind = KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1000.0));
        Key::new("solver.learning_rate", kind, "Size of a step, before the schedule.").default("0.001")
    }

    /// The config keys of the schedule.
    pub fn schedule_keys() -> Keys {
        Schedule::keys()
    }

    /// The learning rate set in a config; its schedule spans all epochs.
    pub fn of(values: &Values) -> Self {
        let (rate, epochs) = (values.get("solver.learning_rate"), values.get("train.epochs"));
        Self { rate, schedule: Schedule::of(values), epochs }
    }

    /// η of a step.
    pub fn at(&self, number: StepNumber) -> f64 {
        let StepNumber { epoch, step, steps } = number;
        let elapsed = (epoch - 1) as f64 + step as f64 / steps as f64;
        self.rate * self.schedule.factor(elapsed, 1.0 / steps as f64, self.epochs as f64)
    }
}
