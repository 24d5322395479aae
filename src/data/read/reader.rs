//! What reads data of one form.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::hash::Hash;
use super::text::{BYTE_ORDER_MARK, Lines, UTF_16, decode, is_utf_16};
use crate::config::{Keys, Values};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::files;

/// Reads data of one form, as its options say.
///
/// Its `Debug` text names all options: binary copies of large files are found by it.
pub trait Reader: fmt::Debug + Send + Sync {
    /// Adds what is at `path` to `dataset`, and returns the hash of the content: SHA-256 of a file's bytes after
    /// decompression. The first two fields are users and items, or rows and columns; every target is finite.
    ///
    /// # Errors
    /// [`Error::Data`] for what cannot be used, with its place, and [`Error::Io`] if it cannot be read.
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash>;

    /// Whether it reads what is at `path` if a config leaves the form open (`data.format = "auto"`).
    ///
    /// # Errors
    /// [`Error`] for what is of no form at all.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        let _ = path;
        Ok(false)
    }

    /// The numbers of the lines, from 1, of what is at `path` that hold an interaction of a user and an item, for messages;
    /// none if it is not made of lines.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    fn lines_of(&self, path: &Path, user: &str, item: &str) -> Result<Vec<u64>> {
        let _ = (path, user, item);
        Ok(Vec::new())
    }

    /// Whether the data are a list of interactions, of which a user and item may have several and beside which a list of
    /// test interactions may lie, rather than a whole matrix.
    fn is_list(&self) -> bool {
        true
    }

    /// Whether it takes long to read, because numbers are written as text, so that a binary copy of a large file is worth its
    /// place. Copies hold no titles.
    fn is_text(&self) -> bool {
        self.is_list()
    }
}

/// A reader that a config can name.
pub trait ReaderPart: Reader + Sized + 'static {
    /// `data.format`.
    const NAME: &'static str;

    /// The keys of `[data]` that it reads; keys of other readers may be among them, with the same declaration.
    fn keys() -> Keys {
        Keys::default()
    }

    /// The reader that a config asks for. All of its keys that have a default are there.
    fn of(values: &Values) -> Self;
}

/// A [`ReaderPart`] as a value.
#[derive(Clone, Copy)]
pub struct ReaderKind {
    /// `data.format`.
    pub name: &'static str,
    keys: fn() -> Keys,
    make: fn(&Values) -> Arc<dyn Reader>,
}

impl ReaderKind {
    /// The kind of readers of type `R`.
    pub fn of<R: ReaderPart>() -> Self {
        Self { name: R::NAME, keys: R::keys, make: |values| Arc::new(R::of(values)) }
    }

    /// The config keys that it reads.
    pub fn keys(&self) -> Keys {
        (self.keys)()
    }

    /// The reader that a config asks for, with the defaults of keys that take no part in it.
    pub fn make(&self, values: &Values) -> Arc<dyn Reader> {
        (self.make)(&self.keys().with_defaults(values))
    }
}

impl fmt::Debug for ReaderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReaderKind").field(&self.name).finish()
    }
}

/// The whole text of a file, UTF-8 or else Windows-1252, decompressed, and the hash of its content.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it has more than 256 MiB, and for UTF-16.
pub fn read_text(path: &Path) -> Result<(String, Hash)> {
    let bytes = files::read_bytes(path)?;
    if is_utf_16(&bytes) {
        return Err(Error::data(path, UTF_16));
    }
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    Ok((decode(text).into_owned(), Sha256::digest(&bytes).into()))
}

/// Gives `read` the lines of a file but for the first `skip`, and returns the hash of the content.
pub(super) fn read_lines(path: &Path, skip: usize, read: impl FnOnce(Lines) -> Result<()>) -> Result<Hash> {
    let mut hash = Sha256::new();
    let mut lines = Lines::open(path, &mut hash)?;
    lines.skip(skip)?;
    read(lines)?;
    Ok(hash.finalize().into())
}
