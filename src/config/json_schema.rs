//! `lowrank config schema`: the keys as a JSON schema, by which editors complete and check configs.
//!
//! Draft 7, which editors of TOML read. It knows names, types, ranges, words, defaults and meanings; which keys apply
//! together is told in the descriptions only, and checked by `lowrank config check`.

use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::key::{ENTITY, Key, KeyKind, Otherwise};
use super::schema::Schema;

/// The schema of files with these keys, called `title`.
pub fn json_schema(schema: &Schema, title: &str) -> Value {
    let mut root = section();
    for key in schema.keys() {
        let mut at = &mut root;
        let mut parts: Vec<&str> = key.path.split('.').collect();
        let name = parts.pop().unwrap_or_default();
        for part in parts {
            at = properties(at, "properties").entry(part).or_insert_with(section);
        }
        match name.split_once(ENTITY) {
            None => properties(at, "properties").insert(name.into(), property(key)),
            Some((before, after)) => {
                properties(at, "patternProperties").insert(format!("^{before}[^.]+{after}$"), property(key))
            }
        };
    }
    let head = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "title": title });
    for (name, value) in head.as_object().into_iter().flatten() {
        root[name] = value.clone();
    }
    root
}

/// A table that has only the keys that are added to it.
fn section() -> Value {
    json!({ "type": "object", "additionalProperties": false })
}

/// The keys of a table by name, or by pattern.
fn properties<'a>(section: &'a mut Value, of: &str) -> &'a mut Map<String, Value> {
    let all = section.as_object_mut().expect("a section is an object");
    let of = all.entry(of).or_insert_with(|| json!({}));
    of.as_object_mut().expect("properties are an object")
}

/// What one key may be, and what it means.
fn property(key: &Key) -> Value {
    let mut property = kind(&key.kind);
    let conditions: Vec<String> = key.when.iter().map(ToString::to_string).collect();
    let condition =
        if conditions.is_empty() { String::new() } else { format!(" Only with {}.", conditions.join(" and ")) };
    property["description"] = format!("{}{condition}", key.meaning.replace(ENTITY, "the entity's")).into();
    // A default that depends on other keys has no place here.
    if let (Otherwise::Toml(_), []) = (&key.default.otherwise, &key.default.cases[..]) {
        let default = key.default_value(&super::values::Values::default(), "");
        property["default"] = default.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default();
    }
    property
}

/// Type and range.
fn kind(kind: &KeyKind) -> Value {
    let integer = |low: &i64, high: &i64| json!({ "type": "integer", "minimum": low, "maximum": high });
    match kind {
        KeyKind::Bool => json!({ "type": "boolean" }),
        KeyKind::Int(range) => integer(range.start(), range.end()),
        KeyKind::Float(low, high) => {
            let mut number = json!({ "type": "number" });
            let bounds = [(low, "minimum", "exclusiveMinimum"), (high, "maximum", "exclusiveMaximum")];
            for (bound, included, excluded) in bounds {
                match bound {
                    Bound::Included(value) => number[included] = (*value).into(),
                    Bound::Excluded(value) => number[excluded] = (*value).into(),
                    Bound::Unbounded => {}
                }
            }
            number
        }
        KeyKind::Text | KeyKind::Path => json!({ "type": "string", "minLength": 1 }),
        KeyKind::Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$" }),
        KeyKind::Choice(words) => json!({ "enum": words }),
        KeyKind::TextList => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        KeyKind::PathList => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 })
        }
        KeyKind::IntList(range) => json!({ "type": "array", "items": integer(range.start(), range.end()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Keys;
    use super::*;

    #[test]
    fn keys_become_properties_of_their_sections() {
        let keys = Keys::new([
            Key::new("seed", KeyKind::Int(0..=9), "The seed.").default("4"),
            Key::new("a.kind", KeyKind::choice(["x", "y"]), "A word.").default("'x'"),
            Key::new("a.b.share", KeyKind::SHARE, "A share.").when(crate::config::is("a.kind", ["y"])),
            Key::new("a.<entity>_l1", KeyKind::POSITIVE, "Weight of <entity> factors."),
        ]);
        let found = json_schema(&Schema::new(keys, |_| vec!["user".into()], ""), "t");
        let expected = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "t",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "seed": { "type": "integer", "minimum": 0, "maximum": 9, "description": "The seed.", "default": 4 },
                "a": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "kind": { "enum": ["x", "y"], "description": "A word.", "default": "x" },
                        "b": {
                            "type": "object",
                            "additionalProperties": false,
                            "properties": {
                                "share": {
                                    "type": "number",
                                    "minimum": 0.0,
                                    "exclusiveMaximum": 1.0,
                                    "description": "A share. Only with a.kind = \"y\".",
                                },
                            },
                        },
                    },
                    "patternProperties": {
                        "^[^.]+_l1$": {
                            "type": "number",
                            "exclusiveMinimum": 0.0,
                            "description": "Weight of the entity's factors.",
                        },
                    },
                },
            },
        });
        assert_eq!(found, expected, "{found:#}");
    }
}
