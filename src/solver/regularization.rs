//! λ, for all solvers.

use std::collections::BTreeMap;

use crate::config::{Key, KeyKind, Keys, Values, is};
use crate::model::{ModelKind, TableGroup, names_where};

/// λ of each group of parameters, per observed interaction; 0 for missing groups.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Regularization(BTreeMap<String, f64>);

/// The weight matrices of dense layers, among the groups.
const WEIGHTS: &str = "weights";

impl Regularization {
    /// λ by group: `user_factors`, `item_biases`, …, and `weights` for the weight matrices of dense layers.
    pub fn new<'a>(lambdas: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        Self(lambdas.into_iter().map(|(group, lambda)| (group.into(), lambda)).collect())
    }

    /// λ of a table's group.
    pub fn of(&self, group: &TableGroup) -> f64 {
        self.0.get(&group.to_string()).copied().unwrap_or(0.0)
    }

    /// λ of the weight matrices of dense layers.
    pub fn of_weights(&self) -> f64 {
        self.0.get(WEIGHTS).copied().unwrap_or(0.0)
    }

    /// The config keys of factors.
    pub fn factor_keys() -> Keys {
        let meaning = "Penalty of <entity> factors, per rating; see count_exponent.";
        Key::new("solver.regularization.<entity>_factors", KeyKind::NOT_NEGATIVE, meaning).default("0.08").into()
    }

    /// The config keys of biases, for the models that have them.
    pub fn bias_keys(models: &[ModelKind]) -> Keys {
        let meaning = "Penalty of <entity> biases, per rating.";
        let key = Key::new("solver.regularization.<entity>_biases", KeyKind::NOT_NEGATIVE, meaning).default("0.02");
        key.when(is("model.kind", names_where(models, |model| model.has_biases))).into()
    }

    /// The config key of layers, for the models that have them.
    pub fn layer_keys(models: &[ModelKind]) -> Keys {
        let key = Key::new("solver.regularization.weights", KeyKind::NOT_NEGATIVE, "Penalty of the layers' weights.");
        key.default("0.0").when(is("model.kind", names_where(models, |model| model.has_layers))).into()
    }

    /// λ as set in a config; 0 if a key does not apply.
    pub fn of_config(values: &Values) -> Self {
        let section = values.section("solver.regularization");
        let lambda =
            |(path, value): (&str, &toml::Value)| Some((path.rsplit('.').next()?.to_string(), value.as_float()?));
        Self(section.iter().filter_map(lambda).collect())
    }
}
