//! The fields of a line: cut at a delimiter, and read as ids and numbers.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem};

use super::encoding::{decode, shown};
use super::lines::Line;
use crate::error::{Error, Result};

/// What stands between two fields.
enum Separator {
    Byte(u8),
    Text(Box<memmem::Finder<'static>>),
    /// Any run of spaces and tabs.
    Blanks,
}

/// Cuts lines into fields.
pub(crate) struct Splitter {
    separator: Separator,
    /// Byte ranges of the last line's fields.
    spans: Vec<Range<usize>>,
}

impl Splitter {
    /// Delimiters that `detect` knows, the most telling first.
    const DETECTED: [&str; 6] = ["::", "\t", ",", ";", "|", " "];

    /// A splitter at `delimiter`, where `" "` stands for any run of blanks.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is empty.
    pub fn new(delimiter: &str) -> Result<Self> {
        let separator = match delimiter.as_bytes() {
            [] => return Err(Error::Usage("the delimiter is empty; give at least one character".into())),
            b" " => Separator::Blanks,
            [byte] => Separator::Byte(*byte),
            bytes => Separator::Text(Box::new(memmem::Finder::new(bytes).into_owned())),
        };
        Ok(Self { separator, spans: Vec::new() })
    }

    /// `delimiter` where it is given, else the first known one that occurs in `line`.
    pub fn given_or_detected(delimiter: Option<&str>, line: Line) -> Result<Self> {
        let delimiter = delimiter.or_else(|| {
            let trimmed = line.bytes.trim_ascii();
            Self::DETECTED.into_iter().find(|known| memmem::find(trimmed, known.as_bytes()).is_some())
        });
        // A line of one field can be cut at anything.
        Self::new(delimiter.unwrap_or(","))
    }

    /// The fields of `line`, at least one, without the blanks around them.
    ///
    /// Between commas and semicolons a field may stand in double quotes, with quotes inside it doubled.
    #[inline]
    pub fn split<'a>(&'a mut self, line: Line<'a>) -> Result<Row<'a>> {
        self.spans.clear();
        let bytes = line.bytes;
        let quotes = matches!(self.separator, Separator::Byte(b',' | b';'));
        let mut start = 0;
        match &self.separator {
            Separator::Blanks => {
                for end in memchr::memchr2_iter(b' ', b'\t', bytes).chain([bytes.len()]) {
                    if end > start {
                        self.spans.push(start..end);
                    }
                    start = end + 1;
                }
                if self.spans.is_empty() {
                    self.spans.push(0..0);
                }
            }
            Separator::Byte(separator) if quotes && memchr(b'"', bytes).is_some() => {
                while start <= bytes.len() {
                    let end = field_end(line, start, *separator)?;
                    self.spans.push(trim(bytes, start..end));
                    start = end + 1;
                }
            }
            Separator::Byte(separator) => {
                // Lines of ratings are so short that looking at every byte is quicker than any search.
                for (end, byte) in bytes.iter().enumerate() {
                    if byte == separator {
                        self.spans.push(trim(bytes, start..end));
                        start = end + 1;
                    }
                }
                self.spans.push(trim(bytes, start..bytes.len()));
            }
            Separator::Text(separator) => {
                for end in separator.find_iter(bytes).chain([bytes.len()]) {
                    self.spans.push(trim(bytes, start..end));
                    start = end + separator.needle().len();
                }
            }
        }
        Ok(Row { line, spans: &self.spans, quotes })
    }
}

/// Where the field that begins at `start` ends: at `separator`, or at the end of the line.
fn field_end(line: Line, start: usize, separator: u8) -> Result<usize> {
    let bytes = line.bytes;
    let rest = |from: usize| memchr(separator, &bytes[from..]).map_or(bytes.len(), |offset| from + offset);
    let first = start + bytes[start..].iter().take_while(|&&byte| byte == b' ').count();
    if bytes.get(first) != Some(&b'"') {
        return Ok(rest(start));
    }
    let mut inside = first + 1;
    let close = loop {
        let Some(offset) = memchr(b'"', &bytes[inside..]) else {
            return Err(line.error_at(first, "this quote is not closed on its line; close it, or remove it"));
        };
        let quote = inside + offset;
        if bytes.get(quote + 1) != Some(&b'"') {
            break quote;
        }
        inside = quote + 2;
    };
    let end = rest(close + 1);
    if bytes[close + 1..end].iter().any(|&byte| byte != b' ') {
        return Err(line.error_at(close + 1, "text after a closing quote; double the quotes inside a quoted field"));
    }
    Ok(end)
}

#[inline]
fn trim(bytes: &[u8], mut span: Range<usize>) -> Range<usize> {
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    while span.start < span.end && blank(bytes[span.start]) {
        span.start += 1;
    }
    while span.start < span.end && blank(bytes[span.end - 1]) {
        span.end -= 1;
    }
    span
}

/// The fields of one line.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    line: Line<'a>,
    spans: &'a [Range<usize>],
    quotes: bool,
}

impl<'a> Row<'a> {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Field `index`, out of its quotes.
    #[inline]
    pub fn bytes(&self, index: usize) -> Cow<'a, [u8]> {
        let raw = &self.line.bytes[self.spans[index].clone()];
        match raw {
            [b'"', inside @ .., b'"'] if self.quotes => {
                if memchr(b'"', inside).is_none() {
                    return Cow::Borrowed(inside);
                }
                let mut after_quote = false;
                let keep = |&byte: &u8| {
                    after_quote = byte == b'"' && !after_quote;
                    !after_quote
                };
                // Of two quotes the second stays.
                Cow::Owned(inside.iter().copied().filter(keep).collect())
            }
            _ => Cow::Borrowed(raw),
        }
    }

    /// Field `index` as text: UTF-8, or else Latin-1.
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
        match parse_number(&self.bytes(index)) {
            Some(number) if number.is_finite() => Ok(number),
            _ => Err(self.number_error(index, name)),
        }
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
            format!("invalid number {value}; write it with a point")
        } else {
            format!("invalid number {value}; expected one like 3.5")
        };
        self.error(index, name, message)
    }

    /// Field `index` of the column `name` as a whole number; a fraction is cut off.
    #[inline]
    pub fn integer(&self, index: usize, name: &str) -> Result<i64> {
        let bytes = self.bytes(index);
        if let Some(number) = parse_integer(&bytes) {
            return Ok(number);
        }
        match fast_float2::parse::<f64, _>(&*bytes) {
            Ok(number) if number.abs() < i64::MAX as f64 => Ok(number as i64),
            _ => {
                let value = shown(&bytes);
                let message = format!(
                    "invalid whole number {value}; write times as seconds since 1970, or skip \
                     the column by naming it \"-\" in columns"
                );
                Err(self.error(index, name, message))
            }
        }
    }

    /// An error about field `index` of the column `name`.
    pub fn error(&self, index: usize, name: &str, message: impl AsRef<str>) -> Error {
        self.line.error_at(self.spans[index].start, format!("column {name:?}: {}", message.as_ref()))
    }

    /// An error about the whole line.
    pub fn line_error(&self, message: impl Into<String>) -> Error {
        self.line.error(message)
    }
}

/// A number, finite or not; `None` where `bytes` are none.
pub(crate) fn parse_number(bytes: &[u8]) -> Option<f32> {
    fast_float2::parse(bytes).ok()
}

fn parse_integer(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Eighteen digits always fit.
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| 10 * value + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn split(delimiter: &str, text: &str) -> Vec<String> {
        let line = Line { path: Path::new("x"), number: 1, bytes: text.as_bytes() };
        let mut splitter = Splitter::new(delimiter).unwrap();
        splitter.split(line).unwrap().texts().into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn delimiters() {
        assert_eq!(split("::", "1::a b::3"), ["1", "a b", "3"]);
        assert_eq!(split(" ", "  1 \t a  3 "), ["1", "a", "3"]);
        assert_eq!(split("\t", "1\t\t 3"), ["1", "", "3"]);
        assert_eq!(split("|", "1|\"x|"), ["1", "\"x", ""]);
        assert_eq!(split(",", ""), [""]);
        assert_eq!(split(" ", "\t \t"), [""]);
    }

    #[test]
    fn quotes() {
        assert_eq!(split(",", r#""a, ""b""", 2,"",x"y"#), [r#"a, "b""#, "2", "", r#"x"y"#]);
        assert_eq!(split(",", r#"1,"""""#), ["1", "\""]);
        let line = Line { path: Path::new("x"), number: 7, bytes: "ä,\"b".as_bytes() };
        let error = Splitter::new(",").unwrap().split(line).err().unwrap().to_string();
        assert!(error.starts_with("x:7:3: this quote is not closed"), "{error}");
        let line = Line { bytes: b"\"a\"b,1", ..line };
        assert!(Splitter::new(",").unwrap().split(line).err().unwrap().to_string().starts_with("x:7:4: text after"));
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(parse_integer(b"-12"), Some(-12));
        for none in ["", "-", "1.5", "1234567890123456789", "1a"] {
            assert_eq!(parse_integer(none.as_bytes()), None, "{none}");
        }
    }
}
