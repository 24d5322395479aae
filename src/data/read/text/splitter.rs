//! Lines cut into fields at a delimiter, with quotes as in RFC 4180.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::fields::Row;
use super::lines::{Line, Lines};
use crate::error::{Error, Result};

/// Bytes that a record over several lines may have: a quote that is not closed by then was not meant to be.
const MOST_JOINED: usize = 1 << 20;

/// What stands between two fields.
enum Separator {
    Byte(u8),
    Text(Box<memmem::Finder<'static>>),
    /// Any run of spaces and tabs.
    Blanks,
}

impl Separator {
    /// Where the first separator from `from` on begins; the end of `bytes` if there is none.
    fn find(&self, bytes: &[u8], from: usize) -> usize {
        let rest = &bytes[from..];
        let place = match self {
            Self::Byte(byte) => memchr(*byte, rest),
            Self::Text(text) => text.find(rest),
            Self::Blanks => memchr2(b' ', b'\t', rest),
        };
        place.map_or(bytes.len(), |place| from + place)
    }

    /// Whether a field can end at `at`: with a separator, or with `bytes`.
    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        let Some(&next) = bytes.get(at) else { return true };
        match self {
            Self::Byte(byte) => next == *byte,
            Self::Text(text) => bytes[at..].starts_with(text.needle()),
            Self::Blanks => is_blank(next),
        }
    }

    /// Bytes of one separator.
    fn len(&self) -> usize {
        match self {
            Self::Byte(_) | Self::Blanks => 1,
            Self::Text(text) => text.needle().len(),
        }
    }

    /// Where what begins at `from` has no more blanks before it.
    fn after_blanks(&self, bytes: &[u8], from: usize) -> usize {
        let is_blank = |byte: u8| is_blank(byte) && !matches!(self, Self::Byte(own) if *own == byte);
        from + bytes[from..].iter().take_while(|&&byte| is_blank(byte)).count()
    }

    /// Whether a field that begins with a quote has to be in quotes as a whole, as in CSV.
    fn is_strict(&self) -> bool {
        matches!(self, Self::Byte(b',' | b';'))
    }
}

#[inline]
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Cuts lines into fields.
pub(crate) struct Splitter {
    separator: Separator,
    /// The delimiter, as options name it.
    delimiter: String,
    /// Byte ranges of the last line's fields, without their quotes.
    spans: Vec<Range<usize>>,
    /// The fields of the last line that may have doubled quotes inside their own.
    doubled: Vec<usize>,
}

/// How far a line with quotes was cut.
enum Cut {
    /// To its end.
    Whole,
    /// To the field that begins at `start`, whose `quote` is not closed before the end of the line.
    Open { start: usize, quote: usize, searched: usize },
    /// To a quote that is closed in another line within a field, so that it is a character.
    Character,
}

impl Splitter {
    /// A splitter at `delimiter`, where `" "` stands for any run of blanks.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is empty.
    pub fn new(delimiter: &str) -> Result<Self> {
        let separator = match delimiter.as_bytes() {
            [] => return Err(Error::Usage("the delimiter is empty; give at least one character".into())),
            b" " => Separator::Blanks,
            [byte] => Separator::Byte(*byte),
            bytes => Separator::Text(Box::new(memmem::Finder::new(bytes).into_owned())),
        };
        Ok(Self { separator, delimiter: delimiter.into(), spans: Vec::new(), doubled: Vec::new() })
    }

    /// What it cuts at, for people.
    pub fn shown(&self) -> String {
        match self.delimiter.as_str() {
            "\t" => "tabs".into(),
            " " => "blanks".into(),
            other => format!("{other:?}"),
        }
    }

    /// The fields of the next line that is not blank, as those of [`split`](Self::split); but a field in quotes may go on in
    /// the lines that follow.
    ///
    /// # Errors
    /// Those of reading; and those of `split`, after which the line that follows is the next.
    #[inline]
    pub fn next<'a>(&'a mut self, lines: &'a mut Lines) -> Result<Option<Row<'a>>> {
        if !lines.advance()? {
            return Ok(None);
        }
        if lines.has_quotes() {
            self.cut_joined(lines)?;
            return Ok(Some(self.row(lines.current())));
        }
        let line = lines.current();
        self.cut_plain(line.bytes);
        Ok(Some(self.row(line)))
    }

    /// The fields of `line`, at least one, without the blanks around them.
    ///
    /// A field may stand in double quotes, with quotes inside it doubled. Quotes that do not enclose a whole field are
    /// characters.
    ///
    /// # Errors
    /// [`Error::Data`] for a field between commas or semicolons that begins with such a quote.
    #[inline]
    pub fn split<'a>(&'a mut self, line: Line<'a>) -> Result<Row<'a>> {
        if memchr(b'"', line.bytes).is_some() {
            self.cut_alone(line)?;
        } else {
            self.cut_plain(line.bytes);
        }
        Ok(self.row(line))
    }

    /// `line` with the fields that it was cut into.
    #[inline]
    fn row<'a>(&'a self, line: Line<'a>) -> Row<'a> {
        Row { line, spans: &self.spans, doubled: &self.doubled }
    }

    /// Cuts a line without quotes.
    #[inline]
    fn cut_plain(&mut self, bytes: &[u8]) {
        self.spans.clear();
        self.doubled.clear();
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
            Separator::Byte(separator) => {
                each_place(*separator, bytes, |end| {
                    self.spans.push(trim(bytes, start..end));
                    start = end + 1;
                });
                self.spans.push(trim(bytes, start..bytes.len()));
            }
            Separator::Text(separator) => {
                let separator = separator.needle();
                each_place(separator[0], bytes, |end| {
                    if end >= start && bytes[end..].starts_with(separator) {
                        self.spans.push(trim(bytes, start..end));
                        start = end + separator.len();
                    }
                });
                self.spans.push(trim(bytes, start..bytes.len()));
            }
        }
    }

    /// Cuts the current line, to which those are joined in which a quoted field goes on.
    fn cut_joined(&mut self, lines: &mut Lines) -> Result<()> {
        let is_strict = self.separator.is_strict();
        let mut cut = self.cut_quoted(lines.current(), 0, 0)?;
        while let Cut::Open { start, quote, searched } = cut {
            if lines.current().bytes.len() < MOST_JOINED && lines.join()? {
                cut = self.cut_quoted(lines.current(), start, searched).inspect_err(|_| lines.part())?;
            } else if is_strict {
                let error = unclosed(lines.current(), quote);
                lines.part();
                return Err(error);
            } else {
                cut = Cut::Character;
            }
        }
        if is_strict || !lines.is_joined() && matches!(cut, Cut::Whole) {
            return Ok(());
        }
        // Lines that have as many fields by themselves, with quotes as characters, are no parts of one.
        let fields = self.spans.len();
        let [first, last] = lines.ends();
        self.cut_alone(last)?;
        let is_whole = self.spans.len() == fields;
        self.cut_alone(first)?;
        if matches!(cut, Cut::Character) || is_whole && self.spans.len() == fields {
            lines.part();
        } else {
            self.cut_quoted(lines.current(), 0, 0)?;
        }
        Ok(())
    }

    /// Cuts a line with quotes that does not go on in the next one.
    fn cut_alone(&mut self, line: Line) -> Result<()> {
        let (mut start, mut searched) = (0, 0);
        while let Cut::Open { start: open, quote, .. } = self.cut_quoted(line, start, searched)? {
            if self.separator.is_strict() {
                return Err(unclosed(line, quote));
            }
            let end = self.separator.find(line.bytes, quote);
            self.spans.push(trim(line.bytes, open..end));
            if end == line.bytes.len() {
                break;
            }
            (start, searched) = (end + self.separator.len(), 0);
        }
        Ok(())
    }

    /// Cuts a line with quotes from the field that begins at `start`, which is known not to be closed before `searched`.
    fn cut_quoted(&mut self, line: Line, mut start: usize, mut searched: usize) -> Result<Cut> {
        let (bytes, separator) = (line.bytes, &self.separator);
        if start == 0 {
            self.spans.clear();
            self.doubled.clear();
        }
        loop {
            let first = separator.after_blanks(bytes, start);
            let is_run = matches!(separator, Separator::Blanks);
            if is_run && first == bytes.len() && !self.spans.is_empty() {
                return Ok(Cut::Whole);
            }
            let mut end = None;
            if bytes.get(first) == Some(&b'"') {
                let Some((close, has_doubled)) = closing(bytes, searched.max(first + 1)) else {
                    return Ok(Cut::Open { start, quote: first, searched: bytes.len() });
                };
                let after = if is_run { close + 1 } else { separator.after_blanks(bytes, close + 1) };
                if separator.is_at(bytes, after) {
                    // What was searched before may have some too.
                    if has_doubled || searched > first + 1 {
                        self.doubled.push(self.spans.len());
                    }
                    self.spans.push(first + 1..close);
                    end = Some(after);
                } else if separator.is_strict() {
                    return Err(text_after(line, first, close));
                } else if memchr(b'\n', &bytes[first..close]).is_some() {
                    return Ok(Cut::Character);
                }
            }
            let end = end.unwrap_or_else(|| {
                let end = separator.find(bytes, first);
                self.spans.push(trim(bytes, first..end));
                end
            });
            if end == bytes.len() {
                return Ok(Cut::Whole);
            }
            (start, searched) = (end + separator.len(), 0);
        }
    }
}

/// Calls `take` with every place of `byte` in `bytes`, in ascending order.
///
/// Eight bytes at a time: lines of ratings are so short that a search would end before it has paid for its start.
#[inline]
fn each_place(byte: u8, bytes: &[u8], mut take: impl FnMut(usize)) {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (word, eight) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*eight) ^ u64::from_ne_bytes([byte; 8]);
        // The highest bit of each byte that does not differ: the sum, which never carries into the next one, sets those of
        // all others.
        let mut found = !(((differing & LOW) + LOW) | differing | LOW);
        while found != 0 {
            take(8 * word + found.trailing_zeros() as usize / 8);
            found &= found - 1;
        }
    }
    (8 * words.len()..).zip(rest).filter(|(_, other)| **other == byte).for_each(|(place, _)| take(place));
}

/// The first quote from `from` on that is not doubled, and whether there are doubled ones before it.
fn closing(bytes: &[u8], mut from: usize) -> Option<(usize, bool)> {
    let mut has_doubled = false;
    loop {
        let quote = from + memchr(b'"', &bytes[from..])?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some((quote, has_doubled));
        }
        (from, has_doubled) = (quote + 2, true);
    }
}

fn unclosed(line: Line, quote: usize) -> Error {
    line.error_at(quote, "this quote is not closed; close it, or remove it")
}

/// The error for text after the quote at `close`, which closes the one at `open`.
fn text_after(line: Line, open: usize, close: usize) -> Error {
    match memchr(b'\n', &line.bytes[open..close]) {
        None => line.error_at(close + 1, "text after a closing quote; double the quotes inside a quoted field"),
        // The quote that should not be there is the first.
        Some(_) => line.error_at(
            open,
            "this quote is closed in another line, with text after it; close it, remove it, or double the quotes inside \
             the field",
        ),
    }
}

#[inline]
fn trim(bytes: &[u8], mut span: Range<usize>) -> Range<usize> {
    while span.start < span.end && is_blank(bytes[span.start]) {
        span.start += 1;
    }
    while span.start < span.end && is_blank(bytes[span.end - 1]) {
        span.end -= 1;
    }
    span
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::*;

    fn split(delimiter: &str, text: &str) -> Vec<String> {
        let line = Line { path: Path::new("x"), number: 1, bytes: text.as_bytes() };
        let mut splitter = Splitter::new(delimiter).unwrap();
        splitter.split(line).unwrap().texts().into_iter().map(Into::into).collect()
    }

    fn problem(delimiter: &str, text: &str) -> String {
        let line = Line { path: Path::new("x"), number: 7, bytes: text.as_bytes() };
        Splitter::new(delimiter).unwrap().split(line).err().expect(text).to_string()
    }

    /// Line number and fields of every record, or what is wrong with it.
    fn records(delimiter: &str, text: &str) -> Vec<Result<(u64, Vec<String>), String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, text).unwrap();
        let mut hash = Sha256::new();
        let mut lines = Lines::open(&path, &mut hash).unwrap();
        let mut splitter = Splitter::new(delimiter).unwrap();
        let mut found = Vec::new();
        loop {
            match splitter.next(&mut lines) {
                Ok(None) => return found,
                Ok(Some(row)) => {
                    found.push(Ok((row.line.number, row.texts().into_iter().map(Into::into).collect())));
                }
                Err(error) => found.push(Err(error.to_string().replace(&path.display().to_string(), "x"))),
            }
        }
    }

    fn record(number: u64, fields: &[&str]) -> Result<(u64, Vec<String>), String> {
        Ok((number, fields.iter().map(ToString::to_string).collect()))
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
    fn separators_are_found_wherever_they_stand() {
        // Bytes that differ in one bit, and what would carry into its neighbours.
        let others = [b'\0', b',' ^ 1, b',' ^ 0x80, 0xff, 0x80, 0x7f];
        for length in 0..40_usize {
            for seed in 0..50_usize {
                let is_place = |at: &usize| (at * 7 + seed * 13 + at * seed).is_multiple_of(5);
                let byte = |at| if is_place(&at) { b',' } else { others[(at + seed) % others.len()] };
                let bytes: Vec<u8> = (0..length).map(byte).collect();
                let mut found = Vec::new();
                each_place(b',', &bytes, |place| found.push(place));
                assert_eq!(found, (0..length).filter(is_place).collect::<Vec<_>>(), "{bytes:?}");
            }
        }
        assert_eq!(split(":::", "a::b::::c:::::::d"), ["a::b", ":c", "", ":d"]);
        assert_eq!(split("::", "a:::b::c::"), ["a", ":b", "c", ""]);
    }

    #[test]
    fn quotes() {
        assert_eq!(split(",", r#""a, ""b""", 2,"",x"y"#), [r#"a, "b""#, "2", "", r#"x"y"#]);
        assert_eq!(split(",", r#"1,"""""#), ["1", "\""]);
        let error = problem(",", "ä,\"b");
        assert!(error.starts_with("x:7:3: this quote is not closed"), "{error}");
        assert!(problem(",", "\"a\"b,1").starts_with("x:7:4: text after"));
    }

    #[test]
    fn a_field_in_quotes_is_quoted_whatever_separates_it() {
        for (delimiter, text) in [
            ("\t", "\"u 1\"\t \"a\t\"\"b\"\"\" \t\"\"\t3"),
            ("|", "\"u 1\"|\"a\t\"\"b\"\"\"|\"\"|3"),
            ("::", "\"u 1\"::\"a\t\"\"b\"\"\" ::\"\"::3"),
            (" ", " \"u 1\"  \"a\t\"\"b\"\"\"\t\"\" 3 "),
        ] {
            assert_eq!(split(delimiter, text), ["u 1", "a\t\"b\"", "", "3"], "{text:?}");
        }
        assert_eq!(split("::", "\"a::b\"::c"), ["a::b", "c"]);
    }

    #[test]
    fn lone_quotes_are_characters() {
        assert_eq!(split("\t", "1\t5\" disk\t\"x"), ["1", "5\" disk", "\"x"]);
        assert_eq!(split("\t", "\"A\" and \"B\"\t2\t\"c\""), ["\"A\" and \"B\"", "2", "c"]);
        assert_eq!(split("::", "7::A, \"B\" (1)::x"), ["7", "A, \"B\" (1)", "x"]);
        assert_eq!(split(" ", "5\" \"x y"), ["5\"", "\"x", "y"]);
        assert_eq!(split(",", "5\" disk,2"), ["5\" disk", "2"]);
    }

    #[test]
    fn quoted_fields_go_on_in_the_next_lines() {
        for delimiter in [",", ";", "\t", "|", "::", " "] {
            let text = "1,\"two\n\nlines, \"\"so\"\"\",\"x\r\ny\",4\r\n\n5,6,7,8\n".replace(',', delimiter);
            let second = format!("two\n\nlines{delimiter} \"so\"");
            let expected = [record(1, &["1", &second, "x\r\ny", "4"]), record(6, &["5", "6", "7", "8"])];
            assert_eq!(records(delimiter, &text), expected, "{delimiter:?}");
        }
        // The quote is closed by the last line, which has no end.
        assert_eq!(records("\t", "1\t\"a\nb\""), [record(1, &["1", "a\nb"])]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error_in_its_line_or_a_character() {
        let expected = [
            record(1, &["1", "a"]),
            Err("x:2:3: this quote is not closed; close it, or remove it".into()),
            record(3, &["3", "c"]),
        ];
        assert_eq!(records(",", "1,a\n2,\"b\n3,c\n"), expected);
        assert_eq!(records("\t", "1\t\"a\n2\tb\n"), [record(1, &["1", "\"a"]), record(2, &["2", "b"])]);
        // It is closed a few lines further, but by what is a quote of another field.
        let [first, second] = &records(",", "1,\"a,3\n2,\"b\",4\n")[..] else { panic!("two records") };
        assert!(first.as_ref().is_err_and(|error| error.starts_with("x:1:3: this quote is closed in another line")));
        assert_eq!(*second, record(2, &["2", "b", "4"]));
        assert_eq!(
            records("\t", "1\t\"a\t3\n2\t\"b\"\t4\n"),
            [record(1, &["1", "\"a", "3"]), record(2, &["2", "b", "4"])]
        );
        let windows = records("\t", "1\t\"a\r\n2\tb\r\n");
        assert_eq!(windows, [record(1, &["1", "\"a"]), record(2, &["2", "b"])]);
        // Both lines are whole by themselves.
        assert_eq!(
            records("\t", "1\t\"a\t3\n2\tb\"\t4\n"),
            [record(1, &["1", "\"a", "3"]), record(2, &["2", "b\"", "4"])]
        );
    }

    #[test]
    fn a_record_may_lie_across_chunks_but_not_be_endless() {
        let filler = "1,a,3\n".repeat(174_762);
        let text = format!("{filler}2,\"long\n{}\",4\n5,b,6\n", "text\n".repeat(1000));
        let mut all = records(",", &text);
        let long = format!("long\n{}", "text\n".repeat(1000));
        assert!(all.split_off(174_762) == [record(174_763, &["2", &long, "4"]), record(175_765, &["5", "b", "6"])]);
        let endless = records(",", &format!("1,\"a\n{filler}{filler}"));
        assert!(endless[0].as_ref().is_err_and(|error| error.starts_with("x:1:3: this quote is not closed")));
        assert_eq!((endless.len(), &endless[1]), (1 + 2 * 174_762, &record(2, &["1", "a", "3"])));
    }
}
