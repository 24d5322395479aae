//! Singular value decomposition, against numpy and the definition.

use lowrank::linalg::{Dense, Matrix};
use lowrank::random::stream;
use lowrank::solver::svd::{Method, Svd, SvdConfig, svd};
use rand::RngExt;

use super::inputs::{COLUMNS, ROWS, close, message, planted, sparse, waves, wide};

pub fn randomized(rank: usize) -> SvdConfig {
    with!(SvdConfig::new(rank), method: Method::Randomized)
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
                let fit = svd(&matrix, &with!(SvdConfig::new(COLUMNS), method, centre)).expect("fits");
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
            let exact = svd(&matrix, &with!(SvdConfig::new(8), method: Method::Exact, centre)).expect("fits");
            let fit = svd(&matrix, &with!(randomized(8), centre)).expect("fits");
            close(&fit.singular_values, &exact.singular_values, 1e-5);
            // Vectors converge with the square root of the error of the values.
            let config = with!(randomized(8), centre, tolerance: 0.0, power_iterations: 40);
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
    let exact = svd(&matrix, &with!(SvdConfig::new(5), method: Method::Exact)).expect("fits");
    let error = |power_iterations, oversampling| {
        let config = with!(randomized(5), power_iterations, oversampling, tolerance: 0.0);
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
    let config = with!(SvdConfig::new(4), centre: true);
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
    let config = with!(SvdConfig::new(1), tolerance: f64::NAN);
    assert!(message(svd(&waves(), &config)).contains("NaN"));
}

// Printed by tests/scripts/reference_matrix.py.

const SINGULAR_VALUES: [f64; 9] =
    [6.46377093, 3.0178355, 2.66190411, 2.20429813, 2.14567015, 1.6518657, 1.5575572, 1.03034384, 0.863105384];
const CENTRED_SINGULAR_VALUES: [f64; 9] =
    [3.05481993, 2.66388834, 2.21084462, 2.14567999, 1.71296421, 1.57505102, 1.16144806, 0.898530462, 0.248662625];
