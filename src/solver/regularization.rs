//! λ, for all solvers.

use std::collections::BTreeMap;

use crate::config::{Key, KeyKind, Keys, Values, in_toml, is};
use crate::model::{ModelKind, TableGroup, names_where};

/// λ of each group of parameters, per observed interaction; 0 for missing groups.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Regularization(BTreeMap<String, f64>);

/// The weight matrices of dense layers, among the groups.
const WEIGHTS: &str = "weights";

/// The section of its keys.
const SECTION: &str = "solver.regularization";

/// Keys of factors and of biases.
const FACTORS: &str = "solver.regularization.<entity>_factors";
const BIASES: &str = "solver.regularization.<entity>_biases";

impl Regularization {
    /// λ of factors if nothing else is said.
    pub const OF_FACTORS: f64 = 0.08;
    /// λ of biases if nothing else is said.
    pub const OF_BIASES: f64 = 0.02;

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

    /// The config keys of factors, optional: for a solver that has a rule for those that are not given.
    pub fn optional_factor_keys() -> Keys {
        let meaning = "Penalty of <entity> factors, per rating; see count_exponent. With als and biased-mf, if no key of this \
                       section is given: the standard deviation of the training ratings, with 1 for biases and \
                       count_exponent 0.5; for implicit feedback 15; otherwise als has 0.08.";
        Key::new(FACTORS, KeyKind::NOT_NEGATIVE, meaning).into()
    }

    /// The same for biases, for the models that have them.
    pub fn optional_bias_keys(models: &[ModelKind]) -> Keys {
        let meaning =
            "Penalty of <entity> biases, per rating. With als, 1 if no key of this section is given, else 0.02.";
        let key = Key::new(BIASES, KeyKind::NOT_NEGATIVE, meaning);
        key.when(is("model.kind", names_where(models, |model| model.has_biases))).into()
    }

    /// The config keys of factors, with their defaults.
    pub fn factor_keys() -> Keys {
        Self::optional_factor_keys().default_for(FACTORS, &in_toml(&Self::OF_FACTORS.into()))
    }

    /// The config keys of biases, with their defaults, for the models that have them.
    pub fn bias_keys(models: &[ModelKind]) -> Keys {
        Self::optional_bias_keys(models).default_for(BIASES, &in_toml(&Self::OF_BIASES.into()))
    }

    /// The config key of layers, for the models that have them.
    pub fn layer_keys(models: &[ModelKind]) -> Keys {
        let key = Key::new("solver.regularization.weights", KeyKind::NOT_NEGATIVE, "Penalty of the layers' weights.");
        key.default("0.0").when(is("model.kind", names_where(models, |model| model.has_layers))).into()
    }

    /// The same λ for the factors of users and items, and the same for their biases.
    pub fn of_pairs(factors: f64, biases: f64) -> Self {
        let [users, items] = [("user_factors", "user_biases"), ("item_factors", "item_biases")];
        Self::new([(users.0, factors), (items.0, factors), (users.1, biases), (items.1, biases)])
    }

    /// λ if nothing else is said.
    pub fn usual() -> Self {
        Self::of_pairs(Self::OF_FACTORS, Self::OF_BIASES)
    }

    /// These λ, and those of `other` for groups that have none.
    pub fn or(mut self, other: Self) -> Self {
        for (group, lambda) in other.0 {
            self.0.entry(group).or_insert(lambda);
        }
        self
    }

    /// Sets these λ in a config.
    pub(super) fn write(&self, values: &mut Values) {
        self.0.iter().for_each(|(group, &lambda)| values.insert(format!("{SECTION}.{group}"), lambda));
    }

    /// λ as set in a config; 0 if a key does not apply.
    pub fn of_config(values: &Values) -> Self {
        let section = values.section(SECTION);
        let lambda =
            |(path, value): (&str, &toml::Value)| Some((path.rsplit('.').next()?.to_string(), value.as_float()?));
        Self(section.iter().filter_map(lambda).collect())
    }
}
