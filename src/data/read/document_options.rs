//! What becomes of documents, as options and as config keys.

use std::ops::{Bound, RangeInclusive};

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

/// Words that a term may have.
pub(super) const MOST_OF_A_RUN: RangeInclusive<usize> = 1..=9;

/// Which terms are columns, and what their cells hold.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `stop_words` | none | words that never count | |
/// | `extra_stop_words` | none | more words that never count | |
/// | `max_ngram` | 1 | most words of a term | from 1 to 9 |
/// | `min_documents` | 2 | a term is in at least so many documents | from 1 |
/// | `max_share` | 0.5 | a term is in at most this share of all documents | above 0, to 1 |
/// | `max_terms` | all | so many terms count, those that occur most often | from 1 |
/// | `weighting` | tf-idf | what a cell holds | |
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DocumentOptions {
    /// Words that never count.
    pub stop_words: StopWords,
    /// More words that never count, whatever the case of letters.
    pub extra_stop_words: Vec<String>,
    /// Most words of a term. Beside the words themselves, terms are the runs of so many words or fewer of a document, written
    /// with blanks, that follow each other once stop words are left out.
    pub max_ngram: usize,
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
            extra_stop_words: Vec::new(),
            max_ngram: 1,
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
        let extra = "More words that are no terms, as in [\"said\", \"mr\"]; case does not count.";
        let runs = "Most words of a term: with 2, words and pairs of words that follow each other in a document once stop words \
                    are left out.";
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
            Key::new("data.documents.extra_stop_words", KeyKind::TextList, extra),
            Key::new(
                "data.documents.max_ngram",
                KeyKind::Int(*MOST_OF_A_RUN.start() as i64..=*MOST_OF_A_RUN.end() as i64),
                runs,
            )
            .default("1"),
            Key::new("data.documents.min_documents", KeyKind::AT_LEAST_ONE, "A term is in at least so many documents.")
                .default("2"),
            Key::new("data.documents.max_share", share, "A term is in at most this share of all documents.")
                .default("0.5"),
            Key::new("data.documents.max_terms", KeyKind::AT_LEAST_ONE, terms),
            Key::new("data.documents.weighting", KeyKind::choice(Weighting::NAMES.to_vec()), weighting)
                .default("'tf-idf'"),
        ])
    }

    /// The options that a config asks for, with the defaults of keys that take no part in it.
    pub fn of(values: &Values) -> Self {
        let values = &Self::keys().with_defaults(values);
        Self {
            stop_words: values.get("data.documents.stop_words"),
            extra_stop_words: values.find("data.documents.extra_stop_words").unwrap_or_default(),
            max_ngram: values.get("data.documents.max_ngram"),
            min_documents: values.get("data.documents.min_documents"),
            max_share: values.get("data.documents.max_share"),
            max_terms: values.find("data.documents.max_terms"),
            weighting: values.get("data.documents.weighting"),
        }
    }
}
