//! Solvers on matrices whose zeros are data: against scipy and scikit-learn, against naive double loops, against
//! planted truths, and against themselves on other threads and in the other layout.

use lowrank::error::{Error, Result};
use lowrank::linalg::linkage::{Distances, cophenetic_correlation};
use lowrank::linalg::{Dense, Matrix};
use lowrank::random::stream;
use lowrank::solver::nmf::consensus::{self, Samples, assignments, consensus, held_out};
use lowrank::solver::nmf::{Divergence, Nmf, NmfConfig, Penalty, Problem, Solver, Start, Stop, Zeros, nmf, objective};
use lowrank::solver::svd::{Method, Svd, SvdConfig, svd};
use rand::RngExt;

const ROWS: usize = 13;
const COLUMNS: usize = 9;
const RANK: usize = 3;

/// The matrix of `tests/scripts/reference_matrix.py`: non-negative, a third of it zeros.
fn waves() -> Matrix {
    let cell = |i: usize, j: usize| {
        let (i, j) = (i as f64, j as f64);
        ((1.0 + 0.7 * i * i + 1.3 * j * (i + 1.0)).sin() + 0.4).max(0.0) as f32
    };
    Matrix::Dense(Dense::from_fn(ROWS, COLUMNS, cell))
}

/// The same cells without the zeros.
fn sparse(matrix: &Matrix) -> Matrix {
    Matrix::Sparse(matrix.filtered(|row, column| matrix.get(row, column) != 0.0))
}

/// W·H with entries of W and H uniform in 0 … 1, a third of them zero.
fn planted(rows: usize, columns: usize, rank: usize) -> Matrix {
    let mut random = stream(3, "planted");
    let mut factor = |rows, columns| {
        Dense::from_fn(rows, columns, |_, _| {
            let value: f32 = random.random_range(0.0..1.0);
            if random.random_range(0..3) == 0 { 0.0 } else { value }
        })
    };
    let (w, h) = (factor(rows, rank), factor(rank, columns));
    Matrix::Dense(product(&w, &h))
}

fn product(w: &Dense, h: &Dense) -> Dense {
    let cell = |row, column| w.row(row).iter().enumerate().map(|(t, &w)| w * h.row(t)[column]).sum();
    Dense::from_fn(w.rows(), h.columns(), cell)
}

fn close(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1.0), "{ours} against {theirs}");
    }
}

fn wide(values: impl IntoIterator<Item = f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

/// The result of `work` with 1, 2 and 4 threads.
fn on_threads<T: Send>(work: impl Fn() -> T + Sync) -> [T; 3] {
    [1, 2, 4]
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(&work))
}

fn message<T>(result: Result<T>) -> String {
    match result {
        Err(Error::Usage(message)) => message,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("no error"),
    }
}

// Singular value decomposition.

fn randomized(rank: usize) -> SvdConfig {
    SvdConfig { method: Method::Randomized, ..SvdConfig::new(rank) }
}

/// Columns are orthonormal, A·v = σ·u and Aᵀ·u = σ·v for each triple.
fn check_triples(matrix: &Matrix, svd: &Svd, tolerance: f64) {
    let largest = svd.singular_values[0];
    for factor in [&svd.left, &svd.right] {
        let gram = factor.gram();
        for one in 0..factor.columns() {
            for other in 0..factor.columns() {
                let expected = f64::from(u8::from(one == other));
                assert!((gram[(one, other)] - expected).abs() < tolerance, "{one}, {other}: {}", gram[(one, other)]);
            }
        }
    }
    let mean = |column: usize| svd.means.as_ref().map_or(0.0, |means| f64::from(means[column]));
    let cell = |row, column| f64::from(matrix.get(row, column)) - mean(column);
    for (component, value) in svd.singular_values.iter().enumerate() {
        let u: Vec<_> = (0..matrix.rows()).map(|row| f64::from(svd.left.row(row)[component])).collect();
        let v: Vec<_> = (0..matrix.columns()).map(|row| f64::from(svd.right.row(row)[component])).collect();
        for (row, u) in u.iter().enumerate() {
            let product: f64 = v.iter().enumerate().map(|(column, v)| cell(row, column) * v).sum();
            assert!((product - value * u).abs() < tolerance * largest, "A·v: {product} against {}", value * u);
        }
        for (column, v) in v.iter().enumerate() {
            let product: f64 = u.iter().enumerate().map(|(row, u)| cell(row, column) * u).sum();
            assert!((product - value * v).abs() < tolerance * largest, "Aᵀ·u: {product} against {}", value * v);
        }
    }
}

#[test]
fn singular_values_are_those_of_numpy() {
    for matrix in [waves(), sparse(&waves())] {
        for method in [Method::Exact, Method::Randomized] {
            for (centre, expected) in [(false, SINGULAR_VALUES), (true, CENTRED_SINGULAR_VALUES)] {
                let fit = svd(&matrix, &SvdConfig { method, centre, ..SvdConfig::new(COLUMNS) }).expect("fits");
                close(&fit.singular_values, &expected, 1e-6);
                let total: f64 = fit.explained().iter().sum();
                assert!((total - 1.0).abs() < 1e-6, "{total}");
                check_triples(&matrix, &fit, 2e-6);
            }
        }
    }
}

#[test]
fn a_truncated_randomized_decomposition_finds_the_leading_triples() {
    let mut random = stream(5, "svd");
    let matrix = planted(300, 200, 30);
    let noisy = Dense::from_fn(300, 200, |row, column| matrix.get(row, column) + random.random_range(-0.05..0.05));
    for matrix in [Matrix::Dense(noisy.clone()), Matrix::Dense(noisy.transposed())] {
        for centre in [false, true] {
            let exact = svd(&matrix, &SvdConfig { method: Method::Exact, centre, ..SvdConfig::new(8) }).expect("fits");
            let fit = svd(&matrix, &SvdConfig { centre, ..randomized(8) }).expect("fits");
            close(&fit.singular_values, &exact.singular_values, 1e-5);
            // Vectors converge with the square root of the error of the values.
            let config = SvdConfig { centre, tolerance: 0.0, power_iterations: 40, ..randomized(8) };
            let fit = svd(&matrix, &config).expect("fits");
            assert_eq!(fit.power_iterations, 40);
            check_triples(&matrix, &fit, 1e-4);
            // The fixed signs make even the vectors comparable.
            close(&wide(fit.left.values().iter().copied()), &wide(exact.left.values().iter().copied()), 1e-3);
        }
    }
}

#[test]
fn more_power_iterations_bring_the_singular_values_nearer() {
    let mut random = stream(5, "flat");
    let matrix = Matrix::Dense(Dense::from_fn(200, 150, |_, _| random.random_range(-1.0..1.0)));
    let exact = svd(&matrix, &SvdConfig { method: Method::Exact, ..SvdConfig::new(5) }).expect("fits");
    let error = |power_iterations, oversampling| {
        let config = SvdConfig { power_iterations, oversampling, tolerance: 0.0, ..randomized(5) };
        exact.singular_values[4] - svd(&matrix, &config).expect("fits").singular_values[4]
    };
    let few = error(0, 5);
    assert!(few > 4.0 * error(3, 5), "{few}");
    assert!(error(0, 5) > error(0, 60) && error(3, 5) > 4.0 * error(20, 5));
}

#[test]
fn a_matrix_of_lower_rank_than_asked_for_is_decomposed() {
    for matrix in
        [planted(60, 40, 3), Matrix::Dense(Dense::from_fn(60, 40, |row, column| ((row % 2) * (column % 3)) as f32))]
    {
        let fit = svd(&matrix, &randomized(10)).expect("fits");
        assert!(fit.singular_values[3..].iter().all(|value| *value < 1e-5 * fit.singular_values[0]));
        check_triples(&matrix, &fit, 1e-5);
    }
    let zeros = svd(&Matrix::Dense(Dense::zeros(6, 5)), &randomized(2)).expect("fits");
    assert_eq!(zeros.singular_values, [0.0, 0.0]);
}

#[test]
fn signs_are_fixed_and_rows_are_projected() {
    let matrix = waves();
    let config = SvdConfig { centre: true, ..SvdConfig::new(4) };
    let fit = svd(&matrix, &config).expect("fits");
    for component in 0..4 {
        let entries = (0..COLUMNS).map(|row| fit.right.row(row)[component]);
        assert!(entries.max_by(|a, b| a.abs().total_cmp(&b.abs())).expect("entries") > 0.0);
    }
    let projected = fit.project(&sparse(&matrix)).expect("fits");
    for row in 0..ROWS {
        let scaled = fit.left.row(row).iter().zip(&fit.singular_values).map(|(u, value)| f64::from(*u) * value);
        close(&wide(projected.row(row).iter().copied()), &scaled.collect::<Vec<_>>(), 1e-5);
    }
    assert!(message(fit.project(&planted(3, 4, 1))).contains("4 columns; the decomposed matrix has 9"));
}

#[test]
fn what_cannot_be_decomposed_is_refused() {
    assert!(message(svd(&waves(), &SvdConfig::new(10))).contains("from 1 to 9"));
    assert!(message(svd(&waves(), &SvdConfig::new(0))).contains("from 1 to 9"));
    let config = SvdConfig { tolerance: f64::NAN, ..SvdConfig::new(1) };
    assert!(message(svd(&waves(), &config)).contains("NaN"));
}

// Non-negative factorization.

fn problems() -> Vec<Problem> {
    let penalty = |l1, l2| Penalty { l1, l2 };
    let mut problems = Vec::new();
    for divergence in [Divergence::Frobenius, Divergence::KullbackLeibler] {
        for zeros in [Zeros::Data, Zeros::Missing] {
            for (w, h) in [(penalty(0.0, 0.0), penalty(0.0, 0.0)), (penalty(0.01, 0.02), penalty(0.03, 0.005))] {
                problems.push(Problem { divergence, zeros, w, h });
            }
        }
    }
    problems
}

/// Every way to solve every problem, on a dense and a sparse matrix.
fn configs() -> Vec<(Matrix, NmfConfig)> {
    let mut configs = Vec::new();
    for problem in problems() {
        for solver in [Solver::Hals, Solver::Multiplicative] {
            if solver == Solver::Hals && problem.divergence != Divergence::Frobenius {
                continue;
            }
            for matrix in [waves(), sparse(&waves())] {
                configs.push((matrix, NmfConfig { problem, solver, ..NmfConfig::new(RANK) }));
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
fn naive(matrix: &Matrix, w: &Dense, h: &Dense, problem: &Problem) -> (f64, Vec<f64>, Vec<f64>) {
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
    let wrong = message(objective(&waves(), &h, &w, &Problem::default()));
    assert!(wrong.contains("W of 3 × 9 and H of 13 × 3 for a matrix of 13 × 9"), "{wrong}");
}

#[test]
fn every_solver_lowers_its_objective_in_every_step() {
    for (matrix, config) in configs() {
        for start in [Start::Nndsvda, Start::Random] {
            // Multiplicative updates report each tenth objective: shorter runs tell of those between.
            let lengths = if config.solver == Solver::Hals { vec![40] } else { (1..30).collect() };
            let mut objectives = Vec::new();
            for max_iterations in lengths {
                let config = NmfConfig { start: start.clone(), max_iterations, tolerance: 0.0, ..config.clone() };
                let fit = nmf(&matrix, &config).expect("fits");
                assert_eq!((fit.iterations, fit.stop), (max_iterations, Stop::MaxIterations));
                if config.solver == Solver::Hals {
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
        let exact = config.solver == Solver::Hals;
        let (max_iterations, tolerance) = if exact { (20_000, 1e-6) } else { (4000, 0.0) };
        let fit = nmf(&matrix, &NmfConfig { max_iterations, tolerance, ..config.clone() }).expect("fits");
        assert!(!exact || fit.stop == Stop::Converged, "{config:?}");
        let (_, by_w, by_h) = naive(&matrix, &fit.w, &fit.h, &config.problem);
        for (factor, gradient) in [(&fit.w, by_w), (&fit.h, by_h)] {
            for (&entry, slope) in factor.values().iter().zip(gradient) {
                assert!(entry >= 0.0 && entry.is_finite());
                // Slope zero where the entry can move, and nothing to win by leaving zero. Multiplicative updates leave
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
        let config = NmfConfig { tolerance: 0.0, max_iterations: 10, ..config };
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
        let config = NmfConfig { max_iterations: 3000, tolerance: 1e-6, start: Start::Random, ..NmfConfig::new(4) };
        let config = NmfConfig { problem: Problem { zeros: Zeros::Missing, ..Problem::default() }, ..config };
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
        let problem = Problem { divergence, ..Problem::default() };
        for matrix in [waves(), sparse(&waves())] {
            for (max_iterations, expected) in [10, 50].into_iter().zip(expected) {
                let solver = Solver::Multiplicative;
                let config = NmfConfig { problem, solver, max_iterations, tolerance: 0.0, ..NmfConfig::new(RANK) };
                close(&[nmf(&matrix, &config).expect("fits").objective], &[expected], 1e-5);
            }
        }
    }
}

#[test]
fn a_penalized_minimum_is_that_of_scikit_learn() {
    let penalty = |alpha: f64| Penalty { l1: 0.4 * alpha, l2: 0.6 * alpha };
    let problem = Problem { w: penalty(0.02), h: penalty(0.03), ..Problem::default() };
    let config = NmfConfig { problem, max_iterations: 20_000, tolerance: 1e-7, ..NmfConfig::new(RANK) };
    close(&[nmf(&waves(), &config).expect("fits").objective], &PENALIZED_OBJECTIVE, 1e-4);
}

#[test]
fn penalties_shrink_and_set_to_zero() {
    let fit = |w| {
        let problem = Problem { w, ..Problem::default() };
        nmf(&waves(), &NmfConfig { problem, max_iterations: 1000, ..NmfConfig::new(RANK) }).expect("fits").w
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
            let config = NmfConfig { rank, start: Start::Random, max_iterations: 30, ..config.clone() };
            let fit = nmf(&matrix, &config).expect("fits");
            assert!(fit.w.values().iter().chain(fit.h.values()).all(|value| value.is_finite() && *value >= 0.0));
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let mut random = stream(8, "threads");
    let matrix = planted(700, 300, 6);
    let thinned = Matrix::Sparse(matrix.filtered(|_, _| random.random_range(0..4) == 0));
    let filled = Matrix::Sparse(matrix.filtered(|_, _| random.random_range(0..9) > 0));
    let same = |[one, two, four]: [Vec<f32>; 3]| assert!(one == two && two == four);
    let bytes = |fit: Nmf| [fit.w.values(), fit.h.values(), &[fit.objective as f32]].concat();
    for matrix in [&matrix, &thinned, &filled] {
        for centre in [false, true] {
            let config = SvdConfig { centre, ..randomized(5) };
            same(on_threads(|| {
                let fit = svd(matrix, &config).expect("fits");
                [fit.left.values(), fit.right.values()].concat()
            }));
        }
        for (_, config) in configs() {
            let config = NmfConfig { rank: 7, max_iterations: 4, start: Start::Random, ..config };
            same(on_threads(|| bytes(nmf(matrix, &config).expect("fits"))));
        }
    }
    let small = waves();
    let config = NmfConfig { max_iterations: 5, ..NmfConfig::new(2) };
    same(on_threads(|| consensus(&small, &config, 7, Samples::Rows).expect("fits").matrix.values().to_vec()));
    same(on_threads(|| held_out(&small, &config, 3).expect("fits").into_iter().map(|error| error as f32).collect()));
}

#[test]
fn what_cannot_be_factorized_is_refused() {
    let refused = |matrix: &Matrix, config: NmfConfig| message(nmf(matrix, &config));
    let config = || NmfConfig::new(RANK);
    let negative = Matrix::dense(2, 2, vec![1.0, 0.0, -2.0, 1.0]).expect("finite");
    assert!(refused(&negative, NmfConfig::new(1)).contains("row 1, column 0 is -2"));
    assert!(refused(&Matrix::Dense(Dense::zeros(3, 3)), NmfConfig::new(1)).contains("zeros"));
    assert!(refused(&waves(), NmfConfig::new(0)).contains("rank"));
    assert!(refused(&waves(), NmfConfig::new(10)).contains("from 1 to 9"));
    assert!(refused(&waves(), NmfConfig { max_iterations: 0, ..config() }).contains("max_iterations"));
    assert!(refused(&waves(), NmfConfig { tolerance: -1.0, ..config() }).contains("tolerance"));
    let problem = Problem { h: Penalty { l1: 0.0, l2: f64::NAN }, ..Problem::default() };
    assert!(refused(&waves(), NmfConfig { problem, ..config() }).contains("l2 penalty of H"));
    let problem = Problem { divergence: Divergence::KullbackLeibler, ..Problem::default() };
    assert!(refused(&waves(), NmfConfig { problem, ..config() }).contains("multiplicative"));
    let (w, h) = (Dense::zeros(ROWS, RANK), Dense::zeros(COLUMNS, RANK));
    let start = Start::Given(w.clone(), h);
    assert!(refused(&waves(), NmfConfig { start, ..config() }).contains("the given H is 9 × 3; it has to be 3 × 9"));
    let start = Start::Given(w, Dense::from_fn(RANK, COLUMNS, |_, _| -1.0));
    assert!(refused(&waves(), NmfConfig { start, ..config() }).contains("holds -1"));
}

// Consensus.

#[test]
fn average_linkage_is_that_of_scipy() {
    let distances = Distances::from_fn(12, |i, j| 1.0 + (0.3 + 1.7 * i as f64 + 0.9 * (j as f64).powf(1.5)).sin());
    let tree = distances.average_linkage().expect("items");
    let heights: Vec<_> = tree.merges().iter().map(|merge| merge.height).collect();
    close(&heights, &MERGE_HEIGHTS, 1e-8);
    close(&[cophenetic_correlation(&distances, &tree).expect("varies")], &COPHENETIC_CORRELATION, 1e-8);
}

/// 30 samples in three groups, each with ten features of its own; groups take turns.
fn groups(samples: Samples) -> Matrix {
    let mut random = stream(6, "groups");
    let matrix = Dense::from_fn(30, 30, |sample, feature| {
        random.random_range(0.0..1.0) + if sample % 3 == feature / 10 { 0.8 } else { 0.0 }
    });
    Matrix::Dense(if samples == Samples::Rows { matrix } else { matrix.transposed() })
}

#[test]
fn a_consensus_is_perfect_for_planted_groups_and_poor_for_noise() {
    for samples in [Samples::Rows, Samples::Columns] {
        let found = consensus(&groups(samples), &NmfConfig::new(3), 20, samples).expect("fits");
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
        let found = consensus(&noise, &NmfConfig::new(4), 20, samples).expect("fits");
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
        let config = NmfConfig { start: Start::Random, max_iterations: 500, ..NmfConfig::new(rank) };
        held_out(&matrix, &config, 5).expect("fits").iter().sum::<f64>()
    };
    let errors = [1, 2, 3, 4, 5].map(error);
    let best = errors.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).expect("five").0;
    assert_eq!(best, 2, "{errors:?}");
    assert!(message(held_out(&matrix, &NmfConfig::new(2), 1)).contains("two folds"));
    assert!(message(consensus(&matrix, &NmfConfig::new(2), 0, Samples::Rows)).contains("one run"));
}

// Printed by tests/scripts/reference_matrix.py.

const SINGULAR_VALUES: [f64; 9] =
    [6.46377093, 3.0178355, 2.66190411, 2.20429813, 2.14567015, 1.6518657, 1.5575572, 1.03034384, 0.863105384];
const CENTRED_SINGULAR_VALUES: [f64; 9] =
    [3.05481993, 2.66388834, 2.21084462, 2.14567999, 1.71296421, 1.57505102, 1.16144806, 0.898530462, 0.248662625];
const FROBENIUS_OBJECTIVES: [f64; 2] = [10.279556, 8.74472283];
const KULLBACK_LEIBLER_OBJECTIVES: [f64; 2] = [25.6915546, 22.1577387];
const PENALIZED_OBJECTIVE: [f64; 1] = [13.577333];
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
