//! What becomes of documents, as options and as config keys.

use std::ops::Bound;

use crate::config::{Key, KeyKind, Keys, Values, choice};

choice! {
    /// Words that have little to do with what a text is about.
    #[derive(Default)]
    pub enum StopWords {
        /// All words count.
        #[default]
        None = "none",
        /// English articles, pronouns, prepositions, conjunctions and auxiliary verbs do not count.
        English = "english",
    }
}

choice! {
    /// What the cell of a term that occurs tf times in a document holds, where n is the number of documents and df that of
    /// documents with the term.
    #[derive(Default)]
    pub enum Weighting {
        /// tf.
        Counts = "counts",
        /// ln(1 + tf).
        LogCounts = "log-counts",
        /// tf · (ln((1 + n) / (1 + df)) + 1), divided by the Euclidean length of the document's row: the smoothed form that
        /// scikit-learn has as its default.
        #[default]
        TfIdf = "tf-idf",
        /// The same with 1 + ln(tf) in the place of tf: a term that comes back says less each time.
        LogTfIdf = "log-tf-idf",
    }
}

/// Which terms are columns, and what their cells hold.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `stop_words` | none | words that never count | |
/// | `min_documents` | 2 | a term is in at least so many documents | from 1 |
/// | `max_share` | 0.5 | a term is in at most this share of all documents | above 0, to 1 |
/// | `max_terms` | all | so many terms count, those that occur most often | from 1 |
/// | `weighting` | tf-idf | what a cell holds | |
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct DocumentOptions {
    /// Words that never count.
    pub stop_words: StopWords,
    /// Fewest documents that a term is in.
    pub min_documents: usize,
    /// Largest share of all documents that a term is in, above 0 and at most 1.
    pub max_share: f64,
    /// Most terms: those that occur most often in all documents together, of equals the first by alphabet.
    pub max_terms: Option<usize>,
    /// What a cell holds.
    pub weighting: Weighting,
}

impl Default for DocumentOptions {
    fn default() -> Self {
        Self {
            stop_words: StopWords::None,
            min_documents: 2,
            max_share: 0.5,
            max_terms: None,
            weighting: Weighting::TfIdf,
        }
    }
}

impl DocumentOptions {
    /// The config keys of documents.
    pub fn keys() -> Keys {
        let share = KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1.0));
        let terms = "So many terms stay, those that occur most often; else all.";
        let weighting = "What the cell of a term in a document holds: how often it occurs; the logarithm of 1 more; or that \
                         number times ln((1 + documents) / (1 + documents with the term)) + 1, in rows of Euclidean length \
                         1, where \"log-tf-idf\" takes 1 + the logarithm of that number.";
        Keys::new([
            Key::new(
                "data.documents.stop_words",
                KeyKind::choice(StopWords::NAMES.to_vec()),
                "Words that are no terms.",
            )
            .default("'none'"),
            Key::new("data.documents.min_documents", KeyKind::AT_LEAST_ONE, "A term is in at least so many documents.")
                .default("2"),
            Key::new("data.documents.max_share", share, "A term is in at most this share of all documents.")
                .default("0.5"),
            Key::new("data.documents.max_terms", KeyKind::AT_LEAST_ONE, terms),
            Key::new("data.documents.weighting", KeyKind::choice(Weighting::NAMES.to_vec()), weighting)
                .default("'tf-idf'"),
        ])
    }

    /// The options that a config asks for.
    pub(super) fn of(values: &Values) -> Self {
        Self {
            stop_words: values.get("data.documents.stop_words"),
            min_documents: values.get("data.documents.min_documents"),
            max_share: values.get("data.documents.max_share"),
            max_terms: values.find("data.documents.max_terms"),
            weighting: values.get("data.documents.weighting"),
        }
    }
}
