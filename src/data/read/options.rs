//! How data are read, as options and as config keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::built_in::built_in;
use super::delimited::Delimited;
use super::duplicates::Duplicates;
use super::reader::{Reader, ReaderKind, ReaderPart};
use crate::config::{Choice, Key, KeyKind, Keys, Values, from_here, given};
use crate::error::{Error, Result};

/// A file that gives each item id a title.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TitleFile {
    /// The file.
    pub path: PathBuf,
    /// What stands between fields; `None` finds out. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// What the columns hold: `"item"`, `"title"`, and any other name for the rest. `None` goes by the header, or else
    /// takes the first two columns.
    pub columns: Option<Vec<String>>,
}

/// How to read data. The default fits most.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What may read them: of several the last that [recognizes](Reader::recognizes) the path. By default those of this
    /// crate.
    pub readers: Vec<Arc<dyn Reader>>,
    /// What becomes of a second rating of the same item by the same user, within the training and within the test file.
    pub duplicates: Duplicates,
    /// If set, ratings at or above it become 1, the others 0; after duplicates are merged.
    pub binarize: Option<f32>,
    /// Titles of the items.
    pub titles: Option<TitleFile>,
    /// A folder for binary copies of large files, which are read in the place of the files from the second time on, as
    /// long as the files' content is the same; `None` keeps none.
    pub cache: Option<PathBuf>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::of_readers(made(&built_in(), &Values::default()))
    }
}

/// `data.format` if the form is left open.
const AUTO: &str = "auto";

/// A reader of each kind.
fn made(kinds: &[ReaderKind], values: &Values) -> Vec<Arc<dyn Reader>> {
    kinds.iter().map(|kind| kind.make(values)).collect()
}

impl ReadOptions {
    /// The defaults with this reader.
    pub fn of_reader(reader: impl Reader + 'static) -> Self {
        Self::of_readers(vec![Arc::new(reader)])
    }

    fn of_readers(readers: Vec<Arc<dyn Reader>>) -> Self {
        Self { readers, duplicates: Duplicates::default(), binarize: None, titles: None, cache: None }
    }

    /// The config keys of reading, but for titles and cache.
    pub fn keys(kinds: &[ReaderKind]) -> Keys {
        let format = "How it is written. \"auto\" goes by the file's name, and takes a folder for counts of 10x Genomics if it \
                      holds matrix.mtx and barcodes.tsv, for pictures if it has more of them than of texts, else for \
                      documents.";
        let format = Choice::new("data.format", format)
            .with(|key| key.default("'auto'").when(given("data.path")))
            .part(AUTO, Delimited::keys());
        let format = kinds.iter().fold(format, |format, kind| format.part(kind.name, kind.keys()));
        let duplicates = "What counts if a user rated an item more than once, in the same context if there is one: the last rating, \
                          the mean, the sum, or the count, which makes events without ratings amounts; each by itself (\"keep\"), \
                          as showings that were clicked or not; or nothing, and the data are refused.";
        let duplicates = Key::new("data.duplicates", KeyKind::choice(Duplicates::WORDS), duplicates).default("'last'");
        let binarize = "Ratings of at least this become 1, others 0; unchanged if absent.";
        Keys::from(format).and([duplicates, Key::new("data.binarize", KeyKind::ANY_NUMBER, binarize)])
    }

    /// The options that a config asks for; the default readers if its data come from no file.
    pub fn of(values: &Values, kinds: &[ReaderKind]) -> Self {
        let format: Option<String> = values.find("data.format");
        let named = format.and_then(|format| kinds.iter().find(|kind| kind.name == format));
        Self {
            duplicates: Duplicates::of_word(&values.find::<String>("data.duplicates").unwrap_or_default()),
            binarize: values.find("data.binarize"),
            ..Self::of_readers(made(named.map_or(kinds, std::slice::from_ref), values))
        }
    }

    /// The reader of what is at `path`.
    ///
    /// # Errors
    /// Those of [`Reader::recognizes`], and [`Error::Data`] if no reader takes it.
    pub(in crate::data) fn reader(&self, path: &Path) -> Result<&dyn Reader> {
        if let [only] = &self.readers[..] {
            return Ok(&**only);
        }
        for reader in self.readers.iter().rev() {
            if reader.recognizes(path)? {
                return Ok(&**reader);
            }
        }
        Err(Error::data(path, "is of no form that is recognized; name it in data.format"))
    }
}

impl TitleFile {
    /// The config keys of titles.
    pub fn keys() -> Keys {
        let columns = "What its columns hold: \"item\", \"title\", others are skipped. Found out where absent.";
        let delimiter = "What separates its columns. Found out where absent.";
        Keys::new([
            Key::new("data.titles.path", KeyKind::Path, "A file with a title for each item; found as data.path is.")
                .when(given("data.path")),
            Key::new("data.titles.delimiter", KeyKind::Text, delimiter).when(given("data.titles.path")),
            Key::new("data.titles.columns", KeyKind::TextList, columns).when(given("data.titles.path")),
        ])
    }

    /// The file that a config names, if it names one.
    pub fn of(values: &Values) -> Option<Self> {
        Some(Self {
            path: values.find("data.titles.path").map(from_here)?,
            delimiter: values.find("data.titles.delimiter"),
            columns: values.find("data.titles.columns"),
        })
    }
}
