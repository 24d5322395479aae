//! Lines and fields of text files, each with its place for error messages.

mod delimiter;
mod encoding;
mod fields;
mod lines;
mod splitter;

pub(super) use delimiter::splitter;
pub(super) use encoding::{BYTE_ORDER_MARK, UTF_16, decode, is_utf_16, shown};
pub(in crate::data) use fields::finite_number;
pub(super) use fields::{Row, listed, parse_number};
pub(super) use lines::{KeptLine, Line, Lines};
pub(super) use splitter::Splitter;
