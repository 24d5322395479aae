//! Writing files that are either whole or absent.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// What the name of a temporary ends in, so that it is nobody else's.
const SUFFIX: &str = ".lowrank-tmp";

/// How long a temporary may be without a lock: its process needs a moment to take it.
const UNLOCKED: Duration = Duration::from_secs(60);

/// Links that are followed to a file; more of them are a circle.
const LINKS: usize = 40;

/// Writes `path` through a temporary file beside it, which is renamed only when all of it is on disk.
///
/// A reader never sees half a file, and a failure (full disk, no permission) leaves what was there before. Of a symbolic
/// link the file that it leads to is written. What a killed process left of the same file is removed.
///
/// # Errors
/// [`Error::Io`] if the operating system refuses, [`Error`] of `write` itself.
pub fn write_atomic(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    match fs::metadata(path) {
        // A rename would put a file in the place of a pipe or a device (/dev/stdout), so that is written to as it is.
        Ok(metadata) if !metadata.is_file() => {
            let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
            let mut writer = BufWriter::with_capacity(1 << 20, file);
            write(&mut writer)?;
            writer.flush().map_err(|e| Error::io("write", path, e))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("create", path, error)),
        _ => replace(path, Durability::OnDisk, write),
    }
}

/// [`write_atomic`] for a file that nobody would miss.
///
/// The disk is not waited for: after a crash of the machine the file may hold anything, so whoever reads it must be able
/// to tell.
///
/// # Errors
/// Those of [`write_atomic`].
pub fn write_expendable(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    replace(path, Durability::InMemory, write)
}

/// [`write_atomic`] of bytes already in memory.
///
/// # Errors
/// Those of [`write_atomic`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |writer| writer.write_all(bytes).map_err(|e| Error::io("write", path, e)))
}

/// What a file has to survive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// The end of the program; the operating system writes it to disk when it likes.
    InMemory,
    /// A crash of the machine. Without bringing the folder to disk too, the new name could be lost.
    OnDisk,
}

/// Writes a temporary beside `path` and renames it.
fn replace(path: &Path, durability: Durability, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let target = followed(path);
    let name =
        target.file_name().ok_or_else(|| Error::Usage(format!("{}: is not the name of a file", path.display())))?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    remove_leftovers(folder, Some(name));
    let failed = |action| move |error| Error::io(action, path, error);
    let mut temporary = temporary(folder, name).map_err(failed("create"))?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary.as_file_mut());
    write(&mut writer)?;
    writer.into_inner().map_err(|error| failed("write")(error.into_error()))?;
    if durability == Durability::OnDisk {
        temporary.as_file().sync_all().map_err(failed("write"))?;
    }
    temporary.persist(&target).map_err(|error| failed("rename into place")(error.error))?;
    if durability == Durability::OnDisk {
        sync_folder(folder).map_err(failed("write"))?;
    }
    Ok(())
}

/// An empty file in `folder` that goes away with its value, and is locked as long as it is there.
fn temporary(folder: &Path, name: &OsStr) -> std::io::Result<NamedTempFile> {
    let prefix = prefix(name);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    #[cfg(unix)]
    // As any new file, less what the process's mask takes away.
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(folder)?;
    // If there are no locks on this file system, leftovers just stay.
    let _ = temporary.as_file().lock();
    Ok(temporary)
}

fn prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    prefix
}

/// Removes what killed processes left in `folder` of writing the file called `name`, or any file.
pub fn remove_leftovers(folder: &Path, name: Option<&OsStr>) {
    let prefix = name.map(prefix);
    let prefix = prefix.as_ref().map_or(&b"."[..], |prefix| prefix.as_encoded_bytes());
    // What cannot be listed or removed is no reason to fail.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix) && name.ends_with(SUFFIX.as_bytes()) && is_left_over(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether nobody writes a temporary any more.
fn is_left_over(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let age = file.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > UNLOCKED) && file.try_lock().is_ok()
}

/// What a path leads to through symbolic links, whether or not it is there.
fn followed(path: &Path) -> PathBuf {
    let mut target = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => break,
        }
    }
    target
}

/// Waits until the names in a folder are on disk, if the operating system can tell.
///
/// # Errors
/// The operating system's.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems, and folders that may be written but not listed, know no such thing.
        Err(error)
            if [ErrorKind::InvalidInput, ErrorKind::Unsupported, ErrorKind::PermissionDenied]
                .contains(&error.kind()) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

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
        assert_eq!(names(folder.path()), ["x"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_symbolic_link_stays_and_its_file_is_written() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("far")).expect("a folder");
        fs::write(at("far/there"), "old").expect("a file");
        symlink("far/there", at("link")).expect("a link");
        symlink("link", at("twice")).expect("a link");
        symlink("far/new", at("dangling")).expect("a link");
        symlink("circle", at("circle")).expect("a link");
        write_bytes(&at("twice"), b"new").expect("written");
        assert_eq!(fs::read(at("far/there")).expect("the file"), b"new");
        write_bytes(&at("dangling"), b"made").expect("written");
        assert_eq!(fs::read(at("far/new")).expect("the file"), b"made");
        assert!(write_bytes(&at("circle"), b"lost").is_err());
        for link in ["link", "twice", "dangling", "circle"] {
            assert!(fs::symlink_metadata(at(link)).expect("it").is_symlink(), "{link}");
        }
    }

    #[test]
    fn what_others_called_like_a_temporary_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x");
        fs::write(folder.path().join("x.tmp"), "mine").expect("a file");
        write_bytes(&path, b"new").expect("written");
        assert_eq!(fs::read(folder.path().join("x.tmp")).expect("still there"), b"mine");
        assert_eq!(names(folder.path()), ["x", "x.tmp"]);
    }

    #[test]
    fn leftovers_of_the_same_file_go_unless_somebody_writes_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let old = |temporary: NamedTempFile, is_locked: bool| {
            let (file, path) = temporary.keep().expect("kept");
            file.set_modified(SystemTime::now() - 2 * UNLOCKED).expect("an old file");
            if !is_locked {
                file.unlock().expect("unlocked");
            }
            (file, path.file_name().expect("a name").to_string_lossy().into_owned())
        };
        let make = |name: &str| temporary(folder.path(), OsStr::new(name)).expect("a temporary");
        let (_dead, dead) = old(make("x"), false);
        let (_alive, alive) = old(make("x"), true);
        let (_other, other) = old(make("y"), false);
        let new = make("x");
        new.as_file().unlock().expect("unlocked");
        let new_name = new.path().file_name().expect("a name").to_string_lossy().into_owned();
        write_bytes(&folder.path().join("x"), b"new").expect("written");
        let left = names(folder.path());
        assert!(!left.contains(&dead), "{left:?}");
        for kept in [&alive, &other, &new_name] {
            assert!(left.contains(kept), "{kept} is not in {left:?}");
        }
        remove_leftovers(folder.path(), None);
        assert!(!names(folder.path()).contains(&other));
    }

    #[test]
    #[cfg(unix)]
    fn a_new_file_has_the_permissions_of_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mode = |name: &str| fs::metadata(folder.path().join(name)).expect("a file").permissions().mode();
        fs::write(folder.path().join("plain"), "").expect("a file");
        write_bytes(&folder.path().join("whole"), b"").expect("written");
        assert_eq!(mode("whole"), mode("plain"));
    }
}
