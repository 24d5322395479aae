//! `seen.safetensors`: the items that each user rated, so that recommendations can leave them out.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::Role;
use crate::data::split::{NewRows, Split};
use crate::data::unseen::met_items;
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::train::{FileForm, Tensor, read_tensors, write_tensors};

/// Files of what users rated. Version 1 knew the training part only.
const SEEN: FileForm = FileForm { version: 2, mark: "" };

/// The items that each user rated.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenItems {
    /// Sorted item indices by user, of the training part.
    train: Groups,
    /// Those of the validation and the test part.
    held_out: Groups,
}

/// What the names of the tensors begin with that are not of the training part.
const HELD_OUT: &str = "held_out.";

#[derive(Serialize, Deserialize)]
struct SeenHeader {
    format_version: u32,
}

impl SeenItems {
    /// The items of all users of a split.
    pub fn of(split: &Split) -> Self {
        Self { train: split.met([&split.train]), held_out: split.met([&split.validation, &split.test]) }
    }

    /// These, and further users behind them, none of whose items were held out.
    fn with_users(&self, train: Groups) -> Self {
        let none = Groups::new(train.count(), std::iter::empty());
        Self { train: self.train.followed_by(&train), held_out: self.held_out.followed_by(&none) }
    }

    /// These, and further items of the same users.
    fn with_items(&self, train: &Groups) -> Self {
        Self { train: self.train.joined(train), held_out: self.held_out.clone() }
    }

    /// Sorted item indices by user, of the training part.
    pub fn train(&self) -> &Groups {
        &self.train
    }

    /// The same, without the rest.
    pub fn into_train(self) -> Groups {
        self.train
    }

    /// Sorted indices of the items that a user rated: in training, and if `held_out`, in the other parts too.
    pub fn items(&self, user: u32, held_out: bool) -> Vec<u32> {
        let mut items = self.train.get(user as usize).to_vec();
        if held_out {
            items.extend(self.held_out.get(user as usize));
            items.sort_unstable();
            items.dedup();
        }
        items
    }

    /// These, and behind them what new users were given, or with which users new items were.
    pub fn with_new(&self, role: Role, new: &NewRows, [num_users, num_items]: [usize; 2]) -> Self {
        match role {
            Role::User => self.with_users(met_items([&new.given], new.entity.ids.len())),
            Role::Item => {
                let mut given = new.given.clone();
                given.columns[role.field().0].iter_mut().for_each(|item| *item += num_items as u32);
                self.with_items(&met_items([&given], num_users))
            }
        }
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let of = |prefix: &str, groups: &Groups| {
            let starts: Vec<u64> = groups.starts().iter().map(|&start| start as u64).collect();
            [
                (format!("{prefix}starts"), Tensor::u64s(&starts)),
                (format!("{prefix}items"), Tensor::u32s(groups.members())),
            ]
        };
        let tensors = [of("", &self.train), of(HELD_OUT, &self.held_out)].concat();
        write_tensors(path, &tensors, &SeenHeader { format_version: SEEN.version })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] if it is damaged or not of `num_users` users and `num_items` items.
    pub fn read(path: &Path, num_users: usize, num_items: usize) -> Result<Self> {
        let (tensors, _) = read_tensors::<SeenHeader>(path, SEEN)?;
        let of = |prefix: &str| {
            let starts = tensors.get(&format!("{prefix}starts"))?.to_u64s()?;
            let starts = starts.into_iter().map(|start| start as usize).collect();
            let groups = Groups::from_parts(starts, tensors.get(&format!("{prefix}items"))?.to_u32s()?)?;
            let is_sound = |of_user: &[u32]| {
                of_user.is_sorted_by(|a, b| a < b) && of_user.last().is_none_or(|&item| (item as usize) < num_items)
            };
            (groups.count() == num_users && groups.iter().all(is_sound)).then_some(groups)
        };
        let seen = || Some(Self { train: of("")?, held_out: of(HELD_OUT)? });
        seen().ok_or_else(|| Error::model_file(path, "does not belong to this model"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Entity, Interactions, UNKNOWN, Vocabulary, pair_fields};

    #[test]
    fn what_a_user_rated_is_known_part_by_part() {
        let part = |pairs: &[[u32; 2]]| {
            let mut rows = Interactions::default();
            pairs.iter().for_each(|&pair| rows.push(pair, 1.0, None));
            rows
        };
        let split = Split {
            train: part(&[[0, 2], [1, 0], [0, 0]]),
            validation: part(&[[0, 1], [1, UNKNOWN]]),
            test: part(&[[UNKNOWN, 1], [0, 2], [1, 2]]),
            entities: vec![
                Entity { ids: Vocabulary::numbered(2), ..Entity::new("user") },
                Entity { ids: Vocabulary::numbered(4), ..Entity::new("item") },
            ],
            fields: pair_fields(),
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("seen.safetensors");
        SeenItems::of(&split).write(&path).expect("write");
        let seen = SeenItems::read(&path, 2, 4).expect("read");
        assert_eq!(seen, SeenItems::of(&split));
        assert_eq!([seen.items(0, false), seen.items(1, false)], [vec![0, 2], vec![0]]);
        assert_eq!([seen.items(0, true), seen.items(1, true)], [vec![0, 1, 2], vec![0, 2]]);
        assert_eq!(seen.into_train().get(0), [0, 2]);
        assert!(SeenItems::read(&path, 3, 4).is_err() && SeenItems::read(&path, 2, 2).is_err());
    }
}
