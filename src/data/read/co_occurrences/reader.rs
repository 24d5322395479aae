//! Texts as counts of which words stand near each other: a row for each word, a column for each as a context.

use std::path::Path;

use super::corpus::{Corpus, Words};
use super::counter::{Counter, MOST_WORDS, Window};
use super::options::{CellValues, CoOccurrenceOptions};
use super::pointwise_information::positive_pointwise_information;
use crate::config::{Keys, Values, is};
use crate::data::interactions::check_count;
use crate::data::read::hash::Hash;
use crate::data::read::reader::{Reader, ReaderPart};
use crate::data::read::shared_keys::extension_key;
use crate::data::{Dataset, Entity, Field, Interactions, Layout, Role, Vocabulary};
use crate::error::{Error, Result};

/// A folder of texts, a document each; or a file with a document a line. Words near each other within a document are a cell:
/// two fields, the word and its context, of one entity.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CoOccurrences {
    /// Which words there are, and what is counted.
    pub options: CoOccurrenceOptions,
    /// Extension, with or without the dot, of the files of a folder that are documents; `None` takes all texts.
    pub extension: Option<String>,
}

/// Bytes that a pair takes while it is counted.
const PAIR_BYTES: u64 = 8;
/// Bytes that counting takes at least and at most; what is more is sorted in temporary files.
const LEAST_MEMORY: u64 = 64 << 20;
const MOST_MEMORY: u64 = 1 << 30;

/// The name of the entity of words.
const WORD: &str = "word";

impl Reader for CoOccurrences {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        let options = &self.options;
        let corpus = Corpus::new(path, self.extension.as_deref(), options.tokens)?;
        dataset.notes.extend(corpus.note());
        let Words { words, all, length, remedy, hash } = corpus.words(options)?;
        dataset.notes.extend(remedy.map(|remedy| format!("{}: {remedy}", path.display())));
        let mut cells = self.count(path, &corpus, (&words, length), hash)?;
        let counted = cells.len();
        if let CellValues::Ppmi = options.values {
            positive_pointwise_information(&mut cells, words.len(), options.shift, options.smoothing);
        }
        if counted > 0 && cells.is_empty() {
            let message = "no two of its words stand near each other more often than data.co_occurrences.shift asks for; lower it";
            return Err(Error::data(path, message));
        }
        if cells.is_empty() {
            let message = "no two of its words stand near each other; give longer documents or lower \
                           data.co_occurrences.min_count";
            return Err(Error::data(path, message));
        }
        check_count(path, cells.len())?;
        let values = match options.values {
            CellValues::Counts => String::new(),
            CellValues::Ppmi => format!(", of which {} are more frequent than by chance", cells.len()),
        };
        dataset.notes.push(format!(
            "{}: {length} words, of which {} of {all} different ones occur {} times or more; {counted} pairs stand within {} \
             words{values}",
            path.display(),
            words.len(),
            options.min_count,
            options.window
        ));
        dataset.interactions = cells;
        dataset.entities = vec![Entity { ids: words, ..Entity::new(WORD) }];
        dataset.fields = vec![
            Field { role: Some(Role::User), ..Field::new(WORD, 0) },
            Field { role: Some(Role::Item), ..Field::new("context", 0) },
        ];
        dataset.layout = Layout::CoOccurrences;
        Ok(hash)
    }

    fn is_list(&self) -> bool {
        false
    }

    /// Counting takes longer than reading numbers.
    fn is_text(&self) -> bool {
        true
    }
}

impl CoOccurrences {
    /// The cells of all pairs of words.
    fn count(
        &self,
        path: &Path,
        corpus: &Corpus,
        (words, length): (&Vocabulary, u64),
        hash: Hash,
    ) -> Result<Interactions> {
        let CoOccurrenceOptions { window, symmetric, distance_weights, .. } = self.options;
        let window = Window { size: window, symmetric, by_distance: distance_weights };
        let failed = |error| Error::io("sort a temporary file of", path, error);
        if words.len() > MOST_WORDS {
            let message = format!(
                "has {} words that count, but {MOST_WORDS} is the most; set data.co_occurrences.max_words or raise min_count",
                words.len()
            );
            return Err(Error::data(path, message));
        }
        // Of more memory than all pairs of the text would take, tables only become slower.
        let all_pairs = PAIR_BYTES * length * self.options.window as u64;
        let memory = all_pairs.clamp(LEAST_MEMORY, MOST_MEMORY);
        let mut counter = Counter::new(window, words.len(), memory as usize);
        let again = corpus.indices(words, |indices| counter.add(indices).map_err(failed))?;
        if again != hash {
            return Err(Error::data(path, "has changed while it was read; try again"));
        }
        let mut cells = Interactions::default();
        counter.finish(|word, context, count| cells.push([word, context], count, None)).map_err(failed)?;
        cells.shrink_to_fit();
        Ok(cells)
    }
}

impl ReaderPart for CoOccurrences {
    const NAME: &'static str = "co-occurrences";

    fn keys() -> Keys {
        let whole = || is("data.format", [Self::NAME]);
        Keys::from(extension_key()).and(CoOccurrenceOptions::keys()).default_for_if(
            "data.split.kind",
            whole(),
            "'none'",
        )
    }

    fn of(values: &Values) -> Self {
        Self { options: CoOccurrenceOptions::of(values), extension: values.find("data.extension") }
    }
}
