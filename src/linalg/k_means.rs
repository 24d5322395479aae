//! k-means: rows in groups around their means (Lloyd 1982), from starts that lie far apart (Arthur & Vassilvitskii 2007).
//!
//! minimizes Σ_i ‖x_i − c(i)‖² over k centres, c(i) being the nearest to row i. Of several starts the best end is kept.
//! Distances are sums in f32 in the order of the columns, means are sums in f64 in the order of the rows: the same bytes for any
//! number of threads and on every processor.

use rand::{Rng, RngExt};
use rayon::prelude::*;

/// Rounds of one start at most; it ends before if no row changes its group.
const MOST_ROUNDS: usize = 100;
/// Points of which the nearest centres are found together.
const BLOCK: usize = 1024;

/// Points of one width, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    values: &'a [f32],
    width: usize,
}

impl<'a> Points<'a> {
    /// Points of `width` numbers.
    ///
    /// # Panics
    /// If `width` is 0, or the values do not fill whole rows.
    pub fn new(values: &'a [f32], width: usize) -> Self {
        assert!(width > 0 && values.len().is_multiple_of(width), "whole rows");
        Self { values, width }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.values.len() / self.width
    }

    /// Numbers in one.
    pub fn width(self) -> usize {
        self.width
    }

    /// One of them.
    pub fn row(self, row: usize) -> &'a [f32] {
        &self.values[row * self.width..][..self.width]
    }

    /// These of them, as values.
    pub fn taken(self, rows: &[u32]) -> Vec<f32> {
        rows.iter().flat_map(|&row| self.row(row as usize)).copied().collect()
    }
}

/// The means of groups of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Centres {
    /// `[count, width]`.
    pub values: Vec<f32>,
    /// Numbers in each.
    pub width: usize,
}

impl Centres {
    /// The centres of `count` groups of `rows`, the best of `starts` starts, and the sum of the squared distances to them. There
    /// are fewer where fewer rows differ.
    ///
    /// # Panics
    /// Without rows, and for a count of 0.
    pub fn of(rows: Points, count: usize, starts: usize, random: &mut impl Rng) -> (Self, f64) {
        assert!(rows.count() > 0 && count > 0, "something to put in groups");
        let ends = (0..starts.max(1)).map(|_| Self::start(rows, count, random).settled(rows));
        // Of equals, the first.
        ends.reduce(|best, end| if end.1 < best.1 { end } else { best }).expect("one start at least")
    }

    /// Points that lie far apart: each is drawn with a probability that rises with the square of its distance to those before.
    fn start(rows: Points, count: usize, random: &mut impl Rng) -> Self {
        let first = random.random_range(0..rows.count());
        let mut centres = Self { values: rows.row(first).to_vec(), width: rows.width };
        let mut distances: Vec<f32> = vec![f32::INFINITY; rows.count()];
        while centres.values.len() < count * rows.width {
            let newest = &centres.values[centres.values.len() - rows.width..];
            for (at, distance) in distances.iter_mut().enumerate() {
                *distance = distance.min(squared_distance(rows.row(at), newest));
            }
            let whole: f64 = distances.iter().map(|&distance| f64::from(distance)).sum();
            // All rows are centres.
            if whole <= 0.0 {
                break;
            }
            let mut left = random.random_range(0.0..whole);
            let reached = |distance: &f32| {
                left -= f64::from(*distance);
                left < 0.0
            };
            let last = || distances.iter().rposition(|&distance| distance > 0.0);
            let next = distances.iter().position(reached).or_else(last).unwrap_or(0);
            centres.values.extend(rows.row(next));
        }
        centres
    }

    /// These centres, moved until no row changes its group, and the sum of the squared distances to them.
    fn settled(mut self, rows: Points) -> (Self, f64) {
        let mut groups = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let nearest = self.nearest(rows);
            let new: Vec<u32> = nearest.iter().map(|(group, _)| *group).collect();
            if new == groups {
                break;
            }
            groups = new;
            self.move_to_means(rows, &groups, &nearest);
        }
        let sum = self.nearest(rows).iter().map(|(_, distance)| f64::from(*distance)).sum();
        (self, sum)
    }

    fn move_to_means(&mut self, rows: Points, groups: &[u32], nearest: &[(u32, f32)]) {
        let width = self.width;
        let mut sums = vec![0.0_f64; self.values.len()];
        let mut sizes = vec![0_usize; self.count()];
        for (at, &group) in groups.iter().enumerate() {
            sizes[group as usize] += 1;
            let sum = &mut sums[group as usize * width..][..width];
            sum.iter_mut().zip(rows.row(at)).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        // A group without rows begins anew at the row that is farthest from its centre.
        let mut far: Vec<usize> = (0..rows.count()).collect();
        if sizes.contains(&0) {
            far.sort_by(|&a, &b| nearest[b].1.total_cmp(&nearest[a].1));
        }
        let mut far = far.into_iter();
        for (group, &size) in sizes.iter().enumerate() {
            let own = &mut self.values[group * width..][..width];
            if size == 0 {
                own.copy_from_slice(rows.row(far.next().unwrap_or(0)));
                continue;
            }
            for (value, sum) in own.iter_mut().zip(&sums[group * width..]) {
                *value = (sum / size as f64) as f32;
            }
        }
    }

    /// How many centres there are.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// The nearest centre of each row, and the squared distance to it; of equals the first.
    ///
    /// # Panics
    /// If the rows have another width.
    pub fn nearest(&self, rows: Points) -> Vec<(u32, f32)> {
        assert_eq!(rows.width, self.width, "rows as wide as the centres");
        let count = self.count();
        // Column by column, so that the distances to all centres grow together.
        let columns: Vec<f32> =
            (0..self.width).flat_map(|at| self.values.iter().skip(at).step_by(self.width)).copied().collect();
        let of_row = |row: &[f32], distances: &mut [f32]| -> (u32, f32) {
            distances.fill(0.0);
            for (&value, centres) in row.iter().zip(columns.chunks_exact(count)) {
                for (distance, centre) in distances.iter_mut().zip(centres) {
                    *distance += (value - centre) * (value - centre);
                }
            }
            let mut best = (0, distances[0]);
            for (centre, &distance) in distances.iter().enumerate().skip(1) {
                if distance < best.1 {
                    best = (centre as u32, distance);
                }
            }
            best
        };
        let blocks = rows.values.par_chunks(BLOCK * self.width).flat_map_iter(|block| {
            let mut distances = vec![0.0; count];
            block.chunks_exact(self.width).map(|row| of_row(row, &mut distances)).collect::<Vec<_>>()
        });
        blocks.collect()
    }
}

/// Σ (a − b)².
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::rand_index::adjusted_rand_index;
    use crate::random;

    /// Three heaps of `size` rows.
    fn heaps(size: usize) -> Vec<f32> {
        let mut random = random::stream(1, "heaps");
        let middles = [[0.0, 0.0], [5.0, 0.0], [0.0, 7.0]];
        let row = |at: usize| middles[at % 3].map(|middle: f32| middle + random.random_range(-0.5..0.5));
        (0..3 * size).flat_map(row).collect()
    }

    #[test]
    fn heaps_become_groups() {
        let values = heaps(200);
        let rows = Points::new(&values, 2);
        let (centres, sum) = Centres::of(rows, 3, 5, &mut random::stream(2, "k"));
        let groups: Vec<u32> = centres.nearest(rows).iter().map(|(group, _)| *group).collect();
        let planted: Vec<u32> = (0..600).map(|at| at % 3).collect();
        assert_eq!(adjusted_rand_index(&groups, &planted), 1.0);
        // A uniform number has the variance 1/12.
        assert!((sum / 1200.0 - 1.0 / 12.0).abs() < 0.01, "{sum}");
        // A centre is the mean of its rows, and no row is nearer to another.
        for group in 0..3 {
            let own: Vec<usize> = (0..600).filter(|&at| groups[at] == group).collect();
            for column in 0..2 {
                let mean: f32 = own.iter().map(|&at| rows.row(at)[column]).sum::<f32>() / own.len() as f32;
                assert!((centres.values[group as usize * 2 + column] - mean).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn threads_change_nothing() {
        let values = heaps(2000);
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| Centres::of(Points::new(&values, 2), 7, 3, &mut random::stream(2, "k")))
        };
        assert_eq!(of(1), of(3));
    }

    #[test]
    fn fewer_rows_than_groups_make_fewer() {
        let values = [1.0, 1.0, 1.0, 2.0, 2.0];
        let (centres, sum) = Centres::of(Points::new(&values, 1), 4, 3, &mut random::stream(2, "k"));
        let mut sorted = centres.values.clone();
        sorted.sort_by(f32::total_cmp);
        assert_eq!((sorted, sum), (vec![1.0, 2.0], 0.0));
    }
}
