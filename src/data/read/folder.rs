//! Data that are a folder of files, each of them a row of the matrix.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use sha2::{Digest, Sha256};

use super::hash::Hash;
use crate::data::normal_form::composed;
use crate::error::{Error, Result};
use crate::files;

/// What files can be by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Pictures, by their extension.
    Pictures,
    /// Texts, by their extension or because they have none.
    Texts,
}

impl Kind {
    const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pictures => &["png", "jpg", "jpeg", "pgm", "ppm", "pnm"],
            Self::Texts => &["txt", "text", "md"],
        }
    }

    /// What a folder holds more of; of equals, texts.
    ///
    /// # Errors
    /// [`Error::Io`] if a folder cannot be listed, [`Error::Data`] if it holds neither.
    pub fn of_most(folder: &Path) -> Result<Self> {
        let files = files(folder)?;
        let count = |kind: Self| files.iter().filter(|file| kind.names(file)).count();
        match (count(Self::Pictures), count(Self::Texts)) {
            (0, 0) => Err(Error::data(
                folder,
                format!("is a folder that holds neither {} nor {}", Self::Pictures, Self::Texts),
            )),
            (pictures, texts) if pictures > texts => Ok(Self::Pictures),
            _ => Ok(Self::Texts),
        }
    }

    /// Whether a file is called like one.
    pub fn names(self, path: &Path) -> bool {
        has_extension(path, self.extensions()) || self == Self::Texts && extension(path).is_none()
    }
}

/// `texts (.txt, .text, .md or without extension)`
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, more) = match self {
            Self::Pictures => ("pictures", ""),
            Self::Texts => ("texts", " or without extension"),
        };
        write!(f, "{name} (.{}{more})", self.extensions().join(", ."))
    }
}

/// One file of a folder.
pub(super) struct Member {
    pub path: PathBuf,
    /// The path as seen from the folder, with `/` between its parts.
    name: String,
    /// The same without extension and with accents composed: the id of the row.
    pub id: String,
}

/// Those files of a folder that are rows.
pub(super) struct Folder {
    path: PathBuf,
    /// In natural order of their ids: `s2/1`, `s2/10`, `s10/1`.
    pub members: Vec<Member>,
    /// Number of other files.
    left_out: usize,
}

impl Folder {
    /// All files in and below `path` that end in `wanted`, or where it is `None` those that are called like `kind`.
    /// Names that begin with a dot do not count.
    ///
    /// # Errors
    /// [`Error::Io`] where a folder cannot be listed, [`Error::Data`] where no file is a member or two have the same
    /// id.
    pub fn list(path: &Path, kind: Kind, wanted: Option<&str>) -> Result<Self> {
        let is_member = |file: &PathBuf| match wanted {
            Some(wanted) => has_extension(file, &[wanted.trim_start_matches('.').to_lowercase().as_str()]),
            None => kind.names(file),
        };
        let (members, others): (Vec<_>, Vec<_>) = files(path)?.into_iter().partition(is_member);
        if members.is_empty() {
            let expected = match wanted {
                Some(wanted) => format!("files with the extension {wanted:?}"),
                None => format!("{kind}; give their extension if it is another"),
            };
            return Err(Error::data(path, format!("holds no {expected}")));
        }
        let member = |file: PathBuf| {
            let inside = file.strip_prefix(path).unwrap_or(&file);
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            let id = &name[..name.len() - extension(inside).map_or(0, |extension| extension.len() + 1)];
            let id = composed(id).into_owned();
            Member { path: file, name, id }
        };
        let mut members: Vec<_> = members.into_iter().map(member).collect();
        members.sort_by_cached_key(|member| (natural(&member.id), member.name.clone()));
        if let Some([first, second]) = members.array_windows().find(|[first, second]| first.id == second.id) {
            return Err(Error::data(
                &second.path,
                format!("{} has the same name but for the extension; rename one of them", first.path.display()),
            ));
        }
        Ok(Self { path: path.to_path_buf(), members, left_out: others.len() })
    }

    /// What to tell of the files that are no members.
    pub fn note(&self) -> Option<String> {
        let message = match self.left_out {
            0 => return None,
            1 => "1 file is left out: it is called otherwise than the others".to_owned(),
            count => format!("{count} files are left out: they are called otherwise than the others"),
        };
        Some(format!("{}: {message}", self.path.display()))
    }

    /// The hash of the folder, given that of each member: SHA-256 of names, each ended by a zero byte, and hashes.
    pub fn hash(&self, hashes: &[Hash]) -> Hash {
        let mut all = Sha256::new();
        for (member, hash) in self.members.iter().zip(hashes) {
            all.update(member.name.as_bytes());
            all.update([0]);
            all.update(hash);
        }
        all.finalize().into()
    }
}

/// Whether the name ends in one of these extensions, if need be before that of compression.
pub(super) fn has_extension(path: &Path, known: &[&str]) -> bool {
    let found = extension(path).unwrap_or_default().to_lowercase();
    known.contains(&files::inner_name(&found))
}

/// What follows the last dot of a file's name, or the last but one if that of compression follows: `"txt"`, `"txt.gz"`.
fn extension(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let inner = files::inner_name(name);
    // A dot at the start does not end a name.
    match inner.rfind('.') {
        Some(dot) if dot > 0 => Some(&name[dot + 1..]),
        _ => name.get(inner.len() + 1..),
    }
}

/// Every file in and below `folder` but those whose name, or whose folder's name, begins with a dot.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let problem = |source| Error::io("list the folder", folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(problem)? {
        let entry = entry.map_err(problem)?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if fs::metadata(&path).map_err(|source| Error::io("read", &path, source))?.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// What sorts as people sort names: folder by folder, and runs of digits as numbers.
fn natural(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 4);
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            key.push(if first == '/' { '\0' } else { first });
            rest = &rest[first.len_utf8()..];
            continue;
        }
        // Of two numbers without leading zeros the longer one is larger; its length stands where digits do.
        let number = rest[..digits].trim_start_matches('0');
        key.push(char::from(b'0' + number.len().min(200) as u8));
        key.push_str(number);
        rest = &rest[digits..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::super::tests::{folder, problem};
    use super::*;

    #[test]
    fn members_are_in_natural_order_and_named_without_extension() {
        let names = ["s10/1.txt", "s2/10.txt", "s2/2.txt.gz", "s2/002b", "s-2/1.md", "b.c/x.TXT", "9.text", "010.txt"];
        let others = [".hidden.txt", ".git/x.txt", "a.pdf", "s2/list.csv", "x.gz"];
        let folder = folder(names.into_iter().chain(others).map(|name| (name, "")));
        let listing = Folder::list(folder.path(), Kind::Texts, None).unwrap();
        let ids: Vec<_> = listing.members.iter().map(|member| member.id.as_str()).collect();
        assert_eq!(ids, ["9", "010", "b.c/x", "s-2/1", "s2/2", "s2/002b", "s2/10", "s10/1"]);
        assert!(listing.note().unwrap().contains(": 3 files are left out: "));
        let one = Folder::list(folder.path(), Kind::Texts, Some(".CSV")).unwrap();
        assert_eq!(one.members[0].id, "s2/list");
        assert_eq!(
            problem(&folder, Folder::list(folder.path(), Kind::Texts, Some("html"))),
            ".: holds no files with the extension \"html\""
        );
    }

    #[test]
    fn two_files_of_one_name_are_refused() {
        let folder = folder([("a/x.txt", ""), ("a/x.md", "")]);
        assert_eq!(
            problem(&folder, Folder::list(folder.path(), Kind::Texts, None)),
            "a/x.txt: a/x.md has the same name but for the extension; rename one of them"
        );
    }

    #[test]
    fn the_hash_follows_names_and_contents() {
        let hash = |files: &[(&str, u8)]| {
            let folder = folder(files.iter().map(|(name, _)| (name, "")));
            let hashes: Vec<Hash> = files.iter().map(|(_, content)| [*content; 32]).collect();
            Folder::list(folder.path(), Kind::Texts, None).unwrap().hash(&hashes)
        };
        let base = hash(&[("a", 1), ("b", 2)]);
        assert_eq!(base, hash(&[("a", 1), ("b", 2)]));
        for other in [[("a", 1), ("c", 2)], [("a", 1), ("b", 3)], [("a", 1), ("b.txt", 2)]] {
            assert_ne!(base, hash(&other));
        }
    }

    #[test]
    fn a_folder_holds_what_it_has_more_of() {
        let of = |names: &[&str]| {
            let folder = folder(names.iter().map(|name| (name, "")));
            Kind::of_most(folder.path()).map_err(|error| problem::<()>(&folder, Err(error)))
        };
        assert_eq!(of(&["a/1.PNG", "a/2.jpeg", "README"]), Ok(Kind::Pictures));
        assert_eq!(of(&["a/1.txt", "a/2.txt.gz", "logo.png"]), Ok(Kind::Texts));
        assert!(of(&["r.csv"]).unwrap_err().starts_with(".: is a folder that holds neither pictures (.png, "));
    }
}
