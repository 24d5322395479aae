//! The items that a user has not met, and drawing one of them.

use super::{ITEM, Interactions, UNKNOWN, USER};
use crate::linalg::Groups;

/// How often the commonest item is drawn beside one of mass 1: masses are whole numbers, so that sums are exact.
const LARGEST_MASS: f64 = (1_u64 << 24) as f64;

/// The items that each user did not meet, each with a mass, in proportion to which it is drawn.
///
/// Nothing is drawn and thrown away: a point below the mass of all unseen items is looked up by bisection, first among the
/// items that the user met, then among those between two of them.
#[derive(Debug, Clone)]
pub struct Unseen {
    /// What each user met, ascending and distinct.
    seen: Groups,
    num_items: usize,
    /// `None` if every item has mass 1.
    masses: Option<Masses>,
}

#[derive(Debug, Clone)]
struct Masses {
    /// Mass of the items before each item, and of all: `[items + 1]`.
    before: Vec<u64>,
    /// For each entry of `seen`, the mass of the unseen items before it.
    unseen_before: Vec<u64>,
    /// Mass of the unseen items of each user.
    of_users: Vec<u64>,
}

impl Unseen {
    /// The items that each of these users did not meet in any of these parts, all of mass 1.
    pub fn new<const N: usize>(met: [&Interactions; N], num_users: usize, num_items: usize) -> Self {
        Self::of(met_items(met, num_users), num_items)
    }

    /// The items that each user did not meet, of those who met the items `seen`, ascending; all of mass 1.
    pub fn of(seen: Groups, num_items: usize) -> Self {
        Self { seen, num_items, masses: None }
    }

    /// The same with masses in proportion to (number of users who met the item)^`exponent`, rounded so that the largest is
    /// 2²⁴ at most and the smallest 1 at least.
    pub fn by_popularity(self, exponent: f64) -> Self {
        let mut counts = vec![0_u32; self.num_items];
        self.seen.members().iter().for_each(|&item| counts[item as usize] += 1);
        let most = f64::from(counts.iter().copied().max().unwrap_or(0).max(1));
        let mut before = Vec::with_capacity(counts.len() + 1);
        before.push(0);
        for count in counts {
            let mass = ((f64::from(count) / most).powf(exponent) * LARGEST_MASS).round().max(1.0) as u64;
            before.push(before[before.len() - 1] + mass);
        }
        let mut unseen_before = Vec::with_capacity(self.seen.members().len());
        let mut of_users = Vec::with_capacity(self.seen.count());
        for items in self.seen.iter() {
            let mut met = 0;
            for &item in items {
                unseen_before.push(before[item as usize] - met);
                met += before[item as usize + 1] - before[item as usize];
            }
            of_users.push(before[self.num_items] - met);
        }
        Self { masses: Some(Masses { before, unseen_before, of_users }), ..self }
    }

    /// Number of items.
    pub fn num_items(&self) -> usize {
        self.num_items
    }

    /// Number of items that a user did not meet.
    pub fn count(&self, user: u32) -> usize {
        self.num_items - self.seen.get(user as usize).len()
    }

    /// Whether a user met an item.
    pub fn has_met(&self, user: u32, item: u32) -> bool {
        self.seen.get(user as usize).binary_search(&item).is_ok()
    }

    /// What a user met, ascending.
    pub fn met(&self, user: u32) -> &[u32] {
        self.seen.get(user as usize)
    }

    /// Mass of the items that a user did not meet.
    pub fn mass(&self, user: u32) -> u64 {
        match &self.masses {
            None => self.count(user) as u64,
            Some(masses) => masses.of_users[user as usize],
        }
    }

    /// Mass of an item.
    pub fn mass_of(&self, item: u32) -> u64 {
        self.masses.as_ref().map_or(1, |masses| masses.of(item))
    }

    /// The unseen item of a user at `point`, if their masses are laid end to end, in the order of the items; `point` is
    /// below [`mass`](Self::mass).
    pub fn at(&self, user: u32, point: u64) -> u32 {
        let range = self.seen.range(user as usize);
        let met = &self.seen.members()[range.clone()];
        match &self.masses {
            // As many unseen items are before the met item m_j as its index less j.
            None => {
                let passed = partition_point(met.len(), |at| u64::from(met[at]) - at as u64 <= point);
                (point + passed as u64) as u32
            }
            Some(Masses { before, unseen_before, .. }) => {
                let unseen_before = &unseen_before[range];
                let passed = partition_point(met.len(), |at| unseen_before[at] <= point);
                // Among all items, the masses of the met ones that were passed come on top.
                let of_passed = match passed {
                    0 => 0,
                    _ => before[met[passed - 1] as usize + 1] - unseen_before[passed - 1],
                };
                (before.partition_point(|&mass| mass <= point + of_passed) - 1) as u32
            }
        }
    }
}

/// The known items that each of `num_users` users met in these parts, ascending, each once.
pub fn met_items<const N: usize>(parts: [&Interactions; N], num_users: usize) -> Groups {
    let pairs = parts.into_iter().flat_map(|part| part.column(USER).iter().zip(part.column(ITEM)));
    let known = pairs.filter(|&(&user, &item)| user != UNKNOWN && item != UNKNOWN);
    Groups::new(num_users, known.map(|(&user, &item)| (user as usize, item))).sorted_and_distinct()
}

impl Masses {
    fn of(&self, item: u32) -> u64 {
        self.before[item as usize + 1] - self.before[item as usize]
    }
}

/// The first of `0..count` for which `holds` does not, if it holds for all before and none after.
fn partition_point(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// User 0 met items 0, 3, 4 (twice) and 6 of 7, user 1 nothing, user 2 all, user 3 item 3.
    fn met() -> Interactions {
        let mut met = Interactions::default();
        for (user, item) in [(0, 4), (0, 0), (0, 6), (0, 4), (0, 3), (3, 3), (UNKNOWN, 1), (1, UNKNOWN)] {
            met.push([user, item], 1.0, None);
        }
        (0..7).for_each(|item| met.push([2, item], 1.0, None));
        met
    }

    /// Every point's item.
    fn all(unseen: &Unseen, user: u32) -> Vec<u32> {
        (0..unseen.mass(user)).map(|point| unseen.at(user, point)).collect()
    }

    #[test]
    fn every_unseen_item_has_one_point_if_all_masses_are_one() {
        let unseen = Unseen::new([&met()], 4, 7);
        assert_eq!(all(&unseen, 0), [1, 2, 5]);
        assert_eq!(all(&unseen, 1), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(all(&unseen, 2), [0; 0]);
        assert_eq!(all(&unseen, 3), [0, 1, 2, 4, 5, 6]);
        assert_eq!((unseen.count(0), unseen.count(2), unseen.met(0)), (3, 0, &[0, 3, 4, 6][..]));
        assert!(unseen.has_met(0, 4) && !unseen.has_met(0, 5) && !unseen.has_met(1, 0));
    }

    #[test]
    fn an_item_has_points_in_proportion_to_its_popularity() {
        // Items 0, 4 and 6 have two users, item 3 three, the others one.
        let exact = Unseen::new([&met()], 4, 7).by_popularity(1.0);
        let share = |item: u32| exact.mass_of(item) as f64 / LARGEST_MASS;
        assert!((share(3) - 1.0).abs() < 1e-6 && (share(0) - 2.0 / 3.0).abs() < 1e-6, "{}", share(0));
        assert!((share(1) - 1.0 / 3.0).abs() < 1e-6);
        for user in 0..4 {
            let unmet: Vec<u32> = (0..7).filter(|&item| !exact.has_met(user, item)).collect();
            assert_eq!(exact.mass(user), unmet.iter().map(|&item| exact.mass_of(item)).sum::<u64>());
            // The first and the last point of each.
            let mut before = 0;
            for &item in &unmet {
                let mass = exact.mass_of(item);
                assert_eq!([before, before + mass - 1].map(|point| exact.at(user, point)), [item; 2], "user {user}");
                before += mass;
            }
        }
        let flat = Unseen::new([&met()], 4, 7).by_popularity(0.0);
        assert_eq!((0..7).map(|item| flat.mass_of(item)).collect::<Vec<_>>(), [1 << 24; 7]);
    }
}
