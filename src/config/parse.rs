//! From text and overrides to a checked value for every key, or to all that is wrong with them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

use super::schema::{self, CONFIG, Key, Kind, Schema, is_in_names};
use super::settings::{
    FeedbackKind, InitKind, InnerKind, LossKind, ModelKind, RowsKind, Settings, SolverKind, SplitKind,
};
use crate::error::{Error, Location, Result};

/// The value of every key that takes part.
pub(crate) type Values = BTreeMap<&'static str, Value>;

/// A setting that replaces what a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// `key.path=VALUE`; VALUE is TOML, and a word that is not TOML is a string.
    pub text: String,
    /// Where it was written, as problems with it begin.
    pub place: String,
}

impl Override {
    /// The key that is set.
    pub fn key(&self) -> &str {
        self.text.split('=').next().unwrap_or_default().trim()
    }

    /// One of the command line's.
    pub fn of_command_line(text: &str) -> Self {
        Self { text: text.into(), place: format!("--set {}", text.replace('\n', "\\n")) }
    }
}

/// The values and settings that `text`, the file at `path`, and `overrides` ask for.
///
/// # Errors
/// [`Error::Config`] with all problems, those of the file in its order, then those of the overrides.
pub(super) fn resolve(text: &str, path: &Path, overrides: &[Override]) -> Result<(Values, Settings)> {
    let mut reader = Reader::new(&CONFIG);
    let readable = reader.read_file(text, &[]).is_some();
    for (position, setting) in overrides.iter().enumerate() {
        reader.read_override(position, &setting.text);
    }
    // Without its syntax nobody knows what the file leaves out.
    let resolved = readable.then(|| {
        let values = reader.resolve(path);
        let settings = settings(&values);
        reader.check_together(&settings);
        (values, settings)
    });
    match resolved {
        Some(resolved) if reader.problems.is_empty() => Ok(resolved),
        _ => Err(reader.into_error(path, overrides)),
    }
}

/// `values` as TOML: a section after the other in the schema's order.
pub(crate) fn to_toml(schema: &Schema, values: &Values) -> String {
    let mut text = String::new();
    for section in schema.sections() {
        let mut keys =
            schema.keys.iter().filter(|key| key.section() == section && values.contains_key(key.path)).peekable();
        if !section.is_empty() && keys.peek().is_some() {
            text += &format!("\n[{section}]\n");
        }
        for key in keys {
            let value = match &values[key.path] {
                Value::Float(number) => format!("{number:?}"), // 1e-8, not 0.00000001
                value => value.to_string(),
            };
            text += &format!("{} = {value}\n", key.name());
        }
    }
    text
}

fn settings(values: &Values) -> Settings {
    toml::from_str(&to_toml(&CONFIG, values))
        .expect("every checked value fits its field, as a test proves for all choices")
}

/// Where something was written, in the order in which people look: the file from top to bottom, then the overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File { line: u64, column: u64 },
    Override(usize),
}

impl Place {
    /// Place of a byte of the file.
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
    key: &'static Key,
    value: Value,
    place: Place,
}

impl Entry {
    fn by_path(&self) -> (&'static str, &Self) {
        (self.key.path, self)
    }
}

/// What has been read of a file of keys, and what was wrong with it.
#[derive(Debug)]
pub(crate) struct Reader {
    schema: &'static Schema,
    /// In the order of reading: a later one replaces an earlier one of the same key.
    entries: Vec<Entry>,
    problems: Vec<(Place, String)>,
    /// Keys and sections that were written in vain, so that nothing follows from their absence.
    broken: Vec<String>,
}

impl Reader {
    /// A reader that has not read anything yet.
    pub fn new(schema: &'static Schema) -> Self {
        Self { schema, entries: Vec::new(), problems: Vec::new(), broken: Vec::new() }
    }

    /// Notes a problem with what stands at byte `offset` of the file.
    pub fn report_at(&mut self, text: &str, offset: usize, message: impl Into<String>) {
        self.report(Place::in_file(text, offset), message);
    }

    /// Notes that there is no key `path`.
    pub fn report_unknown_at(&mut self, text: &str, offset: usize, path: &str) {
        self.report_unknown(path, Place::in_file(text, offset), false);
    }

    /// Takes over the problems of another reader of the same file.
    pub fn absorb(&mut self, other: Self) {
        self.problems.extend(other.problems);
    }

    /// `path:line:column` of byte `offset` of the file at `path`.
    pub fn location(text: &str, path: &Path, offset: usize) -> String {
        match Place::in_file(text, offset) {
            Place::File { line, column } => Location::at(path, line, column).to_string(),
            Place::Override(_) => Location::file(path).to_string(),
        }
    }

    fn report(&mut self, place: Place, message: impl Into<String>) {
        self.problems.push((place, message.into()));
    }

    /// Reads a file and returns its top sections called as in `apart`, which are the caller's to read; nothing where
    /// the syntax is too bad to know what the file says.
    pub fn read_file<'t>(&mut self, text: &'t str, apart: &[&str]) -> Option<BTreeMap<String, Spanned<DeValue<'t>>>> {
        let (mut table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let mut sections = BTreeMap::new();
            for name in apart {
                sections.extend(table.get_mut().remove(*name).map(|section| (name.to_string(), section)));
            }
            self.read_table("", table.get_ref(), &|span| Place::in_file(text, span.start));
            return Some(sections);
        }
        for error in errors {
            let place = Place::in_file(text, error.span().map_or(0, |span| span.start));
            self.report(place, error.message().replace('\n', " "));
        }
        // What follows a mistake in the same line is mostly its echo.
        self.problems.sort_by_key(|(place, _)| *place);
        self.problems.dedup_by_key(|(place, _)| place.line());
        None
    }

    /// Reads `key.path=VALUE`, the override number `position`.
    pub fn read_override(&mut self, position: usize, text: &str) {
        let place = Place::Override(position);
        let Some((path, word)) =
            text.split_once('=').map(|(path, word)| (path.trim(), word)).filter(|(path, _)| !path.is_empty())
        else {
            return self.report(place, "must be a key and its value, as in solver.learning_rate=0.01");
        };
        let wants_text =
            self.schema.find(path).is_some_and(|key| matches!(key.kind, Kind::Text | Kind::Name | Kind::Choice(_)));
        // A shell has eaten the quotes of name="2024", so that for a text key any single word is text.
        let stays = |value: &DeValue| !wants_text || value.is_str() || value.is_array() || value.is_table();
        let value = match DeValue::parse(word.trim()) {
            Ok(value) if stays(value.get_ref()) => value,
            _ => Spanned::new(0..0, DeValue::String(word.into())),
        };
        // In a file each section is seen before what is in it; here the first wrong one has to be looked for.
        let mut sections = path.match_indices('.').map(|(dot, _)| &path[..dot]);
        match sections.find(|section| !self.schema.is_section(section)) {
            Some(section) => {
                let table = Spanned::new(0..0, DeValue::Table(DeTable::new()));
                self.read_value(section, place, &table, &|_| place);
            }
            None => self.read_value(path, place, &value, &|_| place),
        }
    }

    fn read_table(&mut self, section: &str, table: &DeTable, place_of: &dyn Fn(Range<usize>) -> Place) {
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
        place: Place,
        value: &Spanned<DeValue>,
        place_of: &dyn Fn(Range<usize>) -> Place,
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
            let message = format!("{path} is a section, not a value; what it has is {keys}");
            self.broken.push(path.into());
            self.report(place_of(value.span()), message);
        }
    }

    fn report_unknown(&mut self, path: &str, place: Place, is_section: bool) {
        let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
        let sibling = schema::nearest(name, self.schema.names_in(section));
        if let Some(sibling) = sibling {
            // Probably that one was meant, so it must not count as absent.
            self.broken.push(if section.is_empty() { sibling.into() } else { format!("{section}.{sibling}") });
        }
        let list = format!("{} {section}", self.schema.explained_by);
        let list = list.trim_end();
        let message = if is_section {
            let intended = sibling.map(|sibling| format!("[{}{sibling}]", &path[..path.len() - name.len()]));
            let remedy = intended.map_or(format!("`{list}` lists all"), |section| format!("did you mean {section}?"));
            format!("unknown section [{}]; {remedy}", path.escape_debug())
        } else {
            let elsewhere = || self.schema.keys.iter().find(|key| key.name() == name).map(|key| key.path);
            let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
            let remedy = match sibling.or_else(elsewhere) {
                Some(intended) => schema::did_you_mean(Some(intended)),
                None => format!("; `{list}` lists all"),
            };
            format!("unknown key {name:?}{place}{remedy}")
        };
        self.report(place, message);
    }

    /// Whether something was written for `path` in vain.
    pub fn is_broken(&self, path: &str) -> bool {
        self.broken.iter().any(|broken| broken == path || schema::is_inside(path, broken))
    }

    /// The value of every key that takes part; reports keys that were written and do not.
    pub fn resolve(&mut self, path: &Path) -> Values {
        let entries = std::mem::take(&mut self.entries);
        let of_file: Written = entries.iter().filter(|entry| entry.place.is_file()).map(Entry::by_path).collect();
        let mut of_all: Written = entries.iter().map(Entry::by_path).collect();
        // Two keys of which one must be absent: an override of one takes the place of the other.
        for (chosen, other) in [("data.dataset", "data.path"), ("data.path", "data.dataset")] {
            let is_of_file = |path: &str| of_all.get(path).map(|entry| entry.place.is_file());
            if (is_of_file(chosen), is_of_file(other)) == (Some(false), Some(true)) {
                of_all.remove(other);
            }
        }
        let complete = |written| complete(self.schema, written, path);
        let (file_values, values) = (complete(&of_file), complete(&of_all));
        for key in self.schema.keys.iter().filter(|key| !values.contains_key(key.path)) {
            let Some(entry) = of_all.get(key.path) else { continue };
            // The file has to make sense by itself; what an override makes meaningless in it is just left out.
            let context = if entry.place.is_file() { &file_values } else { &values };
            let unmet: Vec<_> = key.when.iter().filter(|when| !when.holds(context)).collect();
            let Some(first) = unmet.first() else { continue };
            if !unmet.iter().any(|when| self.is_broken(when.key)) {
                let found = match context.get(first.key) {
                    Some(value) => format!("but it is {}", schema::shown(value)),
                    None if first.values.is_empty() => "which is not set".into(),
                    None => "but it is not set".into(),
                };
                let message = format!("{} has a meaning only with {first}, {found}", key.path);
                self.report(entry.place, format!("{message}; remove it or set {}", first.key));
            }
            self.broken.push(key.path.into());
        }
        self.entries = entries;
        values
    }

    /// Rules about more than one key. A problem is reported at the key of `keys` that was written last.
    fn check_together(&mut self, settings: &Settings) {
        let Settings { data, model, train, .. } = settings;
        let split = &data.split;
        let mut report = |keys: &[&str], message: String| {
            if !keys.iter().any(|key| self.is_broken(key)) {
                let places =
                    self.entries.iter().filter(|entry| keys.contains(&entry.key.path)).map(|entry| entry.place);
                self.report(places.max().unwrap_or(Place::File { line: 0, column: 0 }), message);
            }
        };
        match (&data.dataset, &data.path) {
            (None, None) => report(
                &["data.dataset", "data.path"],
                "no data: set data.dataset, a name of the catalog or \"synthetic\", or data.path, a file of ratings"
                    .into(),
            ),
            (Some(_), Some(_)) => report(
                &["data.dataset", "data.path"],
                "data.dataset and data.path exclude each other; remove one".into(),
            ),
            _ => {}
        }
        if split.kind == SplitKind::Files && data.path.is_some() && data.test_path.is_none() {
            report(
                &["data.split.kind", "data.path", "data.test_path"],
                "data.split.kind = \"files\" with data.path needs data.test_path, the file of test ratings".into(),
            );
        }
        if let (Some(fold), Some(folds)) = (split.fold, split.folds)
            && fold > folds
        {
            report(
                &["data.split.fold", "data.split.folds"],
                format!("data.split.fold must be at most data.split.folds, which is {folds}, but is {fold}"),
            );
        }
        if let (Some(test), Some(validation)) = (split.test, split.validation)
            && test + validation >= 1.0
        {
            report(
                &["data.split.test", "data.split.validation"],
                format!("data.split.test + data.split.validation must be below 1, but is {test} + {validation}"),
            );
        }
        let without_validation = match split.validation {
            None => Some(format!("data.split.kind is \"{}\"", split.kind)),
            Some(0.0) => Some("data.split.validation is 0".into()),
            Some(_) => None,
        };
        if let Some(reason) = without_validation {
            for (key, wants_validation, off) in [
                ("train.early_stopping.patience", train.early_stopping.patience > 0, "0"),
                ("train.refit", train.refit, "false"),
            ] {
                if wants_validation {
                    report(
                        &[key, "data.split.kind", "data.split.validation"],
                        format!("{key} needs a validation part, but {reason}; change that or set {key} = {off}"),
                    );
                }
            }
        }
        if settings.solver.rows == Some(RowsKind::Touched) && settings.solver.kind == SolverKind::Adamw {
            report(
                &["solver.rows", "solver.kind"],
                "solver.kind = \"adamw\" decays every row at every step, which solver.rows = \"touched\" does not visit; \
                 use \"adam\" with solver.regularization, or rows = \"all\""
                    .into(),
            );
        }
        let is_dot_product = matches!(model.kind, ModelKind::Mf | ModelKind::BiasedMf | ModelKind::Nmf);
        let solver = &settings.solver;
        if solver.kind == SolverKind::Svd && !matches!(model.kind, ModelKind::Mf | ModelKind::BiasedMf) {
            report(
                &["solver.kind", "model.kind"],
                format!(
                    "solver.kind = \"svd\" is for mf and, with column means subtracted, biased-mf, but model.kind is {:?}",
                    model.kind.name()
                ),
            );
        }
        if matches!(solver.kind, SolverKind::Hals | SolverKind::Multiplicative) && model.kind != ModelKind::Nmf {
            report(
                &["solver.kind", "model.kind"],
                format!(
                    "solver.kind = {:?} is for nmf, whose factors are at least 0, but model.kind is {:?}",
                    solver.kind.name(),
                    model.kind.name()
                ),
            );
        }
        if matches!(solver.kind, SolverKind::Stratified | SolverKind::Als) && !is_dot_product {
            report(
                &["solver.kind", "model.kind"],
                format!(
                    "solver.kind = {:?} is for mf, biased-mf and nmf, whose score is a dot product, but \
                     model.kind is {:?}; use \"adam\"",
                    solver.kind.name(),
                    model.kind.name()
                ),
            );
        }
        let is_closed_form =
            matches!(solver.kind, SolverKind::Als | SolverKind::Svd | SolverKind::Hals | SolverKind::Multiplicative);
        if is_closed_form && settings.loss.kind != LossKind::Squared {
            report(
                &["solver.kind", "loss.kind"],
                format!(
                    "solver.kind = {:?} is for squared loss, but loss.kind is {:?}; use \"squared\", or another solver",
                    solver.kind.name(),
                    settings.loss.kind.name()
                ),
            );
        }
        if solver.feedback == Some(FeedbackKind::Implicit) && model.kind == ModelKind::BiasedMf {
            report(
                &["solver.feedback", "model.kind"],
                "solver.feedback = \"implicit\" is for models without biases, but model.kind is \"biased-mf\"; use \"mf\""
                    .into(),
            );
        }
        if let Some(inner) = solver.inner
            && model.kind == ModelKind::Nmf
            && inner != InnerKind::CoordinateDescent
        {
            report(
                &["solver.inner", "model.kind"],
                format!(
                    "solver.inner = {:?} knows no bounds, but the factors of nmf are at least 0; use \"coordinate-descent\"",
                    inner.name()
                ),
            );
        }
        if model.init == InitKind::Matched && !matches!(model.kind, ModelKind::Mf | ModelKind::Nmf) {
            report(
                &["model.init", "model.kind"],
                format!(
                    "model.init = \"matched\" is for mf and nmf, whose factors carry the mean, but model.kind is {:?}; \
                     use \"normal\"",
                    model.kind.name()
                ),
            );
        }
        if let (Some(low), Some(high)) = (model.init_low, model.init_high)
            && low as f32 >= high as f32
        {
            report(
                &["model.init_low", "model.init_high"],
                format!("model.init_low must be below model.init_high, but they are {low} and {high}"),
            );
        }
    }

    /// All problems, those of the file at `path` in its order, then those of the overrides.
    pub fn into_error(mut self, path: &Path, overrides: &[Override]) -> Error {
        self.problems.sort_by_key(|(place, _)| *place);
        let line = |(place, message): &(Place, String)| match place {
            Place::File { line, column } => format!("{}: {message}", Location::at(path, *line, *column)),
            Place::Override(position) => format!("{}: {message}", overrides[*position].place),
        };
        Error::Config(self.problems.iter().map(line).collect())
    }
}

/// What was written for each key.
type Written<'a> = BTreeMap<&'static str, &'a Entry>;

/// The value, written or default, of every key that takes part.
fn complete(schema: &Schema, written: &Written, path: &Path) -> Values {
    let mut values = Values::new();
    for key in schema.keys {
        if key.when.iter().all(|when| when.holds(&values)) {
            let value = match written.get(key.path) {
                Some(entry) => Some(entry.value.clone()),
                None => key.default_value(&values, &name_of(path)),
            };
            values.extend(value.map(|value| (key.path, value)));
        }
    }
    values
}

/// The file's name without its extension, with `-` for what a run's name cannot have.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let name: String = stem.chars().map(|c| if is_in_names(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "run".into() } else { name.into() }
}
