//! What the rows and columns of the data are.

use serde::{Deserialize, Serialize};

use super::entity::Role;

/// What a row (user) and a column (item) of the data are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Layout {
    /// Users and items, or anything else with names.
    #[default]
    Cells,
    /// A table: rows and columns stand in an order of their own.
    Table,
    /// A matrix of which the size is known: rows and columns exist also without a cell, which is zero.
    Matrix,
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
    /// A row is a word, a column a word near it.
    CoOccurrences,
    /// A row is a node, a column a node that an edge without direction joins to it.
    Graph,
}

impl Layout {
    /// What a row and a column are called.
    pub fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Cells => ("user", "item"),
            Self::Table | Self::Matrix => ("row", "column"),
            Self::Picture { .. } => ("line", "pixel"),
            Self::Pictures { .. } => ("picture", "pixel"),
            Self::Documents => ("document", "term"),
            Self::CoOccurrences => ("word", "context"),
            Self::Graph => ("node", "neighbour"),
        }
    }

    /// Whether rows and columns have an order that means something to people, rather than that of a list of ratings.
    pub fn is_ordered(self) -> bool {
        self != Self::Cells
    }

    /// Whether rows (or columns) are told by their place alone, so that one without a training cell still takes its place.
    pub fn has_places(self, side: Role) -> bool {
        match (self, side) {
            (Self::Matrix | Self::Picture { .. }, _) | (Self::Pictures { .. }, Role::Item) => true,
            (Self::Pictures { .. }, Role::User)
            | (Self::Cells | Self::Table | Self::Documents | Self::CoOccurrences | Self::Graph, _) => false,
        }
    }
}

/// The class that an id names: the part before its last `/`, such as the folder of a file.
pub fn class_of(id: &str) -> Option<&str> {
    id.rsplit_once('/').map(|(class, _)| class)
}
