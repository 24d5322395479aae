//! Matrices of a known size: their rows and columns have numbers for ids, and exist also without an entry.

use std::path::Path;

use crate::data::{Dataset, ITEM, PairMut, UNKNOWN, USER};
use crate::linalg::Groups;

/// Rows and columns together that a file may ask for: their ids take memory, whether or not there are entries.
const MOST_PLACES: u64 = 20_000_000;

/// Refuses a size whose ids alone would take too much memory.
pub(super) fn check_size(rows: u64, columns: u64) -> Result<(), String> {
    if rows.saturating_add(columns) <= MOST_PLACES {
        return Ok(());
    }
    Err(format!(
        "a matrix of {rows} × {columns} has more than {MOST_PLACES} rows and columns, of which each takes memory; write its \
         entries as a list of row, column and value, in which those without an entry take none"
    ))
}

/// Adds the ids `"1"`, `"2"`, … of rows and columns, but for those that are there already: the ids of a test file are those
/// of the training file, and those beyond.
pub(super) fn insert_numbers(dataset: &mut Dataset, rows: u64, columns: u64) {
    let PairMut { users, items, .. } = dataset.pair_mut();
    (users.len() as u64 + 1..=rows).for_each(|row| _ = users.insert_number(row));
    (items.len() as u64 + 1..=columns).for_each(|column| _ = items.insert_number(column));
}

/// Adds entries from `start` on for one place to the first of them, and tells what has no entry.
pub(super) fn add_up(path: &Path, start: usize, dataset: &mut Dataset) {
    let PairMut { interactions, users, items, notes } = dataset.pair_mut();
    let rows = Groups::of_positions(users.len(), interactions.column(USER)[start..].iter().map(|&row| row as usize));
    // The first entry of each column in the row at hand.
    let mut first = vec![UNKNOWN; items.len()];
    let mut has_entry = vec![false; items.len()];
    let mut kept = vec![true; interactions.len() - start];
    for row in rows.iter() {
        for &entry in row {
            let at = start + entry as usize;
            let column = interactions.column(ITEM)[at] as usize;
            has_entry[column] = true;
            if first[column] == UNKNOWN {
                first[column] = entry;
            } else {
                let value = interactions.targets[at];
                interactions.targets[start + first[column] as usize] += value;
                kept[entry as usize] = false;
            }
        }
        row.iter().for_each(|&entry| first[interactions.column(ITEM)[start + entry as usize] as usize] = UNKNOWN);
    }
    let empty_rows = rows.iter().filter(|row| row.is_empty()).count();
    let empty_columns = has_entry.iter().filter(|has_entry| !**has_entry).count();
    if empty_rows + empty_columns > 0 {
        notes.push(format!(
            "{}: {empty_rows} of {} rows and {empty_columns} of {} columns have no entry: they are of zeros if the solver \
             takes absent cells for zeros, and else unknown",
            path.display(),
            users.len(),
            items.len()
        ));
    }
    let repeated = kept.iter().filter(|kept| !**kept).count();
    if repeated > 0 {
        interactions.retain_from(start, &kept);
        let what = match repeated {
            1 => "entry repeats the place of another and is added to it",
            _ => "entries repeat places of others and are added to them",
        };
        notes.push(format!("{}: {repeated} {what}", path.display()));
    }
}
