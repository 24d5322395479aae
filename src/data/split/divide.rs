//! Divided interactions, and the ids that a model trained on them knows.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use rayon::join;
use rayon::prelude::*;

use super::Part;
use super::graph::met;
use crate::data::{
    Bag, Dataset, Entity, Field, FieldId, Frame, ITEM, Interactions, Layout, Role, UNKNOWN, USER, Vocabulary,
};
use crate::error::{Error, Result};
use crate::linalg::Groups;

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

    /// See [`met`].
    pub fn met<const N: usize>(&self, parts: [&Interactions; N]) -> Groups {
        met(&self.fields, parts, self.users().len())
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
    // Pairs that were drawn as no edges of a graph are no interactions to train on.
    let is_edge = |at: usize| dataset.layout != Layout::Graph || all.targets[at] > 0.0;
    let joins = |(at, part): (usize, &Part)| refit && *part == Part::Validation && is_edge(at);
    let parts: Vec<Part> = parts.iter().enumerate().map(|own| if joins(own) { Part::Train } else { *own.1 }).collect();
    let mut renumberings = renumberings(dataset, &parts);
    let trained: Vec<usize> = renumberings.iter().map(|own| own.old.len()).collect();
    let bags = Arc::new(described(dataset, &mut renumberings));
    let counts = Part::ALL.map(|wanted| parts.iter().filter(|part| **part == wanted).count());
    let renumbered = |(field, column): (&Field, &Vec<u32>)| {
        let new = &renumberings[field.entity].new;
        deal(column.iter().map(|&old| new.get(old as usize).copied().unwrap_or(UNKNOWN)), &parts, counts)
    };
    let columns: Vec<_> = dataset.fields.iter().zip(&all.columns).collect();
    let (mut columns, (mut targets, (mut weights, mut timestamps))) = join(
        || columns.into_par_iter().map(renumbered).collect::<Vec<_>>(),
        || {
            let weights = || all.weights.as_ref().map(|weights| deal(weights.iter().copied(), &parts, counts));
            let timestamps = || all.timestamps.as_ref().map(|times| deal(times.iter().copied(), &parts, counts));
            join(|| deal(all.targets.iter().copied(), &parts, counts), || join(weights, timestamps))
        },
    );
    let [train, validation, test] = Part::ALL.map(|part| Interactions {
        columns: columns.iter_mut().map(|dealt| take(&mut dealt[part as usize])).collect(),
        targets: take(&mut targets[part as usize]),
        weights: weights.as_mut().map(|dealt| take(&mut dealt[part as usize])),
        timestamps: timestamps.as_mut().map(|dealt| take(&mut dealt[part as usize])),
        bags: Arc::clone(&bags),
    });
    // What has not joined training are pairs that are no edges.
    let validation = if refit { validation.like(0) } else { validation };
    if train.is_empty() {
        return Err(Error::Usage("split: nothing is left to train on; lower the test and validation shares".into()));
    }
    let entity = |((at, entity), renumbering): ((usize, &Entity), Renumbering)| {
        let has_features = bags.iter().any(|bag| bag.frame.owner == at);
        let title = |titles: &Vec<String>, row: u32| titles.get(row as usize).cloned().unwrap_or_default();
        let titles = entity.titles.as_ref();
        let titles = titles.map(|titles| renumbering.old.iter().map(|&row| title(titles, row)).collect());
        let trained = has_features.then_some(trained[at]);
        Entity { ids: renumbering.vocabulary, titles, trained, ..Entity::new(&entity.name) }
    };
    let entities = dataset.entities.iter().enumerate().zip(renumberings).map(entity).collect();
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
    (0..dataset.entities.len()).into_par_iter().map(|entity| renumbering(dataset, entity, parts)).collect()
}

/// The new indices of one entity.
fn renumbering<'a>(dataset: &'a Dataset, entity: usize, parts: &[Part]) -> Renumbering<'a> {
    let Dataset { entities, fields, interactions, layout, .. } = dataset;
    let mut renumbering = Renumbering::new(&entities[entity].ids);
    let is_of = |field: &Field| field.entity == entity;
    let own = fields.iter().zip(&interactions.columns).filter(|(field, _)| is_of(field));
    let own: Vec<&[u32]> = own.map(|(_, column)| &column[..]).collect();
    // Of a graph all nodes with an edge count, whatever part that is in.
    let counts = |at: &usize| parts[*at] == Part::Train || *layout == Layout::Graph;
    let in_training = (0..parts.len()).filter(counts);
    if !layout.is_ordered() {
        in_training.for_each(|at| own.iter().for_each(|column| renumbering.see(column[at])));
        return renumbering;
    }
    let side = [(Role::Item, ITEM), (Role::User, USER)].into_iter().find(|(_, field)| is_of(&fields[field.0]));
    let has_places = side.is_some_and(|(side, _)| layout.has_places(side));
    let mut kept = vec![has_places; renumbering.new.len()];
    // A missing context is no id.
    let mut keep = |old: u32| kept.get_mut(old as usize).into_iter().for_each(|kept| *kept = true);
    in_training.for_each(|at| own.iter().for_each(|column| keep(column[at])));
    (0..).zip(kept).filter(|(_, kept)| *kept).for_each(|(old, _)| renumbering.see(old));
    renumbering
}

/// The bags of rows under their new indices. A member is one if a row that training has interactions of has it, and of the
/// other rows those come behind which have such a member of some bag. Rows of an entity that are in bags of that same entity
/// are what training makes them.
fn described(dataset: &Dataset, renumberings: &mut [Renumbering]) -> Vec<Bag> {
    let all = &dataset.interactions.bags;
    let mut of_two = |see: &dyn Fn(&Bag, &mut Renumbering, &mut Renumbering)| {
        for bag in &**all {
            if let Ok([owners, members]) = renumberings.get_disjoint_mut([bag.frame.owner, bag.frame.of]) {
                see(bag, owners, members);
            }
        }
    };
    of_two(&|bag, owners, members| {
        owners.old.iter().for_each(|&owner| bag.of_row(owner).0.iter().for_each(|&member| members.see(member)));
    });
    of_two(&|bag, owners, members| {
        let is_known = |member: &u32| members.new[*member as usize] != UNKNOWN;
        (0..bag.rows() as u32).filter(|&row| bag.of_row(row).0.iter().any(is_known)).for_each(|row| owners.see(row));
    });
    let renumbered = |bag: &Bag| bag.renumbered(&renumberings[bag.frame.owner].old, &renumberings[bag.frame.of].new);
    all.iter().map(renumbered).collect()
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
