//! Files that are either whole or absent.

use std::env;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
    write_through(path, ".tmp", write, File::sync_all)
}

/// [`write_atomic`] for a file that nobody would miss, which several programs may write at the same time.
///
/// The temporary has a name of its own, and the disk is not waited for: after a crash of the machine the file may hold
/// anything, so whoever reads it must be able to tell.
///
/// # Errors
/// Those of [`write_atomic`].
pub fn write_expendable(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let suffix = format!(".{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    write_through(path, &suffix, write, |_| Ok(()))
}

/// Writes a temporary called `path` and `suffix`, hands it to `finish` and renames it.
fn write_through(
    path: &Path,
    suffix: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
    finish: impl FnOnce(&File) -> std::io::Result<()>,
) -> Result<()> {
    let mut temporary_name = path.as_os_str().to_owned();
    temporary_name.push(suffix);
    let temporary = PathBuf::from(temporary_name);
    let attempt = || -> Result<()> {
        let file = File::create(&temporary).map_err(|e| Error::io("create", path, e))?;
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|e| Error::io("write", path, e.into_error()))?;
        finish(&file).map_err(|e| Error::io("write", path, e))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x");
        write_bytes(&path, b"old").expect("first write");
        let half = |w: &mut dyn Write| {
            w.write_all(b"half").map_err(|e| Error::io("write", &path, e))?;
            Err(Error::Failed("stop".into()))
        };
        assert!(write_atomic(&path, half).is_err());
        assert!(write_expendable(&path, half).is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}
