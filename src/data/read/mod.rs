//! Rating files of any common form, read in one pass with little memory; and pictures and texts as matrices.
//!
//! Text may be UTF-8 or Windows-1252, with any line ends, plain or compressed. Accents are composed (NFC), so that an id is
//! the same however it was typed. Users and items are numbered in the order in which the files first name them. The fingerprint of a plain file is what `sha256sum` prints: SHA-256 of
//! its bytes, after decompression. That of a training and a test file is SHA-256 of their two hashes, one after the
//! other, so that a line which moves from the one to the other changes it; that of a folder is SHA-256 of the names and
//! hashes of its files.

mod bad_lines;
mod baskets;
mod built_in;
mod cache;
mod candidates;
mod cell_forms;
mod co_occurrences;
mod column_names;
mod columns;
mod copies;
mod delimited;
mod dense;
mod dense_layout;
mod document_options;
mod documents;
mod duplicates;
mod edges;
mod feature_table;
mod folder;
mod foreign;
mod hash;
mod json_lines;
mod libsvm;
mod matrix_market;
mod missing;
mod numpy;
mod options;
mod pictures;
mod places;
mod purchases;
mod reader;
mod records;
mod roles;
mod shared_keys;
mod ten_x;
mod text;
mod titles;
mod words;

use std::path::Path;

use super::interactions::check_count;
use super::{Dataset, ITEM, Interactions};
use crate::error::{Error, Result};
pub use bad_lines::BadLines;
pub use baskets::Baskets;
pub use built_in::built_in;
use cache::BinaryCopy;
pub use cache::source_of;
pub use candidates::read_candidates;
pub use co_occurrences::{CellValues, CoOccurrenceOptions, CoOccurrences, Tokens};
pub use copies::{Copy, MOST_BYTES, copies, shrink};
pub use delimited::Delimited;
pub(crate) use delimited::names_pairs;
pub use dense::DenseTable;
pub use document_options::{DocumentOptions, StopWords, Weighting};
pub use documents::{Documents, terms};
pub use duplicates::Duplicates;
pub use edges::Edges;
pub use feature_table::FeatureTable;
pub use hash::Hash;
pub(super) use hash::combined;
use hash::fingerprint;
pub use json_lines::JsonObjects;
pub use libsvm::Libsvm;
pub use matrix_market::MatrixMarket;
pub(super) use missing::is_missing;
pub use numpy::Numpy;
pub use options::{ReadOptions, TitleFile};
pub use pictures::{Picture, Pictures};
pub use purchases::OrderLines;
pub use reader::{Reader, ReaderKind, ReaderPart, read_text};
pub use shared_keys::{HeaderLine, context_key};
pub use ten_x::TenX;
pub(super) use text::finite_number;
pub(crate) use titles::read_classes;

/// Reads data and, where there is one, a ready-made test file of ratings of the same form.
///
/// # Errors
/// [`Error::Data`] with the line and column of what cannot be used, [`Error::Io`] where a file cannot be read,
/// [`Error::Usage`] for options that make no sense.
pub fn read_dataset(path: &Path, test: Option<&Path>, options: &ReadOptions) -> Result<Dataset> {
    let reader = options.reader(path)?;
    let read = || match reader.is_list() {
        true => read_lists(path, test, reader, options),
        false => read_matrix(path, test, reader, options),
    };
    let copy = BinaryCopy::of(path, test, reader, options);
    let mut dataset = copy.map_or_else(read, |copy| copy.read_or(read))?;
    if let Some(file) = &options.titles {
        add_titles(file, &mut dataset)?;
    }
    Ok(dataset)
}

/// Gives the items of `dataset` the titles in `file`.
///
/// # Errors
/// Those of reading; [`Error::Data`] if no item has one.
pub(super) fn add_titles(file: &TitleFile, dataset: &mut Dataset) -> Result<()> {
    let items = &dataset.entities[dataset.fields[ITEM.0].entity].ids;
    let titles = titles::read(file, items, &mut dataset.notes)?;
    dataset.entities[dataset.fields[ITEM.0].entity].titles = Some(titles);
    Ok(())
}

/// Reads a whole matrix, but no titles.
fn read_matrix(path: &Path, test: Option<&Path>, reader: &dyn Reader, options: &ReadOptions) -> Result<Dataset> {
    if let Some(test) = test {
        return Err(Error::Usage(format!(
            "{}: a ready-made test file goes with a file of ratings; divide pictures and documents in another way",
            test.display()
        )));
    }
    let mut dataset = Dataset::default();
    let hash = reader.read(path, &mut dataset)?;
    dataset.fingerprint = fingerprint(&[hash]);
    binarize(&mut dataset.interactions, options.binarize);
    Ok(dataset)
}

/// Ratings from `threshold` up become 1, the others 0.
pub(super) fn binarize(ratings: &mut Interactions, threshold: Option<f32>) {
    if let Some(threshold) = threshold {
        ratings.targets.iter_mut().for_each(|value| *value = f32::from(u8::from(*value >= threshold)));
    }
}

/// Reads lists of ratings, but no titles.
fn read_lists(path: &Path, test: Option<&Path>, reader: &dyn Reader, options: &ReadOptions) -> Result<Dataset> {
    let mut dataset = Dataset::default();
    let mut hashes = vec![read_list(path, reader, options, &mut dataset)?];
    if let Some(test) = test {
        dataset.test_start = Some(dataset.interactions.len());
        hashes.push(read_list(test, reader, options, &mut dataset)?);
    }
    dataset.fingerprint = fingerprint(&hashes);

    binarize(&mut dataset.interactions, options.binarize);
    dataset.interactions.shrink_to_fit();
    Ok(dataset)
}

/// Adds the ratings of one file to `dataset`, and returns the hash of its content.
fn read_list(path: &Path, reader: &dyn Reader, options: &ReadOptions, dataset: &mut Dataset) -> Result<Hash> {
    let start = dataset.interactions.len();
    let hash = reader.read(path, dataset)?;
    if dataset.interactions.len() == start {
        return Err(Error::data(path, "holds no ratings; expected at least one"));
    }
    check_count(path, dataset.interactions.len())?;
    let Interactions { targets, timestamps, .. } = &mut dataset.interactions;
    if timestamps.as_ref().is_some_and(|timestamps| timestamps.len() != targets.len()) {
        *timestamps = None;
        dataset.notes.push("timestamps are left out: only one of the training and the test file has them".into());
    }
    match duplicates::merge(options.duplicates, start, dataset) {
        Ok(told) => dataset.notes.extend(told.map(|told| format!("{}: {told}", path.display()))),
        Err(repeated) => return Err(repeated.error(path, reader, dataset)),
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;
    use crate::data::{USER, Vocabulary};

    /// A file called `name` with `content`, in a folder that lives as long as it.
    pub(super) fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    /// A folder with these files.
    pub(super) fn folder<C: AsRef<[u8]>>(files: impl IntoIterator<Item = (impl AsRef<Path>, C)>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    /// `result`'s error, with the folder's own path cut from it.
    pub(super) fn problem<T>(folder: &tempfile::TempDir, result: Result<T>) -> String {
        let prefix = format!("{}/", folder.path().display());
        result.err().expect("an error").to_string().replace(&prefix, "").replace(prefix.trim_end_matches('/'), ".")
    }

    /// What reading `content` gives, the file's folder cut from errors.
    pub(super) fn read(name: &str, content: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Dataset, String> {
        let (folder, path) = file(name, content);
        let prefix = format!("{}/", folder.path().display());
        read_dataset(&path, None, options).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    /// `user item value` of every rating.
    pub(super) fn triples(dataset: &Dataset) -> Vec<(String, String, f32)> {
        let ratings = &dataset.interactions;
        let id = |vocabulary: &Vocabulary, index: u32| vocabulary.id(index as usize).to_string();
        (0..ratings.len())
            .map(|r| {
                (
                    id(dataset.users(), ratings.column(USER)[r]),
                    id(dataset.items(), ratings.column(ITEM)[r]),
                    ratings.targets[r],
                )
            })
            .collect()
    }

    pub(super) fn triple(user: &str, item: &str, value: f32) -> (String, String, f32) {
        (user.into(), item.into(), value)
    }

    const REPEATED: &str = "1,a,1,10\n2,a,2,11\n1,a,4,12\n1,b,3,13\n1,a,4,14\n";

    fn repeated(duplicates: Duplicates) -> Result<Dataset, String> {
        read("r.csv", REPEATED, &ReadOptions { duplicates, ..Default::default() })
    }

    #[test]
    fn duplicates_are_merged_in_the_place_of_the_first() {
        let last = repeated(Duplicates::Last).unwrap();
        assert_eq!(triples(&last), [triple("1", "a", 4.0), triple("2", "a", 2.0), triple("1", "b", 3.0)]);
        assert_eq!(last.interactions.timestamps, Some(vec![14, 11, 13]));
        assert!(last.notes[1].ends_with("2 ratings repeated a user and item rated before: the last counts"));
        let mean = repeated(Duplicates::Mean).unwrap();
        assert_eq!(mean.interactions.targets, [3.0, 2.0, 3.0]);
        assert_eq!(mean.interactions.timestamps, Some(vec![14, 11, 13]));
    }

    #[test]
    fn duplicates_are_added_up_or_counted() {
        for (duplicates, targets, told) in [
            (Duplicates::Sum, [9.0, 2.0, 3.0], "the sum counts"),
            (Duplicates::Count, [3.0, 1.0, 1.0], "how often they do counts, instead of their ratings"),
        ] {
            let merged = repeated(duplicates).unwrap();
            assert_eq!(merged.interactions.targets, targets, "{duplicates:?}");
            assert_eq!(merged.interactions.timestamps, Some(vec![14, 11, 13]));
            let expected = format!("2 ratings repeated a user and item rated before: {told}");
            assert!(merged.notes[1].ends_with(&expected), "{:?}", merged.notes);
        }
        // Without repeats, a count is 1 all the same.
        let options = ReadOptions { duplicates: Duplicates::Count, ..Default::default() };
        assert_eq!(read("r.csv", "1,a,5\n1,b,4\n", &options).unwrap().interactions.targets, [1.0, 1.0]);
        let sums = ReadOptions { duplicates: Duplicates::Sum, ..Default::default() };
        let error = read("r.csv", "1,a,3e38\n1,a,3e38\n", &sums).unwrap_err();
        assert!(error.starts_with("r.csv: the sum of the ratings of user \"1\" of item \"a\" is too large"), "{error}");
    }

    #[test]
    fn events_without_ratings_are_counted_if_asked_to() {
        let log = "user,page\n1,a\n1,b\n1,a\n2,a\n1,a\n";
        let last = read("log.csv", log, &ReadOptions::default()).unwrap();
        assert_eq!(last.interactions.targets, [1.0, 1.0, 1.0]);
        assert!(
            last.notes[2].ends_with(": the last counts; data.duplicates = \"count\" makes their number the rating")
        );
        let count = ReadOptions { duplicates: Duplicates::Count, ..Default::default() };
        let counted = read("log.csv", log, &count).unwrap();
        assert_eq!(triples(&counted), [triple("1", "a", 3.0), triple("1", "b", 1.0), triple("2", "a", 1.0)]);
    }

    #[test]
    fn duplicates_can_be_refused() {
        assert_eq!(
            repeated(Duplicates::Error).unwrap_err(),
            "r.csv:3: 2 ratings repeat a user and item rated before, the first by user \"1\" of item \"a\", first rated in \
             line 1; set duplicates to \"last\" or \"mean\" to merge them"
        );
    }

    #[test]
    fn a_test_file_follows_and_may_repeat_training_pairs() {
        let (_folder, train) = file("train", "1 a 1\n1 a 2\n2 b 3\n");
        let (_other, test) = file("test", "1 a 5 77\n3 c 4 78\n3 c 4 78\n");
        let dataset = read_dataset(&train, Some(&test), &ReadOptions::default()).unwrap();
        assert_eq!(dataset.test_start, Some(2));
        assert_eq!(
            triples(&dataset),
            [triple("1", "a", 2.0), triple("2", "b", 3.0), triple("1", "a", 5.0), triple("3", "c", 4.0)]
        );
        assert_eq!(dataset.interactions.timestamps, None);
        assert!(dataset.notes.iter().any(|note| note.starts_with("timestamps are left out")));
    }

    #[test]
    fn binarize_includes_the_threshold() {
        let options = ReadOptions { binarize: Some(3.0), ..Default::default() };
        let dataset = read("r.csv", "1,a,2.5\n1,b,3\n1,c,4\n", &options).unwrap();
        assert_eq!(dataset.interactions.targets, [0.0, 1.0, 1.0]);
    }

    #[test]
    fn gzip_reads_the_same_and_has_the_same_fingerprint() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(REPEATED.as_bytes()).unwrap();
        let packed = read("r.csv.gz", gzip.finish().unwrap(), &ReadOptions::default()).unwrap();
        let plain = repeated(Duplicates::Last).unwrap();
        assert_eq!(packed.interactions, plain.interactions);
        assert_eq!(packed.fingerprint, plain.fingerprint);
        assert_eq!(plain.fingerprint, "a71b1279024364014713d44212dca06fff782a5200761a3da2b7ed082b07218a");
    }

    #[test]
    fn a_line_that_moves_to_the_test_file_changes_the_fingerprint() {
        let fingerprint = |train: &str, test: &str| {
            let (_folder, train) = file("train", train);
            let (_other, test) = file("test", test);
            read_dataset(&train, Some(&test), &ReadOptions::default()).unwrap().fingerprint
        };
        // The hash of the hashes of "1 a 1\n" and "2 b 3\n".
        assert_eq!(
            fingerprint("1 a 1\n", "2 b 3\n"),
            "b3f0d0f5f4164d2e8b1abc3bcabae8c097e189fa9182b4ea0e10cbba1bf8d91a"
        );
        assert_ne!(fingerprint("1 a 1\n2 b 3\n", "3 c 4\n"), fingerprint("1 a 1\n", "2 b 3\n3 c 4\n"));
    }

    #[test]
    fn files_without_ratings_are_refused() {
        for content in ["", "\n\n", "user,item,rating\n"] {
            let error = read("r.csv", content, &ReadOptions::default()).unwrap_err();
            assert_eq!(error, "r.csv: holds no ratings; expected at least one", "{content:?}");
        }
        let error = read("r.bin", b"\x89HDF\0\0\0", &ReadOptions::default()).unwrap_err();
        assert!(error.contains("not a text file"), "{error}");
        let error = read("r.csv", b"\xff\xfe1\0,\0", &ReadOptions::default()).unwrap_err();
        assert!(error.contains("UTF-16"), "{error}");
    }

    #[test]
    fn the_format_follows_the_name() {
        let reader = |name: &str| format!("{:?}", ReadOptions::default().reader(Path::new(name)).unwrap());
        for name in ["a.mtx", "a.MTX.gz", "a.mtx.zst"] {
            assert_eq!(reader(name), format!("{:?}", MatrixMarket::default()), "{name}");
        }
        for name in ["a.csv", "mtx", "a", "a.txt"] {
            assert_eq!(reader(name), format!("{:?}", Delimited::default()), "{name}");
        }
        for name in ["a.png", "a.b.JPEG"] {
            assert_eq!(reader(name), format!("{Picture:?}"), "{name}");
        }
    }
}
