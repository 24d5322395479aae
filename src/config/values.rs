//! The value of every key that applies in a config.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::Value;

/// Values by path. To serde, a map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<String, Value>);

/// A type that a key's value can be read as.
pub trait FromValue: Sized {
    /// The value; `None` if it is of another type.
    fn from_value(value: &Value) -> Option<Self>;
}

impl Values {
    /// The value of a key as it is stored.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }

    /// The value of a key that may be absent.
    ///
    /// # Panics
    /// If the key is of another type.
    pub fn find<T: FromValue>(&self, path: &str) -> Option<T> {
        let value = self.0.get(path)?;
        Some(T::from_value(value).unwrap_or_else(|| panic!("{path} is read as another type than it is declared as")))
    }

    /// The value of a key that applies here and has a default.
    ///
    /// # Panics
    /// If the key does not apply, or is of another type.
    pub fn get<T: FromValue>(&self, path: &str) -> T {
        self.find(path).unwrap_or_else(|| panic!("{path} does not apply in this config"))
    }

    /// Whether a key applies and is this word.
    pub fn is(&self, path: &str, word: &str) -> bool {
        self.0.get(path).and_then(Value::as_str) == Some(word)
    }

    /// Sets a key.
    pub fn insert(&mut self, path: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(path.into(), value.into());
    }

    /// Whether a key applies.
    pub fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Keys and values, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(path, value)| (path.as_str(), value))
    }

    /// The values of one section and those below it.
    pub fn section(&self, section: &str) -> Self {
        let is_inside = |path: &str| path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
        self.iter().filter(|(path, _)| is_inside(path)).map(|(path, value)| (path.to_string(), value.clone())).collect()
    }
}

impl FromIterator<(String, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

macro_rules! from_integer {
    ($($type:ty),*) => {
        $(impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                value.as_integer().and_then(|value| value.try_into().ok())
            }
        })*
    };
}

from_integer!(u64, usize);

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_float()
    }
}

impl FromValue for f32 {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_float().map(|value| value as Self)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(Into::into)
    }
}

impl FromValue for PathBuf {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(Into::into)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::from_value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_they_are() {
        let mut values = Values::default();
        values.insert("a.count", 7);
        values.insert("a.rate", 0.5);
        values.insert("a.b.names", Value::Array(vec!["x".into(), "y".into()]));
        values.insert("ab", true);
        assert_eq!((values.get::<usize>("a.count"), values.get::<f32>("a.rate")), (7, 0.5));
        assert_eq!(values.find::<Vec<String>>("a.b.names"), Some(vec!["x".into(), "y".into()]));
        assert_eq!(values.find::<bool>("a.other"), None);
        assert_eq!(
            values.section("a").iter().map(|(path, _)| path).collect::<Vec<_>>(),
            ["a.b.names", "a.count", "a.rate"]
        );
        let stored = serde_json::to_string(&values).expect("JSON");
        assert_eq!(stored, r#"{"a.b.names":["x","y"],"a.count":7,"a.rate":0.5,"ab":true}"#);
        assert_eq!(serde_json::from_str::<Values>(&stored).expect("and back"), values);
    }
}
