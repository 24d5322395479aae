//! Files: opened through compression, written whole or not at all, held by one process at a time.

mod columnar;
mod compressed;
mod lock;
mod whole;

use std::env;
use std::fs::{self, File};
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use crate::error::{Error, Location, Result};
pub use columnar::{Column, write_parquet};
pub use compressed::inner_name;
use compressed::{decompressed, decompressed_stream};
pub use lock::Lock;
pub use whole::{remove_leftovers, sync_folder, write_atomic, write_bytes, write_expendable};

/// The path that means standard input.
pub const STANDARD_INPUT: &str = "-";

/// Opens a file for reading, decompressed if its first bytes say that it is compressed: gzip, bzip2, xz, Zstandard, or a
/// zip archive of one file; `"-"` is standard input.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened or read, [`Error::Data`] for a folder, and for a zip archive that does not hold
/// one file.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    if path.as_os_str() == STANDARD_INPUT {
        return decompressed_stream(stdin(), path);
    }
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    if file.metadata().map_err(|e| Error::io("open", path, e))?.is_dir() {
        return Err(Error::data(path, "is a folder; name a file in it"));
    }
    decompressed(file, path)
}

/// Bytes that a file may have, decompressed, to be read as a whole. Only what is far from any use has more: a sparse file, or
/// a gzip file of nothing.
pub const MOST_WHOLE: u64 = 256 << 20;

/// All bytes of a file, decompressed.
///
/// # Errors
/// Those of [`open`], [`Error::Io`] if it cannot be read, [`Error::Data`] if it has more than [`MOST_WHOLE`] bytes.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = open(path)?.take(MOST_WHOLE + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if size as u64 > MOST_WHOLE {
        return Err(Error::data(path, format!("has more than {MOST_WHOLE} bytes; give a smaller file")));
    }
    Ok(bytes)
}

/// All of a text file, decompressed.
///
/// # Errors
/// Those of [`read_bytes`], [`Error::Data`] if it is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        let location = Location::at(path, line as u64 + 1, 0);
        Error::Data { location, message: "is not UTF-8 text; save the file as UTF-8".into() }
    })
}

/// Creates a folder and its parents.
///
/// # Errors
/// [`Error::Io`] if the operating system refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io("create the folder", path, e))
}

/// A folder for what can be made again: `$XDG_CACHE_HOME/lowrank/<name>`, or `~/.cache/lowrank/<name>`.
///
/// # Errors
/// [`Error::Usage`] if there is no home folder.
pub fn cache_folder(name: &str) -> Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").or_else(|| absolute("USERPROFILE")).map(|home| home.join(".cache")))
        .map(|cache| cache.join("lowrank").join(name))
        .ok_or_else(|| Error::Usage("there is no home folder to keep data in; set XDG_CACHE_HOME".into()))
}
