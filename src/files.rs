//! Files that are either whole or absent.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// Writes `path` through a temporary file beside it, which is renamed only when all of it is on disk.
///
/// A reader never sees half a file, and a failure (full disk, no permission) leaves what was there before.
///
/// # Errors
/// [`Error::Io`] where the operating system refuses, [`Error`] of `write` itself.
pub fn write_atomic(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    // A rename would put a file in the place of a pipe or a device (/dev/stdout), so that is written to as it is.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        write(&mut writer)?;
        return writer.flush().map_err(|e| Error::io("write", path, e));
    }
    let mut temporary_name = path.as_os_str().to_owned();
    temporary_name.push(".tmp");
    let temporary = PathBuf::from(temporary_name);
    let attempt = || -> Result<()> {
        let file = File::create(&temporary).map_err(|e| Error::io("create", path, e))?;
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|e| Error::io("write", path, e.into_error()))?;
        file.sync_all().map_err(|e| Error::io("write", path, e))?;
        fs::rename(&temporary, path).map_err(|e| Error::io("rename into place", path, e))
    };
    attempt().inspect_err(|_| {
        // The first error is the one worth reporting.
        let _ = fs::remove_file(&temporary);
    })
}

/// [`write_atomic`] of bytes already in memory.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |writer| writer.write_all(bytes).map_err(|e| Error::io("write", path, e)))
}

/// Opens a file for reading, through gzip where its first two bytes say so.
///
/// # Errors
/// [`Error::Io`] where it cannot be opened or read.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let open = || File::open(path).map_err(|e| Error::io("open", path, e));
    let mut magic = [0; 2];
    let mut file = open()?;
    if file.metadata().map_err(|e| Error::io("open", path, e))?.is_dir() {
        return Err(Error::data(path, "is a folder; name a file in it"));
    }
    let gzip = matches!(file.read(&mut magic), Ok(2)) && magic == [0x1f, 0x8b];
    let file = open()?;
    Ok(if gzip { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) })
}

/// All of a text file, through gzip where it is compressed.
///
/// # Errors
/// [`Error::Io`] where it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map_err(|e| Error::io("read", path, e))?;
    Ok(text)
}

/// Creates a folder and its parents.
///
/// # Errors
/// [`Error::Io`] where the operating system refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io("create the folder", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x");
        write_bytes(&path, b"old").expect("first write");
        let failed = write_atomic(&path, |w| {
            w.write_all(b"half").map_err(|e| Error::io("write", &path, e))?;
            Err(Error::Failed("stop".into()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}
