//! Config keys that several readers have.

use super::bad_lines::BadLines;
use crate::config::{Key, KeyKind, Problem, Values, choice};
use crate::data::times::TimeFormat;
use crate::error::{Error, Result};

/// Names of the columns if neither a header nor the user gives any.
pub(super) const BY_POSITION: [&str; 4] = ["user", "item", "rating", "timestamp"];

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

/// `data.columns`.
pub(super) fn columns_key() -> Key {
    let meaning = "What the columns hold. In a list of ratings: \"user\", \"item\", \"rating\", \"timestamp\", or \"-\" to skip one. \
                   Of purchases, \"quantity\", \"price\" and \"order\" instead of a rating. In JSON lines: which member is what, as in \"user=reviewerID\". In a table: \"label\" (ids of rows), \"class\", \"data\", or \"-\"; \"...\" repeats the word before it for as many \
                   columns as there are. Detected if absent.";
    Key::new("data.columns", KeyKind::TextList, meaning)
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

/// How a file writes times.
pub(super) const TIME_FORMAT: &str = "data.time_format";

/// `data.time_format`.
pub(super) fn time_format_key() -> Key {
    let meaning = "How times are written, in the conversions of strftime, as in \"%d.%m.%Y %H:%M\"; without an offset they are \
                   in UTC. If absent: seconds since 1970, or dates like 2010-12-01, 2010-12-01 08:26:00 and \
                   2010-12-01T08:26:00+02:00.";
    Key::new(TIME_FORMAT, KeyKind::Text, meaning)
}

/// The format that a text describes.
pub(super) fn time_format(text: &str) -> Result<TimeFormat> {
    TimeFormat::of(text).ok_or_else(|| {
        Error::Usage(format!(
            "{TIME_FORMAT}: {text:?} has a conversion that there is not; write it as for strftime, as in \"%d.%m.%Y %H:%M\""
        ))
    })
}

/// It has conversions that there are.
pub(super) fn check_time_format(values: &Values) -> Option<Problem> {
    let problem = time_format(&values.find::<String>(TIME_FORMAT)?).err()?;
    Some(Problem::new([TIME_FORMAT], problem.to_string()))
}

/// `data.bad_lines`.
pub(super) fn bad_lines_key() -> Key {
    let meaning = "What becomes of a line that is no rating, with too many fields for instance, or without an id or a number: \
                   the data are refused, or it is left out, and a note counts such lines.";
    Key::new("data.bad_lines", KeyKind::choice(BadLines::NAMES.iter().copied()), meaning).default("'error'")
}

/// A column of the context is named once, and is none of those that every rating has.
pub(super) fn check_context(values: &Values) -> Option<Problem> {
    let names: Vec<String> = values.find("data.context")?;
    let taken = |name: &&String| BY_POSITION.contains(&name.as_str()) || name.as_str() == "-";
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name);
    let message = match (names.iter().find(taken), twice) {
        (Some(name), _) => format!("data.context: {name:?} is not a column beside user, item, rating and timestamp"),
        (None, Some(name)) => format!("data.context names {name:?} twice"),
        (None, None) => return None,
    };
    Some(Problem::new(["data.context"], message))
}
