//! Users or items that training never saw: what is known of them, and what is asked about them.

use std::collections::HashSet;

use super::Part;
use super::assign::draw;
use crate::data::{Dataset, Entity, Field, FieldId, ITEM, Interactions, Role, UNKNOWN, USER, Vocabulary};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::random;

impl Role {
    /// The field of this role.
    pub fn field(self) -> FieldId {
        match self {
            Self::User => USER,
            Self::Item => ITEM,
        }
    }

    /// One of this side, for people.
    pub fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Item => "item",
        }
    }

    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::User => Self::Item,
            Self::Item => Self::User,
        }
    }
}

/// New rows of one side, numbered from 0, and their interactions with what a model knows of the other.
#[derive(Debug, Clone, Default)]
pub struct NewRows {
    /// Their ids and titles.
    pub entity: Entity,
    /// What a model is told about them.
    pub given: Interactions,
    /// What it is asked about them; rows of the other side that it does not know are [`UNKNOWN`].
    pub asked: Interactions,
    /// Rows of which the model would be told nothing, and that are therefore not among these; 0 if anything is asked.
    pub left_out: usize,
}

impl NewRows {
    /// The rows of one side of `dataset`, a share `given` of whose interactions (at least one, rounded to whole ones) is
    /// given, and the rest asked: drawn at random from each row's, if the share is below 1. Only interactions that `keep`
    /// holds for count, and rows without one are none; if all is given, only those whose other fields the model knows. `entities` and `fields` are those of the model.
    ///
    /// # Errors
    /// [`Error::Usage`] for data without a column that the model reads.
    pub fn of(
        dataset: &Dataset,
        role: Role,
        keep: impl Fn(usize) -> bool,
        model: (&[Entity], &[Field]),
        given: f64,
        seed: u64,
    ) -> Result<Self> {
        let own = dataset.entity(role.field());
        let kept: Vec<usize> = (0..dataset.interactions.len()).filter(|&at| keep(at)).collect();
        let mut all = reindexed(dataset, &kept, model.0, model.1)?;
        let others = |all: &Interactions, at: usize| {
            let others = all.columns.iter().enumerate().filter(|(field, _)| FieldId(*field) != role.field());
            others.into_iter().all(|(_, column)| column[at] != UNKNOWN)
        };
        let mut old: Vec<u32> = kept.iter().map(|&at| dataset.interactions.column(role.field())[at]).collect();
        let mut left_out = 0;
        if given == 1.0 {
            // Nothing is asked about what the model does not know.
            let known: Vec<bool> = (0..kept.len()).map(|at| others(&all, at)).collect();
            let count = |rows: &[u32]| rows.iter().collect::<HashSet<_>>().len();
            let before = count(&old);
            all.retain_from(0, &known);
            old = old.into_iter().zip(&known).filter(|(_, known)| **known).map(|(row, _)| row).collect();
            left_out = before - count(&old);
        }
        let mut ids = Vocabulary::default();
        let rows: Vec<u32> = old.iter().map(|&old| ids.insert(own.ids.id(old as usize))).collect();
        let mut titles = own.titles.as_ref().map(|_| vec![String::new(); ids.len()]);
        if let Some(titles) = &mut titles {
            for (&old, &new) in old.iter().zip(&rows) {
                titles[new as usize] = own.title(old as usize).unwrap_or_default().to_string();
            }
        }
        let mut parts = vec![Part::Train; rows.len()];
        if given < 1.0 {
            let mut random = random::stream(seed, "split/given");
            for of_row in Groups::of_positions(ids.len(), rows.iter().map(|&row| row as usize)).iter() {
                draw(&mut parts, of_row, 1.0 - given, 0.0, &mut random);
            }
        }
        let part = |wanted: Part| {
            let is_in = |at: &usize| parts[*at] == wanted && (wanted == Part::Test || others(&all, *at));
            let kept: Vec<usize> = (0..rows.len()).filter(is_in).collect();
            let column = |(field, column): (usize, &Vec<u32>)| {
                let column = if FieldId(field) == role.field() { &rows } else { column };
                kept.iter().map(|&at| column[at]).collect()
            };
            let columns = all.columns.iter().enumerate().map(column).collect();
            let targets = kept.iter().map(|&at| all.targets[at]).collect();
            Interactions { columns, targets, ..Interactions::of_fields(0) }
        };
        let (given, asked) = (part(Part::Train), part(Part::Test));
        let entity = Entity { ids, titles, ..Entity::new(&own.name) };
        Ok(Self { entity, given, asked, left_out })
    }
}

/// The interactions of `dataset` at `positions` under the indices of a model with these entities and fields; ids that it
/// does not know become [`UNKNOWN`].
///
/// # Errors
/// [`Error::Usage`] for data without a column that the model reads.
pub fn reindexed(
    dataset: &Dataset,
    positions: &[usize],
    entities: &[Entity],
    fields: &[Field],
) -> Result<Interactions> {
    let column = |field: &Field| {
        let from =
            dataset.fields.iter().position(|own| own.name == field.name).map(FieldId).ok_or_else(|| {
                Error::Usage(format!("the data have no column {:?}, which the model reads", field.name))
            })?;
        let to = &entities[field.entity].ids;
        let new: Vec<u32> = dataset.entity(from).ids.ids().map(|id| to.index(id).unwrap_or(UNKNOWN)).collect();
        let indices = dataset.interactions.column(from);
        Ok(positions.iter().map(|&at| new.get(indices[at] as usize).copied().unwrap_or(UNKNOWN)).collect())
    };
    let columns = fields.iter().map(column).collect::<Result<Vec<Vec<u32>>>>()?;
    let targets = positions.iter().map(|&at| dataset.interactions.targets[at]).collect();
    Ok(Interactions { columns, targets, ..Interactions::of_fields(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::pair_fields;

    #[test]
    fn a_share_of_what_is_known_of_each_row_is_given() {
        let mut dataset = Dataset::default();
        for user in 0..3_u32 {
            for item in 0..10_u32 {
                let pair = dataset.pair_mut();
                let indices = [pair.users.insert(&format!("u{user}")), pair.items.insert(&format!("i{item}"))];
                dataset.interactions.push(indices, (10 * user + item) as f32, None);
            }
        }
        // The model does not know the first two items, and has the others in another order.
        let items =
            Entity { ids: Vocabulary::from_ids((2..10).rev().map(|item| format!("i{item}"))), ..Entity::new("item") };
        let entities = [Entity::new("user"), items];
        let of = |share, keep: &dyn Fn(usize) -> bool| {
            NewRows::of(&dataset, Role::User, keep, (&entities, &pair_fields()), share, 1).expect("two columns")
        };
        let new = of(0.7, &|at| at >= 10);
        assert_eq!(new.entity.ids.ids().collect::<Vec<_>>(), ["u1", "u2"]);
        for user in 0..2 {
            let asked = new.asked.column(USER).iter().filter(|&&row| row == user).count();
            assert_eq!(asked, 3);
        }
        assert!(!new.given.column(ITEM).contains(&UNKNOWN));
        let pairs = |part: &Interactions| -> Vec<(u32, u32, f32)> {
            let columns = part.column(USER).iter().zip(part.column(ITEM)).zip(&part.targets);
            columns.map(|((&user, &item), &target)| (user, item, target)).collect()
        };
        let mut both = [pairs(&new.given), pairs(&new.asked)].concat();
        both.sort_by(|a, b| a.2.total_cmp(&b.2));
        for (user, item, target) in &both {
            let old = *target as u32 % 10;
            assert_eq!((*user, *item), (*target as u32 / 10 - 1, if old < 2 { UNKNOWN } else { 9 - old }));
        }
        let unknown = new.asked.column(ITEM).iter().filter(|&&item| item == UNKNOWN).count();
        assert_eq!(both.len(), 16 + unknown);
        let all = of(1.0, &|_| true);
        assert_eq!((all.given.len(), all.asked.len(), all.left_out), (24, 0, 0));
        // Of the first user only the two items that the model does not know.
        let few = of(1.0, &|at| !(2..10).contains(&at));
        assert_eq!((few.entity.ids.ids().collect::<Vec<_>>(), few.left_out), (vec!["u1", "u2"], 1));
    }
}
