//! How stable a factorization is, and which rank the data carry.
//!
//! From random starts a factorization ends in different places. Each run puts every sample into the component with its
//! largest entry; the consensus matrix holds for each pair of samples in which part of the runs both were put together
//! (Brunet, Tamayo, Golub & Mesirov 2004). A rank that the data carry gives a consensus of zeros and ones. A second,
//! independent judge is how well left-out cells are predicted by the others (Owen & Perry 2009 discuss such designs).

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::{NmfFit, NmfInit, NmfOptions, Zeros, nmf};
use crate::error::{Error, Result};
use crate::linalg::dot::{column_squares, dot, norm};
use crate::linalg::linkage::{Dendrogram, Distances, cophenetic_correlation};
use crate::linalg::{Dense, Matrix};
use crate::random::stream;

/// Which side of A holds the samples that are clustered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleSide {
    /// One row a sample: documents, customers.
    Rows,
    /// One column a sample: arrays of gene expression.
    Columns,
}

/// Many factorizations of one matrix, compared.
#[derive(Debug, Clone)]
pub struct Consensus {
    /// The part of the runs in which two samples were put together: `[samples, samples]`, 1 on the diagonal.
    pub matrix: Dense,
    /// The tree that average linkage makes of 1 − `matrix`.
    pub tree: Dendrogram,
    /// Correlation of 1 − `matrix` with the heights of the tree: 1 if all runs agree.
    pub cophenetic: f64,
    /// Mean of 4 (c − ½)² over all entries (Kim & Park 2007), in 0 … 1: 1 if all runs agree.
    pub dispersion: f64,
    /// The objective of each run.
    pub objectives: Vec<f64>,
    /// The run with the lowest objective.
    pub best: NmfFit,
}

impl Consensus {
    /// The cluster of each sample when the tree is cut into `clusters` parts.
    ///
    /// # Errors
    /// [`Error::Usage`] if there are fewer samples than clusters, or no clusters.
    pub fn clusters(&self, clusters: usize) -> Result<Vec<usize>> {
        self.tree.cut(clusters)
    }
}

/// For each sample the component with its largest entry, the first of equal ones, once the components are brought to
/// one scale: those of the other factor have unit length.
pub fn assignments(fit: &NmfFit, samples: SampleSide) -> Vec<usize> {
    let rank = fit.w.columns();
    let (w, h) = (fit.w.values(), fit.h.values());
    let columns = fit.h.columns();
    let lengths: Vec<f64> = match samples {
        SampleSide::Rows => h.chunks_exact(columns).map(norm).collect(),
        SampleSide::Columns => column_squares(w, rank).into_iter().map(f64::sqrt).collect(),
    };
    let entry = |sample: usize, t: usize| {
        let value = match samples {
            SampleSide::Rows => w[sample * rank + t],
            SampleSide::Columns => h[t * columns + sample],
        };
        f64::from(value) * lengths[t]
    };
    let count = match samples {
        SampleSide::Rows => fit.w.rows(),
        SampleSide::Columns => columns,
    };
    let largest = |sample| (1..rank).fold(0, |best, t| if entry(sample, t) > entry(sample, best) { t } else { best });
    (0..count).map(largest).collect()
}

/// Factorizes a matrix `runs` times from random starts, all runs in parallel, and compares them. `config.start` is not
/// used. The consensus takes 4 bytes, its clustering 16 for each pair of samples.
///
/// # Errors
/// As [`nmf`]; [`Error::Usage`] without runs.
pub fn consensus(matrix: &Matrix, config: &NmfOptions, runs: usize, samples: SampleSide) -> Result<Consensus> {
    if runs == 0 {
        return Err(Error::Usage("a consensus needs at least one run".into()));
    }
    let count = match samples {
        SampleSide::Rows => matrix.rows(),
        SampleSide::Columns => matrix.columns(),
    };
    let fit = |run: usize| {
        let seed = stream(config.seed, &format!("nmf/run/{run}")).next_u64();
        nmf(matrix, &NmfOptions { start: NmfInit::Random, seed, ..config.clone() })
    };
    // Factors would fill memory; the best ones are made once more at the end.
    let fits = (0..runs).into_par_iter().map(|run| fit(run).map(|fit| (assignments(&fit, samples), fit.objective)));
    let fits = fits.collect::<Result<Vec<_>>>()?;
    let mut together = vec![0u32; count * count];
    for (clusters, _) in &fits {
        let rows = together.par_chunks_mut(count).zip(clusters);
        rows.for_each(|(row, own)| {
            row.iter_mut().zip(clusters).for_each(|(pair, other)| *pair += u32::from(own == other));
        });
    }
    let matrix = Dense::from_fn(count, count, |row, column| together[row * count + column] as f32 / runs as f32);
    let distances =
        Distances::from_fn(count, |left, right| f64::from(runs as u32 - together[left * count + right]) / runs as f64);
    let tree = distances.average_linkage()?;
    // All samples in one cluster, or each in its own, in all runs: perfect agreement.
    let cophenetic = cophenetic_correlation(&distances, &tree).unwrap_or(1.0);
    let certainty = matrix.values().iter().map(|&pair| 4.0 * (f64::from(pair) - 0.5).powi(2));
    let dispersion = certainty.sum::<f64>() / (count * count) as f64;
    let objectives: Vec<f64> = fits.iter().map(|(_, objective)| *objective).collect();
    let best = (0..runs).min_by(|&a, &b| objectives[a].total_cmp(&objectives[b])).expect("at least one run");
    let best = fit(best)?;
    Ok(Consensus { matrix, tree, cophenetic, dispersion, objectives, best })
}

/// The largest rank up to which the cophenetic correlation has not fallen (Brunet et al. 2004: "where it begins to
/// fall"), of (rank, correlation) pairs with rising rank; `None` without any.
pub fn rank_before_fall(curve: &[(usize, f64)]) -> Option<usize> {
    let falls = curve.windows(2).find(|pair| pair[1].1 < pair[0].1 - 1e-9);
    falls.map(|pair| pair[0].0).or(curve.last().map(|last| last.0))
}

/// How well left-out cells are predicted: the root mean squared error in each of `folds` folds. Every cell that counts
/// (of a sparse matrix whose zeros are data, zeros too) belongs to one fold, drawn at random, and is predicted by a
/// factorization of the cells of all other folds. The rank with the lowest mean is the one that generalizes best.
///
/// All folds are fitted in parallel, each with its own copy of the cells that it sees: 8 bytes a cell.
///
/// # Errors
/// As [`nmf`]; [`Error::Usage`] for less than two folds.
pub fn held_out(matrix: &Matrix, config: &NmfOptions, folds: usize) -> Result<Vec<f64>> {
    if folds < 2 {
        return Err(Error::Usage("leaving cells out takes at least two folds".into()));
    }
    let all;
    let matrix = match (matrix, config.problem.zeros) {
        (Matrix::Sparse(_), Zeros::Data) => {
            all = Matrix::Dense(Dense::from_fn(matrix.rows(), matrix.columns(), |row, column| matrix.get(row, column)));
            &all
        }
        _ => matrix,
    };
    let mut random = stream(config.seed, "nmf/folds");
    let fold_of: Vec<u32> = (0..matrix.stored()).map(|_| random.random_range(0..folds as u32)).collect();
    let part = |fold: u32| {
        let mut at = 0;
        let kept = matrix.filtered(|_, _| {
            at += 1;
            fold_of[at - 1] != fold
        });
        let mut config = config.clone();
        config.problem.zeros = Zeros::Missing;
        let fit = nmf(&Matrix::Sparse(kept), &config)?;
        let ht = fit.h.transposed();
        let (mut sum, mut count) = (0.0, 0usize);
        for (at, &value) in matrix.values().iter().enumerate().filter(|(at, _)| fold_of[*at] == fold) {
            let (row, column) = matrix.place(at);
            sum += (f64::from(value) - dot(fit.w.row(row), ht.row(column))).powi(2);
            count += 1;
        }
        Ok((sum / count as f64).sqrt())
    };
    (0..folds as u32).into_par_iter().map(part).collect()
}
