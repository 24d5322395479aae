//! λ, whatever finds the parameters.

use serde::{Deserialize, Serialize};

use crate::config::{Key, KeyKind, Keys, Values, is};
use crate::model::{Declared, Group, names_where};

/// λ of each group of parameters, per observed rating.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Regularization {
    /// λ of p_u.
    pub user_factors: f64,
    /// λ of q_i.
    pub item_factors: f64,
    /// λ of b_u.
    pub user_biases: f64,
    /// λ of b_i.
    pub item_biases: f64,
    /// λ of the weight matrices of dense layers.
    pub weights: f64,
}

impl Regularization {
    /// λ of a table's group.
    pub fn of(&self, group: Group) -> f64 {
        match group {
            Group::USER_FACTORS => self.user_factors,
            Group::ITEM_FACTORS => self.item_factors,
            Group::USER_BIASES => self.user_biases,
            Group::ITEM_BIASES => self.item_biases,
        }
    }

    /// The config keys of factors.
    pub(super) fn factor_keys() -> Keys {
        let meaning = "Penalty of <entity> factors, per rating; see count_exponent.";
        Key::new("solver.regularization.<entity>_factors", KeyKind::NOT_NEGATIVE, meaning).default("0.08").into()
    }

    /// The config keys of biases, for the models that have them.
    pub(super) fn bias_keys(models: &Declared) -> Keys {
        let meaning = "Penalty of <entity> biases, per rating.";
        let key = Key::new("solver.regularization.<entity>_biases", KeyKind::NOT_NEGATIVE, meaning).default("0.02");
        key.when(is("model.kind", names_where(models, |model| model.has_biases))).into()
    }

    /// The config key of layers, for the models that have them.
    pub(super) fn layer_keys(models: &Declared) -> Keys {
        let key = Key::new("solver.regularization.weights", KeyKind::NOT_NEGATIVE, "Penalty of the layers' weights.");
        key.default("0.0").when(is("model.kind", names_where(models, |model| model.has_layers))).into()
    }

    /// λ as a config asks for it; 0 where a key takes no part.
    pub fn of_config(values: &Values) -> Self {
        let lambda = |key: &str| values.find(&format!("solver.regularization.{key}")).unwrap_or(0.0);
        Self {
            user_factors: lambda("user_factors"),
            item_factors: lambda("item_factors"),
            user_biases: lambda("user_biases"),
            item_biases: lambda("item_biases"),
            weights: lambda("weights"),
        }
    }
}
