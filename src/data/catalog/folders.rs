//! The folders that hold data sets.

use std::env;
use std::path::PathBuf;

use super::entry::Entry;
use crate::error::{Error, Result};
use crate::files;

/// The variable that names a folder of data sets.
pub(super) const VARIABLE: &str = "LOWRANK_DATA";

/// The folder of `entry`: under `$LOWRANK_DATA` if it is there, else in the cache.
///
/// # Errors
/// [`Error::Usage`] that says how to get it, if it is in neither.
pub fn locate(entry: &Entry) -> Result<PathBuf> {
    let variable = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let roots: Vec<PathBuf> = variable.into_iter().chain(cache().ok()).collect();
    locate_in(entry, &roots)
}

pub(super) fn locate_in(entry: &Entry, roots: &[PathBuf]) -> Result<PathBuf> {
    let folders: Vec<PathBuf> = roots.iter().map(|root| root.join(entry.name)).collect();
    if let Some(folder) = folders.iter().find(|folder| folder.join(entry.ratings).is_file()) {
        return Ok(folder.clone());
    }
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let name = entry.name;
    let fetch = if entry.source.is_some() {
        format!("run `lowrank data fetch {name}`, or `lowrank data fetch {name} --from FILE.zip` if you have it, or ")
    } else {
        String::new()
    };
    Err(Error::Usage(format!(
        "data set {name:?} is not on this machine (looked in {}); {fetch}set {VARIABLE} to the folder that holds {name}/{}",
        looked.join(" and "),
        entry.ratings
    )))
}

/// The folder that [`fetch`](super::fetch()) fills.
pub(super) fn cache() -> Result<PathBuf> {
    files::cache_folder("data")
}
