//! Where data come from, as set in a config: a file, a data set of the catalog, or a recipe.

use std::path::PathBuf;

use super::core::Core;
use super::read::{Duplicates, ReadOptions, ReaderKind, TitleFile, add_titles, binarize, read_dataset};
use super::split::SplitKind;
use super::synthetic::Synthetic;
use super::{Context, Dataset, Features, FieldId, ITEM, USER, catalog};
use crate::config::{Effect, Key, KeyKind, Keys, Problem, Values, from_here, given, is};
use crate::error::{Error, Location, Result};
use crate::files;

/// The name under `data.dataset` that plants ratings instead of reading them.
const SYNTHETIC: &str = "synthetic";

/// Where data come from.
#[derive(Debug, Clone)]
enum Origin {
    File {
        path: PathBuf,
        test: Option<PathBuf>,
        titles: Option<TitleFile>,
    },
    /// Of the catalog, with the fold of its ready-made test files.
    Catalog {
        name: String,
        fold: Option<usize>,
    },
    Planted(Synthetic),
}

/// Where data come from, and how they are read.
#[derive(Debug, Clone)]
pub struct Source {
    origin: Origin,
    /// Without titles and cache.
    pub options: ReadOptions,
    /// What is left of them.
    core: Option<Core>,
    /// How columns beside user and item are understood.
    context: Context,
    /// What is known of users and items beside them.
    features: Vec<Features>,
    /// Whether a binary copy of a large file may be kept.
    cache: bool,
}

impl Source {
    /// The config keys of data for these readers, without the split.
    pub fn keys(readers: &[ReaderKind]) -> Keys {
        let dataset = "A data set of the catalog, or \"synthetic\". Either this or data.path.";
        let path = "A file of ratings, a picture, or a folder of pictures or texts. Files may be compressed: gzip, bzip2, xz, \
                    Zstandard, or a zip archive of one file. \"-\" is standard input. A relative path is seen from the config \
                    file, and in --set from the current folder. Or use data.dataset.";
        let test = "The file of test ratings, written like data.path.";
        let files = || is("data.split.kind", ["files"]);
        let keys =
            Keys::new([Key::new("data.dataset", KeyKind::Text, dataset), Key::new("data.path", KeyKind::Path, path)])
                .exclusive("data.dataset", "data.path")
                .rule(check_origin)
                .and(ReadOptions::keys(readers))
                .and(Core::keys())
                .and(TitleFile::keys())
                .and(Key::new("data.test_path", KeyKind::Path, test).when(given("data.path")).when(files()))
                .and(Synthetic::keys().when(&is("data.dataset", [SYNTHETIC])));
        keys.effect(Effect::Data).and(Features::keys()).and(cache_key())
    }

    /// The source set in a config.
    pub fn of(values: &Values, readers: &[ReaderKind]) -> Self {
        let path = |key: &str| values.find(key).map(from_here);
        let origin = match path("data.path") {
            Some(file) => Origin::File { path: file, test: path("data.test_path"), titles: TitleFile::of(values) },
            None if values.is("data.dataset", SYNTHETIC) => Origin::Planted(Synthetic::of(values)),
            None => {
                let is_ready = values.is("data.split.kind", SplitKind::FILES);
                let fold = values.find("data.split.fold").filter(|_| is_ready);
                Origin::Catalog { name: values.get("data.dataset"), fold }
            }
        };
        Self {
            origin,
            options: ReadOptions::of(values, readers),
            core: Core::of(values),
            context: Context::of(values),
            features: Features::of(values),
            cache: values.get("data.cache"),
        }
    }

    /// Reads or plants the data, leaves out users and items with too few ratings, and adds features and titles.
    ///
    /// # Errors
    /// Those of the readers, the catalog and the generator; [`Error::Usage`] if nothing is left.
    pub fn load(&self) -> Result<Dataset> {
        let mut dataset = self.load_all()?;
        if let Some(core) = self.core {
            core.take(&mut dataset)?;
        }
        self.context.add_to(&mut dataset)?.map_err(|misread| self.error_at(&dataset, misread.at, misread.message))?;
        for features in &self.features {
            let own = match &self.origin {
                Origin::Catalog { name, .. } => catalog::features(catalog::find(name)?, features.role)?,
                _ => None,
            };
            features.add_to(&mut dataset, own)?;
        }
        match &self.origin {
            Origin::File { titles: Some(titles), .. } => add_titles(titles, &mut dataset)?,
            Origin::Catalog { name, .. } => catalog::add_titles(catalog::find(name)?, &mut dataset)?,
            _ => {}
        }
        Ok(dataset)
    }

    /// Where the file has the rating at position `at` of the data, for messages; of several that were merged, the one that
    /// counts, or else the first.
    fn place_of(&self, dataset: &Dataset, at: usize) -> Option<Location> {
        let Origin::File { path, test, .. } = &self.origin else { return None };
        let is_test = dataset.test_start.is_some_and(|start| at >= start);
        let path = test.as_ref().filter(|_| is_test).unwrap_or(path);
        let row = |field: FieldId| dataset.entity(field).ids.id(dataset.interactions.column(field)[at] as usize);
        // What cannot be read a second time, as a pipe, has no place.
        let lines = self.options.reader(path).ok()?.lines_of(path, row(USER), row(ITEM)).ok()?;
        let line = if self.options.duplicates == Duplicates::Last { lines.last() } else { lines.first() };
        Some(Location::at(path, *line?, 0))
    }

    /// An error about the rating at position `at` of the data, with its place if a file has it.
    pub(crate) fn error_at(&self, dataset: &Dataset, at: usize, message: String) -> Error {
        match self.place_of(dataset, at) {
            Some(location) => Error::Data { location, message },
            None => Error::Usage(message),
        }
    }

    fn load_all(&self) -> Result<Dataset> {
        // Without a home folder there is no cache.
        let cache = self.cache.then(|| files::cache_folder("ratings").ok()).flatten();
        let options = ReadOptions { cache, ..self.options.clone() };
        match &self.origin {
            Origin::File { path, test, .. } => read_dataset(path, test.as_deref(), &options),
            Origin::Catalog { name, fold } => catalog::load_ratings(catalog::find(name)?, *fold, &options),
            Origin::Planted(synthetic) => {
                let mut dataset = synthetic.dataset()?;
                if options.binarize.is_some() {
                    binarize(&mut dataset.interactions, options.binarize);
                    dataset.reachable_error = None;
                }
                Ok(dataset)
            }
        }
    }
}

fn cache_key() -> Key {
    let meaning = "Keep a binary copy of a ratings file of 16 MiB or more in ~/.cache/lowrank/ratings, and read that in the \
                   file's place as long as the file is the same. All copies have at most 10 GB; those read longest ago go \
                   first. `lowrank data cache` lists them.";
    Key::new("data.cache", KeyKind::Bool, meaning).default("true").effect(Effect::Nothing)
}

fn check_origin(values: &Values) -> Vec<Problem> {
    let (dataset, path) = (values.contains("data.dataset"), values.contains("data.path"));
    let mut problems = Vec::new();
    if !dataset && !path {
        let message =
            "no data: set data.dataset, a name of the catalog or \"synthetic\", or data.path, a file of ratings";
        problems.push(Problem::new(["data.dataset", "data.path"], message));
    }
    if dataset && path {
        let message = "data.dataset and data.path exclude each other; remove one";
        problems.push(Problem::new(["data.dataset", "data.path"], message));
    }
    if values.is("data.split.kind", SplitKind::FILES) && path && !values.contains("data.test_path") {
        let message = "data.split.kind = \"files\" with data.path needs data.test_path, the file of test ratings";
        problems.push(Problem::new(["data.split.kind", "data.path", "data.test_path"], message));
    }
    problems
}
