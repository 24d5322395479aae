//! Weighted co-occurrences of words in text, as GloVe counts them (Pennington, Socher & Manning 2014, section 3), in
//! bounded memory.
//!
//! Counts are the same bytes for any number of threads, any memory and any cutting of the text into pieces: weights are
//! whole numbers of units, and sums of whole numbers do not depend on their order.
//!
//! Each worker counts a part of the text. It has a table with a cell for each pair of frequent words; of any other pair
//! it appends an entry to a buffer. Full buffers are sorted and written to temporary files. In the end the files are
//! merged range by range, or the buffers if there are no files.

mod entry;
mod run;
mod table;

use std::io;
use std::mem::take;

use rayon::prelude::*;

pub use entry::MOST_WORDS;
use entry::Packing;
use run::{SortedRun, merge};
use table::{PairTable, TableShape, TableSum};

/// Ends a document among tokens.
pub const END: u32 = u32::MAX;

/// The weight 1 in units: the least common multiple of 1 to 16, so that 1/d is exact up to a distance of 16.
const UNIT: u32 = 720_720;

/// How many pairs a worker gathers for its table, or its buffer, before it adds them. Nothing is left then to branch
/// on, and the processor waits for many cells at a time: twice as fast as one by one.
const GATHERED: usize = 1024;

/// Which words count as context of a word, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Number of words to each side, from 1 to 720,720.
    pub size: usize,
    /// Whether words on both sides are context, or only those before.
    pub symmetric: bool,
    /// Whether a word d places away counts 1/d; otherwise 1.
    pub by_distance: bool,
}

/// How much a counter keeps in memory before it writes to files.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Most cells of a worker's table.
    cells: u64,
    /// Entries of a worker's buffer.
    buffer: usize,
    /// Entries for which there is memory when runs are merged, besides those of buffers.
    merging: usize,
    /// Every how many entries of a run it is known which stands there.
    step: usize,
    /// Most runs that were merged equally often.
    runs: usize,
}

impl Sizes {
    /// A half of the memory for tables, at most a cell for each pair; a sixteenth for tokens and small things; of the
    /// rest a quarter for merging and three for buffers.
    fn of(memory: usize, workers: usize, pairs: u64) -> Self {
        let cells = pairs.min((memory / 8 / workers) as u64).min(u64::from(u32::MAX));
        let rest = memory - memory / 16 - 4 * workers * cells as usize;
        Self { cells, buffer: rest / 32 * 3 / workers, merging: rest / 32, step: 1024, runs: 64 }
    }
}

/// What all workers read.
#[derive(Debug)]
struct Plan {
    words: usize,
    /// Units of a word that is 1, 2, … places away.
    weights: Vec<u32>,
    shape: TableShape,
    layout: Packing,
}

/// Counts of one worker.
#[derive(Debug)]
struct Worker {
    /// Units of pairs of frequent words.
    table: PairTable,
    /// Entries of other pairs.
    buffer: Vec<u64>,
}

impl Worker {
    /// Counts each token from the position `from` on with the words before it.
    fn count(&mut self, plan: &Plan, tokens: &[u32], from: usize) {
        let Plan { weights, shape: TableShape { symmetric, rows, .. }, layout, .. } = plan;
        let mut updates = vec![(0, 0); GATHERED + weights.len()];
        let mut entries = vec![0; GATHERED + weights.len()];
        let (mut updated, mut entered) = (0, 0);
        let mut start = tokens[..from].iter().rposition(|token| *token == END).map_or(0, |end| end + 1);
        for (at, &word) in tokens.iter().enumerate().skip(from) {
            if word == END {
                start = at + 1;
                continue;
            }
            let before = &tokens[start.max(at.saturating_sub(weights.len()))..at];
            for (&context, &units) in before.iter().rev().zip(weights) {
                let pair = if *symmetric { (word.min(context), word.max(context)) } else { (word, context) };
                let row = rows[(pair.0 as usize).min(rows.len() - 1)];
                let in_table = pair.1 < row.end;
                // Both are written, and one is kept: a branch would often be mispredicted.
                updates[updated] = (row.base.wrapping_add(pair.1), units);
                updated += usize::from(in_table);
                entries[entered] = layout.entry(pair.0, pair.1, units);
                entered += usize::from(!in_table);
            }
            if updated.max(entered) >= GATHERED {
                self.add(&updates[..updated], &entries[..entered]);
                (updated, entered) = (0, 0);
            }
        }
        self.add(&updates[..updated], &entries[..entered]);
    }

    /// Adds units to cells, and entries to the buffer.
    fn add(&mut self, updates: &[(u32, u32)], entries: &[u64]) {
        updates.iter().for_each(|&(cell, units)| self.table.add(cell, units));
        self.buffer.extend_from_slice(entries);
    }
}

/// Counts how often words occur near each other.
#[derive(Debug)]
pub struct Counter {
    plan: Plan,
    sizes: Sizes,
    workers: Vec<Worker>,
    /// Entries in files: at index l, runs of entries that were merged l times.
    runs: Vec<Vec<SortedRun>>,
    /// The end of the text that was counted, and behind it what waits until there is enough for all workers.
    tokens: Vec<u32>,
    /// How many of them were counted.
    counted: usize,
}

impl Counter {
    /// A counter for words that are numbered by falling frequency from 0. Tables and buffers take at most `memory`
    /// bytes together, which are 64 MiB or more. There are as many workers as the thread pool has threads.
    ///
    /// # Panics
    /// If there are more than [`MOST_WORDS`] words, or the size of the window is not from 1 to 720,720.
    pub fn new(window: Window, words: usize, memory: usize) -> Self {
        let count = words as u64;
        let pairs = if window.symmetric { count * (count + 1) / 2 } else { count * count };
        Self::with_sizes(window, words, Sizes::of(memory, rayon::current_num_threads(), pairs))
    }

    fn with_sizes(window: Window, words: usize, sizes: Sizes) -> Self {
        let Window { size, symmetric, by_distance } = window;
        assert!((1..=UNIT as usize).contains(&size), "a window of {size} words");
        let units = |distance| if by_distance { (2 * UNIT + distance) / (2 * distance) } else { UNIT };
        let plan = Plan {
            words,
            weights: (1..=size as u32).map(units).collect(),
            layout: Packing::new(words),
            shape: TableShape::new(words as u64, symmetric, sizes.cells),
        };
        let worker = |_| Worker { table: PairTable::new(&plan.shape), buffer: Vec::new() };
        let workers = (0..rayon::current_num_threads()).map(worker).collect();
        Self { plan, sizes, workers, runs: Vec::new(), tokens: Vec::new(), counted: 0 }
    }

    /// Takes in a piece of text: words, with [`END`] between documents. A window never crosses an [`END`], but does
    /// cross from one piece to the next.
    ///
    /// # Errors
    /// If a temporary file cannot be written or read. Counts are lost then.
    ///
    /// # Panics
    /// If a token is neither a word nor [`END`].
    pub fn add(&mut self, mut tokens: &[u32]) -> io::Result<()> {
        let is_known = |&token: &u32| (token as usize) < self.plan.words || token == END;
        assert!(tokens.iter().all(is_known), "a token that is no word");
        let batch = self.workers.len() * self.longest_part();
        while !tokens.is_empty() {
            let (now, later) = tokens.split_at(tokens.len().min(batch + self.counted - self.tokens.len()));
            self.tokens.extend_from_slice(now);
            tokens = later;
            if self.tokens.len() - self.counted == batch {
                self.count()?;
            }
        }
        Ok(())
    }

    /// Calls `each(word, context, count)` for every pair that occurred, in a fixed order: by word and then by context;
    /// but if the window is symmetric, (i, j) with i < j is followed by (j, i), and those come in the order of (i, j).
    /// Of a symmetric window a word is counted twice with itself, as in GloVe's `cooccur`. That one writes one-sided
    /// pairs the other way round, the context first.
    ///
    /// # Errors
    /// If a temporary file cannot be written or read.
    pub fn finish(mut self, mut each: impl FnMut(u32, u32, f32)) -> io::Result<()> {
        self.count()?;
        self.sort_buffers();
        let runs = self.take_runs()?;
        let Plan { layout, shape, .. } = self.plan;
        let mut emit = |first, second, units: u64| {
            let units = if shape.symmetric && first == second { 2 * units } else { units };
            let count = (units as f64 / f64::from(UNIT)) as f32;
            each(first, second, count);
            if shape.symmetric && first != second {
                each(second, first, count);
            }
        };
        let mut table = TableSum::new(&shape, self.workers.into_iter().map(|worker| worker.table));
        merge(&runs, layout, self.sizes.merging, |entries| {
            for entries in layout.by_pair(entries) {
                let (first, second) = layout.words(layout.pair(entries[0]));
                // In a row, pairs that have a cell are before all others.
                table.hand_out(first as usize, &mut emit);
                emit(first, second, layout.units(entries));
            }
            Ok(())
        })?;
        table.hand_out(usize::MAX, &mut emit);
        Ok(())
    }

    /// Most tokens that a worker counts at a time: so few that a quarter of its buffer holds all their pairs.
    fn longest_part(&self) -> usize {
        (self.sizes.buffer / 4 / self.plan.weights.len()).clamp(1, 1 << 17)
    }

    /// Counts the tokens that wait, a part in each worker. If a buffer has no room for them, buffers are sorted; if one
    /// is more than half full even so, all are written to files.
    fn count(&mut self) -> io::Result<()> {
        let size = self.plan.weights.len();
        let most = self.sizes.buffer.saturating_sub(self.longest_part() * size);
        if self.workers.iter().any(|worker| worker.buffer.len() > most) {
            self.sort_buffers();
            if self.workers.iter().any(|worker| worker.buffer.len() > self.sizes.buffer / 2) {
                self.write_buffers()?;
            }
        }
        let length = (self.tokens.len() - self.counted).div_ceil(self.workers.len());
        self.workers.par_iter_mut().enumerate().for_each(|(part, worker)| {
            let from = (self.counted + part * length).min(self.tokens.len());
            let (earliest, end) = (from.saturating_sub(size), (from + length).min(self.tokens.len()));
            worker.buffer.reserve_exact(self.sizes.buffer.saturating_sub(worker.buffer.len()));
            worker.count(&self.plan, &self.tokens[earliest..end], from - earliest);
        });
        self.tokens.drain(..self.tokens.len().saturating_sub(size));
        self.counted = self.tokens.len();
        Ok(())
    }

    /// Sorts buffers, and makes one entry of those of a pair.
    fn sort_buffers(&mut self) {
        self.workers.par_iter_mut().for_each(|worker| {
            worker.buffer.sort_unstable();
            self.plan.layout.combine(&mut worker.buffer);
        });
    }

    /// Writes each sorted buffer to a file, and empties it.
    fn write_buffers(&mut self) -> io::Result<()> {
        let Sizes { step, .. } = self.sizes;
        let workers = self.workers.par_iter_mut().filter(|worker| !worker.buffer.is_empty());
        let runs = workers.map(|worker| {
            let run = SortedRun::in_file(self.plan.layout, step, |append| append(&worker.buffer));
            worker.buffer.clear();
            run
        });
        let runs = runs.collect::<io::Result<_>>()?;
        self.keep_runs(runs, 0)
    }

    /// Keeps runs of entries that were merged `level` times. Of too many one is made, so that few files are open; that
    /// one waits until there are as many of its kind, so that no entry is merged often.
    fn keep_runs(&mut self, mut runs: Vec<SortedRun>, level: usize) -> io::Result<()> {
        self.runs.resize_with(self.runs.len().max(level + 1), Vec::new);
        self.runs[level].append(&mut runs);
        if self.runs[level].len() <= self.sizes.runs {
            return Ok(());
        }
        let (runs, layout) = (take(&mut self.runs[level]), self.plan.layout);
        let run =
            SortedRun::in_file(layout, self.sizes.step, |append| merge(&runs, layout, self.sizes.merging, append))?;
        drop(runs);
        self.keep_runs(vec![run], level + 1)
    }

    /// All entries: those in files if there are any, and otherwise the sorted buffers.
    fn take_runs(&mut self) -> io::Result<Vec<SortedRun>> {
        if !self.runs.is_empty() {
            self.write_buffers()?;
            return Ok(take(&mut self.runs).into_iter().flatten().collect());
        }
        let Self { plan: Plan { layout, .. }, sizes: Sizes { step, .. }, .. } = *self;
        let in_memory = |worker: &mut Worker| SortedRun::in_memory(layout, step, take(&mut worker.buffer));
        Ok(self.workers.iter_mut().map(in_memory).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A word, a context and the bits of their count.
    type Cell = (u32, u32, u32);

    /// Sizes from such that keep nothing in memory to such that keep all.
    const SIZES: [Sizes; 5] = [
        Sizes { cells: 0, buffer: 30, merging: 40, step: 3, runs: 4 },
        Sizes { cells: 50, buffer: 200, merging: 900, step: 7, runs: 3 },
        Sizes { cells: 100, buffer: 1000, merging: 10, step: 1, runs: 64 },
        Sizes { cells: 0, buffer: 1_000_000, merging: 1_000_000, step: 1024, runs: 64 },
        Sizes { cells: 1_000_000, buffer: 100_000, merging: 1_000_000, step: 1024, runs: 64 },
    ];

    /// Pseudo-random words below a number, low ones more often, and ends of documents.
    fn text(tokens: usize, words: u32) -> Vec<u32> {
        let mut state = 7_u64;
        let mut below = |bound: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % u64::from(bound)) as u32
        };
        let mut token = || {
            let bound = 1 + below(words);
            if below(40) == 0 { END } else { below(bound) }
        };
        (0..tokens).map(|_| token()).collect()
    }

    /// Cells by the definition.
    fn expected(window: Window, tokens: &[u32]) -> Vec<Cell> {
        let mut all_units = BTreeMap::<(u32, u32), u64>::new();
        for document in tokens.split(|token| *token == END) {
            for (at, &word) in document.iter().enumerate() {
                for distance in 1..=window.size.min(at) {
                    let context = document[at - distance];
                    let weight = if window.by_distance { 1.0 / distance as f64 } else { 1.0 };
                    let units = (720_720.0 * weight).round() as u64;
                    *all_units.entry((word, context)).or_default() += units;
                    if window.symmetric {
                        *all_units.entry((context, word)).or_default() += units;
                    }
                }
            }
        }
        let cell = |((word, context), units)| (word, context, ((units as f64 / 720_720.0) as f32).to_bits());
        let mut cells: Vec<Cell> = all_units.into_iter().map(cell).collect();
        if window.symmetric {
            cells.sort_by_key(|&(word, context, _)| (word.min(context), word.max(context), word));
        }
        cells
    }

    fn finished(counter: Counter) -> Vec<Cell> {
        let mut cells = Vec::new();
        counter.finish(|word, context, count| cells.push((word, context, count.to_bits()))).expect("temporary files");
        cells
    }

    /// A counter that took in a text of 60 words in pieces of this length.
    fn counter(window: Window, sizes: Sizes, tokens: &[u32], piece: usize) -> Counter {
        let mut counter = Counter::with_sizes(window, 60, sizes);
        tokens.chunks(piece).for_each(|piece| counter.add(piece).expect("temporary files"));
        counter
    }

    fn in_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool").install(run)
    }

    #[test]
    fn cells_are_those_of_the_definition_for_any_memory_threads_and_pieces() {
        let tokens = text(700, 60);
        for size in [1, 2, 5, 10, 15, 40] {
            for (symmetric, by_distance) in [(true, true), (true, false), (false, true), (false, false)] {
                let window = Window { size, symmetric, by_distance };
                let expected = expected(window, &tokens);
                for (sizes, threads, piece) in
                    SIZES.iter().flat_map(|sizes| [(sizes, 1, 7), (sizes, 3, 1), (sizes, 3, 100), (sizes, 3, 1000)])
                {
                    let cells = in_threads(threads, || finished(counter(window, *sizes, &tokens, piece)));
                    assert!(cells == expected, "{window:?}, {sizes:?}, {threads} threads, pieces of {piece} tokens");
                }
            }
        }
    }

    #[test]
    fn entries_are_in_few_files_or_in_none() {
        let window = Window { size: 5, symmetric: true, by_distance: true };
        let tokens = text(3000, 60);
        for (sizes, files) in SIZES.into_iter().zip([true, true, true, false, false]) {
            let counter = in_threads(3, || counter(window, sizes, &tokens, 500));
            assert_eq!(!counter.runs.is_empty(), files, "{sizes:?}");
            assert!(counter.runs.iter().all(|runs| runs.len() <= sizes.runs));
            if sizes.runs == 4 {
                assert!(counter.runs.len() > 2, "{} levels of runs", counter.runs.len());
            }
            assert!(finished(counter) == expected(window, &tokens), "{sizes:?}");
        }
    }

    #[test]
    fn counts_may_be_large() {
        let window = Window { size: 10, symmetric: true, by_distance: false };
        let tokens: Vec<u32> = (0..7000).map(|at| at % 2).collect();
        for sizes in SIZES {
            let mut counter = Counter::with_sizes(window, MOST_WORDS, sizes);
            counter.add(&tokens).expect("temporary files");
            assert!(finished(counter) == expected(window, &tokens), "{sizes:?}");
        }
    }

    #[test]
    fn nothing_has_no_cells() {
        let window = Window { size: 3, symmetric: true, by_distance: true };
        for words in [0, 1, 1000] {
            for tokens in [&[][..], &[END], &[END, END, END]] {
                let mut counter = Counter::new(window, words, 64 << 20);
                counter.add(tokens).expect("no file");
                assert_eq!(finished(counter), []);
            }
        }
        let mut counter = Counter::new(window, 1, 64 << 20);
        counter.add(&[0, END, 0]).expect("no file");
        assert_eq!(finished(counter), []);
    }

    #[test]
    fn shares_of_the_memory_are_within_it() {
        for (memory, workers, pairs) in [(64 << 20, 1, 0), (64 << 20, 3, 1000), (1 << 30, 64, 1 << 40)] {
            let Sizes { cells, buffer, merging, .. } = Sizes::of(memory, workers, pairs);
            let taken = workers * (4 * cells as usize + 8 * buffer) + 8 * merging;
            assert!(cells <= pairs && taken <= memory / 16 * 15 && taken > memory / 8 * 7, "{taken} of {memory} bytes");
        }
    }

    #[test]
    #[should_panic(expected = "a token that is no word")]
    fn a_token_must_be_a_word() {
        let window = Window { size: 3, symmetric: true, by_distance: true };
        Counter::new(window, 5, 64 << 20).add(&[4, 5]).expect("no file");
    }
}
