//! What a table holds, whose rows these are, and how data index them.

use std::fmt;
use std::sync::Arc;

use crate::data::{BagId, FieldId, Frame};

/// What a row of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableKind {
    /// Latent vectors, p_u or q_i.
    Factors,
    /// Offsets, b_u or b_i: one number per row.
    Biases,
}

/// Tables that share one λ of `solver.regularization`: `user_factors`, `item_biases`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableGroup {
    /// Whose rows these are: the role of the field that indexes them, `user` or `item`, or else the name of their entity.
    pub entity: Arc<str>,
    /// Content of the tables.
    pub kind: TableKind,
}

impl fmt::Display for TableGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            TableKind::Factors => "factors",
            TableKind::Biases => "biases",
        };
        write!(f, "{}_{kind}", self.entity)
    }
}

/// How the data index the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// The field's indices are rows of the table.
    Field(FieldId),
    /// The members of the bags of the field's rows are rows of the table.
    Bag(FieldId, BagId),
}

impl Use {
    /// The entity of the rows.
    pub fn entity(self, frame: &Frame) -> usize {
        match self {
            Self::Field(field) => frame[field].entity,
            Self::Bag(_, bag) => frame.bags[bag.0].of,
        }
    }
}
