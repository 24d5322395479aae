//! Non-negative factorization, against scikit-learn, naive double loops and planted truths.

use lowrank::linalg::{Dense, Matrix};
use lowrank::random::stream;
use lowrank::solver::nmf::{
    Divergence, NmfInit, NmfMethod, NmfObjective, NmfOptions, Penalty, Stop, Zeros, nmf, objective,
};
use rand::RngExt;

use super::inputs::{COLUMNS, ROWS, close, message, planted, product, sparse, waves, wide};

const RANK: usize = 3;

fn problems() -> Vec<NmfObjective> {
    let penalty = |l1, l2| Penalty { l1, l2 };
    let mut problems = Vec::new();
    for divergence in [Divergence::Frobenius, Divergence::KullbackLeibler] {
        for zeros in [Zeros::Data, Zeros::Missing] {
            for (w, h) in [(penalty(0.0, 0.0), penalty(0.0, 0.0)), (penalty(0.01, 0.02), penalty(0.03, 0.005))] {
                problems.push(NmfObjective { divergence, zeros, w, h });
            }
        }
    }
    problems
}

/// Every way to solve every problem, on a dense and a sparse matrix.
pub fn configs() -> Vec<(Matrix, NmfOptions)> {
    let mut configs = Vec::new();
    for problem in problems() {
        for solver in [NmfMethod::Hals, NmfMethod::Multiplicative] {
            if solver == NmfMethod::Hals && problem.divergence != Divergence::Frobenius {
                continue;
            }
            for matrix in [waves(), sparse(&waves())] {
                configs.push((matrix, with!(NmfOptions::new(RANK), problem, solver)));
            }
        }
    }
    configs
}

/// Cells that count, as (row, column, value).
fn cells(matrix: &Matrix, zeros: Zeros) -> Vec<(usize, usize, f64)> {
    match (matrix, zeros) {
        (Matrix::Sparse(_), Zeros::Missing) => {
            let cell = |at: usize| (matrix.place(at).0, matrix.place(at).1, f64::from(matrix.values()[at]));
            (0..matrix.stored()).map(cell).collect()
        }
        _ => {
            let pairs = (0..matrix.rows()).flat_map(|row| (0..matrix.columns()).map(move |column| (row, column)));
            pairs.map(|(row, column)| (row, column, f64::from(matrix.get(row, column)))).collect()
        }
    }
}

/// The objective and its gradients by W and H, cell by cell.
fn naive(matrix: &Matrix, w: &Dense, h: &Dense, problem: &NmfObjective) -> (f64, Vec<f64>, Vec<f64>) {
    let (rank, columns) = (w.columns(), h.columns());
    let (mut value, mut by_w, mut by_h) = (0.0, vec![0.0; w.values().len()], vec![0.0; h.values().len()]);
    for (row, column, a) in cells(matrix, problem.zeros) {
        let p: f64 = (0..rank).map(|t| f64::from(w.row(row)[t]) * f64::from(h.row(t)[column])).sum();
        let (distance, slope) = match problem.divergence {
            Divergence::Frobenius => (0.5 * (a - p).powi(2), p - a),
            Divergence::KullbackLeibler => (if a > 0.0 { a * (a / p).ln() } else { 0.0 } - a + p, 1.0 - a / p),
        };
        value += distance;
        for t in 0..rank {
            let (w, h) = (f64::from(w.row(row)[t]), f64::from(h.row(t)[column]));
            let term = |Penalty { l1, l2 }: Penalty, x: f64| (l1 * x + 0.5 * l2 * x * x, l1 + l2 * x);
            let ((of_w, slope_w), (of_h, slope_h)) = (term(problem.w, w), term(problem.h, h));
            value += of_w + of_h;
            by_w[row * rank + t] += slope * h + slope_w;
            by_h[t * columns + column] += slope * w + slope_h;
        }
    }
    (value, by_w, by_h)
}

#[test]
fn the_objective_is_what_its_definition_says() {
    let mut random = stream(9, "factors");
    let mut factor = |rows, columns| Dense::from_fn(rows, columns, |_, _| random.random_range(0.1..1.0));
    let (w, h) = (factor(ROWS, RANK), factor(RANK, COLUMNS));
    for problem in problems() {
        for matrix in [waves(), sparse(&waves())] {
            let ours = objective(&matrix, &w, &h, &problem).expect("fits");
            let (expected, ..) = naive(&matrix, &w, &h, &problem);
            assert!((ours - expected).abs() < 1e-6 * expected, "{problem:?}: {ours} against {expected}");
        }
    }
    let wrong = message(objective(&waves(), &h, &w, &NmfObjective::default()));
    assert!(wrong.contains("W of 3 × 9 and H of 13 × 3 for a matrix of 13 × 9"), "{wrong}");
}

#[test]
fn every_solver_lowers_its_objective_in_every_step() {
    for (matrix, config) in configs() {
        for start in [NmfInit::Nndsvda, NmfInit::Random] {
            // Multiplicative updates report each tenth objective: shorter runs tell of those between.
            let lengths = if config.solver == NmfMethod::Hals { vec![40] } else { (1..30).collect() };
            let mut objectives = Vec::new();
            for max_iterations in lengths {
                let config = with!(config.clone(), start: start.clone(), max_iterations, tolerance: 0.0);
                let fit = nmf(&matrix, &config).expect("fits");
                assert_eq!((fit.iterations, fit.stop), (max_iterations, Stop::MaxIterations));
                if config.solver == NmfMethod::Hals {
                    objectives.extend(fit.trace.iter().map(|(_, objective)| *objective));
                }
                objectives.push(fit.objective);
                let (expected, ..) = naive(&matrix, &fit.w, &fit.h, &config.problem);
                assert!((fit.objective - expected).abs() < 1e-5 * expected, "{} against {expected}", fit.objective);
            }
            for pair in objectives.windows(2) {
                assert!(pair[1] <= pair[0] * (1.0 + 1e-5), "{config:?}: {} after {}", pair[1], pair[0]);
            }
            assert!(objectives[objectives.len() - 1] < 0.95 * objectives[0], "{config:?}");
        }
    }
}

#[test]
fn fits_end_in_stationary_points() {
    for (matrix, config) in configs() {
        let exact = config.solver == NmfMethod::Hals;
        let (max_iterations, tolerance) = if exact { (20_000, 1e-6) } else { (4000, 0.0) };
        let fit = nmf(&matrix, &with!(config.clone(), max_iterations, tolerance)).expect("fits");
        assert!(!exact || fit.stop == Stop::Converged, "{config:?}");
        let (_, by_w, by_h) = naive(&matrix, &fit.w, &fit.h, &config.problem);
        for (factor, gradient) in [(&fit.w, by_w), (&fit.h, by_h)] {
            for (&entry, slope) in factor.values().iter().zip(gradient) {
                assert!(entry >= 0.0 && entry.is_finite());
                // Slope zero if the entry can move, and nothing to win by leaving zero. Multiplicative updates leave
                // and reach zero slowly: there the product of both is looked at, and a small gain allowed.
                let slow = (f64::from(entry) * slope).abs().max(-slope / 10.0);
                let violation = if !exact {
                    slow
                } else if entry > 0.0 {
                    slope.abs()
                } else {
                    -slope
                };
                assert!(violation < 2e-3, "{config:?}: entry {entry}, slope {slope}");
            }
        }
    }
}

#[test]
fn dense_and_sparse_and_nothing_missing_are_the_same_problem() {
    let full = Matrix::Sparse(waves().filtered(|_, _| true));
    for (matrix, config) in configs().into_iter().filter(|(matrix, _)| matches!(matrix, Matrix::Dense(_))) {
        let config = with!(config, tolerance: 0.0, max_iterations: 10);
        let with = |matrix: &Matrix, zeros| {
            let mut config = config.clone();
            config.problem.zeros = zeros;
            nmf(matrix, &config).expect("fits")
        };
        let dense = with(&matrix, Zeros::Data);
        for other in [with(&sparse(&matrix), Zeros::Data), with(&full, Zeros::Missing), with(&matrix, Zeros::Missing)] {
            close(&[other.objective], &[dense.objective], 1e-4);
            close(&wide(other.w.values().iter().copied()), &wide(dense.w.values().iter().copied()), 1e-2);
        }
    }
}

#[test]
fn a_planted_factorization_is_found_also_where_cells_are_missing() {
    let matrix = planted(80, 60, 4);
    for (kept, tolerance) in [(10, 1e-3), (8, 1e-3), (3, 1e-2)] {
        // From 0 to 7 in 10 cells are missing, so that most rows lack fewer or more than half of theirs.
        let mut random = stream(4, "mask");
        let seen = Matrix::Sparse(matrix.filtered(|_, _| random.random_range(0..10) < kept));
        let config = with!(NmfOptions::new(4), max_iterations: 3000, tolerance: 1e-6, start: NmfInit::Random);
        let config = with!(config, problem: NmfObjective { zeros: Zeros::Missing, ..NmfObjective::default() });
        let fit = nmf(&seen, &config).expect("fits");
        let error: f64 = {
            let fitted = product(&fit.w, &fit.h);
            let pairs = fitted.values().iter().zip(matrix.values());
            pairs.map(|(p, a)| f64::from(p - a).powi(2)).sum::<f64>()
        };
        let relative = (error / matrix.norm_squared()).sqrt();
        assert!(relative < tolerance, "{kept} of 10 cells: {relative}");
    }
}

#[test]
fn multiplicative_updates_are_those_of_scikit_learn() {
    for (divergence, expected) in
        [(Divergence::Frobenius, FROBENIUS_OBJECTIVES), (Divergence::KullbackLeibler, KULLBACK_LEIBLER_OBJECTIVES)]
    {
        let problem = NmfObjective { divergence, ..NmfObjective::default() };
        for matrix in [waves(), sparse(&waves())] {
            for (max_iterations, expected) in [10, 50].into_iter().zip(expected) {
                let solver = NmfMethod::Multiplicative;
                let config = with!(NmfOptions::new(RANK), problem, solver, max_iterations, tolerance: 0.0);
                close(&[nmf(&matrix, &config).expect("fits").objective], &[expected], 1e-5);
            }
        }
    }
}

#[test]
fn a_penalized_minimum_is_that_of_scikit_learn() {
    let penalty = |alpha: f64| Penalty { l1: 0.4 * alpha, l2: 0.6 * alpha };
    let problem = NmfObjective { w: penalty(0.02), h: penalty(0.03), ..NmfObjective::default() };
    let config = with!(NmfOptions::new(RANK), problem, max_iterations: 20_000, tolerance: 1e-7);
    close(&[nmf(&waves(), &config).expect("fits").objective], &PENALIZED_OBJECTIVE, 1e-4);
}

#[test]
fn penalties_shrink_and_set_to_zero() {
    let fit = |w| {
        let problem = NmfObjective { w, ..NmfObjective::default() };
        nmf(&waves(), &with!(NmfOptions::new(RANK), problem, max_iterations: 1000)).expect("fits").w
    };
    let zeros = |w: &Dense| w.values().iter().filter(|value| **value == 0.0).count();
    let norm = |w: &Dense| wide(w.values().iter().copied()).iter().map(|value| value * value).sum::<f64>();
    let plain = fit(Penalty::default());
    assert!(zeros(&fit(Penalty { l1: 0.1, l2: 0.0 })) > zeros(&plain));
    assert!(norm(&fit(Penalty { l1: 0.0, l2: 0.1 })) < norm(&plain));
}

#[test]
fn rows_without_cells_and_unused_components_do_no_harm() {
    let matrix = Matrix::Sparse(waves().filtered(|row, column| row != 4 && column != 2));
    for (_, config) in configs() {
        for rank in [1, 8, 20] {
            let config = with!(config.clone(), rank, start: NmfInit::Random, max_iterations: 30);
            let fit = nmf(&matrix, &config).expect("fits");
            assert!(fit.w.values().iter().chain(fit.h.values()).all(|value| value.is_finite() && *value >= 0.0));
        }
    }
}

#[test]
fn what_cannot_be_factorized_is_refused() {
    let refused = |matrix: &Matrix, config: NmfOptions| message(nmf(matrix, &config));
    let config = || NmfOptions::new(RANK);
    let negative = Matrix::dense(2, 2, vec![1.0, 0.0, -2.0, 1.0]).expect("finite");
    assert!(refused(&negative, NmfOptions::new(1)).contains("row 1, column 0 is -2"));
    assert!(refused(&Matrix::Dense(Dense::zeros(3, 3)), NmfOptions::new(1)).contains("zeros"));
    assert!(refused(&waves(), NmfOptions::new(0)).contains("rank"));
    assert!(refused(&waves(), NmfOptions::new(10)).contains("from 1 to 9"));
    assert!(refused(&waves(), with!(config(), max_iterations: 0)).contains("max_iterations"));
    assert!(refused(&waves(), with!(config(), tolerance: -1.0)).contains("tolerance"));
    let problem = NmfObjective { h: Penalty { l1: 0.0, l2: f64::NAN }, ..NmfObjective::default() };
    assert!(refused(&waves(), with!(config(), problem)).contains("l2 penalty of H"));
    let problem = NmfObjective { divergence: Divergence::KullbackLeibler, ..NmfObjective::default() };
    assert!(refused(&waves(), with!(config(), problem)).contains("multiplicative"));
    let (w, h) = (Dense::zeros(ROWS, RANK), Dense::zeros(COLUMNS, RANK));
    let start = NmfInit::Given(w.clone(), h);
    assert!(refused(&waves(), with!(config(), start)).contains("the given H is 9 × 3; it has to be 3 × 9"));
    let start = NmfInit::Given(w, Dense::from_fn(RANK, COLUMNS, |_, _| -1.0));
    assert!(refused(&waves(), with!(config(), start)).contains("holds -1"));
}

// Printed by tests/scripts/reference_matrix.py.

const FROBENIUS_OBJECTIVES: [f64; 2] = [10.279556, 8.74472283];
const KULLBACK_LEIBLER_OBJECTIVES: [f64; 2] = [25.6915546, 22.1577387];
const PENALIZED_OBJECTIVE: [f64; 1] = [13.577333];
