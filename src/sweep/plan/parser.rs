//! Reading config keys in the sections of a space file, with their places.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

use super::settings::SweepSettings;
use crate::config::{Config, Effect, Key, Override, Reader, Schema, absolute, from_here, in_toml};
use crate::error::{Error, Result};
use crate::files;
use crate::metric::Metrics;

/// The value written for a config key, and where.
#[derive(Debug, Clone)]
pub(super) struct Written<T> {
    pub(super) key: Key,
    /// Byte in the file.
    pub(super) offset: usize,
    pub(super) what: T,
}

/// The base config, and where it comes from.
pub(super) struct Base {
    pub(super) config: Config,
    pub(super) text: String,
    pub(super) path: PathBuf,
}

/// Reads a config key, written at this byte, and its value.
type ReadKey<'t, 'v> = dyn FnMut(&mut Parser<'t>, Key, usize, &'v Spanned<DeValue<'t>>) + 'v;

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) path: &'t Path,
    /// Of the configs.
    pub(super) schema: &'t Arc<Schema>,
    pub(super) metrics: &'t Metrics,
    /// Of the space file.
    pub(super) own_schema: &'t Arc<Schema>,
    /// Problems with the space file's own keys.
    pub(super) own: Reader,
    /// Problems with keys of the config.
    pub(super) config: Reader,
}

impl<'t> Parser<'t> {
    pub(super) fn report(&mut self, offset: usize, message: impl Into<String>) {
        self.config.report_at(self.text, offset, message);
    }

    /// Everything reported so far.
    pub(super) fn problems(&mut self, overrides: &[Override]) -> Vec<String> {
        let mut all = std::mem::replace(&mut self.own, Reader::new(self.own_schema));
        all.absorb(std::mem::replace(&mut self.config, Reader::new(self.schema)));
        match all.into_error(self.path, overrides) {
            Error::Config(problems) => problems,
            other => vec![other.to_string()],
        }
    }

    /// Passes each config key written in a section to `read`, with its value. `a.b = …`, `[section.a]` and `"a.b" = …`
    /// are equivalent.
    pub(super) fn each_key<'v>(
        &mut self,
        section: Option<&'v Spanned<DeValue<'t>>>,
        name: &str,
        read: &mut ReadKey<'t, 'v>,
    ) {
        let Some(section) = section else { return };
        match section.get_ref() {
            DeValue::Table(table) => self.keys_below(table, "", read),
            _ => self.report(section.span().start, format!("{name} must be a section of config keys, as in [{name}]")),
        }
    }

    fn keys_below<'v>(&mut self, table: &'v DeTable<'t>, section: &str, read: &mut ReadKey<'t, 'v>) {
        for (name, value) in table {
            let path =
                if section.is_empty() { name.get_ref().to_string() } else { format!("{section}.{}", name.get_ref()) };
            match (self.schema.find(&path), value.get_ref()) {
                (Some(key), _) => read(self, key, name.span().start, value),
                (None, DeValue::Table(table)) if self.schema.is_section(&path) => self.keys_below(table, &path, read),
                (None, _) => self.config.report_unknown_at(self.text, name.span().start, &path),
            }
        }
    }

    /// A TOML value that fits `key`, or a report.
    pub(super) fn checked(&mut self, key: &Key, value: &Spanned<DeValue<'t>>) -> Option<Value> {
        let checked = plain(value).map_err(|()| format!("{} is a number too large to be read", key.path));
        let folder = self.path.parent().unwrap_or(Path::new(""));
        match checked.and_then(|value| key.check(&value)).and_then(|value| absolute(key, value, folder)) {
            Ok(value) => Some(value),
            Err(message) => {
                self.report(value.span().start, message);
                None
            }
        }
    }

    /// `[set]`.
    pub(super) fn fixed(&mut self, section: Option<&Spanned<DeValue<'t>>>) -> Vec<Override> {
        let mut fixed = Vec::new();
        self.each_key(section, "set", &mut |this, key, offset, value| {
            if let Some(value) = this.checked(&key, value) {
                let text = format!("{}={}", key.path, in_toml(&value));
                fixed.push(Override { text, place: Reader::location(this.text, this.path, offset) });
            }
        });
        fixed
    }

    /// `[repeat]`.
    pub(super) fn repeat(&mut self, section: Option<&Spanned<DeValue<'t>>>) -> Vec<Written<Vec<Value>>> {
        let mut repeat: Vec<Written<Vec<Value>>> = Vec::new();
        self.each_key(section, "repeat", &mut |this, key, offset, value| {
            if !matches!(key.effect, Effect::Pairing | Effect::Data) {
                let message =
                    "is not repeated: only seed and keys of [data] are; search it in [space] or set it in [set]";
                return this.report(offset, format!("{} {message}", key.path));
            }
            let Some(list) = value.get_ref().as_array().filter(|list| !list.is_empty()) else {
                return this.report(value.span().start, format!("{} must be a list of values, as in [1, 2]", key.path));
            };
            let values: Vec<Value> = list.iter().filter_map(|value| this.checked(&key, value)).collect();
            repeat.push(Written { key, offset, what: values });
        });
        repeat
    }

    /// The base config with `[set]` applied.
    pub(super) fn base(&mut self, settings: &SweepSettings, fixed: &[Override]) -> Result<Base> {
        let Some(base) = &settings.base else {
            if !self.own.is_broken("base") {
                self.report(0, "base is missing: set it to the config to start from, as in base = \"my.toml\"");
            }
            return Err(Error::Config(Vec::new()));
        };
        let path = from_here(base.clone());
        let text = files::read_text(&path)?;
        let config = Config::parse_with(self.schema, &text, &path, fixed)?;
        Ok(Base { config, text, path })
    }
}

pub(super) fn plain(value: &Spanned<DeValue>) -> Result<Value, ()> {
    Value::deserialize(ValueDeserializer::from(value.clone())).map_err(|_| ())
}
