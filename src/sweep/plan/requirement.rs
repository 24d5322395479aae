//! When a searched key applies by the schema.

use toml::Value;

use crate::config::{self, Config, Key};
use crate::sweep::space::{Condition, Requirement};

/// When a key applies by the schema, in terms of searched keys. `choices` are those of a searched key, `base` has the
/// values of other keys.
pub(super) fn requirement(key: &Key, choices: &dyn Fn(&str) -> Option<Vec<Value>>, base: &Config) -> Requirement {
    let one = |is: &config::Is| {
        let allowed = |value: &Value| {
            is.values.is_empty() || value.as_str().is_some_and(|word| is.values.iter().any(|allowed| allowed == word))
        };
        let Some(other) = base.schema().find(&is.key) else { return Requirement::ALWAYS };
        if is.absent {
            // A searched key always has a value.
            let has_value = choices(&other.path).is_some() || base.values().contains(&other.path);
            return if has_value { Requirement::Any(Vec::new()) } else { Requirement::ALWAYS };
        }
        // A key missing from the base config may apply with another choice, with its default.
        let default = || other.default_value(base.values(), "");
        let in_base = base.values().value(&other.path).cloned().or_else(default);
        let is_met_by_base = in_base.is_some_and(|value| allowed(&value));
        match choices(&other.path) {
            // Whether it is searched or not, its value will do.
            Some(values) if is_met_by_base && values.iter().all(allowed) => requirement(&other, choices, base),
            Some(values) => {
                let values = values.into_iter().filter(allowed).collect();
                Requirement::Is(Condition { key: other.path, values })
            }
            None if is_met_by_base => requirement(&other, choices, base),
            None => Requirement::Any(Vec::new()),
        }
    };
    let alternatives = |when: &config::When| {
        let met: Vec<Requirement> = when.0.iter().map(one).filter(Requirement::can_hold).collect();
        if met.contains(&Requirement::ALWAYS) { Requirement::ALWAYS } else { Requirement::Any(met) }
    };
    Requirement::All(key.when.iter().map(alternatives).filter(|part| *part != Requirement::ALWAYS).collect())
}
