//! Config keys that several readers have.

use crate::config::{Key, KeyKind, choice};

choice! {
    /// Whether the first line of a file names its columns.
    #[derive(Default)]
    pub enum HeaderLine {
        /// What the first lines look like decides.
        #[default]
        Auto = "auto",
        /// It names them.
        Yes = "yes",
        /// It is data like every other line.
        No = "no",
    }
}

/// `data.header`, a [`HeaderLine`].
pub(super) fn header_key() -> Key {
    let meaning =
        "Whether the first line (after data.skip_lines) names the columns; \"auto\" goes by what it looks like.";
    Key::new("data.header", KeyKind::choice(HeaderLine::NAMES.iter().copied()), meaning).default("'auto'")
}

/// `data.delimiter`.
pub(super) fn delimiter_key() -> Key {
    let meaning = "What separates columns; \" \" is any run of blanks. Detected if absent.";
    Key::new("data.delimiter", KeyKind::Text, meaning)
}

/// `data.skip_lines`.
pub(super) fn skip_key() -> Key {
    let meaning = "Lines to skip at the start of the file, or of each document.";
    Key::new("data.skip_lines", KeyKind::ANY_COUNT, meaning).default("0")
}

/// `data.extension`.
pub(super) fn extension_key() -> Key {
    let meaning =
        "Extension of the files of a folder that are rows, as in \"pgm\"; if absent, all pictures or texts by name.";
    Key::new("data.extension", KeyKind::Text, meaning)
}

/// `data.context`: columns beside user and item that describe an interaction, each a field of its own. It is a key only
/// for programs with a model that uses a context.
pub fn context_key() -> Key {
    let meaning = "Columns beside these that describe a rating, called as in the header or in data.columns; for models that \
                   use them.";
    Key::new("data.context", KeyKind::TextList, meaning)
}
