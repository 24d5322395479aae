//! All keys of one kind of file: their names, types, defaults and meanings.
//!
//! A schema is assembled from the [`Keys`] that each part of the program declares. Reading, checking, error messages
//! and `lowrank config explain` follow from it.

use toml::Value;

use super::key::{DefaultValue, ENTITY, Key, KeyKind, Otherwise};
use super::keys::{Keys, OtherDefault, Rule};
use super::values::Values;
use super::words::nearest;

/// The keys of one kind of file.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Grouped by section in the order of declaration; each key comes after those it depends on.
    keys: Vec<Key>,
    pub(super) rules: Vec<Rule>,
    pub(super) exclusive: Vec<[String; 2]>,
    /// The entities that the data of a config have.
    entities: fn(&Values) -> Vec<String>,
    /// The command that lists the keys.
    pub(super) explained_by: &'static str,
}

impl Schema {
    /// A schema of these keys; `entities` gives the entities for which a family has keys.
    ///
    /// # Panics
    /// If a key is declared twice, is also a section, depends on a missing key, or has a default that it would reject:
    /// mistakes of the program, not of a user.
    pub fn new(keys: impl Into<Keys>, entities: fn(&Values) -> Vec<String>, explained_by: &'static str) -> Self {
        let Keys { mut keys, defaults, rules, exclusive } = keys.into();
        for OtherDefault { path, when, toml } in defaults {
            let key = keys.iter_mut().find(|key| key.path == path);
            let key = key.unwrap_or_else(|| panic!("{path}: a default for a missing key"));
            key.default
                .cases
                .push((when.unwrap_or_else(|| panic!("{path}: another default without a condition")), toml));
        }
        let schema = Self { keys: in_order(keys), rules, exclusive, entities, explained_by };
        schema.check();
        schema
    }

    fn check(&self) {
        for (at, key) in self.keys.iter().enumerate() {
            assert!(!self.keys[..at].iter().any(|other| other.path == key.path), "{} is declared twice", key.path);
            assert!(!self.is_section(&key.path), "{} is a key and a section", key.path);
            for on in dependencies(key) {
                assert!(self.keys[..at].iter().any(|other| other.path == on), "{}: {on} is no earlier key", key.path);
            }
            let DefaultValue { cases, otherwise } = &key.default;
            let otherwise = if let Otherwise::Toml(text) = otherwise { Some(text) } else { None };
            for toml in cases.iter().map(|(_, text)| text).chain(otherwise) {
                let default = Key {
                    default: DefaultValue { cases: Vec::new(), otherwise: Otherwise::Toml(toml.clone()) },
                    ..key.clone()
                };
                let value = default.default_value(&Values::default(), "").expect("a default");
                assert_eq!(key.check(&value), Ok(value), "{}: its default", key.path);
            }
        }
    }

    /// All keys; a family is one of them.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The key at `path`, which may be one of a family.
    pub fn find(&self, path: &str) -> Option<Key> {
        let own = self.keys.iter().find(|key| key.path == path);
        let of_family = || self.keys.iter().find_map(|key| Some(key.of_entity(key.entity_of(path)?)));
        own.cloned().or_else(of_family)
    }

    /// The keys for the entities of a config with these values, with families expanded.
    pub(super) fn instances(&self, key: &Key, values: &Values) -> Vec<Key> {
        match key.path.contains(ENTITY) {
            true => (self.entities)(values).iter().map(|entity| key.of_entity(entity)).collect(),
            false => vec![key.clone()],
        }
    }

    /// The entity in the path of a key of a family, if the data of a config with these values lack it; and the entities
    /// they have.
    pub(super) fn unknown_entity(&self, path: &str, values: &Values) -> Option<(String, Vec<String>)> {
        if self.keys.iter().any(|key| key.path == path) {
            return None;
        }
        let entity = self.keys.iter().find_map(|key| key.entity_of(path))?;
        let entities = (self.entities)(values);
        (!entities.iter().any(|other| other == entity)).then(|| (entity.to_string(), entities))
    }

    /// The words of a choice; none for another key.
    pub fn choices(&self, path: &str) -> Vec<String> {
        match self.find(path).map(|key| key.kind) {
            Some(KeyKind::Choice(words)) => words,
            _ => Vec::new(),
        }
    }

    /// The position of the key at `path` among all; a family counts as one key.
    pub fn place(&self, path: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.path == path || key.entity_of(path).is_some())
    }

    /// Whether there are keys below `path`.
    pub fn is_section(&self, path: &str) -> bool {
        self.keys.iter().any(|key| is_inside(&key.path, path))
    }

    /// All sections in order, beginning with `""`, those with the same first part together.
    pub(super) fn sections(&self) -> Vec<&str> {
        let mut sections: Vec<&str> = Vec::new();
        for key in &self.keys {
            if !sections.contains(&key.section()) {
                sections.push(key.section());
            }
        }
        let first = |section: &str| self.keys.iter().position(|key| top(&key.path) == top(&format!("{section}.")));
        sections.sort_by_key(|section| first(section));
        sections
    }

    /// Names of the keys and sections directly in `section`, in order, each once; for a family, the keys that every
    /// config has.
    pub(super) fn names_in(&self, section: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for key in self.keys.iter().flat_map(|key| self.instances(key, &Values::default())) {
            if !is_inside(&key.path, section) {
                continue;
            }
            let rest = key.path[section.len()..].trim_start_matches('.');
            let name = rest.split('.').next().unwrap_or_default();
            if !names.iter().any(|other| other == name) {
                names.push(name.to_string());
            }
        }
        names
    }

    /// The name in `section` that is most like `name`.
    pub(super) fn nearest_in(&self, section: &str, name: &str) -> Option<String> {
        let names = self.names_in(section);
        nearest(name, names.iter().map(String::as_str)).map(Into::into)
    }

    /// `values` as TOML: section by section in the schema's order.
    pub fn to_toml(&self, values: &Values) -> String {
        let mut text = String::new();
        for section in self.sections() {
            let keys = self.keys.iter().filter(|key| key.section() == section);
            let keys = keys.flat_map(|key| self.instances(key, values));
            let mut keys = keys.filter_map(|key| Some((values.value(&key.path)?, key))).peekable();
            if !section.is_empty() && keys.peek().is_some() {
                text += &format!("\n[{section}]\n");
            }
            for (value, key) in keys {
                text += &format!("{} = {}\n", key.name(), in_toml(value));
            }
        }
        text
    }
}

/// A value in TOML, floats with the fewest digits that reproduce them.
pub fn in_toml(value: &Value) -> String {
    match value {
        Value::Float(number) => format!("{number:?}"), // 1e-8, not 0.00000001
        value => value.to_string(),
    }
}

/// Whether `path` is inside the section `section`; everything is inside `""`.
pub(super) fn is_inside(path: &str, section: &str) -> bool {
    section.is_empty() || path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

/// Paths of the keys that a key's conditions and defaults depend on.
fn dependencies(key: &Key) -> impl Iterator<Item = &str> {
    let conditions = key.when.iter().chain(key.default.cases.iter().map(|(when, _)| when));
    conditions.flat_map(|when| &when.0).map(|is| is.key.as_str())
}

/// The first part of a path; `""` for keys above all sections.
fn top(path: &str) -> &str {
    path.split_once('.').map_or("", |(top, _)| top)
}

/// Keys with their top sections together, each after those that it depends on, also of other sections, and otherwise in
/// the order in which they were declared.
fn in_order(keys: Vec<Key>) -> Vec<Key> {
    let tops: Vec<String> = keys.iter().map(|key| top(&key.path).to_string()).collect();
    let mut waiting = keys;
    waiting.sort_by_key(|key| tops.iter().position(|other| *other == top(&key.path)));
    let mut ordered: Vec<Key> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |key: &Key| !dependencies(key).any(|on| waiting.iter().any(|other| other.path == on));
        let next = waiting.iter().position(is_free);
        let next = next.unwrap_or_else(|| panic!("{} depends on itself", waiting[0].path));
        ordered.push(waiting.remove(next));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::super::when::is;
    use super::*;

    fn of(path: &str) -> Key {
        Key::new(path, KeyKind::choice(["x", "y"]), "")
    }

    fn entities(values: &Values) -> Vec<String> {
        let own = values.find::<Vec<String>>("data.context").unwrap_or_default();
        ["user", "item"].map(Into::into).into_iter().chain(own).collect()
    }

    fn schema(keys: impl IntoIterator<Item = Key>) -> Schema {
        Schema::new(Keys::new(keys), entities, "explain")
    }

    fn paths(schema: &Schema) -> Vec<&str> {
        schema.keys().iter().map(|key| key.path.as_str()).collect()
    }

    #[test]
    fn keys_stand_after_those_that_they_depend_on_and_sections_together() {
        let schema = schema([
            of("name"),
            of("a.late").when(is("a.kind", ["x"])),
            of("a.kind"),
            of("b.c.d"),
            of("b.e").default_if(is("b.f", ["x"]), "'y'"),
            of("a.last"),
            of("b.f"),
        ]);
        assert_eq!(paths(&schema), ["name", "a.kind", "a.late", "a.last", "b.c.d", "b.f", "b.e"]);
        assert_eq!(schema.sections(), ["", "a", "b.c", "b"]);
        assert_eq!(schema.names_in("b"), ["c", "f", "e"]);
        assert!(schema.is_section("b.c") && !schema.is_section("b.c.d"));
    }

    #[test]
    fn a_family_has_the_entities_of_the_config() {
        let schema = schema([Key::new("data.context", KeyKind::TextList, ""), of("r.<entity>_l").default("'x'")]);
        assert_eq!(schema.names_in("r"), ["user_l", "item_l"]);
        let context: Values = [("data.context".to_string(), Value::Array(vec!["hour".into()]))].into_iter().collect();
        let of_all: Vec<_> = schema.instances(&schema.keys()[1], &context).into_iter().map(|key| key.path).collect();
        assert_eq!(of_all, ["r.user_l", "r.item_l", "r.hour_l"]);
        assert_eq!(schema.find("r.hour_l").expect("one of the family").path, "r.hour_l");
        assert!(schema.unknown_entity("r.hour_l", &context).is_none());
        assert_eq!(schema.unknown_entity("r.day_l", &context).expect("none of the data").0, "day");
        assert!(schema.find("r.hour_m").is_none());
    }

    #[test]
    #[should_panic = "a.b is declared twice"]
    fn a_key_is_declared_once() {
        schema([of("a.b"), of("a.b")]);
    }

    #[test]
    fn a_key_may_depend_on_a_later_section_and_is_shown_in_its_own() {
        let schema = schema([of("a.b.c").default_if(is("d.e", ["x"]), "'y'"), of("a.f"), of("d.e"), of("g.h")]);
        assert_eq!(paths(&schema), ["a.f", "d.e", "a.b.c", "g.h"]);
        assert_eq!(schema.sections(), ["a", "a.b", "d", "g"]);
    }

    #[test]
    #[should_panic = "a.c: b.d is no earlier key"]
    fn conditions_are_about_keys_that_there_are() {
        schema([of("a.c").when(is("b.d", ["x"])), of("b.e")]);
    }

    #[test]
    #[should_panic = "a.c depends on itself"]
    fn conditions_make_no_circle() {
        schema([of("a.c").when(is("b.d", ["x"])), of("b.d").when(is("a.c", ["x"]))]);
    }

    #[test]
    #[should_panic = "a.b: its default"]
    fn a_default_passes_the_key_s_own_check() {
        schema([of("a.b").default("'z'")]);
    }
}
