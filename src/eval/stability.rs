//! How many groups the data support: those that come out again when the data are drawn anew.
//!
//! Of each number of groups, pairs of bootstrap samples are put in groups, all rows are then put into those of either sample, and
//! what the two say is compared by the adjusted Rand index (Dolnicar & Leisch 2010).

use std::ops::RangeInclusive;

use rand::RngExt;
use rand::seq::index;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::linalg::k_means::{Centres, Points};
use crate::linalg::rand_index::adjusted_rand_index;
use crate::random;

/// Points of a sample at most, and rows at most that two samples are compared by.
const MOST_ROWS: usize = 10_000;
/// Starts of k-means on a sample.
const STARTS: usize = 5;

/// How well so many groups come out again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GroupStability {
    /// Groups.
    pub groups: usize,
    /// Mean adjusted Rand index of the pairs of samples.
    pub agreement: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The stability of each of these numbers of groups, over `pairs` pairs of samples.
///
/// # Panics
/// Without rows or pairs.
pub(crate) fn stabilities(
    rows: Points,
    groups: RangeInclusive<usize>,
    pairs: usize,
    (seed, name): (u64, &str),
) -> Vec<GroupStability> {
    let count = rows.count();
    let size = count.min(MOST_ROWS);
    let mut random = random::stream(seed, &format!("{name}/compared"));
    let compared = match count > size {
        true => rows.taken(&index::sample(&mut random, count, size).iter().map(|row| row as u32).collect::<Vec<_>>()),
        false => rows.taken(&(0..count as u32).collect::<Vec<_>>()),
    };
    let compared = Points::new(&compared, rows.width());
    let jobs: Vec<(usize, usize)> =
        groups.clone().flat_map(|groups| (0..pairs).map(move |pair| (groups, pair))).collect();
    let agreement = |&(groups, pair): &(usize, usize)| {
        let divisions = [0, 1].map(|side| {
            let mut random = random::stream(seed, &format!("{name}/{groups}/{pair}/{side}"));
            let sample: Vec<u32> = (0..size).map(|_| random.random_range(0..count) as u32).collect();
            let sample = rows.taken(&sample);
            let (centres, _) = Centres::of(Points::new(&sample, rows.width()), groups, STARTS, &mut random);
            centres.nearest(compared).into_iter().map(|(group, _)| group).collect::<Vec<u32>>()
        });
        adjusted_rand_index(&divisions[0], &divisions[1])
    };
    let agreements: Vec<f64> = jobs.par_iter().map(agreement).collect();
    let of = |(groups, agreements): (usize, &[f64])| {
        let agreement = agreements.iter().sum::<f64>() / pairs as f64;
        let squares: f64 = agreements.iter().map(|one| (one - agreement).powi(2)).sum();
        let variance = if pairs > 1 { squares / (pairs - 1) as f64 } else { 0.0 };
        GroupStability { groups, agreement, standard_error: (variance / pairs as f64).sqrt() }
    };
    groups.zip(agreements.chunks_exact(pairs)).map(of).collect()
}

/// The largest number of groups that is as stable as the most stable one, less the standard error of that: where several are
/// equally stable, the one that tells most apart.
pub(crate) fn largest_stable(stabilities: &[GroupStability]) -> Option<GroupStability> {
    let best = stabilities.iter().copied().max_by(|a, b| a.agreement.total_cmp(&b.agreement))?;
    stabilities.iter().copied().rfind(|own| own.agreement >= best.agreement - best.standard_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `heaps` heaps of 60 rows on a line, which touch if `width` is 1.
    fn heaps(heaps: usize, width: f32) -> Vec<f32> {
        let mut random = random::stream(1, "heaps");
        (0..60 * heaps).flat_map(|at| [(at % heaps) as f32 + width * random.random_range(-0.5..0.5), 0.0]).collect()
    }

    #[test]
    fn the_planted_number_of_groups_is_the_largest_stable_one() {
        let values = heaps(4, 0.2);
        let found = stabilities(Points::new(&values, 2), 2..=8, 10, (3, "test"));
        assert_eq!(found.iter().map(|own| own.groups).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((found[2].agreement, found[2].standard_error), (1.0, 0.0));
        assert_eq!(largest_stable(&found).expect("some").groups, 4);
        // Without heaps nothing stands out.
        let values = heaps(4, 1.0);
        let found = stabilities(Points::new(&values, 2), 2..=6, 10, (3, "test"));
        assert!(found.iter().skip(1).all(|own| own.agreement < 0.99), "{found:?}");
    }

    #[test]
    fn of_equals_the_one_with_most_groups_is_taken() {
        let own = |groups, agreement| GroupStability { groups, agreement, standard_error: 0.02 };
        let of = |found: &[GroupStability]| largest_stable(found).map(|own| own.groups);
        assert_eq!(of(&[own(2, 0.9), own(3, 0.885), own(4, 0.87)]), Some(3));
        assert_eq!(of(&[own(2, 0.7), own(3, 0.9), own(4, 0.87)]), Some(3));
        assert_eq!(of(&[]), None);
    }
}
