//! Data sets from their official addresses: downloaded, checked and unpacked.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use md5::Md5;
use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use super::entry::{Checksum, Entry};
use super::folders::{VARIABLE, cache, locate};
use crate::error::{Error, Result};
use crate::files::{self, Lock};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How the name of the lock ends that is held while a data set is fetched or removed.
const LOCK: &str = "lock";

/// Downloads `entry`, or takes its archive `from` a file, checks it and unpacks it into the cache. Does nothing if all
/// files are there already, or under `$LOWRANK_DATA` unless an archive is given.
///
/// `progress` is given the bytes downloaded and, if the server reports it, the total.
///
/// # Errors
/// [`Error::Usage`] without an official address or if another process fetches it, [`Error::Failed`] if the download
/// fails, [`Error::Data`] for an archive with another checksum or without the files, [`Error::Io`] if the file system
/// refuses.
pub fn fetch(entry: &Entry, from: Option<&Path>, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
    match from {
        None => locate(entry).or_else(|_| fetch_into(&cache()?, entry, from, progress)),
        Some(_) => fetch_into(&cache()?, entry, from, progress),
    }
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
    let is_complete = || entry.files().iter().all(|file| target.join(file).is_file());
    if is_complete() {
        return Ok(target);
    }
    files::create_folder(root)?;
    let hidden = |end: &str| root.join(format!(".{}.{end}", entry.name));
    let _lock = Lock::take(&hidden(LOCK), &target)?;
    // Another process may have held it until now.
    if is_complete() {
        return Ok(target);
    }
    // With the lock, there is nobody left who fetches into the folders of earlier calls.
    remove_unfinished(root, entry.name);
    let unfinished = Temporary(hidden("unfinished"));
    files::create_folder(&unfinished.0)?;
    let downloaded = unfinished.0.join("archive.zip");
    let archive = match from {
        Some(archive) => archive,
        None => {
            download(entry.name, source.address, &downloaded, PATIENCE, progress)?;
            &downloaded
        }
    };
    verify(archive, from.map_or(source.address.into(), |path| path.display().to_string()), source.checksum)?;
    let unpacked = unfinished.0.join("unpacked");
    files::create_folder(&unpacked)?;
    unpack(archive, source.folder, &entry.files(), &unpacked)?;
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|e| Error::io("replace the incomplete folder", &target, e))?;
    }
    fs::rename(&unpacked, &target).map_err(|e| Error::io("rename into place", &target, e))?;
    files::sync_folder(root).map_err(|e| Error::io("write", root, e))?;
    Ok(target)
}

/// Removes a data set that was fetched, and what killed processes left of fetching it. Says whether there was anything.
///
/// # Errors
/// [`Error::Usage`] if another process fetches it, [`Error::Io`].
pub fn remove(entry: &Entry) -> Result<bool> {
    let root = cache()?;
    let target = root.join(entry.name);
    if !root.is_dir() {
        return Ok(false);
    }
    let _lock = Lock::take(&root.join(format!(".{}.{LOCK}", entry.name)), &target)?;
    let mut found = remove_unfinished(&root, entry.name);
    if target.is_dir() {
        fs::remove_dir_all(&target).map_err(|e| Error::io("remove", &target, e))?;
        found = true;
    }
    Ok(found)
}

/// Where a data set lies that was fetched, and its bytes; `None` if it was not.
pub fn fetched(entry: &Entry) -> Option<(PathBuf, u64)> {
    let folder = cache().ok()?.join(entry.name);
    let files = fs::read_dir(&folder).ok()?;
    Some((folder, files.flatten().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()))
}

/// Removes what killed processes left of fetching `name` into `root`, and says whether there was anything. Needs the
/// lock.
fn remove_unfinished(root: &Path, name: &str) -> bool {
    let mut found = false;
    // What cannot be listed or removed is no reason to fail.
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let rest = file_name.strip_prefix('.').and_then(|rest| rest.strip_prefix(name));
        // `.name-PROCESS` and `.name-PROCESS.zip` are of programs before this one.
        if rest.is_some_and(|rest| rest.starts_with(['.', '-']) && rest != format!(".{LOCK}")) {
            drop(Temporary(entry.path()));
            found = true;
        }
    }
    found
}

/// A file or folder that goes away with this value, where it is still there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Failing to remove it is no reason to fail.
        let _ = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

/// Downloads `address` into a file at `path`. A server that sends nothing for as long as `patience` is given up.
fn download(
    name: &str,
    address: &str,
    path: &Path,
    patience: Duration,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::Failed(format!(
            "cannot download {address}: {error}; fetch it another way, then: lowrank data fetch {name} --from FILE.zip"
        ))
    };
    // However long a slow download takes, only the wait for its next bytes is limited.
    let agent = ureq::Agent::config_builder().timeout_connect(Some(patience)).timeout_per_read(Some(patience));
    let response = agent.build().new_agent().get(address).call().map_err(|e| failed(&e))?;
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

/// Rejects `archive` if its checksum is not `expected`; `origin` names it in messages.
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

/// Extracts `files` of the archive's `folder`, and only those, into `target`.
fn unpack(archive: &Path, folder: &str, files: &[&str], target: &Path) -> Result<()> {
    let failed = |error: ZipError, what: &str| match error {
        ZipError::Io(error) => Error::io("read", archive, error),
        error => Error::data(archive, format!("{what}: {error}")),
    };
    let file = File::open(archive).map_err(|e| Error::io("open", archive, e))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| failed(e, "is not a zip archive"))?;
    for file in files {
        let name = format!("{folder}/{file}");
        let mut member = zip.by_name(&name).map_err(|e| failed(e, &format!("cannot extract {name}")))?;
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

    use super::super::entry::{Archive, Titles};
    use super::super::folders::locate_in;
    use super::super::{find, load_from};
    use super::*;
    use crate::data::read::{Delimited, ReadOptions};

    /// A zip file with `members`, and a matching entry.
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
            source: Some(Archive { address: "https://example.invalid/toy.zip", checksum, folder: "top" }),
            ratings: "all",
            delimiter: "|",
            columns: Some(&["item", "user", "rating"]),
            titles: Some(Titles { file: "titles", delimiter: ",", columns: &["title", "item"] }),
            user_features: None,
            item_features: None,
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
        // Existing files are not fetched again.
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
        assert!(untitled.entities[1].titles.is_none() && untitled.notes[1].starts_with("there are no titles"));
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
        assert!(fetch(&zip, &incomplete).contains("cannot extract top/titles"));
        let wrong = Checksum::Md5("0123");
        let entry =
            Entry { source: incomplete.source.map(|source| Archive { checksum: wrong, ..source }), ..incomplete };
        let sum = digest::<Md5>(&zip).unwrap();
        assert!(fetch(&zip, &entry).contains(&format!("toy.zip: MD5 is {sum}, not 0123: ")));
        assert!(fetch(&folder.path().join("none.zip"), &entry).contains("none.zip: cannot open"));
        fs::write(&zip, "no archive").unwrap();
        let checksum = Checksum::Sha256(digest::<Sha256>(&zip).unwrap().leak());
        let entry = Entry { source: entry.source.map(|source| Archive { checksum, ..source }), ..entry };
        assert!(fetch(&zip, &entry).contains("is not a zip archive"));
    }

    #[test]
    fn a_second_process_is_refused_and_what_a_killed_one_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (zip, entry) = archive(folder.path(), MEMBERS);
        let root = folder.path().join("cache");
        fs::create_dir_all(root.join(".toy.unfinished/unpacked")).unwrap();
        for left in [".toy.unfinished/archive.zip", ".toy-4711.zip", ".toy.lock", ".toyota-1"] {
            fs::write(root.join(left), "").unwrap();
        }
        let fetch = || fetch_into(&root, &entry, Some(&zip), &mut |_, _| {});
        let lock = Lock::take(&root.join(".toy.lock"), &root).unwrap();
        let error = fetch().unwrap_err().to_string();
        assert!(error.contains(&format!("toy: process {} is at work on it", std::process::id())), "{error}");
        drop(lock);
        fetch().unwrap();
        let mut left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".toyota-1", "toy"]);
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/toy.zip", server.local_addr().unwrap());
        let silence = std::thread::spawn(move || {
            // Nothing for the first call, and half of what is promised for the second.
            let first = server.accept().unwrap();
            let (mut second, _) = server.accept().unwrap();
            second.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
            (first, second)
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        for _ in 0..2 {
            let started = std::time::Instant::now();
            let error = download("toy", &address, &path, Duration::from_millis(300), &mut |_, _| {});
            let error = error.unwrap_err().to_string();
            assert!(error.contains(&address) && error.contains("data fetch toy --from"), "{error}");
            assert!(started.elapsed() < Duration::from_secs(10), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"half");
        drop(silence.join());
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
}
