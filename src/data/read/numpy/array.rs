//! One array of an `.npy` or `.npz` file: its header, then its cells one after the other.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::hash::Hash;
use super::header::Header;
use crate::error::{Error, Result};

/// Bytes that are decoded at a time: a multiple of the size of every number.
const CHUNK: usize = 1 << 16;

/// An array of which the header is read.
pub(super) struct Array<'a> {
    path: PathBuf,
    /// Its name in an archive.
    name: Option<String>,
    source: Hashed<Box<dyn Read + 'a>>,
    pub header: Header,
}

/// A source all of whose bytes are hashed.
struct Hashed<R> {
    source: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

impl<'a> Array<'a> {
    /// Reads the header of the array at `path`, which in an archive is called `name`.
    ///
    /// # Errors
    /// [`Error::Data`] for what is no array of numbers or texts, [`Error::Io`].
    pub fn open(path: &Path, name: Option<&str>, source: impl Read + 'a) -> Result<Self> {
        let mut source = Hashed { source: Box::new(source) as Box<dyn Read + 'a>, hash: Sha256::new() };
        let header = Header::read(&mut source).map_err(|error| Error::io("read", path, error))?;
        let header = header.map_err(|message| error(path, name, &message))?;
        Ok(Self { path: path.to_path_buf(), name: name.map(Into::into), source, header })
    }

    /// An error about the array.
    pub fn error(&self, message: impl AsRef<str>) -> Error {
        error(&self.path, self.name.as_deref(), message.as_ref())
    }

    /// Gives `take` the place of each number, from 0, and its value, in the order of the file. Returns the hash of the
    /// array's bytes.
    ///
    /// # Errors
    /// Those of `take`, which say what is wrong with a cell; [`Error::Data`] if there are fewer or more numbers than the
    /// header says, or no numbers at all.
    pub fn numbers(mut self, mut take: impl FnMut(u64, f64) -> Result<(), String>) -> Result<Hash> {
        let cell = self.header.cell;
        if !cell.is_number() {
            return Err(self.error("holds texts; save array.astype(\"float64\")"));
        }
        let mut at = 0;
        self.chunks(|bytes| {
            bytes.chunks_exact(cell.size).try_for_each(|bytes| {
                at += 1;
                take(at - 1, cell.number(bytes))
            })
        })
    }

    /// The only text that it holds, and the hash of the array's bytes.
    ///
    /// # Errors
    /// [`Error::Data`] if it is no text.
    pub fn text(mut self) -> Result<(String, Hash)> {
        let cell = self.header.cell;
        if cell.is_number() || self.header.cells() != Some(1) {
            return Err(self.error("is not one text"));
        }
        let mut text = String::new();
        let hash = self.chunks(|bytes| {
            text = cell.text(bytes);
            Ok(())
        })?;
        Ok((text, hash))
    }

    /// Gives `take` all bytes after the header, whole cells at a time.
    fn chunks(&mut self, mut take: impl FnMut(&[u8]) -> Result<(), String>) -> Result<Hash> {
        let size = self.header.cell.size as u64;
        let Some(expected) = self.header.cells().and_then(|cells| cells.checked_mul(size)) else {
            return Err(self.error(format!("claims a shape of {:?}, which no file can hold", self.header.shape)));
        };
        let mut buffer = vec![0; if self.header.cell.is_number() { CHUNK } else { size as usize }];
        let mut left = expected;
        while left > 0 {
            let wanted = left.min(buffer.len() as u64) as usize;
            let chunk = &mut buffer[..wanted];
            match self.source.read_exact(chunk) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(self.error(format!(
                        "ends before the last of the {} cells that its header announces; get the file anew",
                        expected / size
                    )));
                }
                Err(error) => return Err(Error::io("read", &self.path, error)),
            }
            take(chunk).map_err(|message| self.error(message))?;
            left -= wanted as u64;
        }
        // At the end of a compressed source its checksum is compared.
        match self.source.read(&mut buffer[..1]) {
            Ok(0) => Ok(self.source.hash.finalize_reset().into()),
            Ok(_) => Err(self.error(format!(
                "goes on after the {} cells that its header announces; get the file anew",
                expected / size
            ))),
            Err(error) => Err(Error::io("read", &self.path, error)),
        }
    }
}

fn error(path: &Path, name: Option<&str>, message: &str) -> Error {
    match name {
        Some(name) => Error::data(path, format!("the array {name:?} {message}")),
        None => Error::data(path, message),
    }
}
