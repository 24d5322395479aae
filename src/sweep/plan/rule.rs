//! When the schema gives a searched key a meaning.

use toml::Value;

use crate::config::{self, Config, Key};
use crate::sweep::space::{Condition, Rule};

/// When the schema gives a key a meaning, as far as that depends on searched keys. `choices` are those of a searched key,
/// `base` has the values of others.
pub(super) fn rule(key: &Key, choices: &dyn Fn(&str) -> Option<Vec<Value>>, base: &Config) -> Rule {
    let one = |is: &config::Is| {
        let allowed = |value: &Value| {
            is.values.is_empty() || value.as_str().is_some_and(|word| is.values.iter().any(|allowed| allowed == word))
        };
        let Some(other) = base.schema().find(&is.key) else { return Rule::ALWAYS };
        if let Some(values) = choices(&other.path) {
            let values = values.into_iter().filter(allowed).collect();
            return Rule::Is(Condition { key: other.path, values });
        }
        // What the base config does not have may come with another choice, as its default.
        let default = || other.default_value(base.values(), "");
        match base.values().value(&other.path).cloned().or_else(default) {
            Some(value) if allowed(&value) => rule(&other, choices, base),
            _ => Rule::Any(Vec::new()),
        }
    };
    let alternatives = |when: &config::When| {
        let rules: Vec<Rule> = when.0.iter().map(one).filter(Rule::can_hold).collect();
        if rules.contains(&Rule::ALWAYS) { Rule::ALWAYS } else { Rule::Any(rules) }
    };
    Rule::All(key.when.iter().map(alternatives).filter(|rule| *rule != Rule::ALWAYS).collect())
}
