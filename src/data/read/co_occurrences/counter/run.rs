//! Sorted entries that are kept until all are merged.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::iter::once;
use std::mem::take;
use std::ops::Range;
use std::sync::Mutex;

use bytemuck::{cast_slice, cast_slice_mut};
use rayon::prelude::*;

use super::entry::Packing;

/// Sorted entries.
#[derive(Debug)]
pub struct SortedRun {
    entries: Entries,
    length: usize,
    /// The pair of every `step`-th entry.
    samples: Vec<u64>,
    step: usize,
}

/// Where entries are.
#[derive(Debug)]
enum Entries {
    Memory(Vec<u64>),
    /// One that has no name, and that nobody finds once it is closed.
    File(Mutex<File>),
}

impl SortedRun {
    /// A run of sorted entries that stay in memory.
    pub fn in_memory(layout: Packing, step: usize, sorted: Vec<u64>) -> Self {
        let samples = sorted.iter().step_by(step).map(|entry| layout.pair(*entry)).collect();
        Self { length: sorted.len(), entries: Entries::Memory(sorted), samples, step }
    }

    /// A run in a temporary file: `write` hands sorted entries to the function that it gets.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn in_file(
        layout: Packing,
        step: usize,
        write: impl FnOnce(&mut dyn FnMut(&[u64]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        let (mut length, mut samples) = (0_usize, Vec::new());
        write(&mut |entries| {
            let unsampled = length.next_multiple_of(step) - length;
            samples.extend(entries.iter().skip(unsampled).step_by(step).map(|entry| layout.pair(*entry)));
            length += entries.len();
            file.write_all(cast_slice(entries))
        })?;
        Ok(Self { entries: Entries::File(Mutex::new(file)), length, samples, step })
    }

    /// Appends the entries of a range of pairs to others.
    fn load(&self, layout: Packing, pairs: &Range<u64>, to: &mut Vec<u64>) -> io::Result<()> {
        let samples_before = |pair| self.samples.partition_point(|sample| *sample < pair);
        let first = samples_before(pairs.start).saturating_sub(1) * self.step;
        let end = (samples_before(pairs.end) * self.step).min(self.length);
        let start = to.len();
        match &self.entries {
            Entries::Memory(entries) => to.extend_from_slice(&entries[first..end]),
            Entries::File(file) => {
                to.resize(start + end - first, 0);
                let mut file = file.lock().expect("no panic while a file is read");
                file.seek(SeekFrom::Start(8 * first as u64))?;
                file.read_exact(cast_slice_mut(&mut to[start..]))?;
            }
        }
        let entries_before = |pair| start + to[start..].partition_point(|entry| layout.pair(*entry) < pair);
        let range = entries_before(pairs.start)..entries_before(pairs.end);
        to.truncate(range.end);
        to.drain(start..range.start);
        Ok(())
    }
}

/// Calls `each` with all entries of runs in order, many at a time, those of a pair together. They are in memory range
/// by range, at most `memory` entries at a time, or else six steps of each run. While `each` takes some, other threads
/// load and sort the next ranges.
///
/// # Errors
/// If a file cannot be read, or `each` fails.
pub fn merge(
    runs: &[SortedRun],
    layout: Packing,
    memory: usize,
    mut each: impl FnMut(&[u64]) -> io::Result<()>,
) -> io::Result<()> {
    // A range takes thrice its length: its entries while they are handed out, and the next with half as much to sort.
    let step = runs.iter().map(|run| run.step).max().unwrap_or(1);
    let longest = (memory / 3 / rayon::current_num_threads()).max(2 * runs.len() * step);
    let at_once = (memory / 3 / longest).max(1);
    let load = |pairs: &Range<u64>| {
        let mut entries = Vec::with_capacity(longest + 2 * step);
        runs.iter().try_for_each(|run| run.load(layout, pairs, &mut entries))?;
        entries.sort(); // Unlike an unstable sort it merges what is sorted already.
        layout.combine(&mut entries);
        Ok(entries)
    };
    let mut loaded = Vec::new();
    for next in ranges(runs, longest / step).chunks(at_once).chain(once(&[][..])) {
        let now = take(&mut loaded);
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| loaded = next.par_iter().map(load).collect());
            now.into_iter().try_for_each(|entries: io::Result<Vec<u64>>| each(&entries?))
        })?;
    }
    Ok(())
}

/// Ranges of pairs that cover all, each of which has at most `steps` steps of entries in all runs together, if those
/// are more than there are runs.
fn ranges(runs: &[SortedRun], steps: usize) -> Vec<Range<u64>> {
    let mut samples: Vec<u64> = runs.iter().flat_map(|run| &run.samples).copied().collect();
    samples.sort_unstable();
    // A run has up to a step of entries before the first sample in a range.
    let cuts = samples.into_iter().step_by(steps.saturating_sub(runs.len()).max(1)).skip(1);
    let mut cuts: Vec<u64> = once(0).chain(cuts).chain(once(u64::MAX)).collect();
    cuts.dedup();
    cuts.windows(2).map(|cuts| cuts[0]..cuts[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of the pairs (k, k) for multiples k of a number.
    fn multiples(layout: Packing, of: u32) -> Vec<u64> {
        (0..1000).step_by(of as usize).map(|word| layout.entry(word, word, of)).collect()
    }

    #[test]
    fn runs_in_memory_and_in_files_are_merged() {
        let layout = Packing::new(1000);
        let written = |of| {
            let write =
                |append: &mut dyn FnMut(&[u64]) -> io::Result<()>| multiples(layout, of).chunks(9).try_for_each(append);
            SortedRun::in_file(layout, 4, write).expect("a temporary file")
        };
        let runs = [SortedRun::in_memory(layout, 4, multiples(layout, 2)), written(3), written(7), written(1000)];
        for memory in [0, 100, 1000, 100_000] {
            let mut entries = Vec::new();
            let longest = (memory / 3 / rayon::current_num_threads()).max(2 * runs.len() * 4);
            let append = |more: &[u64]| {
                assert!(more.len() <= longest);
                entries.extend_from_slice(more);
                Ok(())
            };
            merge(&runs, layout, memory, append).expect("files that can be read");
            let units = |word| [2, 3, 7, 1000].into_iter().filter(|of| word % of == 0).sum();
            let expected = (0..1000).filter(|word| units(*word) > 0).map(|word| layout.entry(word, word, units(word)));
            assert!(entries.into_iter().eq(expected), "memory for {memory} entries");
        }
    }

    #[test]
    fn what_takes_entries_may_fail() {
        let layout = Packing::new(1000);
        let runs = [SortedRun::in_memory(layout, 4, multiples(layout, 2))];
        assert!(merge(&runs, layout, 10, |_| Err(io::Error::other("full"))).is_err());
        merge(&[], layout, 10, |entries| {
            assert!(entries.is_empty());
            Ok(())
        })
        .expect("nothing to read");
    }
}
