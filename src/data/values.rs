//! The values of a column, as features of rows.

use std::sync::Arc;

use super::context::{Bins, Scale, parts, share};
use super::entity::BagFrame;
use super::{Bag, Dataset, Entity, Vocabulary};

/// The values of a column, and which of them each line has, with what weight.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub values: Vocabulary,
    pub of_lines: Vec<Vec<(u32, f32)>>,
}

impl Members {
    /// Each cell is a value, or several that are separated; a value counts once, and n of them weigh 1/√n.
    pub fn of_words(cells: &[String], separator: Option<&str>) -> Self {
        let mut values = Vocabulary::default();
        let line = |cell: &String| {
            let parts = parts(cell, separator);
            let mut members: Vec<u32> = parts.iter().map(|part| values.insert(part)).collect();
            members.sort_unstable();
            members.into_iter().map(|value| (value, share(parts.len()))).collect()
        };
        let of_lines = cells.iter().map(line).collect();
        Self { values, of_lines }
    }

    /// One value called `name`, that each line has with its number on the [`Scale`] of all.
    pub fn of_numbers(name: &str, numbers: &[Option<f32>]) -> Self {
        let scale = Scale::of(numbers.iter().flatten().copied());
        let of_lines =
            numbers.iter().map(|number| number.map(|number| (0, scale.scaled(number))).into_iter().collect());
        Self { values: Vocabulary::from_ids([name]), of_lines: of_lines.collect() }
    }

    /// The [`Bins`] of all numbers.
    pub fn of_bins(numbers: &[Option<f32>], bins: usize) -> Self {
        let bins = Bins::of(numbers.iter().flatten().copied(), bins);
        let of_lines = numbers.iter().map(|number| number.map(|number| (bins.bin(number) as u32, 1.0)));
        let of_lines = of_lines.map(|member| member.into_iter().collect()).collect();
        Self { values: Vocabulary::from_ids(bins.names()), of_lines }
    }

    /// Adds the feature `name` to the rows of the entity `owner`, which has `count`: line n is that of `rows[n]`.
    pub fn add_to(self, dataset: &mut Dataset, owner: usize, name: &str, rows: &[u32], count: usize) {
        let mut lines: Vec<Option<&[(u32, f32)]>> = vec![None; count];
        rows.iter().zip(&self.of_lines).for_each(|(&row, members)| lines[row as usize] = Some(members));
        let frame = BagFrame { name: name.into(), owner, of: dataset.entities.len(), is_feature: true };
        let bag = Bag::of_lines(frame, lines.into_iter().map(Option::unwrap_or_default));
        dataset.entities.push(Entity { ids: self.values, ..Entity::new(name) });
        Arc::make_mut(&mut dataset.interactions.bags).push(bag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(cells: &[&str], separator: Option<&str>) -> Members {
        Members::of_words(&cells.iter().map(ToString::to_string).collect::<Vec<_>>(), separator)
    }

    #[test]
    fn values_of_a_list_weigh_one_together() {
        let members = words(&["x|y", "", " y | y ", "z\u{1f}x\u{1f}y\u{1f}w"], Some("|"));
        assert_eq!(members.values.ids().collect::<Vec<_>>(), ["x", "y", "z", "w"]);
        let half = 1.0 / 2.0_f32.sqrt();
        let expected = [vec![(0, half), (1, half)], vec![], vec![(1, 1.0)], [0, 1, 2, 3].map(|v| (v, 0.5)).to_vec()];
        assert_eq!(members.of_lines, expected);
        assert_eq!(words(&["x|y", "x|y", ""], None).of_lines, [vec![(0, 1.0)], vec![(0, 1.0)], vec![]]);
    }

    #[test]
    fn numbers_are_scaled_or_grouped() {
        let numbers = [Some(1.0), None, Some(3.0), Some(5.0)];
        let scaled = Members::of_numbers("age", &numbers);
        let weight = (8.0_f64 / 3.0).sqrt().recip() as f32 * 2.0;
        assert_eq!(scaled.of_lines, [vec![(0, -weight)], vec![], vec![(0, 0.0)], vec![(0, weight)]]);
        assert_eq!(Members::of_numbers("age", &[Some(2.0)]).of_lines, [[(0, 0.0)]]);
        let grouped = Members::of_bins(&[Some(7.0), Some(1.0), None, Some(2.0), Some(1.0), Some(3.5)], 2);
        assert_eq!(grouped.values.ids().collect::<Vec<_>>(), ["1", "2 to 7"]);
        assert_eq!(
            grouped.of_lines,
            [vec![(1, 1.0)], vec![(0, 1.0)], vec![], vec![(1, 1.0)], vec![(0, 1.0)], vec![(1, 1.0)]]
        );
        let single = Members::of_bins(&[Some(4.0), Some(2.0), Some(3.0)], 10);
        assert_eq!(single.values.ids().collect::<Vec<_>>(), ["2", "3", "4"]);
        let none = Members::of_bins(&[None], 3);
        assert_eq!((none.values.len(), none.of_lines), (0, vec![vec![]]));
    }
}
