//! Texts as counts of which words stand near each other.

mod corpus;
mod counter;
mod options;
mod pointwise_information;
mod reader;

pub use options::{CellValues, CoOccurrenceOptions, Tokens};
pub use reader::CoOccurrences;
