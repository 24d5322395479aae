//! How many components there are: agreement of many factorizations, and cells held out.

use lowrank::linalg::linkage::{Distances, cophenetic_correlation};
use lowrank::linalg::{Dense, Matrix};
use lowrank::random::stream;
use lowrank::solver::nmf::consensus::{self, SampleSide, assignments, consensus, held_out};
use lowrank::solver::nmf::{NmfInit, NmfOptions};
use rand::RngExt;

use super::inputs::{close, message, planted};

#[test]
fn average_linkage_is_that_of_scipy() {
    let distances = Distances::from_fn(12, |i, j| 1.0 + (0.3 + 1.7 * i as f64 + 0.9 * (j as f64).powf(1.5)).sin());
    let tree = distances.average_linkage().expect("items");
    let heights: Vec<_> = tree.merges().iter().map(|merge| merge.height).collect();
    close(&heights, &MERGE_HEIGHTS, 1e-8);
    close(&[cophenetic_correlation(&distances, &tree).expect("varies")], &COPHENETIC_CORRELATION, 1e-8);
}

/// 30 samples in three groups, each with ten features of its own; groups take turns.
fn groups(samples: SampleSide) -> Matrix {
    let mut random = stream(6, "groups");
    let matrix = Dense::from_fn(30, 30, |sample, feature| {
        random.random_range(0.0..1.0) + if sample % 3 == feature / 10 { 0.8 } else { 0.0 }
    });
    Matrix::Dense(if samples == SampleSide::Rows { matrix } else { matrix.transposed() })
}

#[test]
fn a_consensus_is_perfect_for_planted_groups_and_poor_for_noise() {
    for samples in [SampleSide::Rows, SampleSide::Columns] {
        let found = consensus(&groups(samples), &NmfOptions::new(3), 20, samples).expect("fits");
        let expected: Vec<_> = (0..30).map(|sample| sample % 3).collect();
        assert_eq!(found.clusters(3).expect("30 samples"), expected);
        assert_eq!((found.cophenetic, found.dispersion), (1.0, 1.0));
        let best = assignments(&found.best, samples);
        assert!((0..30).all(|sample| best[sample] == best[sample % 3]));
        let leaves = found.tree.leaves();
        assert!((0..30).all(|at| leaves[at] % 3 == leaves[at - at % 10] % 3), "{leaves:?}");
        assert!(found.objectives.iter().all(|objective| *objective >= found.best.objective));
        assert!(message(found.clusters(31)).contains("30 items do not divide into 31 clusters"));

        let mut random = stream(6, "noise");
        let noise = Matrix::Dense(Dense::from_fn(30, 30, |_, _| random.random_range(0.0..1.0)));
        let found = consensus(&noise, &NmfOptions::new(4), 20, samples).expect("fits");
        assert!(found.dispersion < 0.9 && found.cophenetic < 0.999, "{} {}", found.dispersion, found.cophenetic);
        let apart = found.objectives.iter().filter(|objective| **objective > found.best.objective).count();
        assert_eq!((found.objectives.len(), apart), (20, 19), "each run starts elsewhere");
    }
    let rank = |correlations: &[f64]| {
        consensus::rank_before_fall(&(2..).zip(correlations.iter().copied()).collect::<Vec<_>>())
    };
    assert_eq!(rank(&[1.0, 1.0, 0.99, 1.0]), Some(3));
    assert_eq!(rank(&[0.97, 0.98, 0.99]), Some(4));
    assert_eq!(rank(&[]), None);
}

#[test]
fn held_out_cells_are_predicted_best_with_the_planted_rank() {
    let mut random = stream(2, "noise");
    let truth = planted(60, 50, 3);
    let noisy =
        Dense::from_fn(60, 50, |row, column| (truth.get(row, column) + random.random_range(-0.1..0.1)).max(0.0));
    let matrix = Matrix::Dense(noisy);
    let error = |rank| {
        let config = with!(NmfOptions::new(rank), start: NmfInit::Random, max_iterations: 500);
        held_out(&matrix, &config, 5).expect("fits").iter().sum::<f64>()
    };
    let errors = [1, 2, 3, 4, 5].map(error);
    let best = errors.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).expect("five").0;
    assert_eq!(best, 2, "{errors:?}");
    assert!(message(held_out(&matrix, &NmfOptions::new(2), 1)).contains("two folds"));
    assert!(message(consensus(&matrix, &NmfOptions::new(2), 0, SampleSide::Rows)).contains("one run"));
}

// Printed by tests/scripts/reference_matrix.py.

const MERGE_HEIGHTS: [f64; 11] = [
    0.00130031408,
    0.00456374669,
    0.0105129167,
    0.0478271251,
    0.286920511,
    0.379515727,
    0.409269058,
    0.680274319,
    0.819855207,
    0.936291088,
    1.35185605,
];
const COPHENETIC_CORRELATION: [f64; 1] = [0.570671557];
