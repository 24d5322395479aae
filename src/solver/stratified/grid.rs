//! The order in which a stratified epoch visits ratings: a grid of blocks, and in each block groups without conflicts.
//!
//! Users and items are dealt at random into [`BLOCKS`] parts of about as many ratings each; block (a, b) holds the
//! ratings of part a's users for part b's items. Blocks (a, a + s) for all a, a *stratum*, share no row, so that they
//! may run at once and in any order (Gemulla, Nijkamp, Haas & Sismanis 2011). Inside a block, ratings are cut into
//! groups of at most [`GROUP`] in which no user and no item appears twice: their steps touch different rows, so that
//! computing them together is the same as computing them one by one.
//!
//! The grid depends on the ratings and the seed alone, never on the number of threads.

use std::ops::Range;

use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::linalg::groups::sorted_by_key;
use crate::random::stream;

/// Most parts that users, and items, are dealt into: as many blocks can run at once.
pub const BLOCKS: usize = 16;
/// Most ratings in a group.
pub const GROUP: usize = 16;
/// Bytes of user rows that neighbouring ratings of a block come from: about a first-level cache.
const TILE_BYTES: usize = 64 * 1024;

/// A rating, with rows counted inside its block's parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Row in the user part.
    pub user: u32,
    /// Row in the item part.
    pub item: u32,
    /// The rating, or the weight of an interaction among candidates.
    pub value: f32,
}

/// Ratings of one user part for one item part.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// The ratings, in the order they are visited.
    pub cells: Vec<Cell>,
    /// The weight of each; empty if all are 1.
    pub weights: Vec<f32>,
    /// Lengths of the groups that the cells are cut into.
    pub groups: Vec<u8>,
}

/// The rows of a table dealt into parts.
#[derive(Debug, Clone)]
pub struct DealtRows {
    /// Table rows, part by part.
    rows: Vec<u32>,
    /// Where each part begins in `rows`; one more at the end.
    starts: Vec<usize>,
    /// Where each table row is: (part, row inside it).
    places: Vec<(u32, u32)>,
}

impl DealtRows {
    /// Deals rows at random into parts of about as many ratings each; `counts` are ratings a row.
    pub fn deal(counts: &[u32], parts: usize, seed: u64, name: &str) -> Self {
        let mut rows: Vec<u32> = (0..counts.len() as u32).collect();
        rows.shuffle(&mut stream(seed, name));
        // A row weighs one more than its ratings, so that rows without any are dealt evenly, too.
        let weight = |row: u32| u64::from(counts[row as usize]) + 1;
        let total: u64 = rows.iter().map(|&row| weight(row)).sum();
        let mut starts = vec![0; parts + 1];
        let mut places = vec![(0, 0); counts.len()];
        let mut before = 0;
        for (at, &row) in rows.iter().enumerate() {
            let part = (before * parts as u64 / total) as usize;
            // Parts that begin no later than this row; empty ones included.
            starts[part + 1] = at + 1;
            before += weight(row);
        }
        for part in 0..parts {
            starts[part + 1] = starts[part + 1].max(starts[part]);
            for at in starts[part]..starts[part + 1] {
                places[rows[at] as usize] = (part as u32, (at - starts[part]) as u32);
            }
        }
        Self { rows, starts, places }
    }

    /// Number of parts.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Rows of the table.
    pub fn num_rows(&self) -> usize {
        self.rows.len()
    }

    /// Table rows of one part, in the order of its own rows.
    pub fn rows(&self, part: usize) -> &[u32] {
        &self.rows[self.range(part)]
    }

    /// Where a row of the table is: its part, and its row there.
    pub fn place(&self, row: u32) -> (u32, u32) {
        self.places[row as usize]
    }

    fn range(&self, part: usize) -> Range<usize> {
        self.starts[part]..self.starts[part + 1]
    }
}

/// How often each of `rows` rows is among `indices`.
pub fn counts(indices: &[u32], rows: usize) -> Vec<u32> {
    let mut counts = vec![0_u32; rows];
    indices.iter().for_each(|&index| counts[index as usize] += 1);
    counts
}

/// Shifts of the `count` strata of epoch `epoch` in the order they are visited.
pub fn strata(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut shifts: Vec<usize> = (0..count).collect();
    shifts.shuffle(&mut stream(seed, &format!("stratified/strata/{epoch}")));
    shifts
}

/// Puts the ratings of a part into an order in which neighbours come from few users, whose rows, of `row_bytes` bytes,
/// stay in a cache.
pub fn tiled(cells: &mut [Cell], row_bytes: usize, seed: u64, name: &str) {
    let tile = (TILE_BYTES / row_bytes).max(GROUP) as u32;
    cells.shuffle(&mut stream(seed, name));
    cells.sort_by_key(|cell| cell.user / tile);
}

/// All ratings of an epoch, in blocks.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Parts of the users, and of the items.
    parts: usize,
    /// Block (a, b) at a · parts + b.
    blocks: Vec<Block>,
}

/// Users and items dealt into as many parts, given how often each row is rated.
pub fn deal_both(users: &[u32], items: &[u32], seed: u64) -> [DealtRows; 2] {
    let parts = BLOCKS.min(users.len()).min(items.len()).max(1);
    [DealtRows::deal(users, parts, seed, "stratified/users"), DealtRows::deal(items, parts, seed, "stratified/items")]
}

impl Grid {
    /// The ratings, given as indices of users, of items, and values; rows have `row_bytes` bytes.
    pub fn new(
        (of_users, of_items, values): (&[u32], &[u32], &[f32]),
        [users, items]: [&DealtRows; 2],
        row_bytes: usize,
        seed: u64,
    ) -> Self {
        let parts = users.count();
        let place = |at: usize| (users.place(of_users[at]), items.place(of_items[at]));
        let block_of = |at: usize| {
            let ((a, _), (b, _)) = place(at);
            a as usize * parts + b as usize
        };
        let mut sizes = vec![0; parts * parts];
        (0..values.len()).for_each(|at| sizes[block_of(at)] += 1);
        let mut cells: Vec<Vec<Cell>> = sizes.into_iter().map(Vec::with_capacity).collect();
        for (at, &value) in values.iter().enumerate() {
            let ((a, user), (b, item)) = place(at);
            cells[a as usize * parts + b as usize].push(Cell { user, item, value });
        }
        let blocks = cells.into_par_iter().enumerate().map(|(index, mut cells)| {
            tiled(&mut cells, row_bytes, seed, &format!("stratified/block/{index}"));
            Block::grouped(cells, users.rows(index / parts).len(), items.rows(index % parts).len())
        });
        let blocks = blocks.collect();
        Self { parts, blocks }
    }

    /// Gives each rating another value and a weight.
    pub fn weigh(&mut self, target_and_weight: impl Fn(f32) -> (f32, f32) + Sync) {
        self.blocks.par_iter_mut().for_each(|block| {
            let weighed = |cell: &mut Cell| {
                let weight;
                (cell.value, weight) = target_and_weight(cell.value);
                weight
            };
            block.weights = block.cells.iter_mut().map(weighed).collect();
        });
    }

    /// Ratings of a user part for an item part.
    pub fn block(&self, users: usize, items: usize) -> &Block {
        &self.blocks[users * self.parts + items]
    }
}

impl Block {
    /// Puts each rating into the first group that has room and comes after all groups with its user or its item.
    fn grouped(cells: Vec<Cell>, num_users: usize, num_items: usize) -> Self {
        // The group after the last one with this user, or this item.
        let (mut of_user, mut of_item) = (vec![0_u32; num_users], vec![0_u32; num_items]);
        let mut groups: Vec<u8> = Vec::new();
        let mut first_with_room = 0;
        let mut group_of = Vec::with_capacity(cells.len());
        for cell in &cells {
            let (after_user, after_item) = (&mut of_user[cell.user as usize], &mut of_item[cell.item as usize]);
            let mut group = (*after_user).max(*after_item).max(first_with_room);
            while groups.get(group as usize).is_some_and(|&length| usize::from(length) == GROUP) {
                group += 1;
            }
            // A group is opened at most one after the last: it follows a group that is full or has this user or item.
            if group as usize == groups.len() {
                groups.push(0);
            }
            groups[group as usize] += 1;
            (*after_user, *after_item) = (group + 1, group + 1);
            group_of.push(group);
            while groups.get(first_with_room as usize).is_some_and(|&length| usize::from(length) == GROUP) {
                first_with_room += 1;
            }
        }
        let cells = sorted_by_key(groups.len(), &group_of, &cells);
        Self { cells, weights: Vec::new(), groups }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt;

    use super::*;

    /// Ratings of which a few users and items have most.
    fn skewed(users: u32, items: u32, count: usize) -> (Vec<u32>, Vec<u32>, Vec<f32>) {
        let mut random = stream(3, "test");
        let mut ratings = (Vec::new(), Vec::new(), Vec::new());
        let mut draw = |below: u32| (random.random::<f32>().powf(1.5) * below as f32) as u32;
        for at in 0..count {
            let (user, item) = (draw(users), draw(items));
            ratings.0.push(user);
            ratings.1.push(item);
            ratings.2.push(at as f32);
        }
        ratings
    }

    struct Dealt {
        users: DealtRows,
        items: DealtRows,
        grid: Grid,
    }

    fn dealt(
        (of_users, of_items, values): &(Vec<u32>, Vec<u32>, Vec<f32>),
        num_users: usize,
        num_items: usize,
    ) -> Dealt {
        let [users, items] = deal_both(&counts(of_users, num_users), &counts(of_items, num_items), 1);
        let grid = Grid::new((of_users, of_items, values), [&users, &items], 64, 1);
        Dealt { users, items, grid }
    }

    #[test]
    fn every_rating_is_in_its_block_once_and_no_group_has_a_row_twice() {
        for (users, items, count) in [(300, 200, 5000), (3, 200, 400), (1, 1, 7), (40, 40, 1)] {
            let ratings = skewed(users, items, count);
            let Dealt { users: of_users, items: of_items, grid } = dealt(&ratings, users as usize, items as usize);
            let mut seen = BTreeSet::new();
            for a in 0..of_users.count() {
                for b in 0..of_items.count() {
                    let block = grid.block(a, b);
                    let mut rest = &block.cells[..];
                    for &length in &block.groups {
                        let (group, next) = rest.split_at(length.into());
                        rest = next;
                        assert!((1..=GROUP).contains(&group.len()));
                        assert_eq!(group.iter().map(|cell| cell.user).collect::<BTreeSet<_>>().len(), group.len());
                        assert_eq!(group.iter().map(|cell| cell.item).collect::<BTreeSet<_>>().len(), group.len());
                        for cell in group {
                            // Values of the test are positions.
                            let at = cell.value as usize;
                            assert_eq!(of_users.rows(a)[cell.user as usize], ratings.0[at]);
                            assert_eq!(of_items.rows(b)[cell.item as usize], ratings.1[at]);
                            assert!(seen.insert(at));
                        }
                    }
                    assert!(rest.is_empty());
                }
            }
            assert_eq!(seen.len(), count);
        }
    }

    #[test]
    fn parts_hold_every_row_once_and_about_as_many_ratings() {
        let ratings = skewed(2000, 1000, 50_000);
        let Dealt { users, items, grid } = dealt(&ratings, 2000, 1000);
        assert_eq!(users.count(), BLOCKS);
        for (parts, rows) in [(&users, 2000), (&items, 1000)] {
            let all: BTreeSet<u32> = (0..BLOCKS).flat_map(|part| parts.rows(part).iter().copied()).collect();
            assert_eq!(all.len(), rows);
        }
        for a in 0..BLOCKS {
            let in_part: usize = (0..BLOCKS).map(|b| grid.block(a, b).cells.len()).sum();
            assert!((50_000 / BLOCKS).abs_diff(in_part) < 50_000 / BLOCKS / 4, "{in_part}");
        }
    }

    #[test]
    fn groups_are_nearly_full_where_rows_allow_it() {
        let ratings = skewed(2000, 1000, 50_000);
        let Dealt { grid, .. } = dealt(&ratings, 2000, 1000);
        let groups: usize = grid.blocks.iter().map(|block| block.groups.len()).sum();
        assert!(50_000 / groups >= 8, "{groups}");
    }

    #[test]
    fn strata_are_a_permutation_that_depends_on_seed_and_epoch() {
        assert_eq!(strata(16, 1, 1).into_iter().collect::<BTreeSet<_>>(), (0..16).collect());
        assert_eq!(strata(16, 1, 1), strata(16, 1, 1));
        assert_ne!(strata(16, 1, 1), strata(16, 1, 2));
        assert_ne!(strata(16, 1, 1), strata(16, 2, 1));
    }
}
