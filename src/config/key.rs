//! One key of a config: type, range, default, condition, effect and meaning.

use std::fmt;
use std::ops::{Bound, RangeBounds, RangeInclusive};

use serde::Deserialize;
use toml::Value;
use toml::de::ValueDeserializer;

use super::values::Values;
use super::when::When;
use super::words::{any_of, did_you_mean, nearest};

/// Placeholder for the entity's name in the path of a family of keys.
pub(super) const ENTITY: &str = "<entity>";

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Sections and name, as in `"solver.schedule.kind"`. With `<entity>` in its name it is a family of keys, one for
    /// each entity of the data.
    pub path: String,
    /// Type and range.
    pub kind: KeyKind,
    /// Its value if neither the file nor `--set` sets it.
    pub default: DefaultValue,
    /// The conditions under which the key applies; all must hold.
    pub when: Vec<When>,
    /// What changes with its value.
    pub effect: Effect,
    /// What it does, in one or two sentences.
    pub meaning: String,
}

/// Type and range of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyKind {
    /// `true` or `false`.
    Bool,
    /// An integer.
    Int(RangeInclusive<i64>),
    /// A number between two bounds, also when rounded to 32 bits; an integer is converted to a float.
    Float(Bound<f64>, Bound<f64>),
    /// Nonempty text.
    Text,
    /// The path of a file or folder, not empty. Relative to the config file, or on the command line to the current folder;
    /// as a value it is absolute.
    Path,
    /// Text that can be part of a file name: letters, digits, `-`, `_` and `.`, which is not first.
    Name,
    /// One of a few words.
    Choice(Vec<String>),
    /// A nonempty list of text.
    TextList,
    /// A nonempty list of paths, each as for [`Path`](Self::Path).
    PathList,
    /// A list of integers, each in the range.
    IntList(RangeInclusive<i64>),
}

/// The value of a key that is not set: that of the first case that holds, else `otherwise`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultValue {
    /// Values in TOML that depend on choices.
    pub cases: Vec<(When, String)>,
    /// The value if no case holds.
    pub otherwise: Otherwise,
}

/// The value of a [`DefaultValue`] if no case holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Otherwise {
    /// Nothing: the key is optional.
    Absent,
    /// A value, written in TOML.
    Toml(String),
    /// The name of the config file.
    FileName,
}

/// What changes with the value of a key; used to compare, resume and search configs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing about the result: only where it is computed and kept, and what is shown.
    Nothing,
    /// The name of a run.
    Name,
    /// Whether the chosen model is retrained on everything but the test part.
    Refit,
    /// Which of several repeats this is: runs that differ only in this are repeats.
    Pairing,
    /// What the model is trained and evaluated on.
    Data,
    /// What the model is told beside that: it is evaluated on the same.
    Input,
    /// How good the result is.
    Result,
}

/// Counts and indices have 32 bits.
pub(super) const MOST: i64 = u32::MAX as i64;

impl KeyKind {
    /// An integer from 0.
    pub const ANY_COUNT: Self = Self::Int(0..=MOST);
    /// An integer from 1.
    pub const AT_LEAST_ONE: Self = Self::Int(1..=MOST);
    /// Any finite number.
    pub const ANY_NUMBER: Self = Self::Float(Bound::Unbounded, Bound::Unbounded);
    /// A number from 0.
    pub const NOT_NEGATIVE: Self = Self::Float(Bound::Included(0.0), Bound::Unbounded);
    /// A number above 0.
    pub const POSITIVE: Self = Self::Float(Bound::Excluded(0.0), Bound::Unbounded);
    /// A share: at least 0 and below 1.
    pub const SHARE: Self = Self::Float(Bound::Included(0.0), Bound::Excluded(1.0));

    /// One of these words.
    pub fn choice(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Choice(words.into_iter().map(Into::into).collect())
    }

    /// The type without its range, with an article.
    fn noun(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Int(_) => "an integer".into(),
            Self::Float(..) => "a number".into(),
            Self::Text | Self::Path | Self::Name => "a string".into(),
            Self::Choice(words) => format!("one of {}", any_of(words)),
            Self::TextList | Self::PathList => "a list of strings".into(),
            Self::IntList(_) => "a list of integers".into(),
        }
    }
}

impl Key {
    /// An optional key that always applies and affects the result.
    pub fn new(path: &str, kind: KeyKind, meaning: &str) -> Self {
        let default = DefaultValue { cases: Vec::new(), otherwise: Otherwise::Absent };
        Self { path: path.into(), kind, default, when: Vec::new(), effect: Effect::Result, meaning: meaning.into() }
    }

    /// The key with a default, written in TOML.
    pub fn default(mut self, toml: &str) -> Self {
        self.default.otherwise = Otherwise::Toml(toml.into());
        self
    }

    /// The key with the config file's name as its default.
    pub fn default_of_file(mut self) -> Self {
        self.default.otherwise = Otherwise::FileName;
        self
    }

    /// The key with another default under a condition; the first condition that holds decides.
    pub fn default_if(mut self, when: When, toml: &str) -> Self {
        self.default.cases.push((when, toml.into()));
        self
    }

    /// The key with one more condition.
    pub fn when(mut self, when: When) -> Self {
        self.when.push(when);
        self
    }

    /// The key with an effect.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The section's path, `""` for keys above all sections.
    pub fn section(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The path's last part.
    pub fn name(&self) -> &str {
        self.path.rsplit_once('.').map_or(&self.path, |(_, name)| name)
    }

    /// The key of one entity of a family; the key itself if it is not a family.
    pub(super) fn of_entity(&self, entity: &str) -> Self {
        let [path, meaning] = [&self.path, &self.meaning].map(|text| text.replace(ENTITY, entity));
        Self { path, meaning, ..self.clone() }
    }

    /// The entity that `path` names, if this is a family and `path` belongs to it.
    pub(super) fn entity_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (before, after) = self.path.split_once(ENTITY)?;
        let entity = path.strip_prefix(before)?.strip_suffix(after)?;
        (!entity.is_empty() && !entity.contains('.')).then_some(entity)
    }

    /// The default if the keys before it have `values`, for a config called `name`.
    pub fn default_value(&self, values: &Values, name: &str) -> Option<Value> {
        let case = self.default.cases.iter().find(|(when, _)| when.holds(values)).map(|(_, text)| text);
        let text = match (case, &self.default.otherwise) {
            (Some(text), _) | (None, Otherwise::Toml(text)) => text,
            (None, Otherwise::Absent) => return None,
            (None, Otherwise::FileName) => return Some(Value::from(name)),
        };
        let value = ValueDeserializer::parse(text).and_then(Value::deserialize);
        Some(value.expect("defaults are TOML, as the schema has checked"))
    }

    /// `value` as this key stores it: an integer becomes a float if a float is wanted.
    ///
    /// # Errors
    /// What is wrong, beginning with the key's path: `model.rank must be an integer, but is a string ("ten")`.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        let found = || match value {
            Value::Array(_) | Value::Table(_) => type_name(value).to_owned(),
            _ => format!("{} ({})", type_name(value), shown(value)),
        };
        let wrong_type = || format!("{} must be {}, but is {}", self.path, self.kind.noun(), found());
        let out_of_range = |range: String| format!("{} must be {range}, but is {}", self.path, shown(value));
        match (&self.kind, value) {
            (KeyKind::Bool, Value::Boolean(_)) => {}
            (KeyKind::Int(range), Value::Integer(number)) => {
                if !range.contains(number) {
                    return Err(out_of_range(int_range(range)));
                }
            }
            (&KeyKind::Float(low, high), Value::Integer(_) | Value::Float(_)) => {
                let number = value.as_float().or(value.as_integer().map(|integer| integer as f64));
                let number = number.expect("an integer or a float");
                // Models compute in 32 bits, in which 1e-50 is 0 and 1e50 is infinite.
                let rounded = number as f32;
                if !rounded.is_finite() {
                    return Err(out_of_range("a finite 32-bit number".into()));
                }
                if !((low, high).contains(&number) && (low, high).contains(&f64::from(rounded))) {
                    return Err(out_of_range(float_range(low, high)));
                }
                return Ok(Value::Float(number));
            }
            (KeyKind::Text | KeyKind::Path, Value::String(text)) => {
                if text.is_empty() {
                    return Err(format!("{} must not be empty", self.path));
                }
            }
            (KeyKind::Name, Value::String(text)) => {
                if text.is_empty() || text.starts_with('.') || !text.chars().all(is_in_names) {
                    let rule = "made of letters, digits, \"-\", \"_\" and \".\", not starting with \".\"";
                    return Err(out_of_range(rule.into()));
                }
            }
            (KeyKind::Choice(words), Value::String(text)) => {
                if !words.contains(text) {
                    let remedy = did_you_mean(nearest(text, words.iter().map(String::as_str)));
                    return Err(format!("{}{remedy}", out_of_range(self.kind.noun())));
                }
            }
            (KeyKind::TextList | KeyKind::PathList, Value::Array(list)) => {
                if list.is_empty() {
                    return Err(format!("{} must not be empty", self.path));
                }
                let is_path = self.kind == KeyKind::PathList;
                let fits = |element: &Value| element.as_str().is_some_and(|text| !(is_path && text.is_empty()));
                if let Some(position) = list.iter().position(|element| !fits(element)) {
                    return Err(self.wrong_element(position, &list[position]));
                }
            }
            (KeyKind::IntList(range), Value::Array(list)) => {
                let fits = |element: &Value| element.as_integer().is_some_and(|number| range.contains(&number));
                if let Some(position) = list.iter().position(|element| !fits(element)) {
                    return Err(self.wrong_element(position, &list[position]));
                }
            }
            _ => return Err(wrong_type()),
        }
        Ok(value.clone())
    }

    fn wrong_element(&self, position: usize, element: &Value) -> String {
        format!("{} must be {}, but element {} is {}", self.path, self.kind, position + 1, shown(element))
    }
}

/// Type and range: `an integer from 1 to 4096`.
impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.noun())?;
        match self {
            Self::Int(range) if *range.end() == MOST => write!(f, " at least {}", range.start()),
            Self::Int(range) => write!(f, " {}", int_range(range)),
            Self::Float(Bound::Unbounded, Bound::Unbounded) => Ok(()),
            &Self::Float(low, high) => write!(f, " {}", float_range(low, high)),
            Self::IntList(range) => write!(f, ", each {}", int_range(range)),
            _ => Ok(()),
        }
    }
}

fn int_range(range: &RangeInclusive<i64>) -> String {
    match (range.start(), range.end()) {
        (low, &i64::MAX) => format!("at least {low}"),
        (low, high) => format!("from {low} to {high}"),
    }
}

fn float_range(low: Bound<f64>, high: Bound<f64>) -> String {
    if let (Bound::Included(low), Bound::Included(high)) = (low, high) {
        return format!("from {low} to {high}");
    }
    let low = match low {
        Bound::Included(low) => Some(format!("at least {low}")),
        Bound::Excluded(low) => Some(format!("above {low}")),
        Bound::Unbounded => None,
    };
    let high = match high {
        Bound::Included(high) => Some(format!("at most {high}")),
        Bound::Excluded(high) => Some(format!("below {high}")),
        Bound::Unbounded => None,
    };
    [low, high].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// A value in a message: short, and always on one line.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Float(number) => format!("{number:?}"),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date or time",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// Whether a [`KeyKind::Name`] may have this character.
pub(super) fn is_in_names(c: char) -> bool {
    c.is_alphanumeric() || "-_.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::super::when::{given, is};
    use super::*;

    fn value(text: &str) -> Value {
        ValueDeserializer::parse(text).and_then(Value::deserialize).expect("valid TOML")
    }

    #[test]
    fn bounds_belong_to_a_range_as_stated() {
        for (kind, inside, outside) in [
            (KeyKind::Int(1..=4096), ["1", "4096"], ["0", "4097"]),
            (
                KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1000.0)),
                ["1e-30", "1000"],
                ["0.0", "1000.000000001"],
            ),
            (KeyKind::Float(Bound::Excluded(0.0), Bound::Excluded(1.0)), ["1e-9", "0.999"], ["0", "1"]),
            (KeyKind::SHARE, ["0", "0.999"], ["-1e-9", "0.9999999999"]),
            (KeyKind::ANY_NUMBER, ["-1e30", "1e30"], ["nan", "-1e39"]),
            (KeyKind::POSITIVE, ["1e-3", "7"], ["inf", "1e-300"]),
            (KeyKind::IntList(1..=65536), ["[]", "[1, 65536]"], ["[0]", "[3, 65537]"]),
            (KeyKind::Name, ["'a-B_3.x'", "'größe'"], ["'a/b'", "'.a'"]),
            (KeyKind::TextList, ["['']", "['a', 'b']"], ["[]", "['a', 1]"]),
            (KeyKind::PathList, ["['a']", "['a', 'b/c']"], ["[]", "['a', '']"]),
        ] {
            let key = Key::new("a.b", kind, "");
            let accepts = |text: &str| key.check(&value(text)).is_ok();
            assert!(inside.iter().all(|text| accepts(text)), "{} accepts {inside:?}", key.kind);
            assert!(outside.iter().all(|text| !accepts(text)), "{} refuses {outside:?}", key.kind);
        }
    }

    #[test]
    fn an_integer_becomes_a_float_where_one_is_wanted() {
        assert_eq!(Key::new("a", KeyKind::POSITIVE, "").check(&Value::Integer(1)), Ok(Value::Float(1.0)));
    }

    #[test]
    fn problems_name_the_key_the_rule_and_the_value() {
        let (rank, seed) = (KeyKind::Int(1..=4096), KeyKind::Int(0..=i64::MAX));
        let rate = KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1000.0));
        for (path, kind, text, message) in [
            ("model.rank", rank.clone(), "'ten'", "model.rank must be an integer, but is a string (\"ten\")"),
            ("model.rank", rank.clone(), "8.0", "model.rank must be an integer, but is a float (8.0)"),
            ("model.rank", rank, "0", "model.rank must be from 1 to 4096, but is 0"),
            ("seed", seed, "-1", "seed must be at least 0, but is -1"),
            ("rate", rate, "-0.1", "rate must be above 0 and at most 1000, but is -0.1"),
            ("test", KeyKind::SHARE, "1", "test must be at least 0 and below 1, but is 1"),
            ("run.dir", KeyKind::Text, "''", "run.dir must not be empty"),
            ("on", KeyKind::Bool, "{}", "on must be true or false, but is a table"),
            (
                "layers",
                KeyKind::IntList(1..=9),
                "[8, 'x']",
                "layers must be a list of integers, each from 1 to 9, but element 2 is \"x\"",
            ),
            (
                "kind",
                KeyKind::choice(["adam", "adamw", "sgd"]),
                "'admw'",
                "kind must be one of \"adam\", \"adamw\" or \"sgd\", but is \"admw\"; did you mean \"adamw\"?",
            ),
        ] {
            assert_eq!(Key::new(path, kind, "").check(&value(text)), Err(message.to_string()));
        }
    }

    #[test]
    fn a_default_is_that_of_the_first_case_that_holds() {
        let key = Key::new("b", KeyKind::ANY_COUNT, "")
            .default("3")
            .default_if(is("a", ["x"]), "1")
            .default_if(given("a"), "2");
        let of = |a: Option<&str>| {
            key.default_value(&a.map(|a| ("a".to_string(), Value::from(a))).into_iter().collect(), "")
        };
        assert_eq!([of(Some("x")), of(Some("y")), of(None)], [1, 2, 3].map(|value| Some(Value::Integer(value))));
    }

    #[test]
    fn a_family_has_a_key_for_each_entity() {
        let family = Key::new("solver.regularization.<entity>_factors", KeyKind::ANY_COUNT, "Of <entity> factors.");
        assert_eq!(family.entity_of("solver.regularization.word_factors"), Some("word"));
        for other in ["solver.regularization._factors", "solver.regularization.word_biases", "solver.word_factors"] {
            assert_eq!(family.entity_of(other), None, "{other}");
        }
        let of_word = family.of_entity("word");
        assert_eq!((of_word.name(), of_word.meaning.as_str()), ("word_factors", "Of word factors."));
    }
}
