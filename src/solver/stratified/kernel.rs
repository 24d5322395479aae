//! Steps of single ratings with hand-derived gradients, sixteen at a time.
//!
//! For a rating r with score s = μ + b_u + b_i + p·q and loss L, with ℓ = ∂L/∂s, the gradients of L + λ_p‖p‖² + λ_q‖q‖² +
//! λ_u b_u² + λ_i b_i² are ℓq + 2λ_p p, ℓp + 2λ_q q, ℓ + 2λ_u b_u and ℓ + 2λ_i b_i. One after the other, each rating would
//! wait for the dot product, the slope and the square roots of the last. The ratings of a group share no row, so their
//! dot products come first, then all that is scalar at once for the group, then the updates.

use bytemuck::cast_slice_mut;
use pulp::{NullaryFnOnce, Simd, WithSimd};

use super::grid::{Block, Cell, GROUP};
use super::rule::{MOST_SCALARS, Rule, Scalars, SideCoefficients, Slopes, Step};
use crate::linalg::Lane;
use crate::objective::Loss;
use crate::solver::prefetch::prefetch;

/// The rows of one part of the users or of the items, with what the rule remembers of them.
#[derive(Debug, Clone)]
pub struct Rows {
    /// For each row its factors, then the rule's moments of them, each padded to whole lanes.
    pub factors: Vec<Lane>,
    /// For each row its bias, then the single numbers that the rule remembers.
    pub scalars: Vec<f32>,
}

/// What all steps have in common.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<R> {
    /// How gradients become steps.
    pub rule: R,
    /// Loss of one rating.
    pub loss: Loss,
    /// μ.
    pub offset: f32,
    /// Numbers in a row, without its padding.
    pub rank: usize,
    /// Whether parameters are kept at zero or above.
    pub non_negative: bool,
    /// Users' side.
    pub users: SideCoefficients,
    /// Items' side.
    pub items: SideCoefficients,
}

/// Sums over the ratings of a block, of what each was just before its step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// Σ loss.
    pub loss: f64,
    /// Σ penalty.
    pub penalty: f64,
    /// Σ (r − s)².
    pub squared: f64,
}

/// Steps over the ratings of a block in their order.
pub struct Visit<'a, R> {
    /// The ratings.
    pub block: &'a Block,
    /// Rows of the users.
    pub users: &'a mut Rows,
    /// Rows of the items.
    pub items: &'a mut Rows,
    /// What steps have in common.
    pub coefficients: &'a Coefficients<R>,
}

impl<R: Rule> WithSimd for Visit<'_, R> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let vectors = Lane::count(self.coefficients.rank) * size_of::<Lane>() / size_of::<S::f32s>();
        // Loops whose length the compiler knows are unrolled; 0 stands for any other length.
        match vectors {
            1 => simd.vectorize(Kernel::<S, R, 1> { simd, visit: self, vectors }),
            2 => simd.vectorize(Kernel::<S, R, 2> { simd, visit: self, vectors }),
            4 => simd.vectorize(Kernel::<S, R, 4> { simd, visit: self, vectors }),
            8 => simd.vectorize(Kernel::<S, R, 8> { simd, visit: self, vectors }),
            _ => simd.vectorize(Kernel::<S, R, 0> { simd, visit: self, vectors }),
        }
    }
}

/// A visit for one instruction set, one rule and one length of rows.
struct Kernel<'a, S, R, const VECTORS: usize> {
    simd: S,
    visit: Visit<'a, R>,
    vectors: usize,
}

impl<S: Simd, R: Rule, const VECTORS: usize> NullaryFnOnce for Kernel<'_, S, R, VECTORS> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let Self { simd, visit, vectors } = self;
        let vectors = if VECTORS == 0 { vectors } else { VECTORS };
        let all = visit.coefficients;
        let mut users = Side::<S>::new::<R>(visit.users, vectors);
        let mut items = Side::<S>::new::<R>(visit.items, vectors);
        let mut sums = Sums::default();
        let mut rest = &visit.block.cells[..];
        for &length in &visit.block.groups {
            let (group, next) = rest.split_at(length.into());
            rest = next;
            let mut seen = Gathered::gather::<S, R>(simd, group, &users, &items, vectors);
            for cell in &next[..next.len().min(GROUP)] {
                users.prefetch::<R>(cell.user);
                items.prefetch::<R>(cell.item);
            }
            let slopes = seen.slopes(all, group.len(), &mut sums);
            let of_users = Slopes {
                slopes: &slopes,
                dots: &seen.dots,
                own: &seen.user_norms,
                other: &seen.item_norms,
                rank: all.rank as f32,
            };
            let of_items = Slopes { own: &seen.item_norms, other: &seen.user_norms, ..of_users };
            let user_plan = all.rule.plan(&all.users, &of_users, &mut seen.users);
            let item_plan = all.rule.plan(&all.items, &of_items, &mut seen.items);
            let lowest = simd.splat_f32s(if all.non_negative { 0.0 } else { f32::NEG_INFINITY });
            for (at, cell) in group.iter().enumerate() {
                let (p, q) = (users.row_mut(cell.user), items.row_mut(cell.item));
                let of_user = user_plan.each_ref().map(|numbers| simd.splat_f32s(numbers[at]));
                let of_item = item_plan.each_ref().map(|numbers| simd.splat_f32s(numbers[at]));
                for vector in 0..vectors {
                    let (own, other) = (p[vector], q[vector]);
                    let user = Step { plan: of_user, shrink: simd.splat_f32s(2.0 * all.users.lambda), own, other };
                    let item =
                        Step { plan: of_item, shrink: simd.splat_f32s(2.0 * all.items.lambda), own: other, other: own };
                    let user = all.rule.step(simd, user, p, vector, vectors);
                    let item = all.rule.step(simd, item, q, vector, vectors);
                    (p[vector], q[vector]) = (simd.max_f32s(user, lowest), simd.max_f32s(item, lowest));
                }
                let lowest = if all.non_negative { 0.0 } else { f32::NEG_INFINITY };
                users.put_scalars::<R>(cell.user, &seen.users, at, lowest);
                items.put_scalars::<R>(cell.item, &seen.items, at, lowest);
            }
        }
        sums
    }
}

/// A part's rows as vectors of the instruction set.
struct Side<'a, S: Simd> {
    factors: &'a mut [S::f32s],
    scalars: &'a mut [f32],
    /// Vectors from a row to the next.
    stride: usize,
}

impl<'a, S: Simd> Side<'a, S> {
    #[inline(always)]
    fn new<R: Rule>(rows: &'a mut Rows, vectors: usize) -> Self {
        let (factors, rest) = S::as_mut_simd_f32s(cast_slice_mut(&mut rows.factors));
        debug_assert!(rest.is_empty(), "a lane is a whole number of vectors");
        Self { factors, scalars: &mut rows.scalars, stride: (1 + R::MOMENTS.len()) * vectors }
    }

    #[inline(always)]
    fn row(&self, row: u32) -> &[S::f32s] {
        &self.factors[row as usize * self.stride..][..self.stride]
    }

    #[inline(always)]
    fn row_mut(&mut self, row: u32) -> &mut [S::f32s] {
        &mut self.factors[row as usize * self.stride..][..self.stride]
    }

    #[inline(always)]
    fn get_scalars<R: Rule>(&self, row: u32, scalars: &mut Scalars, at: usize) {
        let length = 1 + R::SCALARS;
        let of_row = &self.scalars[row as usize * length..][..length];
        for (numbers, &number) in scalars.iter_mut().zip(of_row) {
            numbers[at] = number;
        }
    }

    #[inline(always)]
    fn put_scalars<R: Rule>(&mut self, row: u32, scalars: &Scalars, at: usize, lowest: f32) {
        let length = 1 + R::SCALARS;
        let of_row = &mut self.scalars[row as usize * length..][..length];
        for (numbers, number) in scalars.iter().zip(&mut *of_row) {
            *number = numbers[at];
        }
        of_row[0] = of_row[0].max(lowest);
    }

    /// Asks for a row's cache lines ahead of its use: without it, large tables are waited for.
    #[inline(always)]
    fn prefetch<R: Rule>(&self, row: u32) {
        prefetch(self.row(row));
        let length = 1 + R::SCALARS;
        prefetch(&self.scalars[row as usize * length..][..length]);
    }
}

/// What the steps of a group need of its ratings and rows, by rating.
struct Gathered {
    ratings: [f32; GROUP],
    dots: [f32; GROUP],
    user_norms: [f32; GROUP],
    item_norms: [f32; GROUP],
    users: Scalars,
    items: Scalars,
}

impl Gathered {
    #[inline(always)]
    fn gather<S: Simd, R: Rule>(simd: S, group: &[Cell], users: &Side<S>, items: &Side<S>, vectors: usize) -> Self {
        let none = [0.0; GROUP];
        let scalars = [none; MOST_SCALARS];
        let mut seen =
            Self { ratings: none, dots: none, user_norms: none, item_norms: none, users: scalars, items: scalars };
        for (at, cell) in group.iter().enumerate() {
            let (p, q) = (users.row(cell.user), items.row(cell.item));
            let zero = simd.splat_f32s(0.0);
            let (mut dot, mut user_norm, mut item_norm) = (zero, zero, zero);
            for vector in 0..vectors {
                dot = simd.mul_add_f32s(p[vector], q[vector], dot);
                user_norm = simd.mul_add_f32s(p[vector], p[vector], user_norm);
                item_norm = simd.mul_add_f32s(q[vector], q[vector], item_norm);
            }
            seen.dots[at] = simd.reduce_sum_f32s(dot);
            seen.user_norms[at] = simd.reduce_sum_f32s(user_norm);
            seen.item_norms[at] = simd.reduce_sum_f32s(item_norm);
            seen.ratings[at] = cell.rating;
            users.get_scalars::<R>(cell.user, &mut seen.users, at);
            items.get_scalars::<R>(cell.item, &mut seen.items, at);
        }
        seen
    }

    /// ∂L/∂s of each rating; adds loss, penalty and squared residual to `sums`.
    #[inline(always)]
    fn slopes<R>(&self, all: &Coefficients<R>, length: usize, sums: &mut Sums) -> [f32; GROUP] {
        let (mut scores, mut penalties) = ([0.0; GROUP], [0.0; GROUP]);
        let penalty =
            |side: &SideCoefficients, norm: f32, bias: f32| side.lambda * norm + side.bias_lambda * bias * bias;
        for at in 0..GROUP {
            let (user_bias, item_bias) = (self.users[0][at], self.items[0][at]);
            scores[at] = all.offset + user_bias + item_bias + self.dots[at];
            penalties[at] = penalty(&all.users, self.user_norms[at], user_bias)
                + penalty(&all.items, self.item_norms[at], item_bias);
        }
        let (losses, slopes) = all.loss.values_and_slopes(&scores, &self.ratings);
        for at in 0..length {
            sums.loss += losses[at];
            sums.penalty += f64::from(penalties[at]);
            sums.squared += f64::from(self.ratings[at] - scores[at]).powi(2);
        }
        slopes
    }
}
