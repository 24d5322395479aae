//! All binary copies together: which there are, and which have to go.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::files;

/// Bytes that all copies may have. Beyond them those go that were not read for the longest time.
pub const MOST_BYTES: u64 = 10_000_000_000;

/// A copy in the cache folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was last read or written.
    pub used: SystemTime,
}

/// The copies in `folder`, the latest used first; none if there is no such folder.
///
/// # Errors
/// [`Error::Io`] if it cannot be listed.
pub fn copies(folder: &Path) -> Result<Vec<Copy>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))? {
        let entry = entry.map_err(|e| Error::io("list", folder, e))?;
        // Another process may have removed it, or be writing it.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            copies.push(Copy { path: entry.path(), bytes: metadata.len(), used });
        }
    }
    copies.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.path.cmp(&b.path)));
    Ok(copies)
}

/// Removes the copies that were not used for the longest time, until those in `folder` have at most `bytes`; and what
/// killed processes left there.
///
/// # Errors
/// [`Error::Io`].
pub fn shrink(folder: &Path, bytes: u64) -> Result<Vec<Copy>> {
    files::remove_leftovers(folder, None);
    let mut sum = 0_u64;
    let (_, gone): (Vec<_>, Vec<_>) = copies(folder)?.into_iter().partition(|copy| {
        sum = sum.saturating_add(copy.bytes);
        sum <= bytes
    });
    for Copy { path, .. } in &gone {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", path, error)),
            _ => {}
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    #[test]
    fn those_used_longest_ago_go_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let start = SystemTime::now() - Duration::from_secs(1000);
        for (at, name) in (0..).zip(["b", "d", "a", "c"]) {
            let file = File::create(folder.path().join(name)).expect("a file");
            file.set_len(10).expect("a size");
            file.set_modified(start + Duration::from_secs(at)).expect("a time");
        }
        fs::write(folder.path().join(".d.x.lowrank-tmp"), "in use").expect("a file");
        let names = |copies: &[Copy]| -> Vec<String> {
            copies.iter().map(|copy| copy.path.file_name().expect("a name").to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&copies(folder.path()).expect("a list")), ["c", "a", "d", "b"]);
        assert_eq!(names(&shrink(folder.path(), 25).expect("shrunk")), ["d", "b"]);
        assert_eq!(names(&shrink(folder.path(), 20).expect("shrunk")), [""; 0]);
        assert_eq!(names(&copies(folder.path()).expect("a list")), ["c", "a"]);
        assert_eq!(shrink(folder.path(), 0).expect("shrunk").len(), 2);
        assert!(folder.path().join(".d.x.lowrank-tmp").exists(), "it is new");
        assert_eq!(copies(&folder.path().join("none")).expect("nothing"), []);
    }
}
