//! What the rows and columns of the data are.

use serde::{Deserialize, Serialize};

/// What a row (user) and a column (item) of the data are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Layout {
    /// Users and items, or anything else with names.
    #[default]
    Cells,
    /// One picture: a row is a line of pixels. The columns are the lines of the first channel, then those of the next.
    Picture {
        /// Pixels per line.
        width: usize,
        /// 1 (grey) or 3 (red, green, blue).
        channels: usize,
    },
    /// A row is a grey picture, line after line.
    Pictures {
        /// Pixels per line.
        width: usize,
        /// Lines.
        height: usize,
    },
    /// A row is a document, a column a term.
    Documents,
}

impl Layout {
    /// What a row and a column are called.
    pub fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Cells => ("user", "item"),
            Self::Picture { .. } => ("line", "pixel"),
            Self::Pictures { .. } => ("picture", "pixel"),
            Self::Documents => ("document", "term"),
        }
    }
}

/// The class that an id names: the part before its last `/`, such as the folder of a file.
pub fn class_of(id: &str) -> Option<&str> {
    id.rsplit_once('/').map(|(class, _)| class)
}
