//! The lines of a text file, read a chunk at a time.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter, memrchr};
use sha2::{Digest, Sha256};

use super::encoding::{BYTE_ORDER_MARK, UTF_16, decode, is_utf_16};
use crate::error::{Error, Location, Result};
use crate::files;

/// Bytes read at a time. A longer line makes the buffer grow.
const CHUNK: usize = 1 << 20;

/// Bytes that a line may have. What is longer is no line of text, such as a gzip file of blanks alone.
const MOST_OF_A_LINE: usize = 1 << 28;

/// Lines or cells that memory is asked for in advance at most: the size of a file promises anything.
const MOST_FORESEEN: usize = 1 << 26;

/// The lines of a file, decompressed, with blank ones left out.
///
/// Any line end (`\n` or `\r\n`) and a missing last one are taken in stride. A UTF-8 byte order mark at the start of a line
/// is no part of it: files that were joined have them inside.
pub(crate) struct Lines<'h> {
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
    /// Number of the last line handed out; of several that were joined, of the first.
    number: u64,
    /// How many lines were joined to it.
    joined: u64,
    /// Whether the buffer may hold a double quote, so that lines need not be searched for one.
    may_have_quotes: bool,
    exhausted: bool,
    rough_size: u64,
    /// Bytes that a line may have.
    longest: usize,
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
            joined: 0,
            may_have_quotes: false,
            exhausted: false,
            rough_size,
            longest: MOST_OF_A_LINE,
        };
        lines.fill(0)?;
        // Such text may have no zero byte, by which `fill` knows it.
        if is_utf_16(&lines.buffer[..lines.end]) {
            return Err(lines.error(UTF_16));
        }
        // Whoever looks ahead finds a line, however long it is.
        while !lines.exhausted && memchr(b'\n', &lines.buffer[..lines.end]).is_none() {
            lines.fill(0)?;
        }
        Ok(lines)
    }

    /// The next line that is not blank.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Line<'_>>> {
        Ok(if self.advance()? { Some(self.current()) } else { None })
    }

    /// Makes the next line that is not blank the [`current`](Self::current) one; `false` if there is none.
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        while let Some(range) = self.step()? {
            if !is_blank(&self.buffer[range]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last line handed out, with those that were joined to it.
    #[inline]
    pub fn current(&self) -> Line<'_> {
        let end = self.next - usize::from(self.next > self.last && self.buffer[self.next - 1] == b'\n');
        self.line(self.last..end)
    }

    /// Whether the last line handed out has a double quote.
    #[inline]
    pub fn has_quotes(&self) -> bool {
        self.may_have_quotes && memchr(b'"', &self.buffer[self.last..self.next]).is_some()
    }

    /// Joins the next line to the last one handed out; `false` if there is none.
    pub fn join(&mut self) -> Result<bool> {
        let Some(line) = self.find(self.next, self.last)? else { return Ok(false) };
        self.next = line.1;
        self.joined += 1;
        Ok(true)
    }

    /// Whether lines were joined to the last one handed out.
    pub fn is_joined(&self) -> bool {
        self.joined > 0
    }

    /// The first and the last of the lines that [`current`](Self::current) consists of.
    pub fn ends(&self) -> [Line<'_>; 2] {
        let whole = self.current();
        let [first, last] = [memchr(b'\n', whole.bytes), memrchr(b'\n', whole.bytes)];
        let end = first.unwrap_or(whole.bytes.len());
        let start = last.map_or(0, |end| end + 1);
        let first = &whole.bytes[..end];
        [
            Line { bytes: first.strip_suffix(b"\r").unwrap_or(first), ..whole },
            Line { bytes: &whole.bytes[start..], ..whole },
        ]
    }

    /// Leaves the last line handed out without those that were joined to it, which come again.
    pub fn part(&mut self) {
        if self.joined > 0 {
            let length = memchr(b'\n', &self.buffer[self.last..self.next]).expect("lines end where they were joined");
            self.next = self.last + length + 1;
            self.joined = 0;
        }
    }

    /// The next lines that are not blank, at most `most` and no more than are at hand; they are not handed out.
    pub fn ahead(&self, most: usize) -> Vec<Line<'_>> {
        let mut found = Vec::new();
        let (mut start, mut number) = (self.next, self.number + self.joined);
        while start < self.end && found.len() < most {
            let length = memchr(b'\n', &self.buffer[start..self.end]);
            // Half a line tells nothing.
            let Some(length) = length.or(self.exhausted.then_some(self.end - start)) else { break };
            number += 1;
            if !is_blank(&self.buffer[start..start + length]) {
                found.push(Line { number, ..self.line(start..start + length) });
            }
            start += length + 1;
        }
        found
    }

    /// Skips `count` lines as they stand in the file, blank ones included.
    pub fn skip(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.step()?;
        }
        Ok(())
    }

    /// Makes [`next`](Self::next) hand out the last line once more.
    pub fn again(&mut self) {
        self.next = self.last;
        self.number -= 1;
        self.joined = 0;
    }

    /// Number of the last line handed out, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// About how many bytes the file has; too few for a compressed one.
    pub fn rough_size(&self) -> usize {
        self.rough_size.min(usize::MAX as u64) as usize
    }

    /// So many of `count` lines or cells as memory may be asked for in advance.
    pub fn foreseen(count: usize) -> usize {
        count.min(MOST_FORESEEN)
    }

    /// About how many lines of at least four bytes the file has.
    pub fn rough_count(&self) -> usize {
        let lines = memchr_iter(b'\n', &self.buffer[..self.end]).count().max(1);
        let count = self.rough_size as f64 * lines as f64 / self.end.max(1) as f64 * 1.02;
        // A wrong guess must not ask for more memory than there is.
        Self::foreseen((count as usize).min(self.rough_size() / 4))
    }

    /// A note for the user about the whole file.
    pub fn note(&self, message: &str) -> String {
        format!("{}: {message}", self.path.display())
    }

    /// An error about the whole file.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::data(&self.path, message)
    }

    /// Goes on to the next line; what is returned is without its line feed.
    #[inline]
    fn step(&mut self) -> Result<Option<Range<usize>>> {
        let Some((end, next)) = self.find(self.next, self.next)? else { return Ok(None) };
        // More may have been read, and what is pending moved to the front.
        self.last = self.next;
        self.next = next;
        self.number += 1 + self.joined;
        self.joined = 0;
        Ok(Some(self.last..end))
    }

    /// Where the line that begins at `start` ends, and where the one after it begins. If more has to be read for it, what
    /// stands from `keep` on is kept.
    #[inline]
    fn find(&mut self, start: usize, mut keep: usize) -> Result<Option<(usize, usize)>> {
        let mut searched = start;
        loop {
            if let Some(offset) = memchr(b'\n', &self.buffer[searched..self.end]) {
                return Ok(Some((searched + offset, searched + offset + 1)));
            }
            if self.exhausted {
                return Ok((self.next < self.end).then_some((self.end, self.end)));
            }
            searched = self.end - keep;
            self.fill(keep)?;
            keep = 0;
        }
    }

    fn line(&self, range: Range<usize>) -> Line<'_> {
        let bytes = &self.buffer[range];
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        Line { path: &self.path, number: self.number, bytes }
    }

    /// Moves what stands from `keep` on to the front and reads until the buffer is full.
    fn fill(&mut self, keep: usize) -> Result<()> {
        self.buffer.copy_within(keep..self.end, 0);
        self.end -= keep;
        self.next -= keep;
        self.last = self.last.saturating_sub(keep);
        if self.end == self.buffer.len() {
            if self.end >= self.longest {
                return Err(self.error(format!(
                    "line {} has more than {} bytes; give text with line ends",
                    self.number + 1,
                    self.longest
                )));
            }
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
                Err(error) => return Err(self.broken(error)),
            }
        }
        let fresh = &self.buffer[pending..self.end];
        self.hash.update(fresh);
        self.may_have_quotes = memchr(b'"', &self.buffer[..self.end]).is_some();
        if memchr(0, fresh).is_none() {
            return Ok(());
        }
        Err(self.error(if is_utf_16(&self.buffer) {
            UTF_16
        } else {
            "is not a text file: it holds zero bytes; give text, plain or compressed"
        }))
    }
}

impl Lines<'_> {
    /// The error for what cannot be read; what damaged it is after the lines that are there already.
    #[cold]
    fn broken(&self, error: io::Error) -> Error {
        if !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof) {
            return Error::io("read", &self.path, error);
        }
        let whole = memchr_iter(b'\n', &self.buffer[self.next..self.end]).count() as u64;
        let line = self.number + self.joined + whole + 1;
        Error::Data {
            location: Location::at(&self.path, line, 0),
            message: format!(
                "cannot read on from this line: {error}; the file is damaged or cut short, so get it anew"
            ),
        }
    }
}

/// Whether a line is left out; one of tabs is a row of empty fields.
#[inline]
fn is_blank(line: &[u8]) -> bool {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    line.iter().all(|&byte| byte == b' ' || byte == b'\r')
}

/// One line, without its line end; or several that a quoted field joins.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(super) path: &'a Path,
    /// Line number, from 1.
    pub number: u64,
    /// The line's bytes.
    pub bytes: &'a [u8],
}

impl Line<'_> {
    /// A copy that stays, whatever is read after it.
    pub fn keep(&self) -> KeptLine {
        KeptLine { path: self.path.to_path_buf(), number: self.number, bytes: self.bytes.to_vec() }
    }

    /// An error about the whole line.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::Data { location: Location::at(self.path, self.number, 0), message: message.into() }
    }

    /// An error about what begins at byte `offset`.
    pub(super) fn error_at(&self, offset: usize, message: impl Into<String>) -> Error {
        let before = &self.bytes[..offset];
        let start = memrchr(b'\n', before).map_or(0, |end| end + 1);
        let column = decode(&before[start..]).chars().count() as u64 + 1;
        let line = self.number + memchr_iter(b'\n', before).count() as u64;
        Error::Data { location: Location::at(self.path, line, column), message: message.into() }
    }
}

/// A copy of a line.
pub(crate) struct KeptLine {
    path: PathBuf,
    number: u64,
    bytes: Vec<u8>,
}

impl KeptLine {
    /// The line.
    pub fn line(&self) -> Line<'_> {
        Line { path: &self.path, number: self.number, bytes: &self.bytes }
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

    #[test]
    fn line_ends_blank_lines_and_byte_order_mark() {
        let expected = vec![(1, b"a".to_vec()), (3, b"b c".to_vec()), (5, b"\t".to_vec()), (6, b"d".to_vec())];
        assert_eq!(lines_of(b"\xef\xbb\xbfa\r\n\r\nb c\n  \n\t\nd"), expected);
        assert_eq!(lines_of(b""), []);
    }

    #[test]
    fn byte_order_marks_within_a_joined_file_are_dropped() {
        let joined = b"\xef\xbb\xbfa\n\xef\xbb\xbfb\r\n\xef\xbb\xbf\r\nc\xef\xbb\xbf\n";
        assert_eq!(lines_of(joined), [(1, b"a".to_vec()), (2, b"b".to_vec()), (4, b"c\xef\xbb\xbf".to_vec())]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, [b"a\n".to_vec(), vec![b'x'; 5 * CHUNK]].concat()).unwrap();
        let mut hash = Sha256::new();
        let mut lines = Lines { longest: 2 * CHUNK, ..Lines::open(&path, &mut hash).unwrap() };
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"a");
        let error = lines.next().err().unwrap().to_string();
        assert!(error.ends_with("x: line 2 has more than 2097152 bytes; give text with line ends"), "{error}");
    }

    #[test]
    fn a_long_line_is_found_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, format!("{}\nb\n", "1\t2".repeat(CHUNK))).unwrap();
        let mut hash = Sha256::new();
        let lines = Lines::open(&path, &mut hash).unwrap();
        assert_eq!(lines.ahead(1)[0].bytes.len(), 3 * CHUNK);
    }

    #[test]
    fn memory_is_asked_for_with_moderation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "1,2,3\n".repeat(CHUNK)).unwrap();
        // Two terabytes, of which nothing but the start is on the disk.
        fs::File::options().append(true).open(&path).unwrap().set_len(2 << 40).unwrap();
        let mut hash = Sha256::new();
        let lines = Lines::open(&path, &mut hash).unwrap();
        assert_eq!((lines.rough_size(), lines.rough_count()), (2 << 40, MOST_FORESEEN));
    }

    #[test]
    fn utf_16_is_refused_by_name() {
        // The second has no zero byte.
        for content in [&b"\xff\xfea\0\n\0"[..], b"\xfe\xff\x67\x2c"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x");
            fs::write(&path, content).unwrap();
            let error = Lines::open(&path, &mut Sha256::new()).err().unwrap().to_string();
            assert!(error.ends_with("x: is UTF-16 text; save it as UTF-8"), "{error}");
        }
    }

    #[test]
    fn a_damaged_file_names_the_line_that_was_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        io::Write::write_all(&mut gzip, "one line\n".repeat(300_000).as_bytes()).unwrap();
        let whole = gzip.finish().unwrap();
        for keep in [whole.len() / 2, whole.len() - 4] {
            fs::write(&path, &whole[..keep]).unwrap();
            let mut hash = Sha256::new();
            let error = Lines::open(&path, &mut hash).and_then(|mut lines| {
                while lines.next()?.is_some() {}
                Ok(())
            });
            let Err(Error::Data { location, message }) = error else { panic!("{error:?}") };
            // Deflate may hand out a little less than it was given.
            let expected = (keep as u64 / 9).min(300_000);
            assert!((expected - 8_000..=expected + 1).contains(&location.line), "{}: {expected}", location.line);
            assert!(
                message.starts_with("cannot read on from this line: ") && message.ends_with("get it anew"),
                "{message}"
            );
        }
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
}
