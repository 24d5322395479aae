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
pub use entry::{Archive, CatalogFeatures, Checksum, Entry, Titles};
pub use fetch::{fetch, fetched, remove};
pub use folders::locate;

use super::read::{self, FeatureTable, ReadOptions, TitleFile, read_dataset};
use super::{Dataset, Role};
use crate::error::{Error, Result};

/// Reads `entry` with its titles, or with `fold` (from 1) its ready-made training and test files. Of `options`, those that
/// describe the layout of the files are ignored.
///
/// # Errors
/// Those of [`locate`] and [`read_dataset`]; [`Error::Usage`] if there is no such fold.
pub fn load(entry: &Entry, fold: Option<usize>, options: &ReadOptions) -> Result<Dataset> {
    load_from(entry, &locate(entry)?, fold, options)
}

fn load_from(entry: &Entry, folder: &Path, fold: Option<usize>, options: &ReadOptions) -> Result<Dataset> {
    let mut dataset = ratings_from(entry, folder, fold, options)?;
    titles_from(entry, folder, &mut dataset)?;
    Ok(dataset)
}

/// The same without titles.
pub(super) fn load_ratings(entry: &Entry, fold: Option<usize>, options: &ReadOptions) -> Result<Dataset> {
    ratings_from(entry, &locate(entry)?, fold, options)
}

/// Gives the items of `dataset`, which is `entry`, their titles.
pub(super) fn add_titles(entry: &Entry, dataset: &mut Dataset) -> Result<()> {
    titles_from(entry, &locate(entry)?, dataset)
}

/// The file of features of the users or items of `entry`, if it has one, and what separates the values of its lists.
pub(super) fn features(entry: &Entry, role: Role) -> Result<Option<(FeatureTable, &'static str)>> {
    let features = match role {
        Role::User => entry.user_features,
        Role::Item => entry.item_features,
    };
    let Some(CatalogFeatures { file, delimiter, columns, separator }) = features else { return Ok(None) };
    let path = locate(entry)?.join(file);
    let columns = (!columns.is_empty()).then(|| strings(columns));
    Ok(Some((FeatureTable { path, delimiter: Some(delimiter.into()), columns }, separator)))
}

fn titles_from(entry: &Entry, folder: &Path, dataset: &mut Dataset) -> Result<()> {
    let Some(titles) = entry.titles else { return Ok(()) };
    let path = folder.join(titles.file);
    if path.is_file() {
        let (delimiter, columns) = (Some(titles.delimiter.into()), Some(strings(titles.columns)));
        return read::add_titles(&TitleFile { path, delimiter, columns }, dataset);
    }
    dataset.notes.push(format!("there are no titles: {} is missing", path.display()));
    Ok(())
}

fn ratings_from(entry: &Entry, folder: &Path, fold: Option<usize>, options: &ReadOptions) -> Result<Dataset> {
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
    read_dataset(&folder.join(ratings), test.as_deref(), &entry.options(options))
}
