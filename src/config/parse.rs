//! From text and overrides to a checked value for every key, or to all their problems.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

use super::key::{self, Key, KeyKind, is_in_names};
use super::keys::Problem;
use super::paths::absolute;
use super::schema::{Schema, is_inside};
use super::values::Values;
use super::words::{did_you_mean, joined, nearest};
use crate::error::{Error, Location, Result};

/// A setting that replaces what a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// `key.path=VALUE`; VALUE is TOML, and a word that is not TOML is a string.
    pub text: String,
    /// Where it was written: the prefix of problems with it.
    pub place: String,
}

impl Override {
    /// The key that is set.
    pub fn key(&self) -> &str {
        self.text.split('=').next().unwrap_or_default().trim()
    }

    /// An override from the command line.
    pub fn of_command_line(text: &str) -> Self {
        Self { text: text.into(), place: format!("--set {}", text.replace('\n', "\\n")) }
    }
}

/// The values set by `text`, the file at `path`, and `overrides`.
///
/// # Errors
/// [`Error::Config`] with all problems, those of the file in its order, then those of the overrides.
pub(super) fn resolve(schema: &Arc<Schema>, text: &str, path: &Path, overrides: &[Override]) -> Result<Values> {
    let mut reader = Reader::new(schema);
    let readable = reader.read_file(text, &[]).is_some();
    for (position, setting) in overrides.iter().enumerate() {
        reader.read_override(position, &setting.text);
    }
    // If its syntax is broken, nobody knows what the file leaves out.
    let values = readable.then(|| {
        let values = reader.resolve(path);
        reader.check_together(&values);
        values
    });
    match values {
        Some(values) if reader.problems.is_empty() => Ok(values),
        _ => Err(reader.into_error(path, overrides)),
    }
}

/// Where something was written, in reading order: the file from top to bottom, then the overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    File { line: u64, column: u64 },
    Override(usize),
}

impl Position {
    /// Position of a byte of the file.
    fn in_file(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() as u64 + 1;
        Self::File { line, column: before[line_start..].chars().count() as u64 + 1 }
    }

    fn line(self) -> Option<u64> {
        if let Self::File { line, .. } = self { Some(line) } else { None }
    }

    fn is_file(self) -> bool {
        self.line().is_some()
    }
}

/// A checked value, and where its key was written.
#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    value: Value,
    place: Position,
}

impl Entry {
    fn by_path(&self) -> (&str, &Self) {
        (&self.key.path, self)
    }
}

/// What was read from a file of keys, and its problems.
#[derive(Debug)]
pub(crate) struct Reader {
    schema: Arc<Schema>,
    /// In the order of reading: a later one replaces an earlier one of the same key.
    entries: Vec<Entry>,
    problems: Vec<(Position, String)>,
    /// Keys and sections that were written but rejected, so that their absence means nothing.
    broken: Vec<String>,
}

impl Reader {
    /// A reader that has not read anything yet.
    pub fn new(schema: &Arc<Schema>) -> Self {
        Self { schema: Arc::clone(schema), entries: Vec::new(), problems: Vec::new(), broken: Vec::new() }
    }

    /// Notes a problem at byte `offset` of the file.
    pub fn report_at(&mut self, text: &str, offset: usize, message: impl Into<String>) {
        self.report(Position::in_file(text, offset), message);
    }

    /// Notes that there is no key `path`.
    pub fn report_unknown_at(&mut self, text: &str, offset: usize, path: &str) {
        self.report_unknown(path, Position::in_file(text, offset), false);
    }

    /// Takes over the problems of another reader of the same file.
    pub fn absorb(&mut self, other: Self) {
        self.problems.extend(other.problems);
    }

    /// `path:line:column` of byte `offset` of the file at `path`.
    pub fn location(text: &str, path: &Path, offset: usize) -> String {
        match Position::in_file(text, offset) {
            Position::File { line, column } => Location::at(path, line, column).to_string(),
            Position::Override(_) => Location::file(path).to_string(),
        }
    }

    fn report(&mut self, place: Position, message: impl Into<String>) {
        self.problems.push((place, message.into()));
    }

    /// Reads a file and returns its top sections named in `apart`, which the caller reads; `None` if the syntax is too
    /// broken to know what the file says.
    pub fn read_file<'t>(&mut self, text: &'t str, apart: &[&str]) -> Option<BTreeMap<String, Spanned<DeValue<'t>>>> {
        let (mut table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let mut sections = BTreeMap::new();
            for name in apart {
                sections.extend(table.get_mut().remove(*name).map(|section| (name.to_string(), section)));
            }
            self.read_table("", table.get_ref(), &|span| Position::in_file(text, span.start));
            return Some(sections);
        }
        for error in errors {
            let place = Position::in_file(text, error.span().map_or(0, |span| span.start));
            self.report(place, error.message().replace('\n', " "));
        }
        // Problems after the first on the same line mostly follow from it.
        self.problems.sort_by_key(|(place, _)| *place);
        self.problems.dedup_by_key(|(place, _)| place.line());
        None
    }

    /// Reads `key.path=VALUE`, the override number `position`.
    pub fn read_override(&mut self, position: usize, text: &str) {
        let place = Position::Override(position);
        let Some((path, word)) =
            text.split_once('=').map(|(path, word)| (path.trim(), word)).filter(|(path, _)| !path.is_empty())
        else {
            return self.report(place, "must be a key and its value, as in solver.learning_rate=0.01");
        };
        let wants_text = self
            .schema
            .find(path)
            .is_some_and(|key| matches!(key.kind, KeyKind::Text | KeyKind::Path | KeyKind::Name | KeyKind::Choice(_)));
        // A shell has eaten the quotes of name="2024", so that for a text key any single word is text.
        let stays = |value: &DeValue| !wants_text || value.is_str() || value.is_array() || value.is_table();
        let value = match DeValue::parse(word.trim()) {
            Ok(value) if stays(value.get_ref()) => value,
            _ => Spanned::new(0..0, DeValue::String(word.into())),
        };
        // In a file each section is seen before its content; here the first wrong one must be searched for.
        let mut sections = path.match_indices('.').map(|(dot, _)| &path[..dot]);
        match sections.find(|section| !self.schema.is_section(section)) {
            Some(section) => {
                let table = Spanned::new(0..0, DeValue::Table(DeTable::new()));
                self.read_value(section, place, &table, &|_| place);
            }
            None => self.read_value(path, place, &value, &|_| place),
        }
    }

    fn read_table(&mut self, section: &str, table: &DeTable, place_of: &dyn Fn(Range<usize>) -> Position) {
        for (name, value) in table {
            let path = if section.is_empty() { name.to_string() } else { format!("{section}.{}", name.get_ref()) };
            let place = place_of(name.span());
            if name.get_ref().is_empty() || name.get_ref().contains('.') {
                self.report(place, format!("unknown key {:?}: within quotes a dot separates nothing", name.get_ref()));
                self.broken.push(path);
            } else {
                self.read_value(&path, place, value, place_of);
            }
        }
    }

    /// Reads the value at `path`, whose key was written at `place`.
    fn read_value(
        &mut self,
        path: &str,
        place: Position,
        value: &Spanned<DeValue>,
        place_of: &dyn Fn(Range<usize>) -> Position,
    ) {
        if let Some(key) = self.schema.find(path) {
            let checked = Value::deserialize(ValueDeserializer::from(value.clone()))
                .map_err(|_| format!("{path} is a number too large to be read"))
                .and_then(|value| key.check(&value));
            match checked {
                Ok(value) => self.entries.push(Entry { key, value, place }),
                Err(message) => {
                    self.broken.push(path.into());
                    self.report(place_of(value.span()), message);
                }
            }
        } else if !self.schema.is_section(path) {
            self.report_unknown(path, place, value.get_ref().is_table());
        } else if let DeValue::Table(table) = value.get_ref() {
            self.read_table(path, table, place_of);
        } else {
            let keys = self.schema.names_in(path).join(", ");
            let message = format!("{path} is a section, not a value; its keys are {keys}");
            self.broken.push(path.into());
            self.report(place_of(value.span()), message);
        }
    }

    fn report_unknown(&mut self, path: &str, place: Position, is_section: bool) {
        let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
        let sibling = self.schema.nearest_in(section, name);
        if let Some(sibling) = &sibling {
            // That one was probably meant, so it must not count as absent.
            self.broken.push(if section.is_empty() { sibling.clone() } else { format!("{section}.{sibling}") });
        }
        let list = format!("{} {section}", self.schema.explained_by);
        let list = list.trim_end();
        let message = if is_section {
            let intended = sibling.map(|sibling| format!("[{}{sibling}]", &path[..path.len() - name.len()]));
            let remedy = intended.map_or(format!("`{list}` lists all"), |section| format!("did you mean {section}?"));
            format!("unknown section [{}]; {remedy}", path.escape_debug())
        } else {
            let elsewhere = || self.schema.keys().iter().find(|key| key.name() == name).map(|key| key.path.clone());
            let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
            let remedy = match sibling.or_else(elsewhere) {
                Some(intended) => did_you_mean(Some(&intended)),
                None => format!("; `{list}` lists all"),
            };
            format!("unknown key {name:?}{place}{remedy}")
        };
        self.report(place, message);
    }

    /// Whether something was written for `path` but rejected.
    pub fn is_broken(&self, path: &str) -> bool {
        self.broken.iter().any(|broken| broken == path || is_inside(path, broken))
    }

    /// The value of every key that applies; reports keys that were written but do not apply.
    pub fn resolve(&mut self, path: &Path) -> Values {
        self.complete_paths(path.parent().unwrap_or(Path::new("")));
        let entries = std::mem::take(&mut self.entries);
        let of_file: Written = entries.iter().filter(|entry| entry.place.is_file()).map(Entry::by_path).collect();
        let mut of_all: Written = entries.iter().map(Entry::by_path).collect();
        for [one, other] in &self.schema.exclusive {
            for (chosen, other) in [(one, other), (other, one)] {
                let is_of_file = |path: &String| of_all.get(path.as_str()).map(|entry| entry.place.is_file());
                if (is_of_file(chosen), is_of_file(other)) == (Some(false), Some(true)) {
                    of_all.remove(other.as_str());
                }
            }
        }
        let complete = |written| complete(&self.schema, written, path);
        let (file_values, values) = (complete(&of_file), complete(&of_all));
        let schema = Arc::clone(&self.schema);
        // In the order of the schema: a problem with a key is not reported again for the keys that depend on it.
        let written = |key: &Key| {
            let is_its = |path: &str| path == key.path || key.entity_of(path).is_some();
            of_all.iter().filter(|(path, _)| is_its(path)).map(|(_, entry)| *entry).collect::<Vec<_>>()
        };
        let idle = schema.keys().iter().flat_map(written).filter(|entry| !values.contains(&entry.key.path));
        for Entry { key, place, .. } in idle {
            if let Some((entity, entities)) = self.schema.unknown_entity(&key.path, &values) {
                let remedy = did_you_mean(nearest(&entity, entities.iter().map(String::as_str)));
                let known = joined(&entities, "and");
                let message = format!("{}: the data have no entity {entity:?}, but {known}{remedy}", key.path);
                self.report(*place, message);
                self.broken.push(key.path.clone());
                continue;
            }
            // The file must be valid by itself; keys in it that an override makes inapplicable are ignored.
            let context = if place.is_file() { &file_values } else { &values };
            let unmet: Vec<_> = key.when.iter().filter(|when| !when.holds(context)).collect();
            let Some(first) = unmet.first() else { continue };
            let asked = &first.0[0];
            if !unmet.iter().any(|when| self.is_broken(&when.0[0].key)) {
                let found = match context.value(&asked.key) {
                    Some(value) => format!("but it is {}", key::shown(value)),
                    None if asked.values.is_empty() => "which is not set".into(),
                    None => "but it is not set".into(),
                };
                let message = format!("{} applies only with {first}, {found}", key.path);
                let remedy = match asked.absent {
                    true => "remove one of the two".into(),
                    false => format!("remove it or set {}", asked.key),
                };
                self.report(*place, format!("{message}; {remedy}"));
            }
            self.broken.push(key.path.clone());
        }
        self.entries = entries;
        values
    }

    /// Makes paths absolute: those of the file as seen from its `folder`.
    fn complete_paths(&mut self, folder: &Path) {
        let mut problems = Vec::new();
        for Entry { key, value, place } in &mut self.entries {
            let folder = if place.is_file() { folder } else { Path::new("") };
            match absolute(key, value.clone(), folder) {
                Ok(whole) => *value = whole,
                Err(message) => problems.push((*place, message)),
            }
        }
        self.problems.extend(problems);
    }

    /// Asks the schema's rules. A problem is reported at the key that was written last of those that it is about.
    fn check_together(&mut self, values: &Values) {
        let schema = Arc::clone(&self.schema);
        for Problem { keys, message } in schema.rules.iter().flat_map(|rule| rule.check(values)) {
            if !keys.iter().any(|key| self.is_broken(key)) {
                let written = self.entries.iter().filter(|entry| keys.contains(&entry.key.path));
                let place = written.map(|entry| entry.place).max();
                self.report(place.unwrap_or(Position::File { line: 0, column: 0 }), message);
            }
        }
    }

    /// All problems, those of the file at `path` in its order, then those of the overrides.
    pub fn into_error(mut self, path: &Path, overrides: &[Override]) -> Error {
        self.problems.sort_by_key(|(place, _)| *place);
        let line = |(place, message): &(Position, String)| match place {
            Position::File { line, column } => format!("{}: {message}", Location::at(path, *line, *column)),
            Position::Override(position) => format!("{}: {message}", overrides[*position].place),
        };
        Error::Config(self.problems.iter().map(line).collect())
    }
}

/// What was written for each key.
type Written<'a> = BTreeMap<&'a str, &'a Entry>;

/// The value, written or default, of every key that applies.
fn complete(schema: &Schema, written: &Written, path: &Path) -> Values {
    let mut values = Values::default();
    for family in schema.keys() {
        if !family.when.iter().all(|when| when.holds(&values)) {
            continue;
        }
        for key in schema.instances(family, &values) {
            let value = match written.get(key.path.as_str()) {
                Some(entry) => Some(entry.value.clone()),
                None => key.default_value(&values, &name_of(path)),
            };
            if let Some(value) = value {
                values.insert(key.path, value);
            }
        }
    }
    values
}

/// The file's name without its extension, with `-` for characters that a run's name cannot have.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let name: String = stem.chars().map(|c| if is_in_names(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "run".into() } else { name.into() }
}
