//! Predictions without factors: printed beside every result, and used for ids that training never saw.

use crate::data::{Bag, FieldId, Frame, ITEM, Interactions, Role, UNKNOWN, USER};

/// Damped means: r̂_ui = μ + b_u + b_i   (Funk 2006; Koren 2010, section 2.1).
///
/// b_i = Σ_u (r_ui − μ) / (n_i + d) and then b_u = Σ_i (r_ui − μ − b_i) / (n_u + d), with damping d = 5: as if every
/// user and item came with d ratings of exactly the mean. Where users or items have features, one without ratings has the
/// mean of the offsets of its features' values, each the damped mean of the same residuals over all who have the value. The
/// offset of an unknown user or item is 0. Data whose fields are not users and items have only the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// μ, in rating units.
    pub global_mean: f64,
    /// b_u by user index; empty without users.
    pub user_offsets: Vec<f32>,
    /// b_i by item index; empty without items.
    pub item_offsets: Vec<f32>,
}

/// d: number of ratings at the mean that every user and item is assumed to start with.
const DAMPING: f64 = 5.0;

/// The damped mean of a sum over so many.
fn damped((sum, count): (f64, f64)) -> f32 {
    (sum / (count + DAMPING)) as f32
}

impl Baseline {
    /// Always the same.
    pub fn constant(value: f64, frame: &Frame) -> Self {
        let zeros = |field| if frame.has_roles() { vec![0.0; frame.rows(field)] } else { Vec::new() };
        Self { global_mean: value, user_offsets: zeros(USER), item_offsets: zeros(ITEM) }
    }

    /// Fits the means to training interactions.
    pub fn fit(train: &Interactions, frame: &Frame) -> Self {
        let global_mean = train.mean().unwrap_or(0.0);
        if !frame.has_roles() {
            return Self { global_mean, user_offsets: Vec::new(), item_offsets: Vec::new() };
        }
        let offsets = |field: FieldId, residual: &dyn Fn(usize) -> f64| {
            // Sum of the residuals, and their number.
            let mut sums = vec![(0.0, 0.0); frame.rows(field)];
            for (at, &row) in train.column(field).iter().enumerate() {
                let (sum, count) = &mut sums[row as usize];
                *sum += residual(at);
                *count += 1.0;
            }
            let mut offsets: Vec<f32> = sums.iter().copied().map(damped).collect();
            let entity = frame[field].entity;
            if frame.entities[entity].trained() < offsets.len() {
                let of_features =
                    Self::of_features(train.bags.iter().filter(|bag| bag.frame.owner == entity), &sums, frame);
                for (row, offset) in offsets.iter_mut().enumerate().filter(|(row, _)| sums[*row].1 == 0.0) {
                    *offset = of_features(row as u32);
                }
            }
            offsets
        };
        let value = |at: usize| f64::from(train.targets[at]) - global_mean;
        let item_offsets = offsets(ITEM, &value);
        let items = train.column(ITEM);
        let user_offsets = offsets(USER, &|at| value(at) - f64::from(item_offsets[items[at] as usize]));
        Self { global_mean, user_offsets, item_offsets }
    }

    /// The offset of a row by its features in `bags`, of which `sums` has the residuals and numbers of all rows.
    fn of_features<'a>(bags: impl Iterator<Item = &'a Bag>, sums: &[(f64, f64)], frame: &Frame) -> impl Fn(u32) -> f32 {
        let of_bag = |bag: &'a Bag| {
            let mut of_values = vec![(0.0, 0.0); frame.entities[bag.frame.of].rows];
            for (row, &(sum, count)) in (0..).zip(sums) {
                for &value in bag.of_row(row).0 {
                    let (of_value, number) = &mut of_values[value as usize];
                    *of_value += sum;
                    *number += count;
                }
            }
            (bag, of_values.into_iter().map(damped).collect::<Vec<f32>>())
        };
        let of_bags: Vec<(&Bag, Vec<f32>)> = bags.filter(|bag| bag.frame.is_feature).map(of_bag).collect();
        move |row| {
            let values = of_bags
                .iter()
                .flat_map(|(bag, offsets)| bag.of_row(row).0.iter().map(|&value| offsets[value as usize]));
            let (sum, count) = values.fold((0.0, 0.0), |(sum, count), offset| (sum + f64::from(offset), count + 1.0));
            if count > 0.0 { (sum / count) as f32 } else { 0.0 }
        }
    }

    /// The same for `count` other users, or items, with these interactions with known rows of the other side; where all
    /// offsets are 0, theirs are, too.
    pub fn folded_in(&self, role: Role, count: usize, interactions: &Interactions) -> Self {
        let is_constant = self.user_offsets.iter().chain(&self.item_offsets).all(|&offset| offset == 0.0);
        let (own, other, others) = match role {
            Role::User => (USER, ITEM, &self.item_offsets),
            Role::Item => (ITEM, USER, &self.user_offsets),
        };
        let mut sums = vec![(0.0, 0.0); count];
        let rows = interactions.column(own).iter().zip(interactions.column(other)).zip(&interactions.targets);
        for ((&row, &other), &target) in rows.filter(|_| !is_constant) {
            let (sum, count) = &mut sums[row as usize];
            *sum += f64::from(target) - self.global_mean - others.get(other as usize).copied().map_or(0.0, f64::from);
            *count += 1.0;
        }
        let offsets = sums.into_iter().map(damped).collect();
        match role {
            Role::User => Self { user_offsets: offsets, ..self.clone() },
            Role::Item => Self { item_offsets: offsets, ..self.clone() },
        }
    }

    /// μ + b_u + b_i, where [`UNKNOWN`] indices contribute 0.
    pub fn predict(&self, user: u32, item: u32) -> f64 {
        let offset = |offsets: &[f32], index: u32| match index {
            UNKNOWN => 0.0,
            index => offsets.get(index as usize).copied().map_or(0.0, f64::from),
        };
        self.global_mean + offset(&self.user_offsets, user) + offset(&self.item_offsets, item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damped_means_of_a_case_by_hand() {
        let mut ratings = Interactions::default();
        for (user, item, value) in [(0, 0, 5.0), (0, 1, 3.0), (1, 0, 4.0)] {
            ratings.push([user, item], value, None);
        }
        let baseline = Baseline::fit(&ratings, &Frame::pair(2, 2));
        assert_eq!(baseline.global_mean, 4.0);
        // b_i: item 0 has residuals 1, 0 over 2 + 5; item 1 has -1 over 1 + 5.
        let b_i = [1.0 / 7.0, -1.0 / 6.0];
        let b_u = [((1.0 - b_i[0]) + (-1.0 - b_i[1])) / 7.0, (0.0 - b_i[0]) / 6.0];
        for (user, &b_u) in (0..).zip(&b_u) {
            for (item, b_i) in (0..).zip(b_i) {
                assert!((baseline.predict(user, item) - (4.0 + b_u + b_i)).abs() < 1e-6);
            }
        }
        // A new user with the ratings of one that is known gets the same offset; a new item's ratings are taken as those of
        // users with offsets.
        let mut of_new = Interactions::default();
        [(0, 5.0), (1, 3.0)].into_iter().for_each(|(item, value)| of_new.push([0, item], value, None));
        let folded = baseline.folded_in(Role::User, 2, &of_new);
        assert_eq!(folded.user_offsets, [baseline.user_offsets[0], 0.0]);
        assert_eq!(folded.item_offsets, baseline.item_offsets);
        let mut of_item = Interactions::default();
        of_item.push([1, 0], 5.0, None);
        let folded = baseline.folded_in(Role::Item, 1, &of_item);
        assert!((f64::from(folded.item_offsets[0]) - (1.0 - b_u[1]) / 6.0).abs() < 1e-6);
        assert_eq!(Baseline::constant(0.0, &Frame::pair(1, 2)).folded_in(Role::User, 1, &of_new).user_offsets, [0.0]);
        assert_eq!(baseline.predict(UNKNOWN, UNKNOWN), 4.0);
        assert!((baseline.predict(UNKNOWN, 0) - (4.0 + 1.0 / 7.0)).abs() < 1e-6);
    }
}
