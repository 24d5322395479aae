//! Texts of any size, cut into words a stretch at a time.

use std::io::{ErrorKind, Read};
use std::path::Path;

use memchr::memchr;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::counter::END;
use super::options::{CoOccurrenceOptions, Tokens};
use crate::data::Vocabulary;
use crate::data::read::folder::{Folder, Kind};
use crate::data::read::hash::Hash;
use crate::data::read::text::{BYTE_ORDER_MARK, UTF_16, decode, is_utf_16};
use crate::data::read::words::{Unspaced, lowered, words};
use crate::error::{Error, Result};
use crate::files;

/// Bytes that a thread cuts into words at a time. No word is longer.
const STRETCH: usize = 1 << 21;

/// A folder of texts, a document each; or a file with a document a line.
pub struct Corpus<'a> {
    path: &'a Path,
    tokens: Tokens,
    /// The texts of a folder.
    folder: Option<Folder>,
}

/// Words in order of falling frequency, of equals by alphabet, and what was seen on the way to them.
pub struct Words {
    /// Those that count.
    pub words: Vocabulary,
    /// How many different ones there are, those that do not count included.
    pub all: usize,
    /// How many words the text has.
    pub length: u64,
    /// What to do about a text without blanks between its words.
    pub remedy: Option<&'static str>,
    /// Hash of the texts.
    pub hash: Hash,
}

/// What a thread has counted.
#[derive(Default)]
struct Counted {
    words: Vocabulary,
    counts: Vec<u64>,
    unspaced: Unspaced,
}

impl<'a> Corpus<'a> {
    /// The texts at `path`; of a folder, those with `extension`.
    ///
    /// # Errors
    /// Those of listing a folder, and [`Error::Usage`] for standard input, which can be read only once.
    pub fn new(path: &'a Path, extension: Option<&str>, tokens: Tokens) -> Result<Self> {
        if path.as_os_str() == files::STANDARD_INPUT {
            let message = "co-occurrences are counted in a second pass over the text, which standard input does not allow; \
                           save it to a file";
            return Err(Error::Usage(message.into()));
        }
        let folder = path.is_dir().then(|| Folder::list(path, Kind::Texts, extension)).transpose()?;
        Ok(Self { path, tokens, folder })
    }

    /// What to tell of the files that are left out.
    pub fn note(&self) -> Option<String> {
        self.folder.as_ref()?.note()
    }

    /// The words that count.
    ///
    /// # Errors
    /// Those of reading, and [`Error::Data`] if there are none.
    pub fn words(&self, options: &CoOccurrenceOptions) -> Result<Words> {
        let mut counted: Vec<Counted> = Vec::new();
        let hash = self.read(|stretches| {
            counted.resize_with(counted.len().max(stretches.len()), Counted::default);
            counted.par_iter_mut().zip(stretches).for_each(|(counted, stretch)| {
                self.each_word(stretch, |word| counted.see(word.unwrap_or_default()));
            });
            Ok(())
        })?;
        let all = counted.into_iter().reduce(Counted::merged).unwrap_or_default();
        let mut order: Vec<u32> = (0..all.words.len() as u32).collect();
        order.retain(|&word| all.counts[word as usize] >= options.min_count);
        let falling = |&word: &u32| (std::cmp::Reverse(all.counts[word as usize]), all.words.id(word as usize));
        order.sort_unstable_by(|a, b| falling(a).cmp(&falling(b)));
        order.truncate(options.max_words.unwrap_or(usize::MAX));
        let remedy = all.unspaced.remedy();
        if all.words.is_empty() {
            return Err(Error::data(self.path, "holds no words"));
        }
        if order.is_empty() {
            let most = all.counts.iter().max().copied().unwrap_or(0);
            let remedy = remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
            let message = format!(
                "none of its {} words occurs {} times, the most frequent occurs {most} times; lower \
                 data.co_occurrences.min_count{remedy}",
                all.words.len(),
                options.min_count
            );
            return Err(Error::data(self.path, message));
        }
        Ok(Words {
            words: Vocabulary::from_ids(order.iter().map(|&word| all.words.id(word as usize))),
            all: all.words.len(),
            length: all.counts.iter().sum(),
            remedy,
            hash,
        })
    }

    /// Gives `each` the indices of the words of one stretch of text after the other, with [`END`] after a document.
    ///
    /// # Errors
    /// Those of reading and of `each`.
    pub fn indices(&self, words: &Vocabulary, mut each: impl FnMut(&[u32]) -> Result<()>) -> Result<Hash> {
        self.read(|stretches| {
            let indices: Vec<Vec<u32>> = stretches
                .par_iter()
                .map(|stretch| {
                    let mut indices = Vec::new();
                    self.each_word(stretch, |word| match word {
                        Some(word) => indices.extend(words.index_of(word.as_bytes())),
                        None => indices.push(END),
                    });
                    indices
                })
                .collect();
            each(&indices.concat())
        })
    }

    /// Gives `each` the words of a stretch of text, and `None` where a document ends.
    fn each_word(&self, stretch: &[u8], mut each: impl FnMut(Option<&str>)) {
        for (at, document) in stretch.split(|&byte| byte == b'\n').enumerate() {
            if at > 0 {
                each(None);
            }
            if std::str::from_utf8(document).is_ok() {
                self.each_of(document, &mut each);
                continue;
            }
            // Where a byte is not UTF-8, only the word that it is in is of another encoding.
            document.split(u8::is_ascii_whitespace).for_each(|word| self.each_of(word, &mut each));
        }
    }

    /// Gives `each` the words of a text.
    fn each_of(&self, text: &[u8], each: &mut impl FnMut(Option<&str>)) {
        match self.tokens {
            Tokens::Words => words(&lowered(text)).for_each(|word| each(Some(word))),
            Tokens::Blanks => decode(text).split_whitespace().for_each(|word| each(Some(word))),
        }
    }

    /// Gives `each` the text, as many stretches at once as there are threads; a stretch ends between words, and a document
    /// with a line feed. Returns the hash of the files.
    fn read(&self, mut each: impl FnMut(&[&[u8]]) -> Result<()>) -> Result<Hash> {
        let mut stretches = Stretches { pending: Vec::new(), threads: rayon::current_num_threads(), each: &mut each };
        match &self.folder {
            None => {
                let hash = read_file(self.path, &mut |bytes| stretches.take(self.path, bytes))?;
                stretches.end()?;
                Ok(hash)
            }
            Some(folder) => {
                let mut hashes = Vec::with_capacity(folder.members.len());
                for member in &folder.members {
                    hashes.push(read_file(&member.path, &mut |bytes| {
                        // Lines of a document do not end it.
                        let joined: Vec<u8> =
                            bytes.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }).collect();
                        stretches.take(&member.path, &joined)
                    })?);
                    stretches.take(&member.path, b"\n")?;
                }
                stretches.end()?;
                Ok(folder.hash(&hashes))
            }
        }
    }
}

impl Counted {
    fn see(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        self.unspaced.see(word);
        self.add(word, 1);
    }

    fn add(&mut self, word: &str, count: u64) {
        let index = self.words.insert(word) as usize;
        if index == self.counts.len() {
            self.counts.push(0);
        }
        self.counts[index] += count;
    }

    fn merged(mut self, other: Self) -> Self {
        other.words.ids().zip(other.counts).for_each(|(word, count)| self.add(word, count));
        self.unspaced.add(&other.unspaced);
        self
    }
}

/// Text that is collected until there is a stretch for each thread.
struct Stretches<'e> {
    pending: Vec<u8>,
    threads: usize,
    each: &'e mut dyn FnMut(&[&[u8]]) -> Result<()>,
}

impl Stretches<'_> {
    fn take(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < self.threads * STRETCH {
            return Ok(());
        }
        let Some(end) = self.pending.iter().rposition(u8::is_ascii_whitespace) else {
            let message = format!("has a word of more than {STRETCH} bytes; give text with blanks between words");
            return Err(Error::data(path, message));
        };
        self.hand_out(end + 1)?;
        self.pending.drain(..=end);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.hand_out(self.pending.len())
    }

    /// Hands out the first `length` bytes.
    fn hand_out(&mut self, length: usize) -> Result<()> {
        let mut rest = &self.pending[..length];
        let mut stretches = Vec::with_capacity(self.threads);
        for left in (1..=self.threads).rev() {
            let about = rest.len() / left;
            let blank = rest[about..].iter().position(u8::is_ascii_whitespace);
            let (stretch, next) = rest.split_at(blank.map_or(rest.len(), |blank| about + blank + 1));
            stretches.push(stretch);
            rest = next;
        }
        (self.each)(&stretches)
    }
}

/// Gives `each` the bytes of a file, decompressed, without a byte order mark; returns the hash of its content.
fn read_file(path: &Path, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Hash> {
    let mut source = files::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut is_start = true;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::io("read", path, error)),
        };
        let bytes = &buffer[..count];
        hash.update(bytes);
        if is_utf_16(bytes) && is_start {
            return Err(Error::data(path, UTF_16));
        }
        if memchr(0, bytes).is_some() {
            return Err(Error::data(path, "is not a text file: it holds zero bytes; give text, plain or compressed"));
        }
        each(if is_start { bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes) } else { bytes })?;
        is_start = false;
    }
}
