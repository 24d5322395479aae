//! Conditions on other keys.

use std::fmt;

use toml::Value;

use super::values::Values;
use super::words::any_of;

/// A condition: at least one of these holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When(pub Vec<Is>);

/// Another key applies and has one of these values; or it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Is {
    /// Path of the other key.
    pub key: String,
    /// Its values; empty means any.
    pub values: Vec<String>,
    /// Whether the other key must have no value instead.
    pub absent: bool,
}

/// Another key has one of these values; no values: it is set to anything.
pub fn is(key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> When {
    When(vec![Is { key: key.into(), values: values.into_iter().map(Into::into).collect(), absent: false }])
}

/// Another key is not set.
pub fn absent(key: &str) -> When {
    When(vec![Is { key: key.into(), values: Vec::new(), absent: true }])
}

/// Another key is set.
pub fn given(key: &str) -> When {
    is(key, [""; 0])
}

impl Is {
    fn holds(&self, values: &Values) -> bool {
        let allowed = |value: &Value| value.as_str().is_some_and(|value| self.values.iter().any(|word| word == value));
        values.value(&self.key).map_or(self.absent, |value| !self.absent && (self.values.is_empty() || allowed(value)))
    }
}

impl When {
    /// Whether it holds for these values.
    pub fn holds(&self, values: &Values) -> bool {
        self.0.iter().any(|is| is.holds(values))
    }

    /// This or another condition.
    pub fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// `solver.kind = "adam" or "adamw"`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Is { key, values, absent }) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " or " })?;
            f.write_str(if *absent { "no " } else { "" })?;
            f.write_str(key)?;
            if !values.is_empty() {
                write!(f, " = {}", any_of(values))?;
            }
        }
        Ok(())
    }
}
