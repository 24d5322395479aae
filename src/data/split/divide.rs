//! Divided interactions, and the ids that a model trained on them knows.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use rayon::prelude::*;

use super::Part;
use crate::data::{Bag, Dataset, Entity, Field, FieldId, Frame, ITEM, Interactions, Role, UNKNOWN, USER, Vocabulary};
use crate::error::{Error, Result};

/// Divided interactions, and the ids that a model trained on them knows.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// What parameters are fitted to.
    pub train: Interactions,
    /// What settings are chosen by; ids that training has not seen are [`UNKNOWN`].
    pub validation: Interactions,
    /// What the result is measured on; ids that training has not seen are [`UNKNOWN`].
    pub test: Interactions,
    /// Each entity with the ids of the training interactions, in order of first appearance there, so that every row of a
    /// parameter is trained. Data with an order of their own ([`Layout::is_ordered`](crate::data::Layout::is_ordered)) keep
    /// it, and where a place alone tells what a row or column is, those that training has not seen keep theirs.
    pub entities: Vec<Entity>,
    /// The columns.
    pub fields: Vec<Field>,
}

impl Split {
    /// Names and sizes, from which a model is created.
    pub fn frame(&self) -> Frame {
        let bags = self.train.bags.iter().map(|bag| bag.frame.clone()).collect();
        Frame { bags, ..Frame::of(&self.entities, &self.fields) }
    }

    /// The entity that a field indexes.
    pub fn entity(&self, field: FieldId) -> &Entity {
        &self.entities[self.fields[field.0].entity]
    }

    /// Ids of the first field.
    pub fn users(&self) -> &Vocabulary {
        &self.entity(USER).ids
    }

    /// Ids of the second field.
    pub fn items(&self) -> &Vocabulary {
        &self.entity(ITEM).ids
    }

    /// Adds the histories of the rows of these fields: (field whose rows have one, field of its members), collected
    /// from the training interactions, or only from those `above_zero`.
    pub fn add_histories(&mut self, histories: &[(FieldId, FieldId)], above_zero: bool) {
        if histories.is_empty() {
            return;
        }
        let frame = self.frame();
        let kept = |column: &Vec<u32>| {
            let known = column.iter().zip(&self.train.targets).filter(|(_, target)| **target > 0.0);
            known.map(|(&index, _)| index).collect::<Vec<u32>>()
        };
        let has_others = above_zero && self.train.targets.iter().any(|&target| target <= 0.0);
        let fewer: Option<Vec<Vec<u32>>> = has_others.then(|| self.train.columns.iter().map(kept).collect());
        let columns = fewer.as_ref().unwrap_or(&self.train.columns);
        let new = histories.iter().map(|&(owner, of)| Bag::history(|field| &columns[field.0], &frame, owner, of));
        let bags: Arc<Vec<Bag>> = Arc::new(self.train.bags.iter().cloned().chain(new).collect());
        for part in [&mut self.train, &mut self.validation, &mut self.test] {
            part.bags = Arc::clone(&bags);
        }
    }
}

/// Divides `dataset` into `parts`; with `refit`, validation joins training.
///
/// # Errors
/// [`Error::Usage`] if `parts` does not give each interaction a part, or nothing is left to train on.
pub fn divide(dataset: &Dataset, parts: &[Part], refit: bool) -> Result<Split> {
    let all = &dataset.interactions;
    if parts.len() != all.len() {
        return Err(Error::Usage(format!("split: {} parts for {} ratings", parts.len(), all.len())));
    }
    let joined = |part: &Part| if refit && *part == Part::Validation { Part::Train } else { *part };
    let parts: Vec<Part> = parts.iter().map(joined).collect();
    let renumberings = renumberings(dataset, &parts);
    let columns = || dataset.fields.iter().zip(&all.columns);
    let mut counts = [0; 3];
    parts.iter().for_each(|part| counts[*part as usize] += 1);
    let renumbered = |(field, column): (&Field, &Vec<u32>)| {
        let new = &renumberings[field.entity].new;
        deal(column.iter().map(|&old| new.get(old as usize).copied().unwrap_or(UNKNOWN)), &parts, counts)
    };
    let mut columns: Vec<[Vec<u32>; 3]> = columns().collect::<Vec<_>>().into_par_iter().map(renumbered).collect();
    let mut targets = deal(all.targets.iter().copied(), &parts, counts);
    let mut weights = all.weights.as_ref().map(|weights| deal(weights.iter().copied(), &parts, counts));
    let mut timestamps = all.timestamps.as_ref().map(|timestamps| deal(timestamps.iter().copied(), &parts, counts));
    let [train, validation, test] = [Part::Train, Part::Validation, Part::Test].map(|part| Interactions {
        columns: columns.iter_mut().map(|dealt| take(&mut dealt[part as usize])).collect(),
        targets: take(&mut targets[part as usize]),
        weights: weights.as_mut().map(|dealt| take(&mut dealt[part as usize])),
        timestamps: timestamps.as_mut().map(|dealt| take(&mut dealt[part as usize])),
        bags: Arc::clone(&all.bags),
    });
    if train.is_empty() {
        return Err(Error::Usage("split: nothing is left to train on; lower the test and validation shares".into()));
    }
    let entity = |(entity, renumbering): (&Entity, Renumbering)| {
        let title = |titles: &Vec<String>, row: u32| titles.get(row as usize).cloned().unwrap_or_default();
        let titles = entity.titles.as_ref();
        let titles = titles.map(|titles| renumbering.old.iter().map(|&row| title(titles, row)).collect());
        Entity { name: entity.name.clone(), ids: renumbering.vocabulary, titles }
    };
    let entities = dataset.entities.iter().zip(renumberings).map(entity).collect();
    Ok(Split { train, validation, test, entities, fields: dataset.fields.clone() })
}

/// Values grouped by part, in their order; `counts` is the number in each part.
fn deal<T>(values: impl Iterator<Item = T>, parts: &[Part], counts: [usize; 3]) -> [Vec<T>; 3] {
    let mut dealt = counts.map(Vec::with_capacity);
    values.zip(parts).for_each(|(value, part)| dealt[*part as usize].push(value));
    dealt
}

/// Users that training has not seen, in the form in which a model without rows for them can still be evaluated: by
/// their ratings of items that it knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldOutRows {
    /// Their ids, in the order of the data.
    pub ids: Vec<String>,
    /// The test ratings of each: index of the item among [`Split::items`], and rating, in the order of the data. Items
    /// that training has not seen are skipped.
    pub cells: Vec<Vec<(u32, f32)>>,
}

/// The users of the test part that training has not seen; `split` is the result of [`divide`] with `parts`.
///
/// # Examples
/// Faces in one folder per person: `cells` are the pixels of the faces that were not trained on, and
/// `class_of(&ids[i])` is the person of the `i`-th face.
pub fn held_out_rows(dataset: &Dataset, parts: &[Part], split: &Split) -> HeldOutRows {
    let ratings = &dataset.interactions;
    let items: Vec<Option<u32>> = dataset.items().ids().map(|id| split.items().index(id)).collect();
    let mut held_out = HeldOutRows::default();
    // Row of each user in `held_out`.
    let mut rows: HashMap<u32, usize> = HashMap::new();
    for (rating, _) in parts.iter().enumerate().filter(|(_, part)| **part == Part::Test) {
        let user = ratings.column(USER)[rating];
        let id = dataset.users().id(user as usize);
        if split.users().index(id).is_some() {
            continue;
        }
        let row = *rows.entry(user).or_insert_with(|| {
            held_out.ids.push(id.to_owned());
            held_out.cells.push(Vec::new());
            held_out.ids.len() - 1
        });
        if let Some(item) = items[ratings.column(ITEM)[rating] as usize] {
            held_out.cells[row].push((item, ratings.targets[rating]));
        }
    }
    held_out
}

/// The new indices of all entities.
fn renumberings<'a>(dataset: &'a Dataset, parts: &[Part]) -> Vec<Renumbering<'a>> {
    let Dataset { entities, fields, interactions, layout, .. } = dataset;
    let mut renumberings: Vec<Renumbering> = entities.iter().map(|entity| Renumbering::new(&entity.ids)).collect();
    let in_training = (0..parts.len()).filter(|&at| parts[at] == Part::Train);
    let columns = || fields.iter().zip(&interactions.columns);
    if !layout.is_ordered() {
        in_training.for_each(|at| columns().for_each(|(field, column)| renumberings[field.entity].see(column[at])));
        return renumberings;
    }
    let mut kept: Vec<Vec<bool>> = entities.iter().map(|entity| vec![false; entity.ids.len()]).collect();
    for (side, field) in [(Role::User, USER), (Role::Item, ITEM)] {
        kept[fields[field.0].entity].fill(layout.has_places(side));
    }
    let mut keep = |(field, column): (&Field, &Vec<u32>), at: usize| {
        // A missing context is no id.
        kept[field.entity].get_mut(column[at] as usize).into_iter().for_each(|kept| *kept = true);
    };
    in_training.for_each(|at| columns().for_each(|column| keep(column, at)));
    for (renumbering, kept) in renumberings.iter_mut().zip(kept) {
        (0..).zip(kept).filter(|(_, kept)| *kept).for_each(|(old, _)| renumbering.see(old));
    }
    renumberings
}

/// Gives the ids that a model knows new indices, in the order in which it is shown them.
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
        // A missing context is not an id.
        let Some(new) = self.new.get_mut(old as usize).filter(|new| **new == UNKNOWN) else { return };
        *new = self.vocabulary.insert(self.all.id(old as usize));
        self.old.push(old);
    }
}
