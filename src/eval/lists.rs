//! Ranked lists: the rows of an entity with the highest scores, for one query or for many.

use std::sync::Arc;

use burn::tensor::Device;
use rayon::prelude::*;

use super::products;
use crate::data::batch::Samples;
use crate::data::{Bag, FieldId};
use crate::device::{is_host, to_vec};
use crate::model::AnyModel;

/// Scores in memory at once.
const SCORES: usize = 1 << 22;

/// Rows scored at once by a model that has no matrix product over all of them.
const CHUNK: usize = 1 << 16;

/// Queries for the rows of one field, given the other fields.
#[derive(Debug, Clone)]
pub struct Queries<'a> {
    /// The indices of each query in each field; those of the field to be ranked are ignored.
    pub columns: Vec<Vec<u32>>,
    /// The field whose rows are ranked.
    pub field: FieldId,
    /// How many rows it has.
    pub num_rows: usize,
    /// Bags of the entities' rows.
    pub bags: &'a Arc<Vec<Bag>>,
}

impl<'a> Queries<'a> {
    /// Number of queries.
    pub fn len(&self) -> usize {
        self.columns[0].len()
    }

    /// Whether the scores of all rows for a query are one matrix product, rather than those of one pair after the other.
    pub fn are_products(&self, model: &AnyModel, device: &Device) -> bool {
        let first = self.columns.iter().map(|column| column.iter().take(1).copied().collect()).collect();
        let queries = Arc::new(Samples::of_columns(first, self.bags)).to_device(device);
        model.forward_all(&queries, self.field).is_some()
    }

    /// What `of_scores` makes of the number of each query and its scores of all rows, in the order of the queries. Scores
    /// come by blocks of queries, whose size depends on the number of rows alone; the rows of a block are spread over all
    /// threads.
    pub fn map<T: Send>(
        &self,
        model: &AnyModel,
        device: &Device,
        of_scores: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        if is_host(device)
            && let Some(results) = products::map(model, &self.columns, self.field, &of_scores)
        {
            return results;
        }
        let block = (SCORES / self.num_rows.max(1)).clamp(1, 1024);
        let mut results = Vec::with_capacity(self.len());
        for start in (0..self.len()).step_by(block) {
            let scores = self.scores(model, device, start, (start + block).min(self.len()));
            let rows = scores.par_chunks(self.num_rows.max(1)).enumerate();
            results.par_extend(rows.map(|(at, scores)| of_scores(start + at, scores)));
        }
        results
    }

    /// Scores of all rows for the queries `start..end`, one query after the other.
    fn scores(&self, model: &AnyModel, device: &Device, start: usize, end: usize) -> Vec<f32> {
        let batch = |columns| Arc::new(Samples::of_columns(columns, self.bags)).to_device(device);
        let of_block = |(field, column): (usize, &Vec<u32>)| match field == self.field.0 {
            // Any row will do: it is ignored.
            true => vec![0; end - start],
            false => column[start..end].to_vec(),
        };
        let queries = batch(self.columns.iter().enumerate().map(of_block).collect());
        if let Some(scores) = model.forward_all(&queries, self.field) {
            return to_vec(scores);
        }
        let rows: Vec<u32> = (0..self.num_rows as u32).collect();
        let chunks = (start..end).flat_map(|query| rows.chunks(CHUNK).map(move |rows| (query, rows)));
        let of_chunk = |(query, rows): (usize, &[u32])| {
            let column = |(field, column): (usize, &Vec<u32>)| {
                if field == self.field.0 { rows.to_vec() } else { vec![column[query]; rows.len()] }
            };
            to_vec(model.forward(&batch(self.columns.iter().enumerate().map(column).collect())))
        };
        chunks.flat_map(of_chunk).collect()
    }
}

/// Rows that are compared at once with the worst of the best so far.
const CHECKED: usize = 32;

/// The `n` rows with the highest scores, best first, without those in `excluded` (sorted indices). Equal scores are
/// ordered by index, NaN scores are skipped. Fewer than `n` if there are no more rows.
pub fn best(scores: &[f32], excluded: &[u32], n: usize) -> Vec<(u32, f32)> {
    if n == 0 {
        return Vec::new();
    }
    let best_first = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    // Room for as many again, so that most rows are only compared with the worst of the best so far.
    let room = n.saturating_mul(2).min(scores.len());
    let mut ranked: Vec<(u32, f32)> = Vec::with_capacity(room);
    let mut least = f32::NEG_INFINITY;
    let mut excluded = excluded.iter().copied().peekable();
    for (start, scores) in (0_u32..).step_by(CHECKED).zip(scores.chunks(CHECKED)) {
        // Once there are enough, most rows are passed over many at a time.
        if ranked.len() >= n && !scores.iter().fold(false, |any, &score| any | (score > least)) {
            continue;
        }
        while excluded.next_if(|&row| row < start).is_some() {}
        for (row, &score) in (start..).zip(scores) {
            if excluded.next_if_eq(&row).is_some() || score.is_nan() || ranked.len() >= n && score <= least {
                continue;
            }
            if ranked.len() == room {
                ranked.select_nth_unstable_by(n - 1, best_first);
                ranked.truncate(n);
                // Later rows with this score would stand behind.
                least = ranked[n - 1].1;
                if score <= least {
                    continue;
                }
            }
            ranked.push((row, score));
        }
    }
    ranked.sort_unstable_by(best_first);
    ranked.truncate(n);
    ranked
}

/// How many candidates stand before each of the `relevant` rows, ascending. Candidates are all rows but those in `excluded`
/// (sorted indices, none of them relevant). One with the same score stands before a relevant one, unless it is relevant,
/// too; a row whose score is NaN stands behind all others.
pub fn places(scores: &[f32], excluded: &[u32], relevant: &[u32]) -> Vec<u32> {
    let score = |row: u32| if scores[row as usize].is_nan() { f32::NEG_INFINITY } else { scores[row as usize] };
    let mut wanted: Vec<f32> = relevant.iter().map(|&row| score(row)).collect();
    wanted.sort_unstable_by(|a, b| b.total_cmp(a));
    // How many rows stand before each of them: candidates that have its score at least, and relevant ones that are earlier.
    let at_least = |wanted: f32| {
        let of = |rows: &[u32]| rows.iter().filter(|&&row| scores[row as usize] >= wanted).count();
        count_at_least(scores, wanted) - of(excluded) - of(relevant)
    };
    match wanted.len() <= FEW {
        true => wanted.iter().enumerate().map(|(earlier, &wanted)| (earlier + at_least(wanted)) as u32).collect(),
        false => places_of_many(scores, excluded, relevant, &wanted),
    }
}

/// Relevant rows that are counted for one by one, in passes that are done many numbers at a time.
const FEW: usize = 16;

fn count_at_least(scores: &[f32], wanted: f32) -> usize {
    // Sums of few, so that they fit into a number as wide as a score.
    let of_part = |part: &[f32]| part.iter().map(|&score| u32::from(score >= wanted)).sum::<u32>() as usize;
    scores.chunks(1 << 16).map(of_part).sum()
}

/// The same in one pass, for falling `wanted` scores, of which there are some.
fn places_of_many(scores: &[f32], excluded: &[u32], relevant: &[u32], wanted: &[f32]) -> Vec<u32> {
    let lowest = wanted[wanted.len() - 1];
    // By the number of wanted scores above it, how many rows stand before the next wanted one.
    let mut before = vec![0_i64; wanted.len()];
    let mut count = |score: f32, step: i64| {
        if score >= lowest {
            before[wanted.partition_point(|wanted| *wanted > score)] += step;
        }
    };
    scores.iter().for_each(|&score| count(score, 1));
    excluded.iter().chain(relevant).for_each(|&row| count(scores[row as usize], -1));
    let mut others = 0;
    let place = |(earlier, before): (i64, &i64)| {
        others += before;
        (earlier + others) as u32
    };
    (0..).zip(&before).map(place).collect()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt};

    use super::*;
    use crate::random;

    /// Scores with ties, NaN and infinities.
    fn scores(random: &mut impl Rng, count: usize) -> Vec<f32> {
        let value = |_| match random.random_range(0..12) {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 => f32::INFINITY,
            _ => random.random_range(-4..5) as f32,
        };
        (0..count).map(value).collect()
    }

    fn some(random: &mut impl Rng, rows: impl Iterator<Item = u32>) -> Vec<u32> {
        rows.filter(|_| random.random_bool(0.3)).collect()
    }

    #[test]
    fn lists_and_places_are_those_of_sorting_everything() {
        let mut random = random::stream(1, "lists");
        for _ in 0..300 {
            let count = random.random_range(1..120);
            let scores = scores(&mut random, count);
            let excluded = some(&mut random, 0..count as u32);
            let relevant = some(&mut random, (0..count as u32).filter(|row| excluded.binary_search(row).is_err()));
            let mut sorted: Vec<u32> = (0..count as u32).filter(|row| excluded.binary_search(row).is_err()).collect();
            let key = |row: u32| if scores[row as usize].is_nan() { f32::NEG_INFINITY } else { scores[row as usize] };
            sorted.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
            let numbers: Vec<u32> = sorted.iter().copied().filter(|&row| !scores[row as usize].is_nan()).collect();
            for n in [0, 1, 2, 5, 100] {
                let found: Vec<u32> = best(&scores, &excluded, n).into_iter().map(|(row, _)| row).collect();
                assert_eq!(found, numbers[..n.min(numbers.len())], "{scores:?} {excluded:?} {n}");
            }
            let is_relevant = |row: &u32| relevant.contains(row);
            sorted.sort_by(|a, b| key(*b).total_cmp(&key(*a)).then(is_relevant(a).cmp(&is_relevant(b))));
            let expected: Vec<u32> =
                (0..).zip(&sorted).filter(|(_, row)| is_relevant(row)).map(|(place, _)| place).collect();
            let found = places(&scores, &excluded, &relevant);
            // A NaN counts as −∞, and others that do stand in any order beside it.
            if !scores.iter().any(|score| score.is_nan()) {
                assert_eq!(found, expected, "{scores:?} {excluded:?} {relevant:?}");
            }
            assert!(found.is_sorted() && found.len() == relevant.len());
            assert!(found.last().is_none_or(|&last| (last as usize) < count - excluded.len()));
        }
    }

    #[test]
    fn a_constant_model_ranks_nothing_in_front() {
        assert_eq!(places(&[1.0; 5], &[4], &[0, 2]), [2, 3]);
        assert_eq!(places(&[f32::NAN; 3], &[], &[1]), [0]);
    }
}
