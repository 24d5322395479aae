//! What a division makes of the data: ratings with indices of their own, and rows that were held out.

use std::collections::HashMap;

use super::Part;
use crate::data::{Dataset, Ratings, UNKNOWN, Vocabulary};
use crate::error::{Error, Result};

/// Ratings divided, and the ids that a model trained on them knows.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// What parameters are fitted to.
    pub train: Ratings,
    /// What settings are chosen by; ids that training has not seen are [`UNKNOWN`].
    pub validation: Ratings,
    /// What the result is measured on; ids that training has not seen are [`UNKNOWN`].
    pub test: Ratings,
    /// User ids of the training ratings, in order of first appearance there: every row of a parameter is trained.
    pub users: Vocabulary,
    /// Item ids of the training ratings, likewise.
    pub items: Vocabulary,
    /// Title of each of `items`.
    pub titles: Option<Vec<String>>,
}

/// Divides `dataset` into `parts`; with `refit`, validation joins training.
///
/// # Errors
/// [`Error::Usage`] where `parts` does not give each rating a part, or nothing is left to train on.
pub fn divide(dataset: &Dataset, parts: &[Part], refit: bool) -> Result<Split> {
    let ratings = &dataset.ratings;
    if parts.len() != ratings.len() {
        return Err(Error::Usage(format!("split: {} parts for {} ratings", parts.len(), ratings.len())));
    }
    let part_of = |part| if refit && part == Part::Validation { Part::Train } else { part };
    let mut users = Renumbering::new(&dataset.users);
    let mut items = Renumbering::new(&dataset.items);
    for (rating, &part) in parts.iter().enumerate() {
        if part_of(part) == Part::Train {
            users.see(ratings.users[rating]);
            items.see(ratings.items[rating]);
        }
    }
    let number = |numbers: &[u32], index: u32| numbers.get(index as usize).copied().unwrap_or(UNKNOWN);
    let collect = |wanted| {
        let belongs = |part: &Part| part_of(*part) == wanted;
        let count = parts.iter().filter(|part| belongs(part)).count();
        let mut collected = Ratings::with_capacity(count, ratings.timestamps.is_some());
        for (rating, _) in parts.iter().enumerate().filter(|(_, part)| belongs(part)) {
            collected.push(
                number(&users.new, ratings.users[rating]),
                number(&items.new, ratings.items[rating]),
                ratings.values[rating],
                ratings.timestamps.as_ref().map(|timestamps| timestamps[rating]),
            );
        }
        collected
    };
    let (train, (validation, test)) =
        rayon::join(|| collect(Part::Train), || rayon::join(|| collect(Part::Validation), || collect(Part::Test)));
    if train.is_empty() {
        return Err(Error::Usage("split: nothing is left to train on; lower the test and validation shares".into()));
    }
    let titles = dataset
        .titles
        .as_ref()
        .map(|titles| items.old.iter().map(|&item| titles.get(item as usize).cloned().unwrap_or_default()).collect());
    Ok(Split { train, validation, test, users: users.vocabulary, items: items.vocabulary, titles })
}

/// Users of whom training has seen nothing, as a model without a row for them can still be asked about them: through
/// their ratings of items that it knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldOut {
    /// Their ids, in the order of the data.
    pub ids: Vec<String>,
    /// The test ratings of each: index of the item among [`Split::items`], and rating, in the order of the data. Items
    /// that training has not seen are left out.
    pub cells: Vec<Vec<(u32, f32)>>,
}

/// The users of the test part of whom training has seen nothing; `split` is what [`divide`] made of `parts`.
///
/// # Examples
/// Faces in folders, a folder a person: `cells` are the pixels of the faces that were not trained on, and
/// `class_of(&ids[i])` is whose face the `i`-th is.
pub fn held_out_rows(dataset: &Dataset, parts: &[Part], split: &Split) -> HeldOut {
    let ratings = &dataset.ratings;
    let items: Vec<Option<u32>> = dataset.items.ids().map(|id| split.items.index(id)).collect();
    let mut held_out = HeldOut::default();
    // Row of each user in `held_out`.
    let mut rows: HashMap<u32, usize> = HashMap::new();
    for (rating, _) in parts.iter().enumerate().filter(|(_, part)| **part == Part::Test) {
        let user = ratings.users[rating];
        let id = dataset.users.id(user as usize);
        if split.users.index(id).is_some() {
            continue;
        }
        let row = *rows.entry(user).or_insert_with(|| {
            held_out.ids.push(id.to_owned());
            held_out.cells.push(Vec::new());
            held_out.ids.len() - 1
        });
        if let Some(item) = items[ratings.items[rating] as usize] {
            held_out.cells[row].push((item, ratings.values[rating]));
        }
    }
    held_out
}

/// Gives the ids that training has new indices, in order of first appearance.
struct Renumbering<'a> {
    all: &'a Vocabulary,
    vocabulary: Vocabulary,
    /// New index of each old one, or [`UNKNOWN`].
    new: Vec<u32>,
    /// Old index of each new one.
    old: Vec<u32>,
}

impl<'a> Renumbering<'a> {
    fn new(all: &'a Vocabulary) -> Self {
        Self { all, vocabulary: Vocabulary::default(), new: vec![UNKNOWN; all.len()], old: Vec::new() }
    }

    fn see(&mut self, old: u32) {
        let new = &mut self.new[old as usize];
        if *new == UNKNOWN {
            *new = self.vocabulary.insert(self.all.id(old as usize));
            self.old.push(old);
        }
    }
}
