//! Lines and fields of text files, each with its place for error messages.

use std::borrow::Cow;
use std::fs;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter, memmem};
use sha2::{Digest, Sha256};

use crate::error::{Error, Location, Result};
use crate::files;

/// Bytes read at a time. A longer line makes the buffer grow.
const CHUNK: usize = 1 << 20;

/// Bytes of a wrong value that a message repeats.
const QUOTED: usize = 60;

/// The lines of a file (through gzip where it is compressed), with blank ones left out.
///
/// Any line end (`\n` or `\r\n`), a missing last one and a UTF-8 byte order mark are taken in stride.
pub(super) struct Lines<'h> {
    path: PathBuf,
    source: Box<dyn Read + Send>,
    /// Fed with every byte, decompressed.
    hash: &'h mut Sha256,
    buffer: Vec<u8>,
    /// `buffer[next..end]` is read but not handed out yet.
    next: usize,
    end: usize,
    /// Where the last line handed out began.
    last: usize,
    number: u64,
    exhausted: bool,
    rough_size: u64,
}

impl<'h> Lines<'h> {
    /// Opens `path`; `hash` is fed with all that is read.
    pub fn open(path: &Path, hash: &'h mut Sha256) -> Result<Self> {
        let source = files::open(path)?;
        let rough_size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        let mut lines = Self {
            path: path.to_path_buf(),
            source,
            hash,
            buffer: vec![0; CHUNK],
            next: 0,
            end: 0,
            last: 0,
            number: 0,
            exhausted: false,
            rough_size,
        };
        lines.fill()?;
        if lines.buffer.starts_with(&[0xef, 0xbb, 0xbf]) {
            lines.next = 3;
        }
        Ok(lines)
    }

    /// The next line that is not blank.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Line<'_>>> {
        loop {
            let Some(range) = self.advance()? else { return Ok(None) };
            // A line of tabs is a row of empty fields.
            if self.buffer[range.clone()].iter().any(|&byte| byte != b' ' && byte != b'\r') {
                return Ok(Some(self.line(range)));
            }
        }
    }

    /// Skips `count` lines as they stand in the file, blank ones included.
    pub fn skip(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.advance()?;
        }
        Ok(())
    }

    /// Makes [`next`](Self::next) hand out the last line once more.
    pub fn again(&mut self) {
        self.next = self.last;
        self.number -= 1;
    }

    /// Number of the last line handed out, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// About how many bytes the file has; too few for a compressed one.
    pub fn rough_size(&self) -> usize {
        self.rough_size as usize
    }

    /// About how many lines of at least four bytes the file has.
    pub fn rough_count(&self) -> usize {
        let lines = memchr_iter(b'\n', &self.buffer[..self.end]).count().max(1);
        let count = self.rough_size as f64 * lines as f64 / self.end.max(1) as f64 * 1.02;
        // A wrong guess must not ask for more memory than there is.
        (count as usize).min(self.rough_size() / 4)
    }

    /// A note for the user about the whole file.
    pub fn note(&self, message: &str) -> String {
        format!("{}: {message}", self.path.display())
    }

    /// An error about the whole file.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::data(&self.path, message)
    }

    /// Finds the next line, without its line feed.
    #[inline]
    fn advance(&mut self) -> Result<Option<Range<usize>>> {
        let mut searched = self.next;
        let (end, next) = loop {
            if let Some(offset) = memchr(b'\n', &self.buffer[searched..self.end]) {
                break (searched + offset, searched + offset + 1);
            }
            if self.exhausted {
                if self.next == self.end {
                    return Ok(None);
                }
                break (self.end, self.end);
            }
            let pending = self.end - self.next;
            self.fill()?;
            searched = self.next + pending;
        };
        self.last = self.next;
        self.next = next;
        self.number += 1;
        Ok(Some(self.last..end))
    }

    fn line(&self, range: Range<usize>) -> Line<'_> {
        let bytes = &self.buffer[range];
        Line { path: &self.path, number: self.number, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes) }
    }

    /// Moves what is pending to the front and reads until the buffer is full.
    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.next..self.end, 0);
        self.end -= self.next;
        self.next = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        let pending = self.end;
        while self.end < self.buffer.len() && !self.exhausted {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    self.exhausted = count == 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path, error)),
            }
        }
        let fresh = &self.buffer[pending..self.end];
        self.hash.update(fresh);
        if memchr(0, fresh).is_none() {
            return Ok(());
        }
        let utf_16 = self.buffer.starts_with(&[0xff, 0xfe]) || self.buffer.starts_with(&[0xfe, 0xff]);
        Err(self.error(if utf_16 {
            "is UTF-16 text; save it as UTF-8"
        } else {
            "is not a text file: it holds zero bytes; give plain or gzip-compressed text"
        }))
    }
}

/// One line, without its line end.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    path: &'a Path,
    /// Line number, from 1.
    pub number: u64,
    /// The line's bytes.
    pub bytes: &'a [u8],
}

impl Line<'_> {
    /// An error about the whole line.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::Data { location: Location::at(self.path, self.number, 0), message: message.into() }
    }

    /// An error about what begins at byte `offset`.
    fn error_at(&self, offset: usize, message: impl Into<String>) -> Error {
        let column = decode(&self.bytes[..offset]).chars().count() as u64 + 1;
        Error::Data { location: Location::at(self.path, self.number, column), message: message.into() }
    }
}

/// What stands between two fields.
enum Separator {
    Byte(u8),
    Text(Box<memmem::Finder<'static>>),
    /// Any run of spaces and tabs.
    Blanks,
}

/// Cuts lines into fields.
pub(super) struct Splitter {
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
pub(super) struct Row<'a> {
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
pub(super) fn parse_number(bytes: &[u8]) -> Option<f32> {
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

/// `bytes` as text: UTF-8, or else Latin-1, which any bytes are.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// `bytes` as a message shows them: in quotes, and not too much of them.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = decode(bytes);
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(content: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, content).unwrap();
        let mut hash = Sha256::new();
        let mut lines = Lines::open(&path, &mut hash).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((line.number, line.bytes.to_vec()));
        }
        assert_eq!(hash.finalize(), Sha256::digest(content), "every byte is hashed once");
        all
    }

    fn split(delimiter: &str, text: &str) -> Vec<String> {
        let line = Line { path: Path::new("x"), number: 1, bytes: text.as_bytes() };
        let mut splitter = Splitter::new(delimiter).unwrap();
        splitter.split(line).unwrap().texts().into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn line_ends_blank_lines_and_byte_order_mark() {
        let expected = vec![(1, b"a".to_vec()), (3, b"b c".to_vec()), (5, b"\t".to_vec()), (6, b"d".to_vec())];
        assert_eq!(lines_of(b"\xef\xbb\xbfa\r\n\r\nb c\n  \n\t\nd"), expected);
        assert_eq!(lines_of(b""), []);
    }

    #[test]
    fn lines_across_chunks_and_longer_than_a_chunk() {
        let long = vec![b'x'; 2 * CHUNK + 17];
        let mut content = Vec::new();
        let mut expected = Vec::new();
        for (index, length) in [CHUNK - 1, 5, CHUNK, 0, 2 * CHUNK + 17, 3].into_iter().enumerate() {
            content.extend_from_slice(&long[..length]);
            content.push(b'\n');
            if length > 0 {
                expected.push((index as u64 + 1, long[..length].to_vec()));
            }
        }
        assert!(lines_of(&content) == expected);
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
    fn latin_1_where_it_is_not_utf_8() {
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode("café".as_bytes()), "café");
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(parse_integer(b"-12"), Some(-12));
        for none in ["", "-", "1.5", "1234567890123456789", "1a"] {
            assert_eq!(parse_integer(none.as_bytes()), None, "{none}");
        }
    }
}
