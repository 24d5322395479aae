//! The arrays of an `.npz` file, which is a zip archive of `.npy` files.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::array::Array;
use crate::error::{Error, Result};

/// What the names of arrays end in.
const ENDING: &str = ".npy";

/// A zip archive of arrays.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
}

impl Archive {
    /// Opens what is at `path` if it is a zip archive. What comes through a pipe is none, since the list of contents is at
    /// the end.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] for a damaged archive.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        let failed = |error| Error::io("read", path, error);
        let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
        let mut start = Vec::new();
        (&mut file).take(4).read_to_end(&mut start).map_err(failed)?;
        if start != b"PK\x03\x04" && start != b"PK\x05\x06" {
            return Ok(None);
        }
        file.rewind().map_err(failed)?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(path, error))?;
        Ok(Some(Self { path: path.to_path_buf(), zip }))
    }

    /// The names of all arrays, in the order of the file.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().flatten().map(Cow::into_owned);
        names.filter_map(|name| name.strip_suffix(ENDING).map(Into::into)).collect()
    }

    /// The array called `name`.
    ///
    /// # Errors
    /// [`Error::Data`] if there is none, or if it is no array.
    pub fn array(&mut self, name: &str) -> Result<Array<'_>> {
        let path = &self.path;
        let member = self.zip.by_name(&format!("{name}{ENDING}")).map_err(|error| match error {
            ZipError::FileNotFound => Error::data(path, format!("holds no array {name:?}; get the file anew")),
            error => unreadable(path, error),
        })?;
        Array::open(path, Some(name), member)
    }
}

fn unreadable(path: &Path, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => Error::io("read", path, error),
        error => Error::data(path, format!("is no .npz file that can be read: {error}; get it anew")),
    }
}
