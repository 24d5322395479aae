//! Which rows of a factor matrix are near each other, and whether they belong to the same class.
//!
//! Factors are given row by row, `rank` numbers each. Equally near rows are in the order of their indices, and results
//! do not depend on the number of threads.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::linalg::dot::{dot, norm};

/// Most rows whose neighbours [`precision_at`] looks up: each of them is compared with all rows.
const MAX_QUERIES: usize = 5_000;

/// The `count` rows with the largest cosine similarity to `query`, largest first, as (row, cosine in −1 … 1). `skip`,
/// the row that the query came from, is excluded. The similarity of a row of zeros is 0.
///
/// # Panics
/// If `query` does not have `rank` numbers, or `rank` is 0.
pub fn nearest(query: &[f32], rows: &[f32], rank: usize, count: usize, skip: Option<usize>) -> Vec<(usize, f64)> {
    assert_eq!(query.len(), rank, "the query has the length of a row");
    let length = norm(query);
    let similarity = |row: &[f32]| cosine(dot(query, row), length * norm(row));
    let similarities: Vec<f64> = rows.par_chunks_exact(rank).map(similarity).collect();
    largest(&similarities, count, skip)
}

/// Of the `n` rows that are nearest to a row by cosine, the share that has its class: the mean over all rows, or over
/// 5000 evenly spaced ones if there are more. 0 if no row has a neighbour.
///
/// # Panics
/// If there is not one class per row, or `n` or `rank` is 0.
pub fn precision_at(rows: &[f32], rank: usize, classes: &[&str], n: usize) -> f64 {
    assert!(n > 0 && rows.len() == classes.len() * rank, "a class for each row, and at least one neighbour");
    let n = n.min(classes.len().saturating_sub(1));
    if n == 0 {
        return 0.0;
    }
    let lengths: Vec<f64> = rows.par_chunks_exact(rank).map(norm).collect();
    let queries = classes.len().min(MAX_QUERIES);
    let hits = (0..queries).into_par_iter().map(|at| {
        let own = at * classes.len() / queries;
        let query = &rows[own * rank..][..rank];
        let similarities: Vec<f64> = (rows.chunks_exact(rank).zip(&lengths))
            .map(|(row, length)| cosine(dot(query, row), lengths[own] * length))
            .collect();
        largest(&similarities, n, Some(own)).into_iter().filter(|&(row, _)| classes[row] == classes[own]).count()
    });
    hits.sum::<usize>() as f64 / (queries * n) as f64
}

/// The share of rows whose class is the most frequent one among those of the `n` rows nearest to them by cosine, of equally
/// frequent ones that of the nearest row.
///
/// # Panics
/// If there is not one class per row, or `rank` is 0.
pub fn vote(rows: &[f32], rank: usize, classes: &[&str], n: usize) -> f64 {
    assert_eq!(rows.len(), classes.len() * rank, "a class for each row");
    let is_told = |own: usize| {
        let found = nearest(&rows[own * rank..][..rank], rows, rank, n, Some(own));
        let votes = |class: &str| found.iter().filter(|(row, _)| classes[*row] == class).count();
        let most = found.iter().map(|(row, _)| votes(classes[*row])).max();
        let winner = found.iter().find(|(row, _)| Some(votes(classes[*row])) == most);
        winner.is_some_and(|(row, _)| classes[*row] == classes[own])
    };
    let told = (0..classes.len()).filter(|&own| is_told(own)).count();
    told as f64 / classes.len().max(1) as f64
}

/// For each query the row at the smallest Euclidean distance; `None` without rows.
///
/// # Panics
/// If `rank` is 0.
pub fn closest(queries: &[f32], rows: &[f32], rank: usize) -> Option<Vec<usize>> {
    let distance = |query: &[f32], row: &[f32]| -> f64 {
        query.iter().zip(row).map(|(&q, &r)| (f64::from(q) - f64::from(r)).powi(2)).sum()
    };
    let find = |query| {
        let distances = rows.chunks_exact(rank).map(|row| distance(query, row)).enumerate();
        distances.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
    };
    queries.par_chunks_exact(rank).map(find).collect()
}

/// The share of queries that have the class of their [`closest`] row: the nearest-neighbour classifier, which
/// recognizes faces in the space of eigenfaces (Turk & Pentland 1991). `None` without rows or queries.
///
/// # Panics
/// If there is not one class per row and per query, or `rank` is 0.
pub fn nearest_class_accuracy(
    rows: &[f32],
    classes: &[&str],
    queries: &[f32],
    query_classes: &[&str],
    rank: usize,
) -> Option<f64> {
    assert!(rows.len() == classes.len() * rank && queries.len() == query_classes.len() * rank, "a class for each row");
    let found = closest(queries, rows, rank).filter(|found| !found.is_empty())?;
    let hits = found.iter().zip(query_classes).filter(|&(&row, class)| classes[row] == *class).count();
    Some(hits as f64 / found.len() as f64)
}

/// The `count` largest values and where they are, largest first, without `skip`.
fn largest(values: &[f64], count: usize, skip: Option<usize>) -> Vec<(usize, f64)> {
    let falling = |a: &(usize, f64), b: &(usize, f64)| -> Ordering { b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)) };
    let mut found: Vec<(usize, f64)> = values.iter().copied().enumerate().filter(|(at, _)| Some(*at) != skip).collect();
    if count == 0 {
        return Vec::new();
    }
    if count < found.len() {
        found.select_nth_unstable_by(count - 1, falling);
        found.truncate(count);
    }
    found.sort_unstable_by(falling);
    found
}

fn cosine(dot: f64, lengths: f64) -> f64 {
    if lengths > 0.0 { (dot / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two directions, two rows each, and a row of zeros.
    const ROWS: [f32; 10] = [1.0, 0.0, 0.1, 3.0, 5.0, 0.1, 0.0, 2.0, 0.0, 0.0];

    #[test]
    fn similarity_is_of_direction_and_ties_go_by_index() {
        let found = nearest(&[2.0, 0.0], &ROWS, 2, 3, None);
        assert_eq!(found.iter().map(|pair| pair.0).collect::<Vec<_>>(), [0, 2, 1]);
        assert!((found[0].1 - 1.0).abs() < 1e-12 && found[1].1 < 1.0, "{found:?}");
        assert_eq!(nearest(&[2.0, 0.0], &ROWS, 2, 1, Some(0))[0].0, 2);
        let equal = [1.0, 0.0, 2.0, 0.0, 3.0, 0.0];
        assert_eq!(nearest(&[1.0, 0.0], &equal, 2, 9, None), [(0, 1.0), (1, 1.0), (2, 1.0)]);
        assert!(nearest(&[1.0, 0.0], &equal, 2, 0, None).is_empty());
    }

    #[test]
    fn precision_counts_neighbours_of_the_same_class() {
        assert_eq!(precision_at(&ROWS[..8], 2, &["a", "b", "a", "b"], 1), 1.0);
        assert_eq!(precision_at(&ROWS[..8], 2, &["a", "a", "b", "b"], 1), 0.0);
        // Each row has one of its class among the three others.
        assert!((precision_at(&ROWS[..8], 2, &["a", "b", "a", "b"], 10) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(precision_at(&[1.0], 1, &["alone"], 10), 0.0);
        // More rows than are asked about; the classes are intervals of angles.
        let count = MAX_QUERIES + 7;
        let rows: Vec<f32> = (0..count).flat_map(|i| [(i as f32 * 3e-4).cos(), (i as f32 * 3e-4).sin()]).collect();
        let classes: Vec<&str> = (0..count).map(|i| if i < 2500 { "low" } else { "high" }).collect();
        let precision = precision_at(&rows, 2, &classes, 2);
        assert!(precision > 0.99 && precision < 1.0, "{precision}");
    }

    #[test]
    fn the_nearest_rows_vote_for_a_class() {
        // Of two neighbours with different classes the nearer counts.
        assert_eq!(vote(&ROWS[..8], 2, &["x", "y", "x", "y"], 1), 1.0);
        assert_eq!(vote(&ROWS[..8], 2, &["x", "y", "x", "y"], 2), 1.0);
        assert_eq!(vote(&ROWS[..8], 2, &["x", "y", "y", "y"], 3), 0.75);
        assert_eq!(vote(&[], 2, &[], 3), 0.0);
    }

    #[test]
    fn the_closest_row_names_the_class() {
        let queries = [4.0, 0.0, 0.0, 2.2, 0.2, 0.1];
        assert_eq!(closest(&queries, &ROWS, 2), Some(vec![2, 3, 4]));
        let classes = ["a", "b", "c", "d", "e"];
        assert_eq!(nearest_class_accuracy(&ROWS, &classes, &queries, &["c", "d", "a"], 2), Some(2.0 / 3.0));
        assert_eq!(nearest_class_accuracy(&[], &[], &queries, &["c", "d", "a"], 2), None);
        assert_eq!(nearest_class_accuracy(&ROWS, &classes, &[], &[], 2), None);
    }
}
