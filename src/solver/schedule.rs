//! Learning-rate schedules: the factor of the learning rate over the course of training.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::config::{Choice, Key, KeyKind, Keys, Values};

/// Shape of the decay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Decay {
    /// 1.
    Constant,
    /// factor^⌊t / every⌋ after t epochs.
    Step {
        /// Epochs between two drops.
        every: u64,
        /// Factor of each drop, in (0, 1].
        factor: f64,
    },
    /// factor^⌊t⌋ after t epochs.
    Exponential {
        /// Factor of each epoch, in (0, 1].
        factor: f64,
    },
    /// Half a cosine from 1 down to `last` over all epochs (Loshchilov & Hutter 2017, eq. 5, one cycle).
    Cosine {
        /// Share left at the end, in [0, 1].
        last: f64,
    },
}

/// A decay after a linear warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Epochs (fractions allowed) over which the rate grows linearly to its full value; 0 for none.
    pub warmup: f64,
    /// The decay that follows.
    pub decay: Decay,
}

impl Schedule {
    /// The config keys of schedules.
    pub(super) fn keys() -> Keys {
        let factor = || {
            let meaning =
                "Factor of the learning rate: with \"step\" at each change, with \"exponential\" at each epoch.";
            let kind = KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1.0));
            Key::new("solver.schedule.factor", kind, meaning).default("0.5")
        };
        let every =
            Key::new("solver.schedule.every", KeyKind::AT_LEAST_ONE, "Epochs between two changes.").default("10");
        let last = KeyKind::Float(Bound::Included(0.0), Bound::Included(1.0));
        let last = Key::new("solver.schedule.final", last, "Share of the learning rate left at the end.");
        let kind = Choice::new("solver.schedule.kind", "How the learning rate changes over the epochs.")
            .with(|key| key.default("'constant'"))
            .part("constant", [])
            .part("step", [every, factor()])
            .part("exponential", factor())
            .part("cosine", last.default("0.01"));
        let warmup =
            Key::new("solver.schedule.warmup", KeyKind::NOT_NEGATIVE, "Epochs over which the rate grows from 0.");
        Keys::from(kind).and(warmup.default("0.0"))
    }

    /// The schedule set in a config; constant if the solver has no learning rate.
    pub fn of(values: &Values) -> Self {
        let decay = match values.find::<String>("solver.schedule.kind").as_deref() {
            Some("step") => {
                Decay::Step { every: values.get("solver.schedule.every"), factor: values.get("solver.schedule.factor") }
            }
            Some("exponential") => Decay::Exponential { factor: values.get("solver.schedule.factor") },
            Some("cosine") => Decay::Cosine { last: values.get("solver.schedule.final") },
            _ => Decay::Constant,
        };
        Self { warmup: values.find("solver.schedule.warmup").unwrap_or(0.0), decay }
    }

    /// The factor for the step that begins after `elapsed` of `epochs` epochs and ends at `elapsed + length`.
    pub fn factor(&self, elapsed: f64, length: f64, epochs: f64) -> f64 {
        let warmup = if self.warmup > 0.0 { ((elapsed + length) / self.warmup).min(1.0) } else { 1.0 };
        // Steps add up fractions of an epoch, so a whole number may come out slightly too small.
        let whole = (elapsed + 1e-9).floor();
        let decay = match self.decay {
            Decay::Constant => 1.0,
            Decay::Step { every, factor } => factor.powf((whole / every as f64).floor()),
            Decay::Exponential { factor } => factor.powf(whole),
            Decay::Cosine { last } => {
                let share = if epochs > 0.0 { (elapsed / epochs).min(1.0) } else { 0.0 };
                last + (1.0 - last) * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
            }
        };
        warmup * decay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(warmup: f64, decay: Decay, at: &[f64]) -> Vec<f64> {
        let schedule = Schedule { warmup, decay };
        at.iter().map(|&elapsed| (schedule.factor(elapsed, 0.5, 4.0) * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn each_shape_has_the_values_of_its_formula() {
        let at = [0.0, 0.5, 1.0, 2.0, 4.0];
        assert_eq!(factors(0.0, Decay::Constant, &at), [1.0; 5]);
        assert_eq!(factors(0.0, Decay::Step { every: 2, factor: 0.1 }, &at), [1.0, 1.0, 1.0, 0.1, 0.01]);
        assert_eq!(factors(0.0, Decay::Exponential { factor: 0.5 }, &at), [1.0, 1.0, 0.5, 0.25, 0.0625]);
        assert_eq!(factors(0.0, Decay::Cosine { last: 0.2 }, &at), [1.0, 0.969552, 0.882843, 0.6, 0.2]);
    }

    #[test]
    fn warm_up_reaches_the_full_rate_at_its_end() {
        assert_eq!(factors(2.0, Decay::Constant, &[0.0, 0.5, 1.0, 1.5, 2.0]), [0.25, 0.5, 0.75, 1.0, 1.0]);
    }
}
