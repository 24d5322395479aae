//! Functions of small symmetric matrices.

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Mat, Side};

use crate::error::{Error, Result};

/// The least eigenvalue, as a part of the largest, that counts as a direction of its own.
pub const LEAST_EIGENVALUE: f64 = 1e-10;

/// A = Q·diag(λ)·Qᵀ, λ rising.
///
/// # Errors
/// [`Error::Failed`] where A holds numbers that are not finite.
pub fn eigen(matrix: &Mat<f64>) -> Result<SelfAdjointEigen<f64>> {
    // The decomposition itself lets a single number pass.
    let eigen = matrix.is_all_finite().then(|| matrix.self_adjoint_eigen(Side::Lower).ok()).flatten();
    eigen.ok_or_else(|| {
        Error::Failed("cannot decompose a symmetric matrix, which may hold numbers that are not finite".into())
    })
}

/// A^½ of a matrix without negative eigenvalues; what rounding puts below zero counts as zero.
///
/// # Errors
/// As [`eigen`].
pub fn square_root(matrix: &Mat<f64>) -> Result<Mat<f64>> {
    on_spectrum(matrix, |value, _| value.max(0.0).sqrt())
}

/// A⁺ of a matrix without negative eigenvalues (Moore & Penrose); eigenvalues up to [`LEAST_EIGENVALUE`] of the largest
/// count as zero.
///
/// # Errors
/// As [`eigen`].
pub fn pseudo_inverse(matrix: &Mat<f64>) -> Result<Mat<f64>> {
    on_spectrum(matrix, |value, most| if value > LEAST_EIGENVALUE * most { 1.0 / value } else { 0.0 })
}

/// Q·diag(`of(λ, largest λ)`)·Qᵀ.
fn on_spectrum(matrix: &Mat<f64>, of: impl Fn(f64, f64) -> f64) -> Result<Mat<f64>> {
    let eigen = eigen(matrix)?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let most = values.iter().fold(0.0, |most: f64, &value| most.max(value));
    let scaled = Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, t| vectors[(row, t)] * of(values[t], most));
    Ok(&scaled * vectors.transpose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: &Mat<f64>, expected: &Mat<f64>) {
        assert!((found - expected).norm_l2() < 1e-12, "{found:?} is not {expected:?}");
    }

    #[test]
    fn roots_square_to_the_matrix_and_inverses_undo_it() {
        // Eigenvalues 1, 3 and 4.
        let matrix = faer::mat![[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 4.0]];
        let root = square_root(&matrix).expect("finite");
        assert_close(&(&root * &root), &matrix);
        assert_close(&(&pseudo_inverse(&matrix).expect("finite") * &matrix), &Mat::identity(3, 3));
    }

    #[test]
    fn a_singular_matrix_has_an_inverse_on_its_range() {
        let matrix = faer::mat![[2.0, 2.0], [2.0, 2.0]];
        assert_close(&pseudo_inverse(&matrix).expect("finite"), &faer::mat![[0.125, 0.125], [0.125, 0.125]]);
        let none = Mat::zeros(2, 2);
        assert_close(&pseudo_inverse(&none).expect("finite"), &none);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        for matrix in [faer::mat![[f64::NAN]], faer::mat![[1.0, f64::INFINITY], [f64::INFINITY, 1.0]]] {
            let message = square_root(&matrix).expect_err("no decomposition").to_string();
            assert!(message.contains("not finite"), "{message}");
        }
    }
}
