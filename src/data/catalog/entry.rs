//! What the catalog knows of a data set.

use std::sync::Arc;

use crate::data::read::{Delimited, ReadOptions};

/// A data set of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name in configs and commands, and name of its folder.
    pub name: &'static str,
    /// One line for people: content, size, licence.
    pub description: &'static str,
    /// Where it can be fetched; `None` if it has no official address, so that the user must supply the files.
    pub source: Option<Archive>,
    /// The file of all ratings, or of the training ratings if there are only folds.
    pub ratings: &'static str,
    /// The field delimiter of all rating files.
    pub delimiter: &'static str,
    /// Contents of the columns of all rating files, as in [`Delimited::columns`].
    pub columns: Option<&'static [&'static str]>,
    /// The file of item titles.
    pub titles: Option<Titles>,
    /// The file of features of its users.
    pub user_features: Option<CatalogFeatures>,
    /// The file of features of its items.
    pub item_features: Option<CatalogFeatures>,
    /// Ready-made training and test files, one pair per fold.
    pub folds: &'static [(&'static str, &'static str)],
}

/// An archive to fetch.
#[derive(Debug, Clone, Copy)]
pub struct Archive {
    /// Official address of the zip file.
    pub address: &'static str,
    /// The checksum of its bytes.
    pub checksum: Checksum,
    /// The folder in the archive that holds the files.
    pub folder: &'static str,
}

/// A checksum in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// MD5, if nothing better is published.
    Md5(&'static str),
    /// SHA-256.
    Sha256(&'static str),
}

/// A title file, as in [`TitleFile`](crate::data::read::TitleFile).
#[derive(Debug, Clone, Copy)]
pub struct Titles {
    /// Its name.
    pub file: &'static str,
    /// Its field delimiter.
    pub delimiter: &'static str,
    /// Contents of its first columns.
    pub columns: &'static [&'static str],
}

/// A file of features, as in [`FeatureTable`](crate::data::read::FeatureTable).
#[derive(Debug, Clone, Copy)]
pub struct CatalogFeatures {
    /// Its name.
    pub file: &'static str,
    /// Its field delimiter.
    pub delimiter: &'static str,
    /// Names of its columns; empty where the first line has them.
    pub columns: &'static [&'static str],
    /// What stands between the values of its lists.
    pub separator: &'static str,
}

impl Entry {
    /// All its files, the ratings first.
    pub(super) fn files(&self) -> Vec<&'static str> {
        let mut files = vec![self.ratings];
        files.extend(self.titles.map(|titles| titles.file));
        let of_features = [self.user_features, self.item_features].into_iter().flatten().map(|features| features.file);
        files.extend(of_features.filter(|file| self.titles.is_none_or(|titles| titles.file != *file)));
        files.extend(self.folds.iter().flat_map(|&(train, test)| [train, test]));
        files
    }

    /// How its rating files are read: with their own layout, and everything else as in `wanted`.
    pub(super) fn options(&self, wanted: &ReadOptions) -> ReadOptions {
        let (delimiter, columns) = (Some(self.delimiter.into()), self.columns.map(strings));
        let reader = Delimited { delimiter, columns, ..Delimited::default() };
        ReadOptions { titles: None, readers: vec![Arc::new(reader)], ..wanted.clone() }
    }
}

pub(super) fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
