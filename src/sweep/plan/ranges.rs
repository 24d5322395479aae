//! Reading `[space]`: the range written for each key, and when it applies.

use std::ops::Bound;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Value};

use super::parser::{Parser, Written, plain};
use crate::config::words::{did_you_mean, nearest};
use crate::config::{Key, KeyKind, in_toml};
use crate::sweep::space::Domain;

/// The entry of a key in `[space]`.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Domain(Domain, Vec<(String, usize, Vec<Value>)>),
    SameAs(String),
}

impl<'t> Parser<'t> {
    /// `[space]`.
    pub(super) fn space(&mut self, section: Option<&Spanned<DeValue<'t>>>) -> Vec<Written<Entry>> {
        let mut written = Vec::new();
        if section.is_none() {
            let example = "model.rank = { int = [8, 128], log = true }";
            self.report(self.text.len(), format!("[space] is missing: name the keys to search, as in {example}"));
        }
        self.each_key(section, "space", &mut |this, key, offset, value| {
            let alternatives = match value.get_ref() {
                DeValue::Array(list) => list.iter().collect(),
                _ => vec![value],
            };
            for value in alternatives {
                let entry = this.entry(&key, value);
                written.extend(entry.map(|what| Written { key: key.clone(), offset, what }));
            }
        });
        written
    }

    /// One `{ … }` of `[space]`.
    fn entry(&mut self, key: &Key, value: &Spanned<DeValue<'t>>) -> Option<Entry> {
        const WORDS: [&str; 8] = ["uniform", "log_uniform", "int", "choice", "same_as", "log", "step", "when"];
        let at = value.span().start;
        let path = &key.path;
        let example = example(key);
        let DeValue::Table(table) = value.get_ref() else {
            self.report(at, format!("{path} must have a range, as in {example}; a fixed value belongs in [set]"));
            return None;
        };
        let mut sound = true;
        for word in table.keys().filter(|word| !WORDS.contains(&&**word.get_ref())) {
            let remedy = did_you_mean(nearest(word.get_ref(), WORDS));
            let remedy = if remedy.is_empty() { format!("; {}", WORDS.join(", ")) } else { remedy };
            self.report(word.span().start, format!("unknown word {:?} for {path}{remedy}", word.get_ref()));
            sound = false;
        }
        let kinds: Vec<_> = table.iter().filter(|(word, _)| WORDS[..5].contains(&&**word.get_ref())).collect();
        let &[(kind, body)] = &kinds[..] else {
            if sound {
                self.report(
                    at,
                    format!("{path} must have one of uniform, log_uniform, int, choice or same_as: {example}"),
                );
            }
            return None;
        };
        let kind = &**kind.get_ref();
        for (word, wanted) in [("log", "int"), ("step", "int")] {
            if let Some((word, _)) = table.get_key_value(word).filter(|_| kind != wanted) {
                self.report(word.span().start, format!("{path}: {} applies only with {wanted}", word.get_ref()));
                sound = false;
            }
        }
        let when = match table.get("when") {
            None => Vec::new(),
            Some(when) => self.when(path, when)?,
        };
        let entry = match kind {
            "same_as" => match body.get_ref().as_str() {
                Some(source) => Some(Entry::SameAs(source.into())),
                None => {
                    self.report(body.span().start, format!("{path}: same_as must be the name of another searched key"));
                    None
                }
            },
            "choice" => self.choice(key, body).map(|domain| Entry::Domain(domain, when)),
            "int" => self.integers(key, body, table).map(|domain| Entry::Domain(domain, when)),
            _ => self.range(key, kind, body).map(|domain| Entry::Domain(domain, when)),
        };
        entry.filter(|_| sound)
    }

    /// `when = { key = value or list }`: key, place and values.
    fn when(&mut self, path: &str, when: &Spanned<DeValue<'t>>) -> Option<Vec<(String, usize, Vec<Value>)>> {
        let mut conditions = Vec::new();
        if !when.get_ref().is_table() {
            let message = "when must name other searched keys and their values, as in when = { solver.kind = \"sgd\" }";
            self.report(when.span().start, format!("{path}: {message}"));
            return None;
        }
        self.each_key(Some(when), "when", &mut |this, key, offset, value| {
            let list = match value.get_ref() {
                // The value itself may be a list.
                DeValue::Array(list) if !is_list(&key.kind) || list.iter().all(|value| value.get_ref().is_array()) => {
                    list.iter().collect()
                }
                _ => vec![value],
            };
            let values = list.into_iter().filter_map(|value| this.checked(&key, value)).collect();
            conditions.push((key.path.to_string(), offset, values));
        });
        Some(conditions)
    }

    fn choice(&mut self, key: &Key, body: &Spanned<DeValue<'t>>) -> Option<Domain> {
        let Some(list) = body.get_ref().as_array().filter(|list| !list.is_empty()) else {
            self.report(body.span().start, format!("{}: choice must be a nonempty list of values", key.path));
            return None;
        };
        let mut values = Vec::new();
        for element in list {
            let value = self.checked(key, element)?;
            if values.contains(&value) {
                self.report(element.span().start, format!("{}: {} is repeated", key.path, in_toml(&value)));
                return None;
            }
            values.push(value);
        }
        Some(Domain::Choice(values))
    }

    /// The two ends of a range, each checked against the key.
    fn ends(&mut self, key: &Key, kind: &str, body: &Spanned<DeValue<'t>>) -> Option<[Value; 2]> {
        let pair: Option<[&Spanned<DeValue>; 2]> =
            body.get_ref().as_array().and_then(|list| list.iter().collect::<Vec<_>>().try_into().ok());
        let Some(pair) = pair else {
            self.report(body.span().start, format!("{}: {kind} must be [low, high]", key.path));
            return None;
        };
        let [low, high] = pair.map(|end| self.checked(key, end));
        let (low, high) = (low?, high?);
        let number = |value: &Value| value.as_float().or(value.as_integer().map(|integer| integer as f64));
        if number(&low) >= number(&high) {
            let message = format!("{}: {kind} must be [low, high] with low below high", key.path);
            self.report(body.span().start, message);
            return None;
        }
        Some([low, high])
    }

    fn range(&mut self, key: &Key, kind: &str, body: &Spanned<DeValue<'t>>) -> Option<Domain> {
        if !matches!(key.kind, KeyKind::Float(..)) {
            let message = format!("{} must be {}, so {kind} does not fit; use {}", key.path, key.kind, example(key));
            self.report(body.span().start, message);
            return None;
        }
        let [low, high] = self.ends(key, kind, body)?.map(|value| value.as_float().expect("a float key's value"));
        if kind == "uniform" {
            return Some(Domain::Uniform { low, high });
        }
        if low <= 0.0 {
            let message = format!("{}: log_uniform needs ends above 0, but is from {low}; or use uniform", key.path);
            self.report(body.span().start, message);
            return None;
        }
        Some(Domain::LogUniform { low, high })
    }

    fn integers(&mut self, key: &Key, body: &Spanned<DeValue<'t>>, table: &DeTable<'t>) -> Option<Domain> {
        if !matches!(key.kind, KeyKind::Int(_)) {
            let message = format!("{} must be {}, so int does not fit; use {}", key.path, key.kind, example(key));
            self.report(body.span().start, message);
            return None;
        }
        let [low, high] = self.ends(key, "int", body)?.map(|value| value.as_integer().expect("an integer key's value"));
        let log = match table.get("log").map(|value| (value.get_ref().as_bool(), value.span().start)) {
            None => false,
            Some((Some(log), _)) => log,
            Some((None, at)) => {
                self.report(at, format!("{}: log must be true or false", key.path));
                return None;
            }
        };
        let step =
            match table.get("step").map(|value| (plain(value).ok().and_then(|v| v.as_integer()), value.span().start)) {
                None => 1,
                Some((Some(step), at)) if step < 1 || log => {
                    let rule = if log { "does not apply with log = true" } else { "must be at least 1" };
                    self.report(at, format!("{}: step {rule}", key.path));
                    return None;
                }
                Some((Some(step), _)) => step,
                Some((None, at)) => {
                    self.report(at, format!("{}: step must be an integer", key.path));
                    return None;
                }
            };
        if log && low < 1 {
            self.report(body.span().start, format!("{}: int with log = true must start at 1 or more", key.path));
            return None;
        }
        Some(Domain::Int { low, high, step, log })
    }
}

fn is_list(kind: &KeyKind) -> bool {
    matches!(kind, KeyKind::TextList | KeyKind::PathList | KeyKind::IntList(_))
}

/// A range as it could be written for this key.
fn example(key: &Key) -> String {
    match &key.kind {
        KeyKind::Int(_) => "{ int = [8, 128], log = true }".into(),
        KeyKind::Float(Bound::Excluded(low), _) if *low == 0.0 => "{ log_uniform = [1e-4, 1e-2] }".into(),
        KeyKind::Float(..) => "{ uniform = [0.0, 0.1] }".into(),
        KeyKind::Bool => "{ choice = [true, false] }".into(),
        KeyKind::Choice(words) => format!("{{ choice = {:?} }}", &words[..words.len().min(2)]),
        KeyKind::IntList(_) => "{ choice = [[64], [64, 32]] }".into(),
        KeyKind::PathList => "{ choice = [[\"a\"], [\"b\"]] }".into(),
        KeyKind::Text | KeyKind::Path | KeyKind::Name | KeyKind::TextList => "{ choice = [\"a\", \"b\"] }".into(),
    }
}
