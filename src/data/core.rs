//! The core of the data: users and items with enough ratings, among each other.
//!
//! Leaving an item out may leave a user with too few ratings, and so on; what remains is the largest part of the data in
//! which both hold (the k-core of the graph of ratings: Seidman 1983), whatever the order.

use super::{Dataset, ITEM, Interactions, UNKNOWN, USER, Vocabulary};
use crate::config::{Effect, Key, KeyKind, Keys, Values};
use crate::error::{Error, Result};
use crate::tables::grouped;

/// How many ratings every user and item has at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Core {
    /// Ratings of a user.
    pub user: u32,
    /// Ratings of an item.
    pub item: u32,
}

const OF_USER: &str = "data.min_user_ratings";
const OF_ITEM: &str = "data.min_item_ratings";

impl Core {
    /// The config keys.
    pub fn keys() -> Keys {
        let meaning = |one: &str, other: &str| {
            format!(
                "Leave {one}s with fewer ratings out, before the data are divided; repeated with {other}s until all that are \
                 left have enough. Test files count with the others."
            )
        };
        Keys::new(
            [(OF_USER, meaning("user", "item")), (OF_ITEM, meaning("item", "user"))].map(|(path, meaning)| {
                Key::new(path, KeyKind::AT_LEAST_ONE, &meaning).default("1").effect(Effect::Data)
            }),
        )
    }

    /// The core that a config asks for, if it leaves anything out.
    pub fn of(values: &Values) -> Option<Self> {
        let least = |key| values.find::<usize>(key).map_or(1, |least| least as u32);
        let core = Self { user: least(OF_USER), item: least(OF_ITEM) };
        (core.user > 1 || core.item > 1).then_some(core)
    }

    /// Leaves out of `dataset` what is not in the core, and notes how much that is.
    ///
    /// # Errors
    /// [`Error::Usage`] if nothing is left, or if the data are no list of ratings.
    pub fn take(self, dataset: &mut Dataset) -> Result<()> {
        let asked = format!("{OF_USER} = {} and {OF_ITEM} = {}", self.user, self.item);
        if dataset.layout.is_ordered() {
            return Err(Error::Usage(format!(
                "{asked} are for lists of ratings, and these data are none; remove both keys"
            )));
        }
        let before = [dataset.users().len(), dataset.items().len(), dataset.interactions.len()];
        let (kept, rounds) = self.kept(&dataset.interactions, [before[0], before[1]]);
        let left = kept.iter().filter(|&&kept| kept).count();
        if left == 0 {
            return Err(Error::Usage(format!(
                "{asked} leave none of {} ratings; lower them",
                grouped(before[2] as u64)
            )));
        }
        if left < before[2] {
            if let Some(start) = &mut dataset.test_start {
                *start = kept[..*start].iter().filter(|&&kept| kept).count();
            }
            dataset.interactions.retain_from(0, &kept);
            dataset.interactions.shrink_to_fit();
            let before = dataset.purchases.is_some().then(|| [dataset.users().clone(), dataset.items().clone()]);
            renumber(dataset);
            if let (Some([users, items]), Some(purchases)) = (before, dataset.purchases.take()) {
                let new = [dataset.users(), dataset.items()];
                dataset.purchases = Some(purchases.renumbered([&users, &items], new));
            }
        }
        let after = [dataset.users().len(), dataset.items().len(), left];
        let part =
            |at: usize| format!("{} of {}", grouped((before[at] - after[at]) as u64), grouped(before[at] as u64));
        dataset.notes.push(format!(
            "{asked}: {} users, {} items and {} ratings are left out, in {rounds} {}",
            part(0),
            part(1),
            part(2),
            if rounds == 1 { "round" } else { "rounds" }
        ));
        Ok(())
    }

    /// Which interactions are in the core, and in how many rounds over users and items the others went.
    fn kept(self, interactions: &Interactions, sizes: [usize; 2]) -> (Vec<bool>, usize) {
        let sides = [(USER, self.user), (ITEM, self.item)];
        let mut counts = sizes.map(|size| vec![0_u32; size]);
        for ((field, _), counts) in sides.iter().zip(&mut counts) {
            interactions.column(*field).iter().for_each(|&row| counts[row as usize] += 1);
        }
        let mut kept = vec![true; interactions.len()];
        let mut rounds = 0;
        loop {
            let mut has_changed = false;
            for (side, (field, least)) in sides.into_iter().enumerate() {
                // A row goes as a whole: its count of this moment decides, not one that falls on the way.
                let is_rare: Vec<bool> = counts[side].iter().map(|&count| count < least).collect();
                for (at, &row) in interactions.column(field).iter().enumerate() {
                    if kept[at] && is_rare[row as usize] {
                        kept[at] = false;
                        has_changed = true;
                        for ((field, _), counts) in sides.iter().zip(&mut counts) {
                            counts[interactions.column(*field)[at] as usize] -= 1;
                        }
                    }
                }
            }
            if !has_changed {
                return (kept, rounds);
            }
            rounds += 1;
        }
    }
}

/// Leaves the ids without an interaction out, and numbers the others as the interactions meet them.
fn renumber(dataset: &mut Dataset) {
    let Dataset { entities, fields, interactions, .. } = dataset;
    for (own, entity) in entities.iter_mut().enumerate() {
        let mut new = vec![UNKNOWN; entity.ids.len()];
        let mut ids = Vocabulary::default();
        let mut titles = entity.titles.as_ref().map(|_| Vec::new());
        for (_, column) in fields.iter().zip(&mut interactions.columns).filter(|(field, _)| field.entity == own) {
            // A missing context stays missing.
            for row in column.iter_mut().filter(|row| **row != UNKNOWN) {
                let old = *row as usize;
                if new[old] == UNKNOWN {
                    new[old] = ids.insert(entity.ids.id(old));
                    if let (Some(titles), Some(all)) = (&mut titles, &entity.titles) {
                        titles.push(all[old].clone());
                    }
                }
                *row = new[old];
            }
        }
        (entity.ids, entity.titles) = (ids, titles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    /// Users with letters, items with digits; the target is the position.
    fn of(pairs: &[&str]) -> Dataset {
        let mut dataset = Dataset::default();
        for (at, pair) in pairs.iter().enumerate() {
            let (user, item) = pair.split_at(1);
            let (user, item) = (dataset.pair_mut().users.insert(user), dataset.pair_mut().items.insert(item));
            dataset.interactions.push([user, item], at as f32, Some(at as i64));
        }
        dataset.entities[1].titles = Some(dataset.items().ids().map(|id| format!("t{id}")).collect());
        dataset
    }

    fn pairs(dataset: &Dataset) -> Vec<String> {
        let [users, items] = [USER, ITEM].map(|field| dataset.interactions.column(field).to_vec());
        let id = |ids: &Vocabulary, row: u32| ids.id(row as usize).to_string();
        users.iter().zip(items).map(|(&user, item)| id(dataset.users(), user) + &id(dataset.items(), item)).collect()
    }

    #[test]
    fn what_has_too_few_ratings_goes_until_nothing_has() {
        // c has 1, 2; without b, item 3 goes, and with it d, and with d item 4.
        let mut data = of(&["b3", "a1", "a2", "d3", "d4", "c1", "a4", "c2"]);
        data.test_start = Some(4);
        Core { user: 2, item: 2 }.take(&mut data).expect("a core");
        assert_eq!(pairs(&data), ["a1", "a2", "c1", "c2"]);
        assert_eq!((data.users().len(), data.items().len(), data.test_start), (2, 2, Some(2)));
        assert_eq!(data.interactions.targets, [1.0, 2.0, 5.0, 7.0]);
        assert_eq!(data.interactions.timestamps, Some(vec![1, 2, 5, 7]));
        assert_eq!(data.entities[1].titles, Some(vec!["t1".into(), "t2".into()]));
        assert_eq!(
            data.notes,
            [
                "data.min_user_ratings = 2 and data.min_item_ratings = 2: 2 of 4 users, 2 of 4 items and 4 of 8 ratings are left \
              out, in 2 rounds"
            ]
        );
    }

    #[test]
    fn one_side_alone_needs_one_round() {
        let mut data = of(&["a1", "a2", "b1", "c3", "c1", "c2"]);
        Core { user: 2, item: 1 }.take(&mut data).expect("a core");
        assert_eq!(pairs(&data), ["a1", "a2", "c3", "c1", "c2"]);
        assert!(data.notes[0].ends_with("1 of 3 users, 0 of 3 items and 1 of 6 ratings are left out, in 1 round"));
        let mut data = of(&["a1", "a2", "b1", "c3", "c1", "c2"]);
        Core { user: 1, item: 3 }.take(&mut data).expect("a core");
        assert_eq!(pairs(&data), ["a1", "b1", "c1"]);
    }

    #[test]
    fn every_order_of_the_data_has_the_same_core() {
        let mut state = 1_u32;
        let mut draw = |most: u32| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            (state >> 16) % most
        };
        let mut all: Vec<String> =
            (0..200).map(|_| format!("{}{}", char::from(97 + draw(26) as u8), draw(30))).collect();
        all.sort();
        all.dedup();
        let core = |pairs_of: &[String]| {
            let mut data = of(&pairs_of.iter().map(String::as_str).collect::<Vec<_>>());
            Core { user: 5, item: 4 }.take(&mut data).expect("a core");
            let mut left = pairs(&data);
            left.sort();
            for (field, least) in [(USER, 5), (ITEM, 4)] {
                let mut counts = vec![0; dataset_len(&data, field)];
                data.interactions.column(field).iter().for_each(|&row| counts[row as usize] += 1);
                assert!(counts.iter().all(|&count| count >= least), "{counts:?}");
            }
            left
        };
        let forwards = core(&all);
        assert!(forwards.len() < all.len());
        all.reverse();
        assert_eq!(core(&all), forwards);
    }

    fn dataset_len(data: &Dataset, field: crate::data::FieldId) -> usize {
        data.entity(field).ids.len()
    }

    #[test]
    fn nothing_left_and_matrices_are_refused() {
        let error = Core { user: 3, item: 1 }.take(&mut of(&["a1", "a2"])).expect_err("nothing is left").to_string();
        assert_eq!(
            error,
            "data.min_user_ratings = 3 and data.min_item_ratings = 1 leave none of 2 ratings; lower them"
        );
        let mut table = of(&["a1", "a2"]);
        table.layout = Layout::Table;
        assert!(
            Core { user: 2, item: 1 }.take(&mut table).expect_err("a matrix").to_string().contains("lists of ratings")
        );
    }
}
