//! The one list of config keys: what exists, what it may be, what it is when nobody says, and what it means.
//!
//! Adding a key takes a line in [`KEYS`] and a field in [`settings`](super::settings); reading, checking, error
//! messages and `lowrank config explain` follow from the line. Other files of keys have a [`Schema`] of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, RangeBounds, RangeInclusive};

use serde::Deserialize;
use toml::Value;
use toml::de::ValueDeserializer;

use self::DefaultValue::{Absent, ByChoice, FileName, Toml};
use self::Kind::{Bool, Choice, Float, Int, IntList, Name, Text, TextList};
use super::settings::{
    DivergenceKind, DuplicatesKind, FeedbackKind, FormatKind, InitKind, InnerKind, LossKind, MethodKind, ModelKind,
    RowsKind, RuleKind, ScheduleKind, SolverKind, SplitKind, StartKind, StopWordsKind, StoppingMetric, WeightingKind,
    ZerosKind,
};

/// The keys of one kind of file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schema {
    /// Every key, sections together and in the order in which people meet them.
    pub keys: &'static [Key],
    /// The command that lists them.
    pub explained_by: &'static str,
}

/// The keys of a config.
pub const CONFIG: Schema = Schema { keys: KEYS, explained_by: "lowrank config explain" };

/// One config key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Sections and name, as in `"solver.schedule.kind"`.
    pub path: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// What it is where neither the file nor `--set` names it.
    pub default: DefaultValue,
    /// What must hold for the key to take part; every one of them.
    pub when: &'static [When],
    /// What it does, in one sentence or two.
    pub meaning: &'static str,
}

/// Type and range of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// An integer.
    Int(RangeInclusive<i64>),
    /// A number that is between two bounds in 32 bits, too; an integer is accepted and made a float.
    Float(Bound<f64>, Bound<f64>),
    /// Text, not empty.
    Text,
    /// Text that can be part of a file name: letters, digits, `-`, `_` and `.`, which is not first.
    Name,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A list of text, not empty.
    TextList,
    /// A list of integers, each in the range.
    IntList(RangeInclusive<i64>),
}

/// What a key is where nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing: the key is optional.
    Absent,
    /// A value, written in TOML.
    Toml(&'static str),
    /// A value, written in TOML, that depends on a choice: that of the first condition that holds, else the last one.
    ByChoice(&'static [(When, &'static str)], &'static str),
    /// The name of the config file.
    FileName,
}

/// A condition of a key: another key, which stands before it in [`KEYS`], is there and has one of some values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Path of the other key.
    pub key: &'static str,
    /// Its values; empty means any.
    pub values: &'static [&'static str],
    /// Another condition that does as well.
    pub or: Option<&'static When>,
}

impl When {
    /// Whether it holds where keys have `values`.
    pub fn holds(&self, values: &BTreeMap<&'static str, Value>) -> bool {
        let allowed = |value: &Value| value.as_str().is_some_and(|value| self.values.contains(&value));
        values.get(self.key).is_some_and(|value| self.values.is_empty() || allowed(value))
            || self.or.is_some_and(|or| or.holds(values))
    }
}

impl Key {
    /// The section's path, `""` for keys above all sections.
    pub fn section(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The path's last part.
    pub fn name(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }

    /// The default where the keys before it have `values`, for a config that is called `name`.
    pub fn default_value(&self, values: &BTreeMap<&'static str, Value>, name: &str) -> Option<Value> {
        let text = match self.default {
            Absent => return None,
            FileName => return Some(Value::from(name)),
            Toml(text) => text,
            ByChoice(cases, otherwise) => {
                cases.iter().find(|(when, _)| when.holds(values)).map_or(otherwise, |(_, text)| text)
            }
        };
        let value = ValueDeserializer::parse(text).and_then(Value::deserialize);
        Some(value.expect("defaults are TOML, as a test proves"))
    }

    /// `value` as this key stores it: an integer becomes a float where a float is wanted.
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
            (Kind::Bool, Value::Boolean(_)) => {}
            (Kind::Int(range), Value::Integer(number)) => {
                if !range.contains(number) {
                    return Err(out_of_range(int_range(range)));
                }
            }
            (&Kind::Float(low, high), Value::Integer(_) | Value::Float(_)) => {
                let number = value.as_float().or(value.as_integer().map(|integer| integer as f64));
                let number = number.expect("an integer or a float");
                // Models compute in 32 bits, where 1e-50 is 0 and 1e50 is infinite.
                let rounded = number as f32;
                if !rounded.is_finite() {
                    return Err(out_of_range("a finite 32-bit number".into()));
                }
                if !((low, high).contains(&number) && (low, high).contains(&f64::from(rounded))) {
                    return Err(out_of_range(float_range(low, high)));
                }
                return Ok(Value::Float(number));
            }
            (Kind::Text, Value::String(text)) => {
                if text.is_empty() {
                    return Err(format!("{} must not be empty", self.path));
                }
            }
            (Kind::Name, Value::String(text)) => {
                if text.is_empty() || text.starts_with('.') || !text.chars().all(is_in_names) {
                    let rule = "made of letters, digits, \"-\", \"_\" and \".\", which is not first";
                    return Err(out_of_range(rule.into()));
                }
            }
            (Kind::Choice(words), Value::String(text)) => {
                if !words.contains(&text.as_str()) {
                    let remedy = did_you_mean(nearest(text, words.iter().copied()));
                    return Err(format!("{}{remedy}", out_of_range(self.kind.noun())));
                }
            }
            (Kind::TextList, Value::Array(list)) => {
                if list.is_empty() {
                    return Err(format!("{} must not be empty", self.path));
                }
                if let Some(position) = list.iter().position(|element| !element.is_str()) {
                    return Err(self.wrong_element(position, &list[position]));
                }
            }
            (Kind::IntList(range), Value::Array(list)) => {
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

impl Kind {
    /// The type without its range, with an article.
    fn noun(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Int(_) => "an integer".into(),
            Self::Float(..) => "a number".into(),
            Self::Text | Self::Name => "a string".into(),
            Self::Choice(words) => format!("one of {}", any_of(words)),
            Self::TextList => "a list of strings".into(),
            Self::IntList(_) => "a list of integers".into(),
        }
    }
}

/// Type and range: `an integer from 1 to 4096`.
impl fmt::Display for Kind {
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

/// `solver.kind = "adam" or "adamw"`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)?;
        if !self.values.is_empty() {
            write!(f, " = {}", any_of(self.values))?;
        }
        self.or.map_or(Ok(()), |or| write!(f, " or {or}"))
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

/// A value in a message: short, and in one line whatever is in it.
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

/// Whether a [`Kind::Name`] may have this character.
pub(super) fn is_in_names(c: char) -> bool {
    c.is_alphanumeric() || "-_.".contains(c)
}

/// `"a", "b" or "c"`.
fn any_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The candidate most like `word`, if one is like it at all.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&word, candidate);
    candidates
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|&(score, _)| score >= 0.8)
        // The first of equals, so that the order of the schema decides.
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "x"?`, or nothing.
pub(crate) fn did_you_mean(word: Option<&str>) -> String {
    word.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"))
}

/// The config key at `path`.
pub fn find(path: &str) -> Option<&'static Key> {
    CONFIG.find(path)
}

/// Whether `path` is inside the section `section`; everything is inside `""`.
pub(super) fn is_inside(path: &str, section: &str) -> bool {
    section.is_empty() || path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

impl Schema {
    /// The key at `path`.
    pub fn find(&self, path: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.path == path)
    }

    /// Whether there are keys below `path`.
    pub fn is_section(&self, path: &str) -> bool {
        self.keys.iter().any(|key| is_inside(key.path, path))
    }

    /// All sections in order, beginning with `""`.
    pub(super) fn sections(&self) -> Vec<&'static str> {
        let mut sections = Vec::new();
        for key in self.keys {
            if !sections.contains(&key.section()) {
                sections.push(key.section());
            }
        }
        sections
    }

    /// Names of the keys and sections directly in `section`, in order, each once.
    pub(super) fn names_in(&self, section: &str) -> Vec<&'static str> {
        let mut names: Vec<&str> = Vec::new();
        for key in self.keys.iter().filter(|key| is_inside(key.path, section)) {
            let rest = key.path[section.len()..].trim_start_matches('.');
            let name = rest.split('.').next().expect("split yields at least one part");
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// A key that is always there; [`Key::when`] adds a condition.
pub(crate) const fn key(path: &'static str, kind: Kind, default: DefaultValue, meaning: &'static str) -> Key {
    Key { path, kind, default, when: &[], meaning }
}

impl Key {
    /// The key, with a condition.
    pub(crate) const fn when(self, when: &'static [When]) -> Self {
        Self { when, ..self }
    }
}

const fn given(key: &'static str) -> When {
    When { key, values: &[], or: None }
}

/// Another key has one of these values.
pub(crate) const fn is(key: &'static str, values: &'static [&'static str]) -> When {
    When { key, values, or: None }
}

/// Counts and indices have 32 bits.
const MOST: i64 = u32::MAX as i64;
pub(crate) const ANY_COUNT: Kind = Int(0..=MOST);
pub(crate) const AT_LEAST_ONE: Kind = Int(1..=MOST);
const ANY_NUMBER: Kind = Float(Bound::Unbounded, Bound::Unbounded);
const NOT_NEGATIVE: Kind = Float(Bound::Included(0.0), Bound::Unbounded);
pub(crate) const POSITIVE: Kind = Float(Bound::Excluded(0.0), Bound::Unbounded);
/// A share that leaves something over.
const SHARE: Kind = Float(Bound::Included(0.0), Bound::Excluded(1.0));

const FROM_FILE: &[When] = &[given("data.path")];
const DOCUMENTS: &[When] = &[is("data.format", &["documents"])];
const WITH_TITLES: &[When] = &[given("data.titles.path")];
const SYNTHETIC: &[When] = &[is("data.dataset", &["synthetic"])];
const NEURAL: &[When] = &[is("model.kind", &["gmf", "mlp", "neumf"])];
const WITH_BIASES: &[When] = &[is("model.kind", &["biased-mf", "gmf", "mlp", "neumf"])];
const BIAS_PENALTY: &[When] = &[WITH_BIASES[0], WITH_PENALTY[0]];
const UNIFORM: &[When] = &[is("model.init", &["uniform"])];
const MINI_BATCH: &[When] = &[is("solver.kind", &["adam", "adamw", "sgd", "adagrad"])];
const STRATIFIED: When = is("solver.kind", &["stratified"]);
const ALS: When = is("solver.kind", &["als"]);
const GRADIENT: &[When] = &[is("solver.kind", &["adam", "adamw", "sgd", "adagrad", "stratified"])];
const SVD: &[When] = &[is("solver.kind", &["svd"])];
const MATRIX_NMF: &[When] = &[is("solver.kind", &["hals", "multiplicative"])];
const WITH_PENALTY: &[When] =
    &[is("solver.kind", &["adam", "adamw", "sgd", "adagrad", "stratified", "als", "hals", "multiplicative"])];
const FACTOR_PENALTY: DefaultValue = ByChoice(&[(is("solver.kind", &["hals", "multiplicative"]), "0.0")], "0.08");
const ADAM: &[When] =
    &[When { key: "solver.kind", values: &["adam", "adamw"], or: Some(&is("solver.rule", &["adam"])) }];

/// Every key, sections together and in the order in which people meet them.
pub const KEYS: &[Key] = &[
    key("name", Name, FileName, "Runs are kept as <name>-<n>."),
    key("seed", Int(0..=i64::MAX), Toml("42"), "All random draws follow from it: same seed, same result."),
    //
    key("data.dataset", Text, Absent, "A data set of the catalog, or \"synthetic\". Either this or data.path."),
    key(
        "data.path",
        Text,
        Absent,
        "A file of ratings, plain or gzip, a picture, or a folder of pictures or texts, as seen from where the program \
         is started. Or use data.dataset.",
    ),
    key(
        "data.format",
        Choice(FormatKind::NAMES),
        Toml("'auto'"),
        "How it is written. \"auto\" goes by the file's name, and takes a folder for pictures where it has more of them \
         than of texts, else for documents.",
    )
    .when(FROM_FILE),
    key("data.delimiter", Text, Absent, "What separates columns; \" \" is any run of blanks. Found out where absent.")
        .when(&[is("data.format", &["auto", "delimited", "dense"])]),
    key(
        "data.columns",
        TextList,
        Absent,
        "What the columns hold: \"user\", \"item\", \"rating\", \"timestamp\", or \"-\" to skip one. Found out \
         where absent.",
    )
    .when(&[is("data.format", &["auto", "delimited"])]),
    key(
        "data.class_column",
        AT_LEAST_ONE,
        Absent,
        "Which column, from 1, is no number but the class of its row; the row is then called class/id.",
    )
    .when(&[is("data.format", &["dense"])]),
    key("data.skip_lines", ANY_COUNT, Toml("0"), "Lines to pass over at the start of the file, or of each document.")
        .when(&[is("data.format", &["auto", "delimited", "matrix-market", "dense", "documents"])]),
    key(
        "data.duplicates",
        Choice(DuplicatesKind::NAMES),
        Toml("'last'"),
        "What counts where a user rated an item more than once.",
    ),
    key("data.binarize", ANY_NUMBER, Absent, "Ratings of at least this become 1, others 0; unchanged where absent."),
    key(
        "data.cache",
        Bool,
        Toml("true"),
        "Keep a binary copy of a ratings file of 16 MiB or more in ~/.cache/lowrank/ratings, and read that in the file's \
         place as long as the file is the same.",
    ),
    key(
        "data.extension",
        Text,
        Absent,
        "Extension of the files of a folder that are rows, as in \"pgm\"; all that are called like pictures or texts \
         where absent.",
    )
    .when(&[is("data.format", &["pictures", "documents"])]),
    key("data.documents.stop_words", Choice(StopWordsKind::NAMES), Toml("'none'"), "Words that are no terms.")
        .when(DOCUMENTS),
    key("data.documents.min_documents", AT_LEAST_ONE, Toml("2"), "A term is in at least so many documents.")
        .when(DOCUMENTS),
    key(
        "data.documents.max_share",
        Float(Bound::Excluded(0.0), Bound::Included(1.0)),
        Toml("0.5"),
        "A term is in at most this share of all documents.",
    )
    .when(DOCUMENTS),
    key("data.documents.max_terms", AT_LEAST_ONE, Absent, "So many terms stay, those that occur most often; else all.")
        .when(DOCUMENTS),
    key(
        "data.documents.weighting",
        Choice(WeightingKind::NAMES),
        Toml("'tf-idf'"),
        "What the cell of a term in a document holds: how often it occurs; the logarithm of 1 more; or that number \
         times ln((1 + documents) / (1 + documents with the term)) + 1, in rows of Euclidean length 1, where \
         \"log-tf-idf\" takes 1 + the logarithm of that number.",
    )
    .when(DOCUMENTS),
    key("data.titles.path", Text, Absent, "A file with a title for each item.").when(FROM_FILE),
    key("data.titles.delimiter", Text, Absent, "What separates its columns. Found out where absent.").when(WITH_TITLES),
    key(
        "data.titles.columns",
        TextList,
        Absent,
        "What its columns hold: \"item\", \"title\", others are skipped. Found out where absent.",
    )
    .when(WITH_TITLES),
    key(
        "data.split.kind",
        Choice(SplitKind::NAMES),
        Toml("'random'"),
        "How ratings are divided into training, validation and test.",
    ),
    key("data.split.test", SHARE, Toml("0.1"), "Share of the ratings that is for the test.")
        .when(&[is("data.split.kind", &["random", "user-stratified", "temporal"])]),
    key(
        "data.split.validation",
        SHARE,
        Toml("0.1"),
        "Share of the ratings (for k-fold and files, of those that are not for the test) that is for validation. \
         With leave-last-out, anything above 0 takes each user's newest rating but one.",
    )
    .when(&[is("data.split.kind", &["random", "k-fold", "user-stratified", "leave-last-out", "temporal", "files"])]),
    key("data.split.folds", Int(2..=MOST), Toml("5"), "Number of equal parts.")
        .when(&[is("data.split.kind", &["k-fold"])]),
    key("data.split.fold", AT_LEAST_ONE, Toml("1"), "Which part, counted from 1, is the test.")
        .when(&[is("data.split.kind", &["k-fold", "files"])]),
    key(
        "data.split.train_rows",
        AT_LEAST_ONE,
        Toml("5"),
        "Rows of each class, the first in the order of the data, that are trained on with all their cells; those of the \
         other rows are the test. The class of a row is its id up to the last \"/\": the folder of a file.",
    )
    .when(&[is("data.split.kind", &["first-of-class"])]),
    key("data.test_path", Text, Absent, "The file of test ratings, written like data.path.")
        .when(&[given("data.path"), is("data.split.kind", &["files"])]),
    key("data.synthetic.users", AT_LEAST_ONE, Toml("1000"), "Number of users.").when(SYNTHETIC),
    key("data.synthetic.items", AT_LEAST_ONE, Toml("500"), "Number of items.").when(SYNTHETIC),
    key("data.synthetic.ratings", AT_LEAST_ONE, Toml("50000"), "Number of ratings.").when(SYNTHETIC),
    key("data.synthetic.rank", Int(1..=4096), Toml("5"), "Rank of the planted matrix.").when(SYNTHETIC),
    key("data.synthetic.noise", NOT_NEGATIVE, Toml("0.5"), "Standard deviation of the noise on each rating.")
        .when(SYNTHETIC),
    //
    key("model.kind", Choice(ModelKind::NAMES), Toml("'biased-mf'"), "What predicts a rating."),
    key("model.rank", Int(1..=4096), Toml("32"), "Number of latent factors of each user and item."),
    key(
        "model.init",
        Choice(InitKind::NAMES),
        ByChoice(&[(is("model.kind", &["mf", "nmf"]), "'matched'")], "'normal'"),
        "What factors start from; \"matched\" (only mf, nmf) is normal around factors that give the damped-mean baseline.",
    ),
    key("model.init_std", NOT_NEGATIVE, Toml("0.003"), "Standard deviation of the start.")
        .when(&[is("model.init", &["matched", "normal"])]),
    key("model.init_low", ANY_NUMBER, Toml("0.0"), "Low end of the start.").when(UNIFORM),
    key("model.init_high", ANY_NUMBER, Toml("1.0"), "High end of the start; above model.init_low.").when(UNIFORM),
    key("model.layers", IntList(1..=65536), Toml("[64, 32, 16]"), "Sizes of the hidden layers, from input to output.")
        .when(&[is("model.kind", &["mlp", "neumf"])]),
    //
    key("loss.kind", Choice(LossKind::NAMES), Toml("'squared'"), "What a wrong prediction costs."),
    key("loss.delta", POSITIVE, Toml("1.0"), "Residual, in rating units, at which squared turns into absolute.")
        .when(&[is("loss.kind", &["huber"])]),
    key(
        "loss.level",
        Float(Bound::Excluded(0.0), Bound::Excluded(1.0)),
        Toml("0.5"),
        "The quantile to predict; 0.5 is the median.",
    )
    .when(&[is("loss.kind", &["quantile"])]),
    //
    key("solver.kind", Choice(SolverKind::NAMES), Toml("'adam'"), "What moves the parameters."),
    key(
        "solver.rows",
        Choice(RowsKind::NAMES),
        ByChoice(&[(is("solver.kind", &["adamw"]), "'all'")], "'touched'"),
        "Rows of a table that a step updates, with their moments: those of the batch, or all, which costs the table.",
    )
    .when(MINI_BATCH),
    key(
        "solver.rule",
        Choice(RuleKind::NAMES),
        Toml("'adagrad'"),
        "How a rating's gradient becomes a step: \"adagrad\" has one rate a row, \"adam\" one a number.",
    )
    .when(&[STRATIFIED]),
    key(
        "solver.feedback",
        Choice(FeedbackKind::NAMES),
        Toml("'explicit'"),
        "What ratings are: \"explicit\" opinions, of which others are unknown; or \"implicit\" signs of a preference, where \
         having none is a weak sign against. Scores are then preferences near 0 to 1, and RMSE and MAE have a meaning \
         only where ratings are 0 and 1.",
    )
    .when(&[ALS]),
    key(
        "solver.confidence_alpha",
        NOT_NEGATIVE,
        Toml("1.0"),
        "How much surer a rating is than no rating: confidence is 1 + confidence_alpha * rating.",
    )
    .when(&[is("solver.feedback", &["implicit"])]),
    key(
        "solver.inner",
        Choice(InnerKind::NAMES),
        ByChoice(
            &[
                (is("model.kind", &["nmf"]), "'coordinate-descent'"),
                (is("solver.feedback", &["implicit"]), "'conjugate-gradient'"),
            ],
            "'cholesky'",
        ),
        "How the linear system of each user and item is solved; nmf needs \"coordinate-descent\".",
    )
    .when(&[ALS]),
    key(
        "solver.inner_steps",
        AT_LEAST_ONE,
        ByChoice(&[(is("solver.inner", &["conjugate-gradient"]), "3")], "10"),
        "Steps of conjugate gradients, or most rounds of coordinate descent, for each system.",
    )
    .when(&[is("solver.inner", &["conjugate-gradient", "coordinate-descent"])]),
    key(
        "solver.method",
        Choice(MethodKind::NAMES),
        Toml("'auto'"),
        "Exact, or randomized (Halko, Martinsson & Tropp 2011); \"auto\" is exact where a side is at most 128.",
    )
    .when(SVD),
    key(
        "solver.oversampling",
        ANY_COUNT,
        Absent,
        "Columns of the random basis beyond the rank; 10 + rank / 2 where absent. More columns need fewer iterations.",
    )
    .when(SVD),
    key("solver.power_iterations", ANY_COUNT, Toml("100"), "Power iterations at most.").when(SVD),
    key(
        "solver.zeros",
        Choice(ZerosKind::NAMES),
        Toml("'data'"),
        "What a cell that is not in the data means: a zero to be fitted, or nothing.",
    )
    .when(MATRIX_NMF),
    key(
        "solver.divergence",
        Choice(DivergenceKind::NAMES),
        Toml("'frobenius'"),
        "What is lowered: half the squared difference, or the Kullback-Leibler divergence of counts.",
    )
    .when(&[is("solver.kind", &["multiplicative"])]),
    key(
        "solver.start",
        Choice(StartKind::NAMES),
        Toml("'nndsvda'"),
        "Where factors begin: \"nndsvd\" (Boutsidis & Gallopoulos 2008), \"nndsvda\", the same with the mean in the \
         place of zeros, or \"model\", at random as model.init says.",
    )
    .when(MATRIX_NMF),
    key(
        "solver.tolerance",
        NOT_NEGATIVE,
        Toml("1e-5"),
        "When to stop: svd, no singular value grew by more than this part of itself; hals, the parts of the gradient \
         cancel to this; multiplicative, the objective fell by less than this part of itself in ten iterations.",
    )
    .when(&[is("solver.kind", &["svd", "hals", "multiplicative"])]),
    key(
        "solver.learning_rate",
        Float(Bound::Excluded(0.0), Bound::Included(1000.0)),
        ByChoice(&[(is("solver.rule", &["adagrad"]), "0.05")], "0.001"),
        "Size of a step, before the schedule.",
    )
    .when(GRADIENT),
    key("solver.batch_size", ANY_COUNT, Toml("1024"), "Ratings in a step; 0 takes all of them.").when(MINI_BATCH),
    key("solver.beta1", SHARE, Toml("0.9"), "Decay of the mean of gradients.").when(ADAM),
    key("solver.beta2", SHARE, Toml("0.999"), "Decay of the mean of squared gradients.").when(ADAM),
    key("solver.epsilon", POSITIVE, Toml("1e-8"), "Added to the denominator of a step.")
        .when(&[is("solver.kind", &["adam", "adamw", "adagrad", "stratified"])]),
    key(
        "solver.initial_accumulator",
        NOT_NEGATIVE,
        Toml("1.0"),
        "Where the sums of squared gradients start; the larger, the more the first steps are those of plain SGD.",
    )
    .when(&[is("solver.rule", &["adagrad"])]),
    key("solver.momentum", SHARE, Toml("0.9"), "Share of the last step that is taken again; 0 is plain SGD.")
        .when(&[is("solver.kind", &["sgd"])]),
    key(
        "solver.weight_decay",
        NOT_NEGATIVE,
        Toml("0.01"),
        "Decoupled decay of all parameters: a step shrinks them by this times its rate.",
    )
    .when(&[is("solver.kind", &["adamw"])]),
    key("solver.clip_norm", POSITIVE, Absent, "Largest norm of the gradient of all parameters together.")
        .when(MINI_BATCH),
    key("solver.clip_value", POSITIVE, Absent, "Largest magnitude of each element of the gradient.").when(MINI_BATCH),
    key(
        "solver.regularization.user_factors",
        NOT_NEGATIVE,
        FACTOR_PENALTY,
        "Penalty of user factors, per rating; see count_exponent.",
    )
    .when(WITH_PENALTY),
    key(
        "solver.regularization.item_factors",
        NOT_NEGATIVE,
        FACTOR_PENALTY,
        "Penalty of item factors, per rating; see count_exponent.",
    )
    .when(WITH_PENALTY),
    key("solver.regularization.user_l1", NOT_NEGATIVE, Toml("0.0"), "Weight of the sum of user factors, per cell.")
        .when(MATRIX_NMF),
    key("solver.regularization.item_l1", NOT_NEGATIVE, Toml("0.0"), "Weight of the sum of item factors, per cell.")
        .when(MATRIX_NMF),
    key("solver.regularization.user_biases", NOT_NEGATIVE, Toml("0.02"), "Penalty of user biases, per rating.")
        .when(BIAS_PENALTY),
    key("solver.regularization.item_biases", NOT_NEGATIVE, Toml("0.02"), "Penalty of item biases, per rating.")
        .when(BIAS_PENALTY),
    key("solver.regularization.weights", NOT_NEGATIVE, Toml("0.0"), "Penalty of the layers' weights.").when(NEURAL),
    key(
        "solver.regularization.count_exponent",
        Float(Bound::Included(0.0), Bound::Included(1.0)),
        ByChoice(&[(is("solver.feedback", &["implicit"]), "0.0")], "1.0"),
        "A user or item with n ratings is penalized n to this power times: 1 is once a rating, 0 once in all.",
    )
    .when(&[ALS]),
    key(
        "solver.schedule.kind",
        Choice(ScheduleKind::NAMES),
        Toml("'constant'"),
        "How the learning rate changes over the epochs.",
    )
    .when(GRADIENT),
    key("solver.schedule.warmup", NOT_NEGATIVE, Toml("0.0"), "Epochs in which the rate grows from 0.").when(GRADIENT),
    key("solver.schedule.every", AT_LEAST_ONE, Toml("10"), "Epochs between two changes.")
        .when(&[is("solver.schedule.kind", &["step"])]),
    key(
        "solver.schedule.factor",
        Float(Bound::Excluded(0.0), Bound::Included(1.0)),
        Toml("0.5"),
        "What the rate is multiplied by: \"step\" at each change, \"exponential\" each epoch.",
    )
    .when(&[is("solver.schedule.kind", &["step", "exponential"])]),
    key(
        "solver.schedule.final",
        Float(Bound::Included(0.0), Bound::Included(1.0)),
        Toml("0.01"),
        "Share of the learning rate that is left at the end.",
    )
    .when(&[is("solver.schedule.kind", &["cosine"])]),
    //
    key(
        "train.device",
        Text,
        Toml("'auto'"),
        "Where to compute: auto, cpu, ndarray, wgpu or cuda, as far as built in; wgpu:1 is the second GPU.",
    ),
    key("train.threads", Int(0..=4096), Toml("0"), "CPU threads; 0 takes all cores. It never changes the result."),
    key(
        "train.max_memory",
        POSITIVE,
        Absent,
        "Gigabytes (10⁹ bytes): a run that needs more, as estimated once the data are read, is refused.",
    ),
    key(
        "train.epochs",
        ANY_COUNT,
        ByChoice(
            &[
                (is("solver.kind", &["svd"]), "1"),
                (is("solver.kind", &["hals"]), "200"),
                (is("solver.kind", &["multiplicative"]), "20"),
            ],
            "30",
        ),
        "Passes over the training ratings; svd takes one, an epoch of hals is one iteration, of multiplicative ten.",
    ),
    key(
        "train.checkpoint_every",
        ANY_COUNT,
        Toml("1"),
        "Epochs between two checkpoints; 0 writes one only at the end or when interrupted.",
    ),
    key(
        "train.refit",
        Bool,
        Toml("false"),
        "Train again, on training and validation, for as many epochs as were best.",
    ),
    key(
        "train.early_stopping.metric",
        Choice(StoppingMetric::NAMES),
        Toml("'rmse'"),
        "What is watched on the validation part.",
    ),
    key(
        "train.early_stopping.patience",
        ANY_COUNT,
        Toml("0"),
        "Epochs without progress before it stops; 0 never stops.",
    ),
    key("train.early_stopping.min_delta", NOT_NEGATIVE, Toml("0.0"), "What counts as progress, in the metric's unit."),
    //
    key(
        "evaluation.clip",
        Bool,
        ByChoice(&[(is("solver.feedback", &["implicit"]), "false")], "true"),
        "Limit predictions to the range of the training ratings.",
    ),
    //
    key("report.tensorboard", Bool, Toml("true"), "Write event files for TensorBoard."),
    key("report.every", AT_LEAST_ONE, Toml("1"), "Epochs between two lines on the console."),
    key(
        "report.histograms_every",
        ANY_COUNT,
        Toml("5"),
        "Epochs between two histograms, also at the last; 0 writes none.",
    ),
    key("report.projector", Bool, Toml("true"), "Write item factors for TensorBoard's projector."),
    //
    key("run.dir", Text, Toml("'runs'"), "The folder that run directories are made in."),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        ValueDeserializer::parse(text).and_then(Value::deserialize).expect("valid TOML")
    }

    #[test]
    fn every_default_passes_its_own_check_unchanged() {
        for key in KEYS {
            let texts = match key.default {
                Absent | FileName => Vec::new(),
                Toml(text) => vec![text],
                ByChoice(cases, otherwise) => cases.iter().map(|case| case.1).chain([otherwise]).collect(),
            };
            for default in texts.into_iter().map(value) {
                assert_eq!(key.check(&default), Ok(default), "{}", key.path);
            }
        }
    }

    #[test]
    fn paths_are_unique_and_sections_stand_together() {
        let mut sections: Vec<&str> = Vec::new();
        for (position, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..position].iter().all(|other| other.path != key.path), "{} twice", key.path);
            assert!(!CONFIG.is_section(key.path), "{} is a key and a section", key.path);
            let top = key.path.split('.').next().expect("a first part");
            if CONFIG.is_section(top) && sections.last() != Some(&top) {
                assert!(!sections.contains(&top), "[{top}] is torn apart");
                sections.push(top);
            }
        }
    }

    #[test]
    fn conditions_name_earlier_keys_and_existing_choices() {
        for (position, key) in KEYS.iter().enumerate() {
            let of_default = match key.default {
                ByChoice(cases, _) => cases,
                _ => &[],
            };
            let written = key.when.iter().chain(of_default.iter().map(|case| &case.0));
            for when in written.flat_map(|when| [Some(when), when.or]).flatten() {
                let other = KEYS[..position].iter().find(|other| other.path == when.key);
                let other = other.unwrap_or_else(|| panic!("{}: {} is not an earlier key", key.path, when.key));
                for value in when.values {
                    assert!(other.check(&Value::from(*value)).is_ok(), "{}: {when}", key.path);
                }
            }
        }
    }

    fn problem(path: &str, text: &str) -> String {
        find(path).expect("a key").check(&value(text)).expect_err("a problem")
    }

    #[test]
    fn bounds_belong_to_a_range_as_stated() {
        let accepts = |path: &str, text: &str| find(path).expect("a key").check(&value(text)).is_ok();
        for (path, inside, outside) in [
            ("model.rank", ["1", "4096"], ["0", "4097"]),
            ("solver.learning_rate", ["1e-30", "1000"], ["0.0", "1000.000000001"]),
            ("loss.level", ["1e-9", "0.999"], ["0", "1"]),
            ("solver.momentum", ["0", "0.999"], ["-1e-9", "0.9999999999"]),
            ("data.binarize", ["-1e30", "1e30"], ["nan", "-1e39"]),
            ("solver.clip_norm", ["1e-3", "7"], ["inf", "1e-300"]),
            ("model.layers", ["[]", "[1, 65536]"], ["[0]", "[3, 65537]"]),
            ("name", ["'a-B_3.x'", "'größe'"], ["'a/b'", "'.a'"]),
            ("data.columns", ["['']", "['a', 'b']"], ["[]", "['a', 1]"]),
        ] {
            assert!(inside.iter().all(|text| accepts(path, text)), "{path} accepts {inside:?}");
            assert!(outside.iter().all(|text| !accepts(path, text)), "{path} refuses {outside:?}");
        }
    }

    #[test]
    fn an_integer_becomes_a_float_where_one_is_wanted() {
        let learning_rate = find("solver.learning_rate").expect("a key");
        assert_eq!(learning_rate.check(&Value::Integer(1)), Ok(Value::Float(1.0)));
    }

    #[test]
    fn problems_name_the_key_the_rule_and_the_value() {
        for (path, text, message) in [
            ("model.rank", "'ten'", "model.rank must be an integer, but is a string (\"ten\")"),
            ("model.rank", "8.0", "model.rank must be an integer, but is a float (8.0)"),
            ("model.rank", "0", "model.rank must be from 1 to 4096, but is 0"),
            ("seed", "-1", "seed must be at least 0, but is -1"),
            ("solver.learning_rate", "-0.1", "solver.learning_rate must be above 0 and at most 1000, but is -0.1"),
            ("data.split.test", "1", "data.split.test must be at least 0 and below 1, but is 1"),
            ("run.dir", "''", "run.dir must not be empty"),
            ("report.projector", "{}", "report.projector must be true or false, but is a table"),
            (
                "model.layers",
                "[8, 'x']",
                "model.layers must be a list of integers, each from 1 to 65536, but element 2 is \"x\"",
            ),
            (
                "solver.kind",
                "'admw'",
                "solver.kind must be one of \"adam\", \"adamw\", \"sgd\", \"adagrad\", \"stratified\", \"als\", \"svd\", \
                 \"hals\" or \"multiplicative\", but is \
                 \"admw\"; did you mean \"adamw\"?",
            ),
        ] {
            assert_eq!(problem(path, text), message);
        }
    }

    #[test]
    fn a_suggestion_needs_some_likeness() {
        assert_eq!(nearest("Weight_Deacy", CONFIG.names_in("solver")), Some("weight_decay"));
        assert_eq!(nearest("colour", CONFIG.names_in("solver")), None);
    }

    #[test]
    fn names_in_a_section_are_keys_and_sections() {
        assert_eq!(CONFIG.names_in("solver.schedule"), ["kind", "warmup", "every", "factor", "final"]);
        assert_eq!(CONFIG.names_in("train").last(), Some(&"early_stopping"));
        assert_eq!(CONFIG.names_in("")[..3], ["name", "seed", "data"]);
    }
}
