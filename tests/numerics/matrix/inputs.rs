//! Matrices that the tests start from, and comparing with what they should become.

use lowrank::error::{Error, Result};
use lowrank::linalg::{Dense, Matrix};
use lowrank::random::stream;
use rand::RngExt;

pub const ROWS: usize = 13;
pub const COLUMNS: usize = 9;

/// The matrix of `tests/scripts/reference_matrix.py`: non-negative, a third of it zeros.
pub fn waves() -> Matrix {
    let cell = |i: usize, j: usize| {
        let (i, j) = (i as f64, j as f64);
        ((1.0 + 0.7 * i * i + 1.3 * j * (i + 1.0)).sin() + 0.4).max(0.0) as f32
    };
    Matrix::Dense(Dense::from_fn(ROWS, COLUMNS, cell))
}

/// The same cells without the zeros.
pub fn sparse(matrix: &Matrix) -> Matrix {
    Matrix::Sparse(matrix.filtered(|row, column| matrix.get(row, column) != 0.0))
}

/// W·H with entries of W and H uniform in 0 … 1, a third of them zero.
pub fn planted(rows: usize, columns: usize, rank: usize) -> Matrix {
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

pub fn product(w: &Dense, h: &Dense) -> Dense {
    let cell = |row, column| w.row(row).iter().enumerate().map(|(t, &w)| w * h.row(t)[column]).sum();
    Dense::from_fn(w.rows(), h.columns(), cell)
}

pub fn close(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1.0), "{ours} against {theirs}");
    }
}

pub fn wide(values: impl IntoIterator<Item = f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

pub fn message<T>(result: Result<T>) -> String {
    match result {
        Err(Error::Usage(message)) => message,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("no error"),
    }
}
