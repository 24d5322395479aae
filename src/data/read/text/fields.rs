//! The fields of a line, read as ids and numbers.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::encoding::{decode, shown};
use super::lines::Line;
use crate::data::times::{TimeFormat, moment};
use crate::error::{Error, Result};
use crate::tables::grouped;

/// The fields of one line.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(super) line: Line<'a>,
    /// Where the fields are, without their quotes.
    pub(super) spans: &'a [Range<usize>],
    /// Those that may have doubled quotes inside.
    pub(super) doubled: &'a [usize],
}

impl<'a> Row<'a> {
    /// The line that it is.
    pub fn line(&self) -> Line<'a> {
        self.line
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Number of its line, from 1; of several, of the first.
    pub fn number_of_line(&self) -> u64 {
        self.line.number
    }

    /// Field `index`, out of its quotes.
    #[inline]
    pub fn bytes(&self, index: usize) -> Cow<'a, [u8]> {
        let raw = &self.line.bytes[self.spans[index].clone()];
        // Hardly any line has doubled quotes.
        if self.doubled.is_empty() { Cow::Borrowed(raw) } else { self.undoubled(index, raw) }
    }

    /// Field `index` with the second of two quotes alone, if it is one of those that may have such.
    #[cold]
    fn undoubled(&self, index: usize, raw: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.doubled.contains(&index) {
            return Cow::Borrowed(raw);
        }
        let mut after_quote = false;
        let keep = |&byte: &u8| {
            after_quote = byte == b'"' && !after_quote;
            !after_quote
        };
        Cow::Owned(raw.iter().copied().filter(keep).collect())
    }

    /// Whether field `index` is empty.
    #[inline]
    pub fn is_empty(&self, index: usize) -> bool {
        self.spans[index].is_empty()
    }

    /// Field `index` as text: UTF-8, or else Windows-1252.
    #[inline]
    pub fn text(&self, index: usize) -> Cow<'a, str> {
        match self.bytes(index) {
            Cow::Borrowed(bytes) => decode(bytes),
            Cow::Owned(bytes) => Cow::Owned(decode(&bytes).into_owned()),
        }
    }

    /// All fields as text.
    pub fn texts(&self) -> Vec<Cow<'a, str>> {
        (0..self.len()).map(|index| self.text(index)).collect()
    }

    /// Field `index` of the column `name` as an id, which is never empty.
    #[inline]
    pub fn id(&self, index: usize, name: &str) -> Result<Cow<'a, str>> {
        let id = self.text(index);
        if id.is_empty() {
            return Err(self.error(index, name, "the id is empty; give one or remove the line"));
        }
        Ok(id)
    }

    /// Field `index` of the column `name` as a finite number.
    #[inline]
    pub fn number(&self, index: usize, name: &str) -> Result<f32> {
        finite_number(&self.bytes(index)).ok_or_else(|| self.number_error(index, name))
    }

    /// Why field `index` of the column `name` is not a finite number.
    #[cold]
    pub fn number_error(&self, index: usize, name: &str) -> Error {
        let bytes = self.bytes(index);
        let with_point: Vec<u8> = bytes.iter().map(|&byte| if byte == b',' { b'.' } else { byte }).collect();
        let value = shown(&bytes);
        let message = if bytes.is_empty() {
            "the number is missing; give one or remove the line".into()
        } else if parse_number(&bytes).is_some() {
            format!("{value} is not a finite number; give one or remove the line")
        } else if parse_number(&with_point).is_some() {
            format!(
                "{value} may have a decimal comma or one between thousands; write it with a point or without the comma"
            )
        } else {
            format!("invalid number {value}; expected one like 3.5")
        };
        self.error(index, name, message)
    }

    /// Field `index` of the column `name` as a moment, written as `format` says or else as [`moment`] knows it.
    #[inline]
    pub fn moment(&self, index: usize, name: &str, format: Option<&TimeFormat>) -> Result<i64> {
        match (format, parse_integer(&self.bytes(index))) {
            (None, Some(seconds)) => Ok(seconds),
            _ => self.written_moment(index, name, format),
        }
    }

    fn written_moment(&self, index: usize, name: &str, format: Option<&TimeFormat>) -> Result<i64> {
        let text = self.text(index);
        let parsed = format.map_or_else(|| moment(&text), |format| format.moment(&text));
        parsed.ok_or_else(|| {
            let value = shown(text.as_bytes());
            let message = match format {
                Some(_) => format!(
                    "the time {value} is not written as data.time_format says; correct one of the two, or skip the column by \
                     naming it \"-\" in columns"
                ),
                None => format!(
                    "invalid time {value}; write it as seconds since 1970 or like 2010-12-01 08:26:00, say in data.time_format \
                     how it is written, as in \"%m/%d/%Y %H:%M\", or skip the column by naming it \"-\" in columns"
                ),
            };
            self.error(index, name, message)
        })
    }

    /// An error about field `index` of the column `name`.
    pub fn error(&self, index: usize, name: &str, message: impl AsRef<str>) -> Error {
        let start = self.spans[index].start;
        let is_quoted = start > 0 && self.line.bytes[start - 1] == b'"';
        self.line.error_at(start - usize::from(is_quoted), format!("column {name:?}: {}", message.as_ref()))
    }

    /// An error about the whole line.
    pub fn line_error(&self, message: impl Into<String>) -> Error {
        self.line.error(message)
    }
}

/// Fields that a message repeats.
const MOST_LISTED: usize = 5;

/// Fields as a message lists them: the first ones, and not too much of each.
pub(crate) fn listed(fields: &[impl AsRef<str>]) -> String {
    let first: Vec<String> = fields.iter().take(MOST_LISTED).map(|field| shown(field.as_ref().as_bytes())).collect();
    let more = fields.len() - first.len();
    let more = if more > 0 { format!(", … and {} more", grouped(more as u64)) } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// A number, finite or not; `None` if `bytes` are none.
///
/// A comma is a decimal one, as in `4,5`, unless three digits follow it: `1,234` is another number in another country, and
/// so none here.
#[inline]
pub(crate) fn parse_number(bytes: &[u8]) -> Option<f32> {
    fast_float2::parse(bytes).ok().or_else(|| parse_decimal_comma(bytes))
}

/// A number that is finite; `None` if `bytes` are none.
#[inline]
pub(crate) fn finite_number(bytes: &[u8]) -> Option<f32> {
    parse_number(bytes).filter(|number| number.is_finite())
}

#[cold]
fn parse_decimal_comma(bytes: &[u8]) -> Option<f32> {
    let comma = memchr(b',', bytes)?;
    let (whole, digits) = (&bytes[..comma], &bytes[comma + 1..]);
    let whole = whole.strip_prefix(b"-").or(whole.strip_prefix(b"+")).unwrap_or(whole);
    let are_digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    // Thousands do not begin with 0.
    let is_decimal = digits.len() != 3 || whole.is_empty() || whole == b"0";
    if digits.is_empty() || !are_digits(whole) || !are_digits(digits) || !is_decimal {
        return None;
    }
    let mut with_point = bytes.to_vec();
    with_point[comma] = b'.';
    fast_float2::parse(&with_point).ok()
}

fn parse_integer(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Eighteen digits always fit.
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let value = digits.iter().try_fold(0, |value, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| 10 * value + i64::from(digit))
    })?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_repeats_little_of_a_long_line() {
        let fields: Vec<String> = (0..4317).map(|at| at.to_string()).collect();
        assert_eq!(listed(&fields), "\"0\", \"1\", \"2\", \"3\", \"4\", … and 4,312 more");
        assert_eq!(listed(&fields[..2]), "\"0\", \"1\"");
        assert!(listed(&["x".repeat(5000)]).len() < 100);
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(parse_integer(b"-12"), Some(-12));
        for none in ["", "-", "1.5", "1234567890123456789", "1a"] {
            assert_eq!(parse_integer(none.as_bytes()), None, "{none}");
        }
    }
}
