//! Public data sets by name: where they come from, where they lie, how they are read.
//!
//! A data set lies in a folder of its own name, under `$LOWRANK_DATA` or in the cache that [`fetch`] fills. Nothing is
//! ever downloaded unasked: the owners' licences are the user's to accept.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use md5::Md5;
use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use super::Dataset;
use super::read::{Delimited, ReadOptions, TitleFile, read_dataset};
use crate::error::{Error, Result};
use crate::files;

/// The variable that names a folder of data sets.
const VARIABLE: &str = "LOWRANK_DATA";

/// A data set of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name in configs and commands, and of its folder.
    pub name: &'static str,
    /// One line for people: what, how many, which licence.
    pub description: &'static str,
    /// Where it can be fetched; `None` where it has no official address and must be brought along.
    pub source: Option<Source>,
    /// The file of all ratings, or of the training ratings where there are only folds.
    pub ratings: &'static str,
    /// What stands between the fields of all rating files.
    pub delimiter: &'static str,
    /// What the columns of all rating files hold, as in [`Delimited::columns`].
    pub columns: Option<&'static [&'static str]>,
    /// The file of item titles.
    pub titles: Option<Titles>,
    /// Ready-made training and test files, one pair a fold.
    pub folds: &'static [(&'static str, &'static str)],
}

/// An archive to fetch.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Official address of the zip file.
    pub address: &'static str,
    /// What its bytes must give.
    pub checksum: Checksum,
    /// The folder in the archive that holds the files.
    pub folder: &'static str,
}

/// A checksum in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// MD5, where nothing better is published.
    Md5(&'static str),
    /// SHA-256.
    Sha256(&'static str),
}

/// A title file, as in [`TitleFile`].
#[derive(Debug, Clone, Copy)]
pub struct Titles {
    /// Its name.
    pub file: &'static str,
    /// What stands between its fields.
    pub delimiter: &'static str,
    /// What its first columns hold.
    pub columns: &'static [&'static str],
}

const ITEM_TITLE: &[&str] = &["item", "title"];
const MOVIES_DAT: Option<Titles> = Some(Titles { file: "movies.dat", delimiter: "::", columns: ITEM_TITLE });
const MOVIES_CSV: Option<Titles> = Some(Titles { file: "movies.csv", delimiter: ",", columns: ITEM_TITLE });

const ENTRIES: &[Entry] = &[
    Entry {
        name: "movielens-100k",
        description: "100,000 ratings 1 to 5 of 1682 films by 943 users, with 5 folds; GroupLens, for research",
        source: Some(Source {
            address: "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
            checksum: Checksum::Md5("0e33842e24a9c977be4e0107933c0723"),
            folder: "ml-100k",
        }),
        ratings: "u.data",
        delimiter: "\t",
        columns: None,
        titles: Some(Titles { file: "u.item", delimiter: "|", columns: ITEM_TITLE }),
        folds: &[
            ("u1.base", "u1.test"),
            ("u2.base", "u2.test"),
            ("u3.base", "u3.test"),
            ("u4.base", "u4.test"),
            ("u5.base", "u5.test"),
        ],
    },
    Entry {
        name: "movielens-1m",
        description: "1,000,209 ratings 1 to 5 of 3706 films by 6040 users; GroupLens, for research",
        source: Some(Source {
            address: "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
            checksum: Checksum::Md5("c4d9eecfca2ab87c1945afe126590906"),
            folder: "ml-1m",
        }),
        ratings: "ratings.dat",
        delimiter: "::",
        columns: None,
        titles: MOVIES_DAT,
        folds: &[],
    },
    Entry {
        name: "movielens-10m",
        description: "10,000,054 ratings 0.5 to 5 of 10,677 films by 69,878 users; GroupLens, for research",
        source: Some(Source {
            address: "https://files.grouplens.org/datasets/movielens/ml-10m.zip",
            checksum: Checksum::Md5("ce571fd55effeba0271552578f2648bd"),
            folder: "ml-10M100K",
        }),
        ratings: "ratings.dat",
        delimiter: "::",
        columns: None,
        titles: MOVIES_DAT,
        folds: &[],
    },
    Entry {
        name: "movielens-20m",
        description: "20,000,263 ratings 0.5 to 5 of 26,744 films by 138,493 users; GroupLens, for research",
        source: Some(Source {
            address: "https://files.grouplens.org/datasets/movielens/ml-20m.zip",
            checksum: Checksum::Md5("cd245b17a1ae2cc31bb14903e1204af3"),
            folder: "ml-20m",
        }),
        ratings: "ratings.csv",
        delimiter: ",",
        columns: None,
        titles: MOVIES_CSV,
        folds: &[],
    },
    Entry {
        name: "movielens-25m",
        description: "25,000,095 ratings 0.5 to 5 of 59,047 films by 162,541 users; GroupLens, for research",
        source: Some(Source {
            address: "https://files.grouplens.org/datasets/movielens/ml-25m.zip",
            checksum: Checksum::Md5("6b51fb2759a8657d3bfcbfc42b592ada"),
            folder: "ml-25m",
        }),
        ratings: "ratings.csv",
        delimiter: ",",
        columns: None,
        titles: MOVIES_CSV,
        folds: &[],
    },
    Entry {
        name: "movielens-latest-small",
        description: "100,836 ratings 0.5 to 5 of 9724 films by 610 users; GroupLens, may be passed on likewise",
        source: Some(Source {
            address: "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
            checksum: Checksum::Sha256("696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"),
            folder: "ml-latest-small",
        }),
        ratings: "ratings.csv",
        delimiter: ",",
        columns: None,
        titles: MOVIES_CSV,
        folds: &[],
    },
    Entry {
        name: "filmtrust",
        description: "35,494 ratings 0.5 to 4 of 2071 films by 1508 users; licence not stated",
        source: None,
        ratings: "ratings.txt",
        delimiter: " ",
        columns: None,
        titles: None,
        folds: &[],
    },
    Entry {
        name: "book-crossing",
        description: "62,656 ratings 1 to 10 of 14,684 books by 1295 users; licence not stated",
        source: None,
        ratings: "book_ratings.dat",
        delimiter: "\t",
        columns: None,
        titles: Some(Titles { file: "items_info.dat", delimiter: "\t", columns: &["item", "-", "title"] }),
        folds: &[],
    },
    Entry {
        name: "steam",
        description: "70,489 times, in hours, that 11,350 users played 3600 games; licence not stated",
        source: None,
        ratings: "game_play.dat",
        delimiter: "\t",
        columns: None,
        titles: Some(Titles { file: "item_info.dat", delimiter: "\t", columns: ITEM_TITLE }),
        folds: &[],
    },
    Entry {
        name: "msweb",
        description: "98,653 visits of 32,710 users to 285 pages of microsoft.com, without ratings; GPL-2",
        source: None,
        ratings: "visits.tsv",
        delimiter: "\t",
        columns: None,
        titles: None,
        folds: &[],
    },
    Entry {
        name: "ncf-movielens-1m",
        description: "movielens-1m as divided by He et al. 2017: each user's last rating is the test part (fold 1)",
        source: None,
        ratings: "ml-1m.train.rating",
        delimiter: "\t",
        columns: None,
        titles: None,
        folds: &[("ml-1m.train.rating", "ml-1m.test.rating")],
    },
];

impl Entry {
    /// All its files, the ratings first.
    fn files(&self) -> Vec<&'static str> {
        let mut files = vec![self.ratings];
        files.extend(self.titles.map(|titles| titles.file));
        files.extend(self.folds.iter().flat_map(|&(train, test)| [train, test]));
        files
    }

    /// How its rating files are read, with the layout that they have and all else as in `wanted`.
    fn options(&self, wanted: &ReadOptions) -> ReadOptions {
        let (delimiter, columns) = (Some(self.delimiter.into()), self.columns.map(strings));
        let reader = Delimited { delimiter, columns, ..Delimited::default() };
        ReadOptions { titles: None, readers: vec![Arc::new(reader)], ..wanted.clone() }
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// The whole catalog.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// The entry called `name`.
///
/// # Errors
/// [`Error::Usage`] with the nearest name and all names, where there is none.
pub fn find(name: &str) -> Result<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let nearest = ENTRIES
            .iter()
            .map(|entry| (strsim::jaro_winkler(name, entry.name), entry.name))
            .filter(|(similarity, _)| *similarity > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = nearest.map(|(_, near)| format!("; did you mean {near:?}?")).unwrap_or_default();
        let all: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
        Error::Usage(format!("unknown data set {name:?}{hint}\nthe catalog has {}", all.join(", ")))
    })
}

/// The folder of `entry`: under `$LOWRANK_DATA` where it is there, else in the cache.
///
/// # Errors
/// [`Error::Usage`] that says how to get it, where it is in neither.
pub fn locate(entry: &Entry) -> Result<PathBuf> {
    let variable = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let roots: Vec<PathBuf> = variable.into_iter().chain(cache().ok()).collect();
    locate_in(entry, &roots)
}

fn locate_in(entry: &Entry, roots: &[PathBuf]) -> Result<PathBuf> {
    let folders: Vec<PathBuf> = roots.iter().map(|root| root.join(entry.name)).collect();
    if let Some(folder) = folders.iter().find(|folder| folder.join(entry.ratings).is_file()) {
        return Ok(folder.clone());
    }
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let name = entry.name;
    let fetch = if entry.source.is_some() {
        format!(
            "get it with `lowrank data fetch {name}`, or `lowrank data fetch {name} --from FILE.zip` where you have it, or "
        )
    } else {
        String::new()
    };
    Err(Error::Usage(format!(
        "data set {name:?} is not on this machine (looked in {}); {fetch}set {VARIABLE} to the folder that holds {name}/{}",
        looked.join(" and "),
        entry.ratings
    )))
}

/// The folder that [`fetch`] fills.
fn cache() -> Result<PathBuf> {
    files::cache_folder("data")
}

/// Reads `entry`, or with `fold` (from 1) its ready-made training and test files. Of `options`, those count that do not
/// say how the files are laid out.
///
/// # Errors
/// Those of [`locate`] and [`read_dataset`]; [`Error::Usage`] where there is no such fold.
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

/// Downloads `entry`, or takes its archive `from` a file, checks it and unpacks it into the cache. Where all of it is
/// there already, nothing is done.
///
/// `progress` is told the bytes downloaded and, where the server says so, how many there are.
///
/// # Errors
/// [`Error::Usage`] without an official address, [`Error::Failed`] where the download fails, [`Error::Data`] for an
/// archive with another checksum or without the files, [`Error::Io`] where the file system refuses.
pub fn fetch(entry: &Entry, from: Option<&Path>, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
    fetch_into(&cache()?, entry, from, progress)
}

fn fetch_into(
    root: &Path,
    entry: &Entry,
    from: Option<&Path>,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<PathBuf> {
    let Some(source) = entry.source else {
        return Err(Error::Usage(format!(
            "data set {:?} has no official address; set {VARIABLE} to the folder that holds {}/{}",
            entry.name, entry.name, entry.ratings
        )));
    };
    let target = root.join(entry.name);
    if entry.files().iter().all(|file| target.join(file).is_file()) {
        return Ok(target);
    }
    files::create_folder(root)?;
    // Two programs may fetch the same at the same time.
    let temporary = |suffix: &str| Temporary(root.join(format!(".{}-{}{suffix}", entry.name, std::process::id())));
    let downloaded = temporary(".zip");
    let archive = match from {
        Some(archive) => archive,
        None => {
            download(entry.name, source.address, &downloaded.0, progress)?;
            &downloaded.0
        }
    };
    verify(archive, from.map_or(source.address.into(), |path| path.display().to_string()), source.checksum)?;
    let unpacked = temporary("");
    files::create_folder(&unpacked.0)?;
    unpack(archive, source.folder, &entry.files(), &unpacked.0)?;
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|e| Error::io("replace the incomplete folder", &target, e))?;
    }
    fs::rename(&unpacked.0, &target).map_err(|e| Error::io("rename into place", &target, e))?;
    Ok(target)
}

/// A file or folder that goes away with this value, where it is still there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is no reason to fail.
        let _ = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

fn download(name: &str, address: &str, path: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::Failed(format!(
            "cannot download {address}: {error}; fetch it another way, then: lowrank data fetch {name} --from FILE.zip"
        ))
    };
    let response = ureq::get(address).call().map_err(|e| failed(&e))?;
    let total = response.body().content_length();
    let mut body = response.into_body().into_reader();
    let mut file = File::create(path).map_err(|e| Error::io("create", path, e))?;
    let mut buffer = vec![0; 1 << 17];
    let mut done = 0;
    loop {
        progress(done, total);
        match body.read(&mut buffer).map_err(|e| failed(&e))? {
            0 => return Ok(()),
            count => {
                file.write_all(&buffer[..count]).map_err(|e| Error::io("write", path, e))?;
                done += count as u64;
            }
        }
    }
}

/// Refuses `archive` where its checksum is not the one `expected`; `origin` is what messages call it.
fn verify(archive: &Path, origin: String, expected: Checksum) -> Result<()> {
    let (algorithm, expected, found) = match expected {
        Checksum::Md5(expected) => ("MD5", expected, digest::<Md5>(archive)?),
        Checksum::Sha256(expected) => ("SHA-256", expected, digest::<Sha256>(archive)?),
    };
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Error::data(
        origin,
        format!(
            "{algorithm} is {found}, not {expected}: the file is damaged, incomplete or another version; fetch it again"
        ),
    ))
}

/// A checksum of a file, in hexadecimal.
fn digest<D: Digest>(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut hash = D::new();
    let mut buffer = vec![0; 1 << 17];
    loop {
        match file.read(&mut buffer).map_err(|e| Error::io("read", path, e))? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Takes `files` of the archive's `folder`, and nothing else, into `target`.
fn unpack(archive: &Path, folder: &str, files: &[&str], target: &Path) -> Result<()> {
    let failed = |error: ZipError, what: &str| match error {
        ZipError::Io(error) => Error::io("read", archive, error),
        error => Error::data(archive, format!("{what}: {error}")),
    };
    let file = File::open(archive).map_err(|e| Error::io("open", archive, e))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| failed(e, "is not a zip archive"))?;
    for file in files {
        let name = format!("{folder}/{file}");
        let mut member = zip.by_name(&name).map_err(|e| failed(e, &format!("cannot take out {name}")))?;
        let path = target.join(file);
        let mut output = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        io::copy(&mut member, &mut output).map_err(|e| Error::io("unpack", &path, e))?;
        output.sync_all().map_err(|e| Error::io("write", &path, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A zip file with `members`, and an entry that expects it.
    fn archive(folder: &Path, members: &[(&str, &str)]) -> (PathBuf, Entry) {
        let path = folder.join("toy.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        let checksum = Checksum::Sha256(digest::<Sha256>(&path).unwrap().leak());
        let entry = Entry {
            name: "toy",
            description: "",
            source: Some(Source { address: "https://example.invalid/toy.zip", checksum, folder: "top" }),
            ratings: "all",
            delimiter: "|",
            columns: Some(&["item", "user", "rating"]),
            titles: Some(Titles { file: "titles", delimiter: ",", columns: &["title", "item"] }),
            folds: &[("base", "test")],
        };
        (path, entry)
    }

    const MEMBERS: &[(&str, &str)] = &[
        ("top/all", "i1|7|3\ni2|7|4\ni1|8|5\n"),
        ("top/base", "i1|7|3\ni2|7|4\n"),
        ("top/test", "i1|8|5\n"),
        ("top/titles", "\"One, the\",i1\nTwo,i2\n"),
        ("../escape", "never unpacked"),
    ];

    #[test]
    fn an_archive_becomes_a_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let (zip, entry) = archive(folder.path(), MEMBERS);
        let root = folder.path().join("cache");
        let fetched = fetch_into(&root, &entry, Some(&zip), &mut |_, _| {}).unwrap();
        assert_eq!(fetched, root.join("toy"));
        let names = |path: &Path| -> HashSet<String> {
            fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert_eq!(names(&root), HashSet::from(["toy".to_string()]), "no temporaries are left");
        assert_eq!(names(&fetched), ["all", "base", "test", "titles"].map(String::from).into());
        assert!(!folder.path().join("escape").exists());
        // What is there is not fetched again.
        assert_eq!(fetch_into(&root, &entry, Some(Path::new("/nowhere")), &mut |_, _| {}).unwrap(), fetched);

        let located = locate_in(&entry, &[folder.path().join("empty"), root]).unwrap();
        let all = load_from(&entry, &located, None, &ReadOptions::default()).unwrap();
        assert_eq!((all.interactions.len(), all.test_start), (3, None));
        assert_eq!(all.entities[1].titles, Some(vec!["One, the".to_string(), "Two".to_string()]));
        let ignored = ReadOptions::of_reader(Delimited { skip_lines: 7, ..Delimited::default() });
        let binarized = ReadOptions { binarize: Some(5.0), ..ignored };
        let fold = load_from(&entry, &located, Some(1), &binarized).unwrap();
        assert_eq!((fold.test_start, fold.interactions.targets), (Some(2), vec![0.0, 0.0, 1.0]));
        for fold in [0, 2] {
            let error = load_from(&entry, &located, Some(fold), &ReadOptions::default()).unwrap_err().to_string();
            assert!(error.contains(&format!("no fold {fold}; its folds are 1 to 1")), "{error}");
        }
        fs::remove_file(located.join("titles")).unwrap();
        let untitled = load_from(&entry, &located, None, &ReadOptions::default()).unwrap();
        assert!(untitled.entities[1].titles.is_none() && untitled.notes[0].starts_with("there are no titles"));
    }

    #[test]
    fn a_wrong_archive_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("cache");
        let fetch = |zip: &Path, entry: &Entry| {
            let error = fetch_into(&root, entry, Some(zip), &mut |_, _| {}).unwrap_err().to_string();
            assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
            error
        };
        let (zip, incomplete) = archive(folder.path(), &MEMBERS[..2]);
        assert!(fetch(&zip, &incomplete).contains("cannot take out top/titles"));
        let wrong = Checksum::Md5("0123");
        let entry =
            Entry { source: incomplete.source.map(|source| Source { checksum: wrong, ..source }), ..incomplete };
        let sum = digest::<Md5>(&zip).unwrap();
        assert!(fetch(&zip, &entry).contains(&format!("toy.zip: MD5 is {sum}, not 0123: ")));
        assert!(fetch(&folder.path().join("none.zip"), &entry).contains("none.zip: cannot open"));
        fs::write(&zip, "no archive").unwrap();
        let checksum = Checksum::Sha256(digest::<Sha256>(&zip).unwrap().leak());
        let entry = Entry { source: entry.source.map(|source| Source { checksum, ..source }), ..entry };
        assert!(fetch(&zip, &entry).contains("is not a zip archive"));
    }

    #[test]
    fn what_is_not_there_comes_with_directions() {
        let roots = [PathBuf::from("/nowhere/a"), PathBuf::from("/nowhere/b")];
        let error = locate_in(find("movielens-1m").unwrap(), &roots).unwrap_err().to_string();
        for part in ["/nowhere/a/movielens-1m and /nowhere/b/movielens-1m", "data fetch movielens-1m --from", VARIABLE]
        {
            assert!(error.contains(part), "{error}");
        }
        let filmtrust = find("filmtrust").unwrap();
        assert!(!locate_in(filmtrust, &roots).unwrap_err().to_string().contains("fetch"));
        let error = fetch_into(&roots[0], filmtrust, None, &mut |_, _| {}).unwrap_err().to_string();
        assert!(error.contains("no official address") && error.contains("filmtrust/ratings.txt"), "{error}");
    }

    #[test]
    fn names_are_unique_and_misspelt_ones_are_guessed() {
        let names: HashSet<&str> = entries().iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), entries().len());
        let error = find("movielens100k").unwrap_err().to_string();
        assert!(error.starts_with("unknown data set \"movielens100k\"; did you mean \"movielens-100k\"?"), "{error}");
        assert!(
            find("zzz").unwrap_err().to_string().starts_with("unknown data set \"zzz\"\nthe catalog has movielens-")
        );
    }

    #[test]
    fn checksums_are_well_formed() {
        for source in entries().iter().filter_map(|entry| entry.source) {
            let (sum, length) = match source.checksum {
                Checksum::Md5(sum) => (sum, 32),
                Checksum::Sha256(sum) => (sum, 64),
            };
            assert!(sum.len() == length && sum.chars().all(|c| c.is_ascii_hexdigit()), "{}", source.address);
        }
    }
}
