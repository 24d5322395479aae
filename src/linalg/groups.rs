//! Things put together that belong to the same row: counting sort (Knuth, The Art of Computer Programming 3, section
//! 5.2), in time that rises with the number of things and of rows.
//!
//! In each group things keep the order in which they were given.

use std::ops::Range;

/// Where each of `count` groups begins when there is a member for each of `keys`, and the end of the last:
/// `[count + 1]`. Group g is at `starts[g]..starts[g + 1]`.
///
/// # Panics
/// If a key is not below `count`.
fn starts(count: usize, keys: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut starts = vec![0; count + 1];
    for key in keys {
        starts[key + 1] += 1;
    }
    for group in 0..count {
        starts[group + 1] += starts[group];
    }
    starts
}

/// Calls `put(place, member)` with the place of each member among all.
fn place<T>(starts: &[usize], members: impl Iterator<Item = (usize, T)>, mut put: impl FnMut(usize, T)) {
    let mut next = starts.to_vec();
    for (key, member) in members {
        put(next[key], member);
        next[key] += 1;
    }
}

/// `items` in ascending order of their keys, which are below `count`; of one key in the order given.
///
/// # Panics
/// If a key is not below `count`, or there is not one for each item.
pub fn sorted_by_key<T: Copy>(count: usize, keys: &[u32], items: &[T]) -> Vec<T> {
    assert_eq!(keys.len(), items.len(), "a key for each item");
    let keys = keys.iter().map(|&key| key as usize);
    let mut sorted = items.to_vec();
    place(&starts(count, keys.clone()), keys.zip(items), |place, &item| sorted[place] = item);
    sorted
}

/// Numbers in groups: group by group, `4 · members + 8 · groups` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Group g is `members[starts[g]..starts[g + 1]]`.
    starts: Vec<usize>,
    members: Vec<u32>,
}

impl Groups {
    /// `count` groups of the members, each a pair of its group and itself.
    ///
    /// # Panics
    /// If a group is not below `count`.
    pub fn new(count: usize, members: impl Iterator<Item = (usize, u32)> + Clone) -> Self {
        let starts = starts(count, members.clone().map(|(group, _)| group));
        let mut grouped = vec![0; starts[count]];
        place(&starts, members, |place, member| grouped[place] = member);
        Self { starts, members: grouped }
    }

    /// The positions of `groups`, grouped by what stands there.
    ///
    /// # Panics
    /// If a group is not below `count`.
    pub fn of_positions(count: usize, groups: impl Iterator<Item = usize> + Clone) -> Self {
        Self::new(count, groups.zip(0..))
    }

    /// Groups that were taken apart by [`starts`](Self::starts) and [`members`](Self::members); `None` if these do not
    /// fit together.
    pub fn from_parts(starts: Vec<usize>, members: Vec<u32>) -> Option<Self> {
        let fits = starts.first() == Some(&0) && starts.is_sorted() && starts.last() == Some(&members.len());
        fits.then_some(Self { starts, members })
    }

    /// The groups with their members ascending, each once.
    pub fn sorted_and_distinct(self) -> Self {
        let Self { mut starts, mut members } = self;
        let mut end = 0;
        for group in 0..starts.len() - 1 {
            let (from, start) = (starts[group], end);
            members[from..starts[group + 1]].sort_unstable();
            for at in from..starts[group + 1] {
                if end == start || members[end - 1] != members[at] {
                    members[end] = members[at];
                    end += 1;
                }
            }
            starts[group] = start;
        }
        *starts.last_mut().expect("the end of the last group") = end;
        members.truncate(end);
        Self { starts, members }
    }

    /// These groups, and behind them others.
    pub fn followed_by(&self, others: &Self) -> Self {
        let end = self.members.len();
        let starts = self.starts.iter().copied().chain(others.starts[1..].iter().map(|start| end + start)).collect();
        Self { starts, members: [&self.members[..], &others.members].concat() }
    }

    /// For each group the members of both, ascending, each once.
    ///
    /// # Panics
    /// If there are more groups in one than in the other.
    pub fn joined(&self, others: &Self) -> Self {
        assert_eq!(self.count(), others.count(), "as many groups");
        let of_group =
            |group: usize| self.get(group).iter().chain(others.get(group)).map(move |&member| (group, member));
        Self::new(self.count(), (0..self.count()).flat_map(of_group)).sorted_and_distinct()
    }

    /// Number of groups.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where each group begins among the members; one more at the end.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// All members, group by group.
    pub fn members(&self) -> &[u32] {
        &self.members
    }

    /// Where a group lies among the members.
    pub fn range(&self, group: usize) -> Range<usize> {
        self.starts[group]..self.starts[group + 1]
    }

    /// The members of one group.
    pub fn get(&self, group: usize) -> &[u32] {
        &self.members[self.range(group)]
    }

    /// The groups in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> + Clone {
        self.starts.windows(2).map(|bounds| &self.members[bounds[0]..bounds[1]])
    }

    /// Hands out each group in their order, to bring its members into another one.
    pub fn for_each_mut(&mut self, mut each: impl FnMut(&mut [u32])) {
        for bounds in self.starts.windows(2) {
            each(&mut self.members[bounds[0]..bounds[1]]);
        }
    }
}

/// Cells of a matrix by row: for each its column and its value. 8 bytes a cell and 8 a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Columns by row.
    columns: Groups,
    values: Vec<f32>,
}

impl Cells {
    /// The cells (row, column, value) of `rows` rows, each row in the order given.
    ///
    /// # Panics
    /// If a row is not below `rows`.
    pub fn new(rows: usize, cells: impl Iterator<Item = (u32, u32, f32)> + Clone) -> Self {
        let starts = starts(rows, cells.clone().map(|(row, ..)| row as usize));
        let (mut columns, mut values) = (vec![0; starts[rows]], vec![0.0; starts[rows]]);
        let cells = cells.map(|(row, column, value)| (row as usize, (column, value)));
        place(&starts, cells, |place, cell| (columns[place], values[place]) = cell);
        Self { columns: Groups { starts, members: columns }, values }
    }

    /// Cells of these columns by row; `None` if there is not one value for each.
    pub fn from_parts(columns: Groups, values: Vec<f32>) -> Option<Self> {
        (columns.members().len() == values.len()).then_some(Self { columns, values })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.count()
    }

    /// Columns of all cells by row.
    pub fn columns(&self) -> &Groups {
        &self.columns
    }

    /// Values of all cells, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values alone.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Columns and values of the cells of one row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        (self.columns.get(row), &self.values[self.columns.range(row)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_together_and_keep_their_order() {
        let keys = [2usize, 0, 2, 2, 0];
        let groups = Groups::of_positions(4, keys.iter().copied());
        assert_eq!(groups.iter().collect::<Vec<_>>(), [&[1, 4][..], &[], &[0, 2, 3], &[]]);
        assert_eq!((groups.count(), groups.get(2), groups.range(2)), (4, &[0, 2, 3][..], 2..5));
        let mut groups = Groups::new(3, keys.into_iter().zip([9, 8, 7, 6, 5]));
        assert_eq!(groups.members(), [8, 5, 9, 7, 6]);
        groups.for_each_mut(<[u32]>::sort_unstable);
        assert_eq!(groups.members(), [5, 8, 6, 7, 9]);
        let twice = [(3, 4), (0, 7), (3, 1), (0, 7), (3, 4), (0, 2), (1, 7)];
        let distinct = Groups::new(5, twice.into_iter()).sorted_and_distinct();
        assert_eq!(distinct.iter().collect::<Vec<_>>(), [&[2, 7][..], &[7], &[], &[1, 4], &[]]);
        assert_eq!(distinct.members().len(), 5);
        assert_eq!(sorted_by_key(3, &[2, 0, 2, 1], &['a', 'b', 'c', 'd']), ['b', 'd', 'a', 'c']);
        assert_eq!(Groups::new(0, [].into_iter()).count(), 0);
    }

    #[test]
    fn groups_come_back_from_their_parts() {
        let groups = Groups::of_positions(2, [1, 0, 1].into_iter());
        let parts = (groups.starts().to_vec(), groups.members().to_vec());
        assert_eq!(Groups::from_parts(parts.0, parts.1), Some(groups));
        for (starts, members) in
            [(vec![], vec![]), (vec![1, 1], vec![4]), (vec![0, 2, 1], vec![4]), (vec![0, 2], vec![4])]
        {
            assert_eq!(Groups::from_parts(starts, members), None);
        }
    }

    #[test]
    fn cells_stay_whole() {
        let cells = Cells::new(3, [(2, 7, 1.0), (0, 5, 2.0), (2, 6, 3.0)].into_iter());
        assert_eq!(cells.rows(), 3);
        assert_eq!(cells.row(2), (&[7, 6][..], &[1.0, 3.0][..]));
        assert_eq!(cells.row(1), (&[][..], &[][..]));
        let parts = (cells.columns().clone(), cells.values().to_vec());
        assert_eq!(Cells::from_parts(parts.0.clone(), parts.1), Some(cells));
        assert_eq!(Cells::from_parts(parts.0, vec![1.0]), None);
    }
}
