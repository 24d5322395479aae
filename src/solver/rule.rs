//! First-order update rules: how a gradient becomes a step.

use serde::{Deserialize, Serialize};

use crate::config::{Key, KeyKind, Keys, Values};

/// How a gradient g changes a parameter θ; η is the learning rate, t the step from 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum UpdateRule {
    /// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)   (Kingma & Ba 2015).
    ///
    /// With `weight_decay` w > 0 this is AdamW: first θ ← θ(1 − ηw), on every row of every factor table and weight
    /// matrix, never on biases   (Loshchilov & Hutter 2019).
    Adam {
        /// β₁.
        beta1: f64,
        /// β₂.
        beta2: f64,
        /// ε.
        epsilon: f64,
        /// w.
        weight_decay: f64,
    },
    /// v ← μv + g, θ ← θ − ηv, momentum μ.
    Sgd {
        /// μ; 0 for none.
        momentum: f64,
    },
    /// s ← s + g², θ ← θ − ηg / (√s + ε)   (Duchi, Hazan & Singer 2011).
    AdaGrad {
        /// ε.
        epsilon: f64,
    },
}

impl UpdateRule {
    /// Names of the rule's moments of a parameter, in the order in which updates store them.
    pub(super) fn moment_names(self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } => &["first_moment", "second_moment"],
            Self::Sgd { momentum: 0.0 } => &[],
            Self::Sgd { .. } => &["velocity"],
            Self::AdaGrad { .. } => &["squared_sum"],
        }
    }

    fn epsilon_key() -> Key {
        Key::new("solver.epsilon", KeyKind::POSITIVE, "Added to the denominator of a step.").default("1e-8")
    }

    /// The config keys of Adam, shared with other solvers.
    pub(super) fn adam_keys() -> Keys {
        Keys::new([
            Key::new("solver.beta1", KeyKind::SHARE, "Decay of the mean of gradients.").default("0.9"),
            Key::new("solver.beta2", KeyKind::SHARE, "Decay of the mean of squared gradients.").default("0.999"),
            Self::epsilon_key(),
        ])
    }

    /// The config keys of AdamW.
    pub(super) fn adamw_keys() -> Keys {
        let meaning = "Decoupled decay of all parameters: a step shrinks them by this times its rate.";
        Self::adam_keys().and(Key::new("solver.weight_decay", KeyKind::NOT_NEGATIVE, meaning).default("0.01"))
    }

    /// The config keys of SGD.
    pub(super) fn sgd_keys() -> Keys {
        let meaning = "Share of the last step that is repeated; 0 is plain SGD.";
        Key::new("solver.momentum", KeyKind::SHARE, meaning).default("0.9").into()
    }

    /// The config keys of AdaGrad, shared with other solvers.
    pub(super) fn adagrad_keys() -> Keys {
        Self::epsilon_key().into()
    }

    /// Adam or AdamW as set in a config.
    pub(super) fn adam_of(values: &Values) -> Self {
        Self::Adam {
            beta1: values.get("solver.beta1"),
            beta2: values.get("solver.beta2"),
            epsilon: values.get("solver.epsilon"),
            weight_decay: values.find("solver.weight_decay").unwrap_or(0.0),
        }
    }

    /// SGD as set in a config.
    pub(super) fn sgd_of(values: &Values) -> Self {
        Self::Sgd { momentum: values.get("solver.momentum") }
    }

    /// AdaGrad as set in a config.
    pub(super) fn adagrad_of(values: &Values) -> Self {
        Self::AdaGrad { epsilon: values.get("solver.epsilon") }
    }
}
