//! Truncated singular value decomposition: A ≈ U·diag(σ)·Vᵀ with the `rank` largest singular values.
//!
//! Large matrices go through a randomized range finder with power iterations and oversampling (Halko, Martinsson &
//! Tropp 2011, algorithms 4.4 and 5.1): an orthonormal basis Q of (A·Aᵀ)^q·A·Ω for a Gaussian Ω holds the leading left
//! singular vectors ever better, and the exact decomposition of the small QᵀA gives the rest. A is only multiplied, so
//! a sparse matrix stays sparse, and centring is a rank-one correction of each product. Small matrices are decomposed
//! exactly by faer.
//!
//! Products run in f32, orthogonalization and the small decomposition in f64. Results do not depend on the number of
//! threads.

use faer::linalg::solvers::Llt;
use faer::{Mat, MatRef, Side};
use rand_distr::{Distribution, StandardNormal};

use crate::config::choice;
use crate::error::{Error, Result};
use crate::linalg::dot::column_sums;
use crate::linalg::{Dense, Matrix, Sides};
use crate::random::stream;

choice! {
    /// How a decomposition is computed.
    #[derive(Default)]
    pub enum Method {
        /// [`Exact`](Self::Exact) if the shorter side is at most 128 and there are at most four million cells,
        /// otherwise [`Randomized`](Self::Randomized).
        #[default]
        Auto = "auto",
        /// All of A in f64, decomposed by faer: 8 bytes a cell, zeros included.
        Exact = "exact",
        /// The randomized range finder.
        Randomized = "randomized",
    }
}

impl Method {
    /// Whether a matrix of this size is decomposed exactly.
    pub(crate) fn is_exact(self, rows: usize, columns: usize) -> bool {
        match self {
            Self::Auto => rows.min(columns) <= 128 && rows.saturating_mul(columns) <= 4_000_000,
            Self::Exact => true,
            Self::Randomized => false,
        }
    }
}

/// Numbers of four bytes that an exact decomposition of a matrix of this size has at once, about: all cells in f64 and as
/// many singular vectors, and beside them what grows with the square of the shorter side.
///
/// Fitted to peaks of matrices from 1000 × 1000 to 20000 × 150; it was 0.9 to 1.25 times them.
pub(crate) fn exact_footprint(rows: usize, columns: usize) -> usize {
    const OF_A_CELL: usize = 4;
    const OF_THE_SHORTER_SIDE: usize = 14;
    let shorter = rows.min(columns);
    let cells = OF_A_CELL.saturating_mul(rows.saturating_mul(columns));
    cells.saturating_add(OF_THE_SHORTER_SIDE.saturating_mul(shorter.saturating_mul(shorter)))
}

/// What to decompose, and how hard to try.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `rank` | | number of singular values | 1 … min(rows, columns) |
/// | `method` | `Auto` | exact or randomized | |
/// | `centre` | `false` | subtract the column means: principal components | |
/// | `oversampling` | 10 + `rank` / 2 | columns of the basis beyond `rank` | ≥ 0 |
/// | `power_iterations` | 100 | q at most: products with A·Aᵀ after the first | ≥ 0 |
/// | `tolerance` | 1e-5 | when to stop before that | ≥ 0 |
/// | `seed` | 0 | of Ω | |
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SvdConfig {
    /// Number of singular values and vectors.
    pub rank: usize,
    /// How they are computed.
    pub method: Method,
    /// Whether the mean of each column is subtracted first (without making a sparse matrix dense).
    pub centre: bool,
    /// By how many columns the random basis exceeds `rank`.
    pub oversampling: usize,
    /// Power iterations at most, each a product with Aᵀ and one with A. The error of σ_k falls by a factor of about
    /// (σ_{l+1} / σ_k)⁴ in each, l being `rank + oversampling`.
    pub power_iterations: usize,
    /// Power iterations end when none of the `rank` singular values grew by more than this part of itself in the last
    /// one; 0 for all of them. What is still missing is then a small multiple of it.
    pub tolerance: f64,
    /// Seed of the random start.
    pub seed: u64,
}

impl SvdConfig {
    /// The `rank` largest singular values, all else at its default.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            method: Method::Auto,
            centre: false,
            oversampling: 10 + rank / 2,
            power_iterations: 100,
            tolerance: 1e-5,
            seed: 0,
        }
    }
}

/// A ≈ 1·meansᵀ + U·diag(σ)·Vᵀ.
///
/// Signs are fixed: in each column of V the entry of largest magnitude (the first of them) is positive.
#[derive(Debug, Clone, PartialEq)]
pub struct Svd {
    /// U: `[rows, rank]`, orthonormal columns.
    pub left: Dense,
    /// σ: `[rank]`, falling.
    pub singular_values: Vec<f64>,
    /// V: `[columns, rank]`, orthonormal columns.
    pub right: Dense,
    /// Column means that were subtracted, `[columns]`; `None` without centring.
    pub means: Option<Vec<f32>>,
    /// Power iterations done; 0 for an exact decomposition.
    pub power_iterations: usize,
    /// ‖A‖² (of the centred matrix): what all singular values together would explain.
    pub norm_squared: f64,
}

impl Svd {
    fn of(left: Dense, singular_values: Vec<f64>, right: Dense, power_iterations: usize) -> Self {
        Self { left, singular_values, right, means: None, power_iterations, norm_squared: 0.0 }
    }

    /// The part of ‖A‖² that each component explains: σ² / ‖A‖². With centring, the explained variance ratio.
    pub fn explained(&self) -> Vec<f64> {
        self.singular_values.iter().map(|value| value * value / self.norm_squared).collect()
    }

    /// Coordinates of other rows in this decomposition, (B − 1·meansᵀ)·V: `[B's rows, rank]`. For A itself, U·diag(σ).
    ///
    /// # Errors
    /// [`Error::Usage`] where `rows` has another number of columns than A.
    pub fn project(&self, rows: &Matrix) -> Result<Dense> {
        if rows.columns() != self.right.rows() {
            let (given, own) = (rows.columns(), self.right.rows());
            return Err(Error::Usage(format!("rows of {given} columns; the decomposed matrix has {own}")));
        }
        let means = self.means.clone();
        Ok(Centred { sides: &Sides::new(rows), means }.times(&self.right))
    }
}

/// Decomposes a matrix.
///
/// # Errors
/// [`Error::Usage`] if the rank is 0 or larger than the shorter side, or the tolerance is not a number ≥ 0;
/// [`Error::Failed`] if an exact decomposition does not converge.
pub fn svd(matrix: &Matrix, config: &SvdConfig) -> Result<Svd> {
    decompose(&Sides::new(matrix), config)
}

/// Refuses what [`svd`] refuses.
pub(super) fn check(matrix: &Matrix, config: &SvdConfig) -> Result<()> {
    let (rows, columns) = (matrix.rows(), matrix.columns());
    let shorter = rows.min(columns);
    if !(1..=shorter).contains(&config.rank) {
        let rank = config.rank;
        return Err(Error::Usage(format!(
            "rank {rank} of a {rows} × {columns} matrix; it is from 1 to {shorter} (model.rank)"
        )));
    }
    if !(config.tolerance.is_finite() && config.tolerance >= 0.0) {
        return Err(Error::Usage(format!("the tolerance is {}; it is a finite number ≥ 0", config.tolerance)));
    }
    Ok(())
}

/// [`svd`] of a matrix whose transpose is at hand.
pub(crate) fn decompose(sides: &Sides<'_>, config: &SvdConfig) -> Result<Svd> {
    let matrix = sides.matrix();
    let (rows, columns) = (matrix.rows(), matrix.columns());
    check(matrix, config)?;
    let means: Option<Vec<f64>> = config.centre.then(|| matrix.column_means());
    let norm_squared = match &means {
        None => matrix.norm_squared(),
        Some(means) => centred_norm_squared(matrix, means),
    };
    let means = means.map(|means| means.iter().map(|&mean| mean as f32).collect());
    let operator = Centred { sides, means };
    let mut svd = if config.method.is_exact(rows, columns) {
        operator.exact(config.rank)?
    } else {
        operator.randomized(config)?
    };
    fix_signs(&mut svd);
    Ok(Svd { means: operator.means, norm_squared, ..svd })
}

/// ‖A − 1·meansᵀ‖², from terms that do not cancel: Σ (a − mean)² over the stored cells and mean² for each other.
fn centred_norm_squared(matrix: &Matrix, means: &[f64]) -> f64 {
    match matrix {
        Matrix::Dense(dense) => {
            let term = |(&value, mean): (&f32, &f64)| (f64::from(value) - mean).powi(2);
            (0..dense.rows()).map(|row| dense.row(row).iter().zip(means).map(term).sum::<f64>()).sum()
        }
        Matrix::Sparse(csr) => {
            let mut unstored = vec![csr.rows(); csr.columns()];
            let mut sum = 0.0;
            for row in 0..csr.rows() {
                let (indices, values) = csr.row(row);
                for (&column, &value) in indices.iter().zip(values) {
                    unstored[column as usize] -= 1;
                    sum += (f64::from(value) - means[column as usize]).powi(2);
                }
            }
            sum + unstored.iter().zip(means).map(|(&count, mean)| count as f64 * mean * mean).sum::<f64>()
        }
    }
}

/// A − 1·meansᵀ, or A itself, as something to multiply with.
struct Centred<'a> {
    sides: &'a Sides<'a>,
    means: Option<Vec<f32>>,
}

impl Centred<'_> {
    /// (A − 1·meansᵀ)·X.
    fn times(&self, x: &Dense) -> Dense {
        let mut product = self.sides.by_rows().times(x);
        if let Some(means) = &self.means {
            // meansᵀ·X, which each row of the product has too much.
            let mut excess = vec![0.0; x.columns()];
            for (row, &mean) in means.iter().enumerate() {
                let terms = excess.iter_mut().zip(x.row(row));
                terms.for_each(|(sum, &value)| *sum += f64::from(mean) * f64::from(value));
            }
            for row in product.values_mut().chunks_exact_mut(x.columns()) {
                row.iter_mut().zip(&excess).for_each(|(value, &excess)| *value = (f64::from(*value) - excess) as f32);
            }
        }
        product
    }

    /// (A − 1·meansᵀ)ᵀ·X.
    fn transposed_times(&self, x: &Dense) -> Dense {
        let mut product = self.sides.by_columns().times(x);
        if let Some(means) = &self.means {
            let sums = column_sums(x.values(), x.columns());
            for (row, &mean) in product.values_mut().chunks_exact_mut(x.columns()).zip(means) {
                let terms = row.iter_mut().zip(&sums);
                terms.for_each(|(value, &sum)| *value = (f64::from(*value) - f64::from(mean) * sum) as f32);
            }
        }
        product
    }

    fn exact(&self, rank: usize) -> Result<Svd> {
        let matrix = self.sides.matrix();
        let mut cells = Mat::<f64>::zeros(matrix.rows(), matrix.columns());
        for (at, &value) in matrix.values().iter().enumerate() {
            let (row, column) = matrix.place(at);
            cells[(row, column)] = f64::from(value);
        }
        for (column, &mean) in self.means.iter().flatten().enumerate() {
            (0..matrix.rows()).for_each(|row| cells[(row, column)] -= f64::from(mean));
        }
        let svd = cells.thin_svd().map_err(|_| not_converged())?;
        let narrow = |vectors: MatRef<'_, f64>| {
            Dense::from_fn(vectors.nrows(), rank, |row, column| vectors[(row, column)] as f32)
        };
        let values = svd.S().column_vector().iter().copied().take(rank).collect();
        Ok(Svd::of(narrow(svd.U()), values, narrow(svd.V()), 0))
    }

    fn randomized(&self, config: &SvdConfig) -> Result<Svd> {
        let matrix = self.sides.matrix();
        let width = (config.rank + config.oversampling).min(matrix.rows()).min(matrix.columns());
        let mut random = stream(config.seed, "svd/range");
        let start = Dense::from_fn(matrix.columns(), width, |_, _| StandardNormal.sample(&mut random));
        let mut basis = orthonormal(self.times(&start)).0;
        let mut iterations = 0;
        let mut before = vec![0.0; config.rank];
        // A ≈ Q·(AᵀQ)ᵀ = Q·(P·R)ᵀ = Q·Rᵀ·Pᵀ, and R is small.
        let (other, triangle) = loop {
            let (other, triangle) = orthonormal(self.transposed_times(&basis));
            let values = triangle.singular_values().map_err(|_| not_converged())?;
            let settled = |(before, now): (&f64, &f64)| now - before <= config.tolerance * now;
            let done = config.tolerance > 0.0 && before.iter().zip(&values).all(settled);
            if done || iterations == config.power_iterations {
                break (other, triangle);
            }
            basis = orthonormal(self.times(&other)).0;
            iterations += 1;
            before = values;
            before.truncate(config.rank);
        };
        let svd = triangle.transpose().thin_svd().map_err(|_| not_converged())?;
        let values = svd.S().column_vector().iter().copied().take(config.rank).collect();
        let leading = |vectors: MatRef<'_, f64>, of: Dense| of.times_small(vectors.subcols(0, config.rank));
        Ok(Svd::of(leading(svd.U(), basis), values, leading(svd.V(), other), iterations))
    }
}

fn not_converged() -> Error {
    Error::Failed("the singular value decomposition of a small matrix did not converge".into())
}

/// An orthonormal basis Q of the columns of `tall`, and the upper triangular R with Q·R = `tall`.
///
/// Cholesky QR: R from RᵀR = XᵀX, which is one parallel pass over X where Householder's method makes one a column.
/// Squaring squares the condition number too, so the pass is repeated while the diagonal of R tells of a bad one
/// (Yamamoto et al. 2015), and columns that depend on each other to machine precision go to Householder's method.
fn orthonormal(tall: Dense) -> (Dense, Mat<f64>) {
    let width = tall.columns();
    let Ok(factor) = tall.gram().llt(Side::Lower) else { return householder(&tall) };
    let (basis, first) = divide(&tall, &factor);
    let diagonal = (0..width).map(|at| first[(at, at)]);
    let (low, high) = diagonal.fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
    if low > 1e-2 * high {
        return (basis, first);
    }
    if low <= 1e-6 * high {
        return householder(&tall);
    }
    let Ok(factor) = basis.gram().llt(Side::Lower) else { return householder(&tall) };
    let (basis, second) = divide(&basis, &factor);
    (basis, second * first)
}

/// X·R⁻¹ and R of a Cholesky factor L = Rᵀ.
fn divide(tall: &Dense, factor: &Llt<f64>) -> (Dense, Mat<f64>) {
    let upper = factor.L().transpose().to_owned();
    let mut inverse = Mat::identity(tall.columns(), tall.columns());
    upper.as_ref().solve_upper_triangular_in_place(inverse.as_mut());
    (tall.times_small(inverse.as_ref()), upper)
}

fn householder(tall: &Dense) -> (Dense, Mat<f64>) {
    let wide = Mat::from_fn(tall.rows(), tall.columns(), |row, column| f64::from(tall.row(row)[column]));
    let qr = wide.qr();
    let basis = qr.compute_thin_Q();
    (Dense::from_fn(tall.rows(), tall.columns(), |row, column| basis[(row, column)] as f32), qr.thin_R().to_owned())
}

fn fix_signs(svd: &mut Svd) {
    for component in 0..svd.singular_values.len() {
        let rank = svd.right.columns();
        let entries = svd.right.values().iter().skip(component).step_by(rank);
        let largest = entries.fold(0.0f32, |largest, &value| if value.abs() > largest.abs() { value } else { largest });
        if largest < 0.0 {
            for factors in [&mut svd.left, &mut svd.right] {
                factors.values_mut().iter_mut().skip(component).step_by(rank).for_each(|value| *value = -*value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Well conditioned, badly conditioned, and with dependent columns: each way to an orthonormal basis.
    #[test]
    fn bases_are_orthonormal_and_keep_their_product() {
        for scale in [0.9f32, 0.5, 1e-4, 0.0] {
            let tall = Dense::from_fn(400, 6, |row, column| {
                let wave = ((row * (column + 2)) as f32 * 0.37).sin();
                scale.powi(column as i32) * wave + if scale == 1e-4 { ((row + 1) as f32 * 0.1).cos() } else { 0.0 }
            });
            let (basis, triangle) = orthonormal(tall.clone());
            let gram = basis.gram();
            for row in 0..6 {
                for column in 0..6 {
                    assert!((gram[(row, column)] - f64::from(u8::from(row == column))).abs() < 1e-6, "{scale}");
                    assert!(row <= column || triangle[(row, column)] == 0.0);
                }
            }
            let product = basis.times_small(triangle.as_ref());
            let error = product.values().iter().zip(tall.values()).map(|(ours, theirs)| (ours - theirs).abs());
            assert!(error.fold(0.0, f32::max) < 1e-6, "{scale}");
        }
    }
}
