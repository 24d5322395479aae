//! Cells for all pairs of frequent words: pairs (i, j) with (i + 1)(j + 1) ≤ a bound, as in GloVe's `cooccur`.

use std::collections::{BTreeMap, btree_map};
use std::iter::{Peekable, once};
use std::ops::Range;

/// A row of a table: the pair with the second word j has the cell `base + j` if j is below `end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableRow {
    pub base: u32,
    pub end: u32,
}

/// Which pairs have a cell.
#[derive(Debug)]
pub struct TableShape {
    /// Whether the pair (i, j) is the same as (j, i), and i ≤ j.
    pub symmetric: bool,
    /// A row for each first word, and behind them an empty one.
    pub rows: Vec<TableRow>,
    /// Number of cells.
    pub cells: usize,
}

impl TableShape {
    /// That of the largest table of at most `cells` cells, which are less than 2³².
    pub fn new(words: u64, symmetric: bool, cells: u64) -> Self {
        let all_columns = |bound| {
            let columns = (0..words).map(move |row| columns(row, words, symmetric, bound));
            columns.take_while(|columns| !columns.is_empty())
        };
        let fits = |bound| {
            let mut used = 0;
            all_columns(bound).all(|columns| {
                used += columns.end - columns.start;
                used <= cells
            })
        };
        let (mut bound, mut above) = (0, words * words + 1);
        while bound + 1 < above {
            let middle = bound + (above - bound) / 2;
            (bound, above) = if fits(middle) { (middle, above) } else { (bound, middle) };
        }
        let mut start = 0;
        let rows = all_columns(bound).map(|columns| {
            let row = TableRow { base: (start - columns.start) as u32, end: columns.end as u32 };
            start += columns.end - columns.start;
            row
        });
        let rows = rows.chain(once(TableRow::default())).collect();
        Self { symmetric, rows, cells: start as usize }
    }

    /// Second words that have a cell in a row.
    fn columns(&self, row: usize) -> Range<u32> {
        let first = if self.symmetric { row as u32 } else { 0 };
        first..self.rows[row].end.max(first)
    }
}

/// Second words that have a cell in a row if pairs up to this bound have.
fn columns(row: u64, words: u64, symmetric: bool, bound: u64) -> Range<u64> {
    let first = if symmetric { row } else { 0 };
    first..(bound / (row + 1)).min(words).max(first)
}

/// Units by pair. Cells have 32 bits, to keep as many as possible in the processor's caches.
#[derive(Debug)]
pub struct PairTable {
    /// Units modulo 2³².
    cells: Vec<u32>,
    /// For each cell that overflowed, the multiple of 2³² that it lacks.
    carries: BTreeMap<u32, u64>,
}

impl PairTable {
    /// A table without units.
    pub fn new(shape: &TableShape) -> Self {
        Self { cells: vec![0; shape.cells], carries: BTreeMap::new() }
    }

    /// Adds units to a cell.
    #[inline]
    pub fn add(&mut self, cell: u32, units: u32) {
        let (sum, overflows) = self.cells[cell as usize].overflowing_add(units);
        self.cells[cell as usize] = sum;
        if overflows {
            *self.carries.entry(cell).or_default() += 1 << u32::BITS;
        }
    }
}

/// The sum of tables, row by row.
pub struct TableSum<'a> {
    shape: &'a TableShape,
    tables: Vec<Vec<u32>>,
    carries: Peekable<btree_map::IntoIter<u32, u64>>,
    /// Those that were not handed out yet.
    rows: Range<usize>,
}

impl<'a> TableSum<'a> {
    /// The sum of tables of this shape.
    pub fn new(shape: &'a TableShape, tables: impl Iterator<Item = PairTable>) -> Self {
        let mut carries = BTreeMap::new();
        let mut cells = |table: PairTable| {
            table.carries.into_iter().for_each(|(cell, units)| *carries.entry(cell).or_default() += units);
            table.cells
        };
        let tables = tables.map(&mut cells).collect();
        Self { shape, tables, carries: carries.into_iter().peekable(), rows: 0..shape.rows.len() }
    }

    /// Calls `each` with the pairs of all rows up to this one that were not handed out yet, and their units.
    pub fn hand_out(&mut self, last: usize, each: &mut impl FnMut(u32, u32, u64)) {
        while self.rows.start <= last
            && let Some(row) = self.rows.next()
        {
            for second in self.shape.columns(row) {
                let cell = self.shape.rows[row].base + second;
                let mut units: u64 = self.tables.iter().map(|table| u64::from(table[cell as usize])).sum();
                units += self.carries.next_if(|carry| carry.0 == cell).map_or(0, |carry| carry.1);
                if units > 0 {
                    each(row as u32, second, units);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_large_as_may_be_and_has_each_cell_once() {
        for (words, symmetric) in [(0, true), (1, true), (1, false), (7, true), (7, false), (100, true), (100, false)] {
            let pairs = if symmetric { words * (words + 1) / 2 } else { words * words };
            for most in [0, 1, 5, 30, 1000, pairs] {
                let shape = TableShape::new(words, symmetric, most);
                let cells: Vec<u32> = (0..shape.rows.len())
                    .flat_map(|row| shape.columns(row).map(move |second| (row, second)))
                    .map(|(row, second)| shape.rows[row].base + second)
                    .collect();
                assert_eq!(cells, (0..shape.cells as u32).collect::<Vec<_>>());
                assert!(shape.cells as u64 <= most && (most < pairs || shape.cells as u64 == pairs));
                assert_eq!(shape.rows.last(), Some(&TableRow::default()));
            }
        }
        let shape = TableShape::new(100, true, 12);
        assert_eq!(shape.rows, [TableRow { base: 0, end: 8 }, TableRow { base: 7, end: 4 }, TableRow::default()]);
    }

    #[test]
    fn sums_are_whole_beyond_32_bits() {
        let shape = TableShape::new(2, true, 3);
        let tables = [3, 2].map(|times| {
            let mut table = PairTable::new(&shape);
            (0..times).for_each(|_| table.add(1, u32::MAX));
            table.add(2, 5);
            table
        });
        let mut cells = Vec::new();
        let mut sum = TableSum::new(&shape, tables.into_iter());
        sum.hand_out(0, &mut |first, second, units| cells.push((first, second, units)));
        assert_eq!(cells, [(0, 1, 5 * u64::from(u32::MAX))]);
        sum.hand_out(usize::MAX, &mut |first, second, units| cells.push((first, second, units)));
        assert_eq!(cells[1..], [(1, 1, 10)]);
    }
}
