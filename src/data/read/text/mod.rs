//! Lines and fields of text files, each with its place for error messages.

mod encoding;
mod fields;
mod lines;

pub(super) use encoding::{decode, shown};
pub(super) use fields::{Row, Splitter, parse_number};
pub(super) use lines::{Line, Lines};
