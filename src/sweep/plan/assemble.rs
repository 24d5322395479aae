//! Assembling `[space]`: conditions resolved, dimensions in an order in which they can be drawn.

use toml::Value;

use super::parser::{Parser, Written};
use super::ranges::Entry;
use super::requirement::requirement;
use crate::config::{Config, KeyKind};
use crate::sweep::space::{Condition, Dimension, Domain, Space};

impl Parser<'_> {
    /// Assembles what was written: conditions resolved, dimensions in an order in which they can be drawn.
    pub(super) fn assemble(&mut self, written: Vec<Written<Entry>>, base: &Config) -> Space {
        let mut space = Space::default();
        let mut waiting = Vec::new();
        let mut ties = Vec::new();
        for Written { key, offset, what } in written {
            match what {
                Entry::SameAs(source) => ties.push((key, offset, source)),
                Entry::Domain(domain, when) => waiting.push((key, offset, domain, when)),
            }
        }
        let all = waiting.clone();
        let choices = |path: &str| -> Option<Vec<Value>> {
            let mut domains = all.iter().filter(|(key, ..)| key.path == path).peekable();
            domains.peek()?;
            let values = domains.filter_map(|(_, _, domain, _)| match domain {
                Domain::Choice(values) => Some(values.clone()),
                _ => None,
            });
            Some(values.flatten().collect())
        };
        let mut dimensions: Vec<(Dimension, usize)> = Vec::new();
        for (key, offset, domain, when) in waiting {
            let mut conditions = Vec::new();
            for (path, place, values) in when {
                match choices(&path) {
                    Some(known) if values.iter().all(|value| known.contains(value)) => {
                        conditions.push(Condition { key: path, values });
                    }
                    Some(known) if known.is_empty() => {
                        self.report(
                            place,
                            format!("when: {path} is searched, but not by choice, so nothing can depend on it"),
                        );
                    }
                    Some(_) => self.report(place, format!("when: not all of these are among the choices of {path}")),
                    None => self.report(place, format!("when: {path} is not searched, so nothing can depend on it")),
                }
            }
            let requirement = requirement(&key, &choices, base);
            if !requirement.can_hold() {
                let whens: Vec<_> = key.when.iter().map(ToString::to_string).collect();
                let message = format!("{} applies only with {}", key.path, whens.join(" and "));
                self.report(offset, format!("{message}, which neither [space] nor the base config sets"));
            }
            dimensions.push((Dimension { key: key.path, domain, when: conditions, requirement }, offset));
        }
        self.check_alternatives(&dimensions);
        // First those that depend on nothing, then those that depend on them, and so on.
        while !dimensions.is_empty() {
            let is_free = |(dimension, _): &(Dimension, usize)| {
                !dimensions.iter().any(|(other, _)| dimension.depends_on(&other.key))
            };
            let (free, rest): (Vec<_>, Vec<_>) = dimensions.clone().into_iter().partition(is_free);
            if free.is_empty() {
                self.report(rest[0].1, format!("{} depends on itself through when", rest[0].0.key));
                break;
            }
            space.dimensions.extend(free.into_iter().map(|(dimension, _)| dimension));
            dimensions = rest;
        }
        for (key, offset, source) in ties {
            match space.dimensions.iter().find(|dimension| dimension.key == source) {
                Some(dimension) => {
                    let source_key = self.schema.find(&dimension.key);
                    let fits = dimension.domain.grid(2).iter().all(|value| key.check(value).is_ok());
                    if fits && source_key.is_some_and(|source| same_kind(&source.kind, &key.kind)) {
                        space.ties.push((key.path, dimension.key.clone()));
                    } else {
                        let message = format!("{} cannot be the same as {source}: it must be {}", key.path, key.kind);
                        self.report(offset, message);
                    }
                }
                None => self.report(offset, format!("{}: {source:?} is not a searched key", key.path)),
            }
        }
        space
    }

    /// Several domains of one key must exclude each other.
    fn check_alternatives(&mut self, dimensions: &[(Dimension, usize)]) {
        for (at, (one, _)) in dimensions.iter().enumerate() {
            for (other, offset) in dimensions[..at].iter().filter(|(other, _)| other.key == one.key) {
                let exclude = one.when.iter().any(|a| {
                    other.when.iter().any(|b| a.key == b.key && !a.values.iter().any(|value| b.values.contains(value)))
                });
                if !exclude {
                    let message = "has several ranges that can hold at once; distinguish them by when";
                    self.report(*offset, format!("{} {message}", one.key));
                }
            }
        }
    }
}

fn same_kind(a: &KeyKind, b: &KeyKind) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}
