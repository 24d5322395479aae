//! Rows that are drawn together with their biases: those of users, of items, or of the values of a feature.

use bytemuck::cast_slice_mut;
use pulp::{Arch, Simd, WithSimd};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::prior::Prior;
use crate::linalg::Lane;
use crate::linalg::cholesky::{Factor, Solve};
use crate::linalg::lanes::add;

/// [v; w] of each row: the factors and, if there is one, the bias.
#[derive(Debug, Clone)]
pub struct DrawnRows {
    /// Padded to lanes; the bias is behind the factors.
    pub values: Vec<Lane>,
    /// Lanes of a row.
    pub lanes: usize,
    /// Unknowns of a row.
    pub size: usize,
}

impl DrawnRows {
    pub fn count(&self) -> usize {
        self.values.len() / self.lanes
    }

    pub fn row(&self, at: usize) -> &[Lane] {
        &self.values[at * self.lanes..][..self.lanes]
    }
}

/// What some interactions say about unknowns x that they share: −½ xᵀAx + bᵀx, with A = Σ ĥĥᵀ and b = Σ t ĥ.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// A, column by column, at least its lower triangle.
    pub matrix: Vec<Lane>,
    /// b.
    pub right: Vec<Lane>,
}

impl Evidence {
    pub fn none(lanes: usize) -> Self {
        Self { matrix: vec![Lane::ZERO; lanes * lanes * Lane::WIDTH], right: vec![Lane::ZERO; lanes] }
    }

    pub fn clear(&mut self) {
        self.matrix.fill(Lane::ZERO);
        self.right.fill(Lane::ZERO);
    }

    /// Adds what other interactions say.
    pub fn add(&mut self, other: &Self) {
        add_scaled(&mut self.matrix, 1.0, &other.matrix);
        add_scaled(&mut self.right, 1.0, &other.right);
    }
}

/// Adds `factor` · `x` to `out`.
pub fn add_scaled(out: &mut [Lane], factor: f32, x: &[Lane]) {
    Arch::new().dispatch(AddScaled { out, factor, x });
}

struct AddScaled<'a> {
    out: &'a mut [Lane],
    factor: f32,
    x: &'a [Lane],
}

impl WithSimd for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        add(simd, self.out, 1.0, self.factor, self.x);
    }
}

/// A prior as a kernel takes it.
#[derive(Debug, Clone)]
pub struct Ridge {
    /// λ of each unknown.
    precisions: Vec<f32>,
    /// λμ.
    pulls: Vec<f32>,
    /// μ, as a row.
    pub mean: Vec<Lane>,
}

impl Ridge {
    pub fn new(prior: &Prior, lanes: usize) -> Self {
        let of = |value: &dyn Fn(usize) -> f64| (0..prior.means.len()).map(|at| value(at) as f32).collect::<Vec<f32>>();
        let mut mean = vec![Lane::ZERO; lanes];
        cast_slice_mut(&mut mean)[..prior.means.len()].copy_from_slice(&of(&|at| prior.means[at]));
        let pulls = of(&|at| prior.precisions[at] * prior.means[at]);
        Self { precisions: of(&|at| prior.precisions[at]), pulls, mean }
    }
}

/// What the draw of one row needs.
pub struct Workspace {
    matrix: Vec<Lane>,
    right: Vec<Lane>,
    half: Vec<Lane>,
    noise: Vec<f32>,
}

impl Workspace {
    pub fn new(lanes: usize) -> Self {
        let zeros = |count| vec![Lane::ZERO; count];
        let noise = vec![0.0; lanes * Lane::WIDTH];
        Self { matrix: zeros(lanes * lanes * Lane::WIDTH), right: zeros(lanes), half: zeros(lanes), noise }
    }

    /// Draws x from N(P⁻¹(αb + λμ), P⁻¹), P = αA + Λ: the conditional distribution of a row.
    pub fn draw(&mut self, evidence: &Evidence, alpha: f32, ridge: &Ridge, stream: &mut ChaCha8Rng, x: &mut [Lane]) {
        let size = ridge.precisions.len();
        let width = x.len() * Lane::WIDTH;
        for noise in &mut self.noise[..size] {
            *noise = StandardNormal.sample(stream);
        }
        // Where rounding leaves P no inverse, a prior that is stronger by more than rounding gives it one.
        let mut excess = 1.0;
        loop {
            self.matrix.fill(Lane::ZERO);
            add_scaled(&mut self.matrix, alpha, &evidence.matrix);
            self.right.fill(Lane::ZERO);
            add_scaled(&mut self.right, alpha, &evidence.right);
            let numbers: &mut [f32] = cast_slice_mut(&mut self.matrix);
            for (at, &precision) in ridge.precisions.iter().enumerate() {
                let diagonal = &mut numbers[at * width + at];
                *diagonal = *diagonal * excess + precision;
            }
            let right: &mut [f32] = cast_slice_mut(&mut self.right);
            right.iter_mut().zip(&ridge.pulls).for_each(|(right, pull)| *right += pull);
            if Arch::new().dispatch(Draw { room: self, size, x: &mut *x }) || excess > 2.0 {
                return;
            }
            excess = 1.0 + 10.0 * (excess - 1.0_f32).max(1e-5);
        }
    }
}

/// Factorizes P and draws, if P is positive definite; whether it is.
struct Draw<'a> {
    room: &'a mut Workspace,
    size: usize,
    x: &'a mut [Lane],
}

impl WithSimd for Draw<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { room: Workspace { matrix, right, half, noise }, size, x } = self;
        let lanes = x.len();
        let is_definite = Factor { matrix, lanes, size }.with_simd(simd);
        if is_definite {
            Solve { factor: matrix, size, right, half, noise: Some(noise), x }.with_simd(simd);
        }
        is_definite
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::cast_slice;

    use super::*;
    use crate::random;

    /// A = [[4, 1], [1, 2]], b = [2, −1], α = 3, λ = (0.5, 2), μ = (1, 0.25): P = [[12.5, 3], [3, 8]], αb + λμ = [6.5, −2.5].
    #[test]
    fn draws_have_the_mean_and_the_covariance_of_the_conditional_distribution() {
        let mut evidence = Evidence::none(1);
        let numbers: &mut [f32] = cast_slice_mut(&mut evidence.matrix);
        (numbers[0], numbers[1], numbers[Lane::WIDTH + 1]) = (4.0, 1.0, 2.0);
        cast_slice_mut::<_, f32>(&mut evidence.right)[..2].copy_from_slice(&[2.0, -1.0]);
        let ridge = Ridge::new(&Prior { means: vec![1.0, 0.25], precisions: vec![0.5, 2.0] }, 1);
        let (mut room, mut stream) = (Workspace::new(1), random::stream(3, "draws"));
        let mut x = [Lane::ZERO];
        let mut draws = Vec::new();
        for _ in 0..40_000 {
            room.draw(&evidence, 3.0, &ridge, &mut stream, &mut x);
            let numbers: &[f32] = cast_slice(&x);
            assert!(numbers[2..].iter().all(|&padding| padding == 0.0));
            draws.push([f64::from(numbers[0]), f64::from(numbers[1])]);
        }
        let mean = |value: &dyn Fn(&[f64; 2]) -> f64| draws.iter().map(value).sum::<f64>() / draws.len() as f64;
        let is = |found: f64, expected: f64| assert!((found - expected).abs() < 0.01, "{found}, {expected}");
        let determinant = 12.5 * 8.0 - 9.0;
        let means = [(8.0 * 6.5 + 3.0 * 2.5) / determinant, (-3.0 * 6.5 - 12.5 * 2.5) / determinant];
        (0..2).for_each(|at| is(mean(&|draw| draw[at]), means[at]));
        let covariance =
            |one: usize, other: usize| mean(&|draw| (draw[one] - means[one]) * (draw[other] - means[other]));
        is(covariance(0, 0), 8.0 / determinant);
        is(covariance(1, 1), 12.5 / determinant);
        is(covariance(0, 1), -3.0 / determinant);
    }

    #[test]
    fn rows_that_say_the_same_leave_the_rest_to_the_prior() {
        // Σ ĥĥᵀ of a million equal ĥ has no inverse, and in single precision none with the prior either.
        let mut evidence = Evidence::none(1);
        let numbers: &mut [f32] = cast_slice_mut(&mut evidence.matrix);
        (numbers[0], numbers[1], numbers[Lane::WIDTH + 1]) = (1e7, 1e7, 1e7);
        cast_slice_mut::<_, f32>(&mut evidence.right)[..2].copy_from_slice(&[3e7, 3e7]);
        let ridge = Ridge::new(&Prior { means: vec![0.0; 2], precisions: vec![1.0; 2] }, 1);
        let mut x = [Lane::ZERO];
        Workspace::new(1).draw(&evidence, 1.0, &ridge, &mut random::stream(3, "draws"), &mut x);
        let numbers: &[f32] = cast_slice(&x);
        assert!((numbers[0] + numbers[1] - 3.0).abs() < 0.01, "{numbers:?}");
    }
}
