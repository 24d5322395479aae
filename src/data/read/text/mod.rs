//! Lines and fields of text files, each with its place for error messages.

mod delimiter;
mod encoding;
mod fields;
mod lines;
mod splitter;

pub(super) use delimiter::splitter;
pub(super) use encoding::{decode, shown};
pub(super) use fields::{Row, listed, parse_number};
pub(super) use lines::{Line, Lines};
pub(super) use splitter::Splitter;
