//! What training saw of the items.

use crate::linalg::Groups;

/// Which users met each item in training.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Users by item, ascending.
    users: Groups,
    num_users: usize,
}

impl Catalog {
    /// The catalog of `num_items` items, given the items that each of some users met.
    pub(crate) fn new(seen: &Groups, num_items: usize) -> Self {
        let of_user = |user: usize| seen.get(user).iter().map(move |&item| (item as usize, user as u32));
        // Grouping keeps the order, so that the users of an item ascend.
        let users = Groups::new(num_items, (0..seen.count()).flat_map(of_user));
        Self { users, num_users: seen.count() }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.users.count()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of users who met an item.
    pub fn num_users_of(&self, item: usize) -> usize {
        self.users.get(item).len()
    }

    /// Share of the users who met an item; that of one user at least.
    pub fn popularity(&self, item: u32) -> f64 {
        self.num_users_of(item as usize).max(1) as f64 / self.num_users.max(1) as f64
    }

    /// [`popularity_scores`] of all items.
    pub fn popularity_scores(&self) -> Vec<f32> {
        let counts: Vec<usize> = self.users.iter().map(<[u32]>::len).collect();
        popularity_scores(&counts, self.num_users)
    }

    /// The users who met each item, ascending.
    pub(crate) fn users(&self) -> &Groups {
        &self.users
    }

    /// Cosine of two items, each a vector with a 1 for each user who met it: |U_i ∩ U_j| / √(|U_i| |U_j|); 0 if nobody met
    /// one of them.
    pub fn similarity(&self, one: u32, other: u32) -> f64 {
        let (one, other) = (self.users.get(one as usize), self.users.get(other as usize));
        if one.is_empty() || other.is_empty() {
            return 0.0;
        }
        common(one, other) as f64 / (one.len() as f64 * other.len() as f64).sqrt()
    }
}

/// Scores that rank items by popularity: the share of `num_users` users who met each of them, given how many did. Of items
/// that as many users met, an earlier one has a little more, as of less than half a user: a list has one order then.
pub fn popularity_scores(counts: &[usize], num_users: usize) -> Vec<f32> {
    let (num_items, num_users) = (counts.len(), num_users.max(1) as f64);
    let more = |item: usize| (num_items - item) as f64 / (2 * num_items) as f64;
    counts.iter().enumerate().map(|(item, &count)| ((count as f64 + more(item)) / num_users) as f32).collect()
}

/// Number of equal elements of two ascending lists.
fn common(mut one: &[u32], mut other: &[u32]) -> usize {
    let mut count = 0;
    while let (Some(a), Some(b)) = (one.first(), other.first()) {
        count += usize::from(a == b);
        let (next_one, next_other) = (usize::from(a <= b), usize::from(b <= a));
        (one, other) = (&one[next_one..], &other[next_other..]);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_in_common() {
        let seen = Groups::new(4, [(0, 0), (0, 1), (1, 0), (2, 1), (2, 0), (3, 1)].into_iter());
        let catalog = Catalog::new(&seen, 3);
        assert_eq!((catalog.len(), catalog.popularity(0), catalog.popularity(2)), (3, 0.75, 0.25));
        assert_eq!((catalog.similarity(0, 1), catalog.similarity(0, 0)), (2.0 / 3.0, 1.0));
        assert_eq!(catalog.similarity(0, 2), 0.0);
    }
}
