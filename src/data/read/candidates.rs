//! Items that test interactions are ranked among, as published protocols give them.

use std::path::Path;

use sha2::Sha256;

use super::text::{Lines, splitter};
use crate::data::{CandidateList, UNKNOWN, Vocabulary};
use crate::error::Result;

/// The lists of a file with a line for each test interaction: `(user,item)`, as in the files of NCF (He et al. 2017), or
/// the two in columns of their own, and then the items that this one is ranked among. The item itself among these is left
/// out.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io), [`Error::Data`](crate::error::Error::Data) for a line that names no interaction
/// or no other item.
pub fn read_candidates(path: &Path, users: &Vocabulary, items: &Vocabulary) -> Result<Vec<CandidateList>> {
    let mut hash = Sha256::default();
    let mut lines = Lines::open(path, &mut hash)?;
    let mut splitter = splitter(None, &lines)?;
    let mut lists = Vec::new();
    while let Some(row) = splitter.next(&mut lines)? {
        let fields = row.texts();
        let inner = fields[0].strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let (pair, others) = match inner.and_then(|pair| pair.split_once(',')) {
            Some(pair) => (Some(pair), &fields[1..]),
            None => (fields.get(1).map(|item| (&*fields[0], &**item)), fields.get(2..).unwrap_or_default()),
        };
        let Some((user, item)) = pair.filter(|_| !others.is_empty()) else {
            return Err(row.line_error(
                "expected a user and an item, as in (user,item) or in two columns, and then the items that this one is ranked \
                 among",
            ));
        };
        let index = |vocabulary: &Vocabulary, id: &str| vocabulary.index(id.trim()).unwrap_or(UNKNOWN);
        let item_index = index(items, item);
        let others = others.iter().filter(|other| other.trim() != item.trim());
        lists.push(CandidateList {
            user: index(users, user),
            item: item_index,
            others: others.map(|other| index(items, other)).collect(),
        });
    }
    if lists.is_empty() {
        return Err(lines.error("is empty; expected a line for each test interaction"));
    }
    if lists.iter().all(|list| list.user == UNKNOWN || list.item == UNKNOWN) {
        return Err(lines.error(
            "names no user and item of the training data; its ids must be those of data.path, and pairs in brackets need \
             another separator than commas",
        ));
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn read(content: &str) -> Result<Vec<CandidateList>> {
        let (_folder, path) = file("negative", content.as_bytes());
        read_candidates(&path, &Vocabulary::from_ids(["u", "7"]), &Vocabulary::from_ids(["25", "a", "b"]))
    }

    #[test]
    fn an_interaction_is_in_brackets_or_in_two_columns() {
        let expected = [CandidateList { user: 1, item: 0, others: vec![1, UNKNOWN] }];
        for content in ["(7,25)\ta\tz\n", "(7,25)\ta\t25\tz\n", "7\t25\ta\tz\n", "7,25,a,z"] {
            assert_eq!(read(content).expect("a list"), expected, "{content:?}");
        }
        let unknown = read("(x,b)\ta\n(u,y)\tb\n(u,b)\ta\n").expect("lists");
        assert_eq!((unknown[0].user, unknown[1].item), (UNKNOWN, UNKNOWN));
        let error = read("(7,25),a,z\n").expect_err("other ids").to_string();
        assert!(error.contains("data.path"), "{error}");
    }

    #[test]
    fn a_line_without_candidates_is_an_error_with_its_place() {
        let error = read("(7,25)\ta\n(7\ta\n").expect_err("no candidates").to_string();
        assert!(error.contains(":2:") && error.contains("(user,item)"), "{error}");
        assert!(read("7\t25\n").is_err() && read("").is_err());
    }
}
