//! Locks: of several processes that want the same thing, one has it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// A file that this process holds locked, with its process id in it. It goes away with this value; if the process is
/// killed, the operating system gives the lock back, and the file that is left harms nobody.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Holds the lock until it is closed.
    _file: File,
}

impl Lock {
    /// Takes the lock file at `path`. Messages call what it is for `what`.
    ///
    /// # Errors
    /// [`Error::Usage`] with the process that holds it, [`Error::Io`].
    pub fn take(path: &Path, what: &Path) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // The number tells holders within one process apart.
        let own = format!("{} {}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        loop {
            let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            let mut file = options.map_err(|e| Error::io("create", path, e))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy(path, what)),
                // Without locks nobody can be kept out.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, error)),
            }
            let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(own.as_bytes()));
            written.map_err(|e| Error::io("write", path, e))?;
            // Its last holder may have removed the file between the two first steps, and somebody else made a new one.
            if fs::read_to_string(path).is_ok_and(|holder| holder == own) {
                return Ok(Self { path: path.to_path_buf(), _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What cannot be removed does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

fn busy(path: &Path, what: &Path) -> Error {
    let text = fs::read_to_string(path).unwrap_or_default();
    let holder = text.split(' ').next().and_then(|holder| holder.parse::<u32>().ok());
    let holder = holder.map_or("another process".into(), |id| format!("process {id}"));
    Error::Usage(format!("{}: {holder} is at work on it; wait until it has ended, or stop it", what.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_until_the_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, what) = (folder.path().join("lock"), Path::new("the thing"));
        // As a killed process leaves it.
        fs::write(&path, "99999999").expect("a file");
        let held = Lock::take(&path, what).expect("free");
        let message = Lock::take(&path, what).expect_err("held").to_string();
        let own = std::process::id();
        assert_eq!(message, format!("the thing: process {own} is at work on it; wait until it has ended, or stop it"));
        drop(held);
        assert!(!path.exists());
        assert!(Lock::take(&path, what).is_ok());
    }

    #[test]
    fn never_two_at_a_time() {
        use std::sync::atomic::AtomicUsize;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("lock");
        let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        if let Ok(lock) = Lock::take(&path, &path) {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            taken.fetch_add(1, Ordering::SeqCst);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
    }
}
