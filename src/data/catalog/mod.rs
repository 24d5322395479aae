//! Public data sets by name: where they come from, where they are stored, how they are read.
//!
//! A data set is in a folder of its own name, under `$LOWRANK_DATA` or in the cache that [`fetch`](fetch()) fills.
//! Nothing is downloaded unless asked for: the owners' licences are the user's to accept.

mod entries;
mod entry;
mod fetch;
mod folders;

use std::path::Path;

pub use entries::{entries, find};
use entry::strings;
pub use entry::{Archive, Checksum, Entry, Titles};
pub use fetch::{fetch, fetched, remove};
pub use folders::locate;

use super::Dataset;
use super::read::{ReadOptions, TitleFile, read_dataset};
use crate::error::{Error, Result};

/// Reads `entry`, or with `fold` (from 1) its ready-made training and test files. Of `options`, those that describe the
/// layout of the files are ignored.
///
/// # Errors
/// Those of [`locate`] and [`read_dataset`]; [`Error::Usage`] if there is no such fold.
pub fn load(entry: &Entry, fold: Option<usize>, options: &ReadOptions) -> Result<Dataset> {
    load_from(entry, &locate(entry)?, fold, options)
}

fn load_from(entry: &Entry, folder: &Path, fold: Option<usize>, options: &ReadOptions) -> Result<Dataset> {
    let (ratings, test) = match fold {
        None => (entry.ratings, None),
        Some(fold) => {
            let pair = fold.checked_sub(1).and_then(|place| entry.folds.get(place)).ok_or_else(|| {
                Error::Usage(match entry.folds.len() {
                    0 => format!("data set {:?} has no ready-made folds; choose another split", entry.name),
                    count => format!("data set {:?} has no fold {fold}; its folds are 1 to {count}", entry.name),
                })
            })?;
            (pair.0, Some(folder.join(pair.1)))
        }
    };
    let mut options = entry.options(options);
    let mut missing = None;
    if let Some(titles) = entry.titles {
        let path = folder.join(titles.file);
        if path.is_file() {
            let (delimiter, columns) = (Some(titles.delimiter.into()), Some(strings(titles.columns)));
            options.titles = Some(TitleFile { path, delimiter, columns });
        } else {
            missing = Some(format!("there are no titles: {} is missing", path.display()));
        }
    }
    let mut dataset = read_dataset(&folder.join(ratings), test.as_deref(), &options)?;
    dataset.notes.extend(missing);
    Ok(dataset)
}
