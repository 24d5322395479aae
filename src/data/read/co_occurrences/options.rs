//! What counts as a word, which of them count as near, and what cells hold, as options and as config keys.

use std::ops::Bound;

use crate::config::{Key, KeyKind, Keys, Values, choice, is};

choice! {
    /// What a text is cut into.
    #[derive(Default)]
    pub enum Tokens {
        /// Runs of two letters or more, in lower case.
        #[default]
        Words = "words",
        /// Whatever stands between blanks, as it is: for texts that are cut and written in one case already.
        Blanks = "blanks",
    }
}

choice! {
    /// What the cell of a word and another near it holds.
    #[derive(Default)]
    pub enum CellValues {
        /// How often they are near each other, as weighted by their distance.
        #[default]
        Counts = "counts",
        /// How much more often than by chance, as a logarithm, if it is more: shifted positive pointwise mutual information.
        Ppmi = "ppmi",
    }
}

/// Words of a text, and what is counted of them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CoOccurrenceOptions {
    /// What a text is cut into.
    pub tokens: Tokens,
    /// A word occurs at least so often; others are left out before anything is counted.
    pub min_count: u64,
    /// Most words: those that occur most often, of equals the first by alphabet.
    pub max_words: Option<usize>,
    /// Words count as near up to this distance.
    pub window: usize,
    /// Whether words after a word are near it, too, and not only those before it.
    pub symmetric: bool,
    /// Whether a word d places away counts 1/d rather than 1.
    pub distance_weights: bool,
    /// What cells hold.
    pub values: CellValues,
    /// ln of this is subtracted from pointwise mutual information: the number of negative samples of the skip-gram model.
    pub shift: f64,
    /// Power of the words' shares among contexts, for pointwise mutual information.
    pub smoothing: f64,
}

impl Default for CoOccurrenceOptions {
    fn default() -> Self {
        Self {
            tokens: Tokens::Words,
            min_count: 5,
            max_words: None,
            window: 10,
            symmetric: true,
            distance_weights: true,
            values: CellValues::Counts,
            shift: 1.0,
            smoothing: 0.75,
        }
    }
}

impl CoOccurrenceOptions {
    /// The config keys.
    pub fn keys() -> Keys {
        let tokens = "What a text is cut into: runs of two letters or more, in lower case; or whatever stands between blanks, \
                      as it is.";
        let min_count = "A word occurs at least so often; others are taken out of the text.";
        let max_words = "So many words stay, those that occur most often; else all.";
        let window = "Words count as near each other up to this distance.";
        let symmetric = "Whether words after a word are near it, too, rather than only those before it.";
        let distance = "Whether a word d places away counts 1/d rather than 1.";
        let values = "What a cell holds: how often two words are near each other; or how much more often than by chance, as \
                      max(0, ln(P(word, context) / (P(word) P(context))) - ln(shift)), where a cell of 0 is not stored.";
        let shift = "ln of it is subtracted from pointwise mutual information: what the number of negative samples is to the \
                     skip-gram model.";
        let smoothing = "Power that the frequencies of contexts are raised to before they are made probabilities; 1 leaves \
                         them as they are.";
        let of_ppmi = || is("data.co_occurrences.values", ["ppmi"]);
        let key = |name: &str, kind, meaning| Key::new(&format!("data.co_occurrences.{name}"), kind, meaning);
        let share = KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1.0));
        Keys::new([
            key("tokens", KeyKind::choice(Tokens::NAMES.to_vec()), tokens).default("'words'"),
            key("min_count", KeyKind::AT_LEAST_ONE, min_count).default("5"),
            key("max_words", KeyKind::AT_LEAST_ONE, max_words),
            key("window", KeyKind::Int(1..=1000), window).default("10"),
            key("symmetric", KeyKind::Bool, symmetric).default("true"),
            key("distance_weights", KeyKind::Bool, distance).default("true"),
            key("values", KeyKind::choice(CellValues::NAMES.to_vec()), values).default("'counts'"),
            key("shift", KeyKind::POSITIVE, shift).default("1.0").when(of_ppmi()),
            key("smoothing", share, smoothing).default("0.75").when(of_ppmi()),
        ])
    }

    /// The options that a config asks for, with the defaults of keys that take no part in it.
    pub fn of(values: &Values) -> Self {
        let values = &Self::keys().with_defaults(values);
        let key = |name: &str| format!("data.co_occurrences.{name}");
        let or = Self::default();
        Self {
            tokens: values.get(&key("tokens")),
            min_count: values.get(&key("min_count")),
            max_words: values.find(&key("max_words")),
            window: values.get(&key("window")),
            symmetric: values.get(&key("symmetric")),
            distance_weights: values.get(&key("distance_weights")),
            values: values.get(&key("values")),
            shift: values.find(&key("shift")).unwrap_or(or.shift),
            smoothing: values.find(&key("smoothing")).unwrap_or(or.smoothing),
        }
    }
}
