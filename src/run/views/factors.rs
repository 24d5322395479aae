//! A fitted factorization as something to compute with: shares, errors, reconstructions, projections.

use rayon::prelude::*;

use crate::data::{ITEM, Interactions, Layout, Role, USER, Vocabulary};
use crate::error::Result;
use crate::linalg::dot::{column_squares, column_sums, dot};
use crate::linalg::gram::{gram_in_order, inner_in_order};
use crate::linalg::least_squares::non_negative;
use crate::linalg::symmetric::{LEAST_EIGENVALUE, eigen, pseudo_inverse, square_root};
use crate::solver::nmf::Zeros;

/// A ≈ Â = W·Hᵀ + 1·meansᵀ, with what its rows and columns are.
#[derive(Debug, Clone, Copy)]
pub struct Factors<'a> {
    /// Ids of the rows.
    pub rows: &'a Vocabulary,
    /// Ids of the columns.
    pub columns: &'a Vocabulary,
    /// What rows and columns are.
    pub layout: Layout,
    /// Number of components.
    pub rank: usize,
    /// W: `[rows, rank]`, with the singular values in it if there are any.
    pub w: &'a [f32],
    /// H: `[columns, rank]`.
    pub h: &'a [f32],
    /// Means of the columns, if they were subtracted first.
    pub means: Option<&'a [f32]>,
    /// σ, falling, if this is a singular value decomposition: H has orthonormal columns.
    pub singular_values: Option<&'a [f64]>,
    /// Whether neither factor has a negative value.
    pub non_negative: bool,
    /// What the factorization took cells that are not stored for.
    pub zeros: Zeros,
}

/// ‖A − Â‖ / ‖A‖; `None` if there is nothing to relate to.
pub(super) struct Errors {
    /// Over the stored cells.
    pub stored: Option<f64>,
    /// Over all cells, if some are not stored and count as 0.
    pub with_zeros: Option<f64>,
}

/// A place on a plane for each row.
pub(super) type Places = Vec<(f64, f64)>;

impl Factors<'_> {
    /// # Panics
    /// If the parts do not fit together.
    pub(super) fn check(&self) {
        let (rows, columns, rank) = (self.rows.len(), self.columns.len(), self.rank);
        assert!(
            rank > 0 && self.w.len() == rows * rank && self.h.len() == columns * rank,
            "a row of factors for each id"
        );
        assert!(self.means.is_none_or(|means| means.len() == columns), "a mean for each column");
        assert!(self.singular_values.is_none_or(|values| values.len() == rank), "a singular value for each component");
        let fits = match self.layout {
            Layout::Cells
            | Layout::Table
            | Layout::Matrix
            | Layout::Documents
            | Layout::CoOccurrences
            | Layout::Graph => true,
            Layout::Picture { width, channels } => columns == width * channels,
            Layout::Pictures { width, height } => columns == width * height,
        };
        assert!(fits, "the columns fill the layout");
    }

    /// One component over the columns.
    pub(super) fn component(&self, component: usize) -> Vec<f32> {
        self.h.iter().skip(component).step_by(self.rank).copied().collect()
    }

    /// The `count` rows of `values`, which is W or H, with the largest |weight| in a component, largest first. Weights of
    /// 0 are left out.
    pub fn strongest(&self, values: &[f32], component: usize, count: usize) -> Vec<(usize, f32)> {
        let weights = values.iter().skip(component).step_by(self.rank).copied().enumerate();
        let mut weights: Vec<(usize, f32)> = weights.filter(|weight| weight.1 != 0.0).collect();
        let falling = |a: &(usize, f32), b: &(usize, f32)| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0));
        if count < weights.len() {
            weights.select_nth_unstable_by(count, falling);
            weights.truncate(count);
        }
        weights.sort_unstable_by(falling);
        weights
    }

    /// How much of A each component carries. Of singular values σ² / ‖A‖² (the means subtracted where they were: the
    /// explained variance); of non-negative factors the part of Σ W·Hᵀ, that is Σ_i w_ik · Σ_j h_jk over its sum. `None`
    /// for other factors, which any rotation could replace.
    pub fn shares(&self, train: &Interactions) -> Option<Vec<f64>> {
        let (masses, whole): (Vec<f64>, f64) = match self.singular_values {
            Some(values) => {
                (values.iter().map(|value| value * value).collect(), self.norm_squared_without_means(train))
            }
            None if self.non_negative => {
                let sums = |values: &[f32]| column_sums(values, self.rank);
                let masses: Vec<f64> = sums(self.w).iter().zip(sums(self.h)).map(|(w, h)| w * h).collect();
                let whole = masses.iter().sum();
                (masses, whole)
            }
            None => return None,
        };
        Some(masses.iter().map(|mass| if whole > 0.0 { mass / whole } else { 0.0 }).collect())
    }

    /// The components from the one with the largest share on: as they are if shares are unknown.
    pub(super) fn order(&self, shares: Option<&[f64]>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rank).collect();
        if let Some(shares) = shares {
            order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        }
        order
    }

    /// ‖A − 1·meansᵀ‖² over all cells, those that are not stored being 0.
    fn norm_squared_without_means(&self, train: &Interactions) -> f64 {
        let Some(means) = self.means else {
            return train.targets.iter().map(|&value| f64::from(value).powi(2)).sum();
        };
        let mut unstored = vec![self.rows.len() as f64; means.len()];
        let mut sum = 0.0;
        for (&column, &value) in train.column(ITEM).iter().zip(&train.targets) {
            unstored[column as usize] -= 1.0;
            sum += (f64::from(value) - f64::from(means[column as usize])).powi(2);
        }
        sum + unstored.iter().zip(means).map(|(count, &mean)| count * f64::from(mean).powi(2)).sum::<f64>()
    }

    /// Â in one cell.
    fn value(&self, row: usize, column: usize) -> f64 {
        let (w, h) = (&self.w[row * self.rank..][..self.rank], &self.h[column * self.rank..][..self.rank]);
        dot(w, h) + self.means.map_or(0.0, |means| f64::from(means[column]))
    }

    /// The errors, without any matrix of all cells: over those not stored, Σ Â² = ‖Â‖² − Σ_stored Â².
    pub(super) fn errors(&self, train: &Interactions) -> Errors {
        const CHUNK: usize = 1 << 14;
        let (rows, columns) = (train.column(USER), train.column(ITEM));
        let chunk = |start: usize| {
            let mut sums = [0.0; 3];
            for at in start..(start + CHUNK).min(train.len()) {
                let value = f64::from(train.targets[at]);
                let shown = self.value(rows[at] as usize, columns[at] as usize);
                for (sum, term) in sums.iter_mut().zip([value, value - shown, shown]) {
                    *sum += term * term;
                }
            }
            sums
        };
        let chunks: Vec<[f64; 3]> =
            (0..train.len().div_ceil(CHUNK)).into_par_iter().map(|at| chunk(at * CHUNK)).collect();
        let [norm, error, shown] = [0, 1, 2].map(|which| chunks.iter().map(|sums| sums[which]).sum::<f64>());
        let relative = |error: f64| (norm > 0.0).then(|| (error.max(0.0) / norm).sqrt());
        let all_stored = train.len() >= self.rows.len() * self.columns.len();
        let with_zeros = match self.zeros {
            Zeros::Data if !all_stored => relative(error + self.norm_squared() - shown),
            _ => None,
        };
        Errors { stored: relative(error), with_zeros }
    }

    /// ‖Â‖² over all cells: ⟨WᵀW, HᵀH⟩ + 2 (Wᵀ1)·(Hᵀmeans) + rows · ‖means‖².
    fn norm_squared(&self) -> f64 {
        let product = inner_in_order(&gram_in_order(self.w, self.rank), &gram_in_order(self.h, self.rank));
        let Some(means) = self.means else { return product };
        let of_means = self.times_h(means, None);
        let both: f64 = column_sums(self.w, self.rank).iter().zip(of_means).map(|(w, mean)| w * mean).sum();
        let squares: f64 = means.iter().map(|&mean| f64::from(mean).powi(2)).sum();
        product + 2.0 * both + self.rows.len() as f64 * squares
    }

    /// Hᵀ(a − means).
    fn times_h(&self, a: &[f32], means: Option<&[f32]>) -> Vec<f64> {
        let mut product = vec![0.0; self.rank];
        for (column, (&value, h)) in a.iter().zip(self.h.chunks_exact(self.rank)).enumerate() {
            let value = f64::from(value) - means.map_or(0.0, |means| f64::from(means[column]));
            product.iter_mut().zip(h).for_each(|(sum, &h)| *sum += value * f64::from(h));
        }
        product
    }

    /// Adds the given components to `sum`, `[rows, columns]`.
    pub(super) fn add_components(&self, components: &[usize], sum: &mut [f32]) {
        let rows = sum.par_chunks_exact_mut(self.columns.len()).zip(self.w.par_chunks_exact(self.rank));
        rows.for_each(|(out, w)| {
            for (value, h) in out.iter_mut().zip(self.h.chunks_exact(self.rank)) {
                *value += components.iter().map(|&t| w[t] * h[t]).sum::<f32>();
            }
        });
    }

    /// The rows of W that other rows of the data would have: the least squares solution w of H·w ≈ a − means, that is
    /// (a − means)ᵀ·H·(HᵀH)⁻¹ (the shortest of them where HᵀH is singular), or the best non-negative one of non-negative
    /// factors.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::error::Error::Failed) where HᵀH holds numbers that are not finite.
    pub fn project(&self, others: &[f32]) -> Result<Vec<f32>> {
        let rank = self.rank;
        let gram = gram_in_order(self.h, rank);
        let inverse = if self.non_negative { None } else { Some(pseudo_inverse(&gram)?) };
        let solve = |row: &[f32]| {
            let right = self.times_h(row, self.means);
            let Some(inverse) = &inverse else { return non_negative(&gram, &right) };
            (0..rank).map(|t| right.iter().enumerate().map(|(s, value)| inverse[(t, s)] * value).sum()).collect()
        };
        let rows: Vec<Vec<f64>> = others.par_chunks_exact(self.columns.len()).map(solve).collect();
        Ok(rows.into_iter().flatten().map(|value| value as f32).collect())
    }

    /// Rows of one side in coordinates in which cosines are those of the rows (or columns) of W·Hᵀ itself: W·(HᵀH)^½, or
    /// H·(WᵀW)^½. Unlike cosines of factors, these do not change where W and H are turned or scaled against each other.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::error::Error::Failed) if the factors hold numbers that are not finite.
    pub fn in_products(&self, side: Role) -> Result<Vec<f32>> {
        let (own, other) = match side {
            Role::User => (self.w, self.h),
            Role::Item => (self.h, self.w),
        };
        self.turned(own, other)
    }

    /// The same for other rows of W, as [`project`](Self::project) gives them.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::error::Error::Failed) if the factors hold numbers that are not finite.
    pub fn others_in_products(&self, w: &[f32]) -> Result<Vec<f32>> {
        self.turned(w, self.h)
    }

    fn turned(&self, own: &[f32], other: &[f32]) -> Result<Vec<f32>> {
        let root = square_root(&gram_in_order(other, self.rank))?;
        let turn = |row: &[f32]| -> Vec<f32> {
            let product = |t| row.iter().enumerate().map(|(s, &value)| f64::from(value) * root[(s, t)]).sum::<f64>();
            (0..self.rank).map(|t| product(t) as f32).collect()
        };
        Ok(own.par_chunks_exact(self.rank).flat_map_iter(turn).collect())
    }

    /// How much each component weighs: ‖w‖·‖h‖ of its columns of W and H. Of singular vectors σ.
    pub fn weights(&self) -> Vec<f64> {
        let squares = |values: &[f32]| column_squares(values, self.rank);
        squares(self.w).iter().zip(squares(self.h)).map(|(w, h)| (w * h).sqrt()).collect()
    }

    /// One row of Â from its first `rank` components.
    pub fn reconstruct(&self, row: usize, rank: usize) -> Vec<f32> {
        let w = &self.w[row * self.rank..][..rank];
        let product = |h: &[f32]| w.iter().zip(h).map(|(w, h)| w * h).sum::<f32>();
        let means = |column: usize| self.means.map_or(0.0, |means| means[column]);
        self.h.chunks_exact(self.rank).enumerate().map(|(column, h)| means(column) + product(h)).collect()
    }

    /// Root mean squared error over the cells of other rows of the data, [projected](Self::project); `None` without any.
    pub fn error_of_others(&self, others: &[f32], projected: &[f32]) -> Option<f64> {
        let of_row = |(row, w): (&[f32], &[f32])| -> f64 {
            let term = |(column, &value): (usize, &f32)| {
                let h = &self.h[column * self.rank..][..self.rank];
                (f64::from(value) - dot(w, h) - self.means.map_or(0.0, |means| f64::from(means[column]))).powi(2)
            };
            row.iter().enumerate().map(term).sum()
        };
        let rows = others.par_chunks_exact(self.columns.len()).zip(projected.par_chunks_exact(self.rank));
        let squares: f64 = rows.map(of_row).collect::<Vec<_>>().iter().sum();
        (!others.is_empty()).then(|| (squares / others.len() as f64).sqrt())
    }

    /// Columns and rows on two singular vectors of W·Hᵀ: the entries of V and of U, counted from 0.
    ///
    /// With G = WᵀW, S = G^½ and S·HᵀH·S = QΣ²Qᵀ, V is H·S·Q·Σ⁻¹ and U is W·HᵀV·Σ⁻¹: matrices of the size of the rank.
    /// In each column of V the entry of largest magnitude is positive.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::error::Error::Failed) if the factors hold numbers that are not finite.
    pub(super) fn singular_vectors(&self, which: [usize; 2]) -> Result<(Places, Places)> {
        let rank = self.rank;
        let of_h = gram_in_order(self.h, rank);
        let root = square_root(&gram_in_order(self.w, rank))?;
        let eigen = eigen(&(&root * &of_h * &root))?;
        let (vectors, squares) = (eigen.U(), eigen.S().column_vector());
        // Eigenvalues rise.
        let turned = &root * vectors;
        let places = which.map(|which| {
            let t = rank - 1 - which;
            // Without that many directions, everything is in the middle.
            let is_direction = squares[t] > LEAST_EIGENVALUE * squares[rank - 1];
            let inverse = if is_direction { 1.0 / squares[t].sqrt() } else { 0.0 };
            let onto = |values: &[f32], weights: &dyn Fn(usize) -> f64| -> Vec<f64> {
                let dot = |row: &[f32]| row.iter().enumerate().map(|(s, &value)| f64::from(value) * weights(s)).sum();
                values.chunks_exact(rank).map(dot).collect()
            };
            let mut right = onto(self.h, &|s| turned[(s, t)] * inverse);
            // HᵀV of this vector.
            let both = &of_h * turned.col(t);
            let mut left = onto(self.w, &|s| both[s] * inverse * inverse);
            let largest = right.iter().fold(0.0f64, |most, &value| if value.abs() > most.abs() { value } else { most });
            if largest < 0.0 {
                right.iter_mut().chain(&mut left).for_each(|value| *value = -*value);
            }
            (right, left)
        });
        let [(x_right, x_left), (y_right, y_left)] = places;
        let pairs = |x: Vec<f64>, y: Vec<f64>| x.into_iter().zip(y).collect();
        Ok((pairs(x_right, y_right), pairs(x_left, y_left)))
    }

    /// Rows of W in units in which all components count alike: those of H have unit length.
    pub(super) fn scaled(&self, w: &[f32]) -> Vec<f32> {
        let squares = column_squares(self.h, self.rank);
        let value = |(at, &value): (usize, &f32)| (f64::from(value) * squares[at % self.rank].sqrt()) as f32;
        w.iter().enumerate().map(value).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::linalg::{Dense, Matrix};
    use crate::solver::nmf::{NmfOptions, nmf};
    use crate::solver::svd::{SvdConfig, svd};

    /// Factors that own their parts.
    pub struct Fit {
        pub rows: Vocabulary,
        pub columns: Vocabulary,
        pub layout: Layout,
        pub rank: usize,
        pub w: Vec<f32>,
        pub h: Vec<f32>,
        pub means: Option<Vec<f32>>,
        pub singular_values: Option<Vec<f64>>,
    }

    impl Fit {
        pub fn factors(&self) -> Factors<'_> {
            Factors {
                rows: &self.rows,
                columns: &self.columns,
                layout: self.layout,
                rank: self.rank,
                w: &self.w,
                h: &self.h,
                means: self.means.as_deref(),
                singular_values: self.singular_values.as_deref(),
                non_negative: self.singular_values.is_none(),
                zeros: Zeros::Data,
            }
        }

        pub fn svd(matrix: &Matrix, layout: Layout, rank: usize, centre: bool) -> Self {
            let found = svd(matrix, &SvdConfig { centre, ..SvdConfig::new(rank) }).expect("a decomposition");
            let sigma = |at: usize| found.singular_values[at % rank] as f32;
            let w = found.left.values().iter().enumerate().map(|(at, u)| u * sigma(at)).collect();
            Self {
                w,
                h: found.right.values().to_vec(),
                means: found.means,
                singular_values: Some(found.singular_values),
                ..Self::of(matrix, layout, rank)
            }
        }

        pub fn nmf(matrix: &Matrix, layout: Layout, rank: usize) -> Self {
            let found = nmf(matrix, &NmfOptions::new(rank)).expect("a factorization");
            let h = found.h.transposed().values().to_vec();
            Self { w: found.w.values().to_vec(), h, ..Self::of(matrix, layout, rank) }
        }

        fn of(matrix: &Matrix, layout: Layout, rank: usize) -> Self {
            let [rows, columns] = [matrix.rows(), matrix.columns()].map(Vocabulary::numbered);
            Self { rows, columns, layout, rank, w: vec![], h: vec![], means: None, singular_values: None }
        }
    }

    /// The stored cells of a matrix.
    pub fn cells(matrix: &Matrix) -> Interactions {
        let mut cells = Interactions::default();
        for (at, &value) in matrix.values().iter().enumerate() {
            let (row, column) = matrix.place(at);
            cells.push([row as u32, column as u32], value, None);
        }
        cells
    }

    /// 12 × 9 of full rank, two thirds zeros.
    pub fn sparse() -> Matrix {
        let value =
            |row: usize, column: usize| ((row * 7 + column * 5) % 11) as f32 + if row == column { 9.0 } else { 0.0 };
        let dense = Matrix::Dense(Dense::from_fn(12, 9, value));
        Matrix::Sparse(dense.filtered(|row, column| (row * 7 + column * column * 5) % 11 < 4))
    }

    fn dense(matrix: &Matrix) -> Matrix {
        Matrix::Dense(Dense::from_fn(matrix.rows(), matrix.columns(), |row, column| matrix.get(row, column)))
    }

    #[test]
    fn cosines_of_turned_rows_are_those_of_the_product() {
        let matrix = sparse();
        let fit = Fit::svd(&matrix, Layout::Cells, 3, false);
        let factors = fit.factors();
        let product: Vec<Vec<f32>> = (0..factors.rows.len()).map(|row| factors.reconstruct(row, 3)).collect();
        let cosine = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let columns: Vec<Vec<f32>> =
            (0..factors.columns.len()).map(|column| product.iter().map(|row| row[column]).collect()).collect();
        for (side, of_product) in [(Role::User, &product), (Role::Item, &columns)] {
            let turned = factors.in_products(side).expect("finite");
            for (at, vector) in of_product.iter().enumerate().skip(1) {
                let (own, first) = (&turned[3 * at..][..3], &turned[..3]);
                let size = |vector: &[f32]| vector.iter().fold(0.0_f32, |size, value| size.max(value.abs()));
                if size(vector) < 1e-5 {
                    // A row without cells has no direction.
                    assert!(size(own) < 1e-5, "{side:?} {at}: {own:?}");
                    continue;
                }
                let expected = cosine(vector, &of_product[0]);
                assert!((cosine(own, first) - expected).abs() < 1e-4, "{side:?} {at}: {expected}");
            }
        }
        for (weight, value) in factors.weights().iter().zip(factors.singular_values.expect("an SVD")) {
            assert!((weight / value - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn errors_over_zeros_need_no_zeros() {
        let matrix = sparse();
        for fit in [
            Fit::svd(&matrix, Layout::Cells, 3, false),
            Fit::svd(&matrix, Layout::Cells, 3, true),
            Fit::nmf(&matrix, Layout::Cells, 3),
        ] {
            let factors = fit.factors();
            let sparse = factors.errors(&cells(&matrix));
            let all = factors.errors(&cells(&dense(&matrix)));
            assert_eq!(all.with_zeros, None);
            let (found, expected) = (sparse.with_zeros.expect("zeros"), all.stored.expect("cells"));
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            assert!(sparse.stored.expect("cells") != expected);
            let missing = Factors { zeros: Zeros::Missing, ..factors }.errors(&cells(&matrix));
            assert_eq!((missing.stored, missing.with_zeros), (sparse.stored, None));
        }
        let fit = Fit::svd(&matrix, Layout::Cells, 9, true);
        assert!(fit.factors().errors(&cells(&matrix)).with_zeros.expect("zeros") < 1e-5);
    }

    #[test]
    fn shares_add_up() {
        let matrix = sparse();
        for centre in [false, true] {
            let fit = Fit::svd(&matrix, Layout::Cells, 9, centre);
            let shares = fit.factors().shares(&cells(&matrix)).expect("singular values");
            assert!(
                (shares.iter().sum::<f64>() - 1.0).abs() < 1e-5 && shares.is_sorted_by(|a, b| a >= b),
                "{shares:?}"
            );
            assert!(fit.factors().order(Some(&shares)).is_sorted());
        }
        let mut fit = Fit::nmf(&matrix, Layout::Cells, 2);
        (fit.w, fit.h) = ([1.0, 0.0].repeat(12), [1.0, 5.0].repeat(9));
        assert_eq!(fit.factors().shares(&cells(&matrix)), Some(vec![1.0, 0.0]));
        assert_eq!(Factors { non_negative: false, ..fit.factors() }.shares(&cells(&matrix)), None);
        assert_eq!(fit.factors().strongest(&[3.0, 0.0, -4.0, 9.0, 0.0, 1.0], 0, 9), [(1, -4.0), (0, 3.0)]);
    }

    #[test]
    fn a_row_of_the_data_projects_to_its_own_row_of_w() {
        let matrix = dense(&sparse());
        for fit in [Fit::svd(&matrix, Layout::Cells, 4, true), Fit::nmf(&matrix, Layout::Cells, 4)] {
            let factors = fit.factors();
            let mut exact = vec![0.0; matrix.rows() * matrix.columns()];
            factors.add_components(&[0, 1, 2, 3], &mut exact);
            if let Some(means) = factors.means {
                exact
                    .chunks_exact_mut(9)
                    .for_each(|row| row.iter_mut().zip(means).for_each(|(value, mean)| *value += mean));
            }
            // Â lies in the row space of H, A itself does not.
            for rows in [&exact[..], matrix.values()] {
                let found = factors.project(rows).expect("a projection");
                let tolerance = if rows == exact { 1e-4 } else { 2e-3 };
                for (found, own) in found.iter().zip(factors.w) {
                    assert!((found - own).abs() < tolerance * own.abs().max(1.0), "{found} {own}");
                }
            }
        }
    }

    #[test]
    fn singular_vectors_do_not_depend_on_the_factors_of_the_product() {
        let fit = Fit::svd(&sparse(), Layout::Cells, 3, false);
        let sigma = fit.singular_values.clone().expect("singular values");
        // W·T and H·T⁻ᵀ with T = [1 2 0; 0 1 0; 0 0 4].
        let mut turned = Fit::svd(&sparse(), Layout::Cells, 3, false);
        turned.w.chunks_exact_mut(3).for_each(|w| (w[1], w[2]) = (w[1] + 2.0 * w[0], 4.0 * w[2]));
        turned.h.chunks_exact_mut(3).for_each(|h| (h[0], h[2]) = (h[0] - 2.0 * h[1], 0.25 * h[2]));
        for factors in [fit.factors(), turned.factors()] {
            let (right, left) = factors.singular_vectors([1, 2]).expect("vectors");
            for (found, own) in right.iter().zip(fit.h.chunks_exact(3)) {
                assert!((found.0 - f64::from(own[1])).abs() < 1e-5 && (found.1 - f64::from(own[2])).abs() < 1e-5);
            }
            for (found, own) in left.iter().zip(fit.w.chunks_exact(3)) {
                assert!((found.0 - f64::from(own[1]) / sigma[1]).abs() < 1e-5);
                assert!((found.1 - f64::from(own[2]) / sigma[2]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_direction_that_is_not_there_has_no_places() {
        let mut fit = Fit::nmf(&sparse(), Layout::Cells, 2);
        fit.h = (0..9).flat_map(|column| [column as f32, 2.0 * column as f32]).collect();
        let (right, left) = fit.factors().singular_vectors([0, 1]).expect("vectors");
        assert!(right.iter().chain(&left).all(|place| place.1 == 0.0) && right[8].0 > 0.5, "{right:?} {left:?}");
    }

    #[test]
    fn components_that_repeat_or_vanish_do_not_hinder_a_projection() {
        let mut fit = Fit::nmf(&sparse(), Layout::Cells, 3);
        fit.h = (0..9).flat_map(|column| [column as f32, column as f32, 0.0]).collect();
        let row: Vec<f32> = (0..9).map(|column| 6.0 * column as f32).collect();
        let shortest = Factors { non_negative: false, ..fit.factors() }.project(&row).expect("a projection");
        assert!(shortest.iter().zip([3.0, 3.0, 0.0]).all(|(found, own)| (found - own).abs() < 1e-5), "{shortest:?}");
        let found = fit.factors().project(&row).expect("a projection");
        assert!((found[0] + found[1] - 6.0).abs() < 1e-5 && found[2] == 0.0, "{found:?}");
        let negative: Vec<f32> = row.iter().map(|value| -value).collect();
        assert_eq!(fit.factors().project(&negative).expect("a projection"), [0.0; 3]);
    }
}
