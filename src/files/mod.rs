//! Files: opened through gzip, written whole or not at all, held by one process at a time.

mod lock;
mod whole;

use std::env;
use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Location, Result};
pub use lock::Lock;
pub use whole::{remove_leftovers, sync_folder, write_atomic, write_bytes, write_expendable};

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens a file for reading, through gzip if its first two bytes say so. It is opened once, because what a pipe has given
/// does not come again.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened or read, [`Error::Data`] for a folder.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    if file.metadata().map_err(|e| Error::io("open", path, e))?.is_dir() {
        return Err(Error::data(path, "is a folder; name a file in it"));
    }
    let mut start = Vec::new();
    (&mut file).take(GZIP.len() as u64).read_to_end(&mut start).map_err(|e| Error::io("read", path, e))?;
    let is_gzip = start == GZIP;
    let whole = Cursor::new(start).chain(file);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(BufReader::new(whole))) } else { Box::new(whole) })
}

/// Bytes that a file may have, decompressed, to be read as a whole. Only what is far from any use has more: a sparse file, or
/// a gzip file of nothing.
pub const MOST_WHOLE: u64 = 256 << 20;

/// All bytes of a file, through gzip if it is compressed.
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

/// All of a text file, through gzip if it is compressed.
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
/// [`Error::Io`] where the operating system refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io("create the folder", path, e))
}

/// A folder for what can be made again: `$XDG_CACHE_HOME/lowrank/<name>`, or `~/.cache/lowrank/<name>`.
///
/// # Errors
/// [`Error::Usage`] where there is no home folder.
pub fn cache_folder(name: &str) -> Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").or_else(|| absolute("USERPROFILE")).map(|home| home.join(".cache")))
        .map(|cache| cache.join("lowrank").join(name))
        .ok_or_else(|| Error::Usage("there is no home folder to keep data in; set XDG_CACHE_HOME".into()))
}
