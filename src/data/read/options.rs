//! How data are read, as options and as config keys.

use std::path::PathBuf;

use super::document_options::DocumentOptions;
use crate::config::{Choice, Key, KeyKind, Keys, Problem, Values, choice, given};

choice! {
    /// How the data are laid out.
    #[derive(Default)]
    pub enum Format {
        /// Matrix Market where the name ends in `.mtx` or `.mtx.gz`, a picture where it ends in `.png`, `.jpg`, `.jpeg`,
        /// `.pgm`, `.ppm` or `.pnm`, else delimited. A folder is pictures where it has more of these than of texts, else
        /// documents.
        #[default]
        Auto = "auto",
        /// A rating a line: user, item and, where present, rating and timestamp.
        Delimited = "delimited",
        /// A Matrix Market file (Boisvert, Pozo & Remington 1996): explicit entries are ratings.
        MatrixMarket = "matrix-market",
        /// A table of numbers: a row a user, a column an item, every cell a rating.
        Dense = "dense",
        /// One picture: a row a line of pixels, a column one of its pixels; see
        /// [`Layout::Picture`](crate::data::Layout::Picture).
        Picture = "picture",
        /// A folder of pictures of one size: a row a picture, a column a pixel; see
        /// [`Layout::Pictures`](crate::data::Layout::Pictures).
        Pictures = "pictures",
        /// A folder of texts, or a file with one a line: a row a document, a column a term, as [`DocumentOptions`] say.
        Documents = "documents",
    }
}

/// What becomes of a second rating of the same item by the same user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// The last in file order counts; it takes the place of the first.
    #[default]
    Last,
    /// The mean counts, with the timestamp of the last and in the place of the first.
    Mean,
    /// The data are refused.
    Error,
    /// Both stay: the file is a list of requests rather than of ratings.
    Keep,
}

/// A file that gives each item id a title.
#[derive(Debug, Clone, Default)]
pub struct TitleFile {
    /// The file.
    pub path: PathBuf,
    /// What stands between fields; `None` finds out. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// What the columns hold: `"item"`, `"title"`, and any other name for the rest. `None` goes by the header, or else
    /// takes the first two columns.
    pub columns: Option<Vec<String>>,
}

/// How to read a rating file. The default fits most.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// How the file is laid out.
    pub format: Format,
    /// What stands between fields; `None` finds out. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// What the columns of a delimited file hold: `"user"`, `"item"`, `"rating"`, `"timestamp"`, or `"-"` to skip one.
    /// `None` goes by the header, or else by position: user, item, rating, timestamp.
    pub columns: Option<Vec<String>>,
    /// Columns of a delimited file that describe an interaction beside user and item, called as in its header or in
    /// `columns`: each becomes a field with an entity of its own.
    pub context: Vec<String>,
    /// Which column of a dense table, from 1, is no number but the class of its row, whose id becomes `class/id`, as
    /// [`class_of`](crate::data::class_of) understands it.
    pub class_column: Option<usize>,
    /// Lines at the start of a text file to leave out, before a header.
    pub skip_lines: usize,
    /// Extension, with or without the dot, of the files of a folder that are rows; `None` takes all pictures or texts.
    pub extension: Option<String>,
    /// What documents become.
    pub documents: DocumentOptions,
    /// What becomes of a second rating of the same item by the same user, within the training and within the test file.
    pub duplicates: Duplicates,
    /// Where set, ratings at or above it become 1, the others 0; after duplicates are merged.
    pub binarize: Option<f32>,
    /// Titles of the items.
    pub titles: Option<TitleFile>,
    /// A folder for binary copies of large files, which are read in the place of the files from the second time on, as
    /// long as the files' content is the same; `None` keeps none.
    pub cache: Option<PathBuf>,
}

impl ReadOptions {
    /// The config keys of reading, but for titles and cache.
    pub fn keys(has_context: bool) -> Keys {
        let delimiter = "What separates columns; \" \" is any run of blanks. Found out where absent.";
        let delimiter = || Key::new("data.delimiter", KeyKind::Text, delimiter);
        let columns = "What the columns hold: \"user\", \"item\", \"rating\", \"timestamp\", or \"-\" to skip one. Found \
                       out where absent.";
        let columns = || Key::new("data.columns", KeyKind::TextList, columns);
        let context = "Columns beside these that describe a rating, called as in the header or in data.columns; for models that \
                       use them.";
        let context = || Key::new("data.context", KeyKind::TextList, context);
        let class = "Which column, from 1, is no number but the class of its row; the row is then called class/id.";
        let class = Key::new("data.class_column", KeyKind::AT_LEAST_ONE, class);
        let skip = "Lines to pass over at the start of the file, or of each document.";
        let skip = || Key::new("data.skip_lines", KeyKind::ANY_COUNT, skip).default("0");
        let lines = || {
            let keys = Keys::new([delimiter(), columns()]);
            let keys = if has_context { keys.and(context()) } else { keys };
            keys.and(skip())
        };
        let extension = "Extension of the files of a folder that are rows, as in \"pgm\"; all that are called like pictures \
                         or texts where absent.";
        let extension = || Key::new("data.extension", KeyKind::Text, extension);
        let format = "How it is written. \"auto\" goes by the file's name, and takes a folder for pictures where it has more \
                      of them than of texts, else for documents.";
        let format = Choice::new("data.format", format)
            .with(|key| key.default("'auto'").when(given("data.path")))
            .part("auto", lines())
            .part("delimited", lines())
            .part("matrix-market", [skip()])
            .part("dense", [delimiter(), class, skip()])
            .part("picture", [])
            .part("pictures", [extension()])
            .part("documents", Keys::new([skip(), extension()]).and(DocumentOptions::keys()));
        let duplicates = "What counts where a user rated an item more than once.";
        let duplicates =
            Key::new("data.duplicates", KeyKind::choice(["last", "mean", "error"]), duplicates).default("'last'");
        let binarize = "Ratings of at least this become 1, others 0; unchanged where absent.";
        Keys::from(format)
            .and([duplicates, Key::new("data.binarize", KeyKind::ANY_NUMBER, binarize)])
            .rule(|values| check_context(values).into_iter().collect())
    }

    /// The options that a config asks for; the defaults where its data come from no file.
    pub fn of(values: &Values) -> Self {
        Self {
            format: values.find("data.format").unwrap_or_default(),
            delimiter: values.find("data.delimiter"),
            columns: values.find("data.columns"),
            context: values.find("data.context").unwrap_or_default(),
            class_column: values.find("data.class_column"),
            skip_lines: values.find("data.skip_lines").unwrap_or_default(),
            extension: values.find("data.extension"),
            documents: DocumentOptions::of(values),
            duplicates: match values.get::<String>("data.duplicates").as_str() {
                "mean" => Duplicates::Mean,
                "error" => Duplicates::Error,
                _ => Duplicates::Last,
            },
            binarize: values.find("data.binarize"),
            titles: None,
            cache: None,
        }
    }
}

/// A column of the context is named once, and is none of those that every rating has.
fn check_context(values: &Values) -> Option<Problem> {
    let names: Vec<String> = values.find("data.context")?;
    let taken = |name: &&String| ["user", "item", "rating", "timestamp", "-"].contains(&name.as_str());
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name);
    let message = match (names.iter().find(taken), twice) {
        (Some(name), _) => format!("data.context: {name:?} is not a column beside user, item, rating and timestamp"),
        (None, Some(name)) => format!("data.context names {name:?} twice"),
        (None, None) => return None,
    };
    Some(Problem::new(["data.context"], message))
}

impl TitleFile {
    /// The config keys of titles.
    pub fn keys() -> Keys {
        let columns = "What its columns hold: \"item\", \"title\", others are skipped. Found out where absent.";
        let delimiter = "What separates its columns. Found out where absent.";
        Keys::new([
            Key::new("data.titles.path", KeyKind::Text, "A file with a title for each item.").when(given("data.path")),
            Key::new("data.titles.delimiter", KeyKind::Text, delimiter).when(given("data.titles.path")),
            Key::new("data.titles.columns", KeyKind::TextList, columns).when(given("data.titles.path")),
        ])
    }

    /// The file that a config names, if it names one.
    pub fn of(values: &Values) -> Option<Self> {
        Some(Self {
            path: values.find("data.titles.path")?,
            delimiter: values.find("data.titles.delimiter"),
            columns: values.find("data.titles.columns"),
        })
    }
}
