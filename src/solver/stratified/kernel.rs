//! Steps of single ratings with hand-derived gradients, sixteen at a time.
//!
//! For a rating r with score s = μ + b_u + b_i + p·q and loss L, with ℓ = ∂L/∂s, the gradients of L + λ_p‖p‖² + λ_q‖q‖² +
//! λ_u b_u² + λ_i b_i² are ℓq + 2λ_p p, ℓp + 2λ_q q, ℓ + 2λ_u b_u and ℓ + 2λ_i b_i. One after the other, each rating would
//! wait for the dot product, the slope and the square roots of the last. The ratings of a group share no row, so their
//! dot products come first, then all that is scalar at once for the group, then the updates.

use std::iter::Sum;

use bytemuck::cast_slice_mut;
use pulp::{NullaryFnOnce, Simd, WithSimd};

use super::grid::{Block, Cell, GROUP};
use super::rule::{MOST_SCALARS, Rule, Scalars, SideCoefficients, Slopes, Step};
use crate::linalg::Lane;
use crate::linalg::lanes::{no_sums, total, vectors_of_lane};
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
pub struct Coefficients<R, L = Loss> {
    /// How gradients become steps.
    pub rule: R,
    /// Loss of one rating, or of one interaction among candidates.
    pub loss: L,
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

impl Sum for Sums {
    /// In the order given: that of the parts, whatever thread was first.
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::default(), |sum, of_block| Self {
            loss: sum.loss + of_block.loss,
            penalty: sum.penalty + of_block.penalty,
            squared: sum.squared + of_block.squared,
        })
    }
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
        let lanes = Lane::count(self.coefficients.rank);
        // Loops whose length the compiler knows are unrolled; 0 stands for any other length.
        match lanes {
            1 => simd.vectorize(Kernel::<S, R, 1> { simd, visit: self, lanes }),
            2 => simd.vectorize(Kernel::<S, R, 2> { simd, visit: self, lanes }),
            4 => simd.vectorize(Kernel::<S, R, 4> { simd, visit: self, lanes }),
            7 => simd.vectorize(Kernel::<S, R, 7> { simd, visit: self, lanes }),
            8 => simd.vectorize(Kernel::<S, R, 8> { simd, visit: self, lanes }),
            _ => simd.vectorize(Kernel::<S, R, 0> { simd, visit: self, lanes }),
        }
    }
}

/// A visit for one instruction set, one rule and one length of rows.
struct Kernel<'a, S, R, const LANES: usize> {
    simd: S,
    visit: Visit<'a, R>,
    lanes: usize,
}

impl<S: Simd, R: Rule, const LANES: usize> NullaryFnOnce for Kernel<'_, S, R, LANES> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let Self { simd, visit, lanes } = self;
        let vectors = if LANES == 0 { lanes } else { LANES } * vectors_of_lane::<S>();
        let all = visit.coefficients;
        let mut users = Side::<S>::new::<R>(visit.users, vectors);
        let mut items = Side::<S>::new::<R>(visit.items, vectors);
        let mut sums = Sums::default();
        let mut rest = &visit.block.cells[..];
        let mut weights = &visit.block.weights[..];
        for &length in &visit.block.groups {
            let (group, next) = rest.split_at(length.into());
            rest = next;
            let of_group;
            (of_group, weights) = weights.split_at(weights.len().min(length.into()));
            let mut seen = Gathered::gather::<S, R>(simd, group, &users, &items, vectors);
            for cell in &next[..next.len().min(GROUP)] {
                users.prefetch::<R>(cell.user);
                items.prefetch::<R>(cell.item);
            }
            let slopes = seen.slopes(all, group.len(), of_group, &mut sums);
            let of_users = Slopes {
                slopes: &slopes,
                of_biases: &slopes,
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
                users.put_scalars::<R, GROUP>(cell.user, &seen.users, at, lowest);
                items.put_scalars::<R, GROUP>(cell.item, &seen.items, at, lowest);
            }
        }
        sums
    }
}

/// A part's rows as vectors of the instruction set.
pub(super) struct Side<'a, S: Simd> {
    factors: &'a mut [S::f32s],
    scalars: &'a mut [f32],
    /// Vectors from a row to the next.
    stride: usize,
}

impl<'a, S: Simd> Side<'a, S> {
    #[inline(always)]
    pub fn new<R: Rule>(rows: &'a mut Rows, vectors: usize) -> Self {
        let (factors, rest) = S::as_mut_simd_f32s(cast_slice_mut(&mut rows.factors));
        debug_assert!(rest.is_empty(), "a lane is a whole number of vectors");
        Self { factors, scalars: &mut rows.scalars, stride: (1 + R::MOMENTS.len()) * vectors }
    }

    #[inline(always)]
    pub fn row(&self, row: u32) -> &[S::f32s] {
        &self.factors[row as usize * self.stride..][..self.stride]
    }

    #[inline(always)]
    pub fn row_mut(&mut self, row: u32) -> &mut [S::f32s] {
        &mut self.factors[row as usize * self.stride..][..self.stride]
    }

    #[inline(always)]
    pub fn bias<R: Rule>(&self, row: u32) -> f32 {
        self.scalars[row as usize * (1 + R::SCALARS)]
    }

    #[inline(always)]
    pub fn get_scalars<R: Rule, const N: usize>(&self, row: u32, scalars: &mut Scalars<N>, at: usize) {
        let length = 1 + R::SCALARS;
        let of_row = &self.scalars[row as usize * length..][..length];
        for (numbers, &number) in scalars.iter_mut().zip(of_row) {
            numbers[at] = number;
        }
    }

    #[inline(always)]
    pub fn put_scalars<R: Rule, const N: usize>(&mut self, row: u32, scalars: &Scalars<N>, at: usize, lowest: f32) {
        let length = 1 + R::SCALARS;
        let of_row = &mut self.scalars[row as usize * length..][..length];
        for (numbers, number) in scalars.iter().zip(&mut *of_row) {
            *number = numbers[at];
        }
        of_row[0] = of_row[0].max(lowest);
    }

    /// Asks for a row's cache lines ahead of its use: without it, large tables are waited for.
    #[inline(always)]
    pub fn prefetch<R: Rule>(&self, row: u32) {
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
            let [mut dot, mut user_norm, mut item_norm] = [no_sums(simd); 3];
            let count = vectors_of_lane::<S>();
            for start in (0..vectors).step_by(count) {
                for part in 0..count {
                    let (p, q) = (p[start + part], q[start + part]);
                    dot[part] = simd.mul_add_f32s(p, q, dot[part]);
                    user_norm[part] = simd.mul_add_f32s(p, p, user_norm[part]);
                    item_norm[part] = simd.mul_add_f32s(q, q, item_norm[part]);
                }
            }
            seen.dots[at] = total(simd, dot);
            seen.user_norms[at] = total(simd, user_norm);
            seen.item_norms[at] = total(simd, item_norm);
            seen.ratings[at] = cell.value;
            users.get_scalars::<R, GROUP>(cell.user, &mut seen.users, at);
            items.get_scalars::<R, GROUP>(cell.item, &mut seen.items, at);
        }
        seen
    }

    /// ∂L/∂s of each rating, times its weight if there are weights; adds loss, penalty and squared residual to `sums`.
    #[inline(always)]
    fn slopes<R>(&self, all: &Coefficients<R>, length: usize, weights: &[f32], sums: &mut Sums) -> [f32; GROUP] {
        let (mut scores, mut penalties) = ([0.0; GROUP], [0.0; GROUP]);
        let penalty =
            |side: &SideCoefficients, norm: f32, bias: f32| side.lambda * norm + side.bias_lambda * bias * bias;
        for at in 0..GROUP {
            let (user_bias, item_bias) = (self.users[0][at], self.items[0][at]);
            scores[at] = all.offset + user_bias + item_bias + self.dots[at];
            penalties[at] = penalty(&all.users, self.user_norms[at], user_bias)
                + penalty(&all.items, self.item_norms[at], item_bias);
        }
        let (mut losses, mut slopes) = all.loss.values_and_slopes(&scores, &self.ratings);
        for (at, &weight) in weights.iter().enumerate() {
            losses[at] *= f64::from(weight);
            slopes[at] *= weight;
        }
        for at in 0..length {
            sums.loss += losses[at];
            sums.penalty += f64::from(penalties[at]);
            sums.squared += f64::from(self.ratings[at] - scores[at]).powi(2);
        }
        slopes
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::cast_slice;
    use rand::RngExt;

    use super::super::rule::{AdaGrad, Adam};
    use super::*;
    use crate::linalg::instruction_sets::assert_same_bits;
    use crate::objective::Squared;

    /// Steps over a block from the same rows: what the rows are then, and the sums.
    #[derive(Clone, Copy)]
    struct Steps<'a, R> {
        block: &'a Block,
        users: &'a Rows,
        items: &'a Rows,
        coefficients: &'a Coefficients<R>,
    }

    impl<R: Rule> WithSimd for Steps<'_, R> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let Self { block, coefficients, .. } = self;
            let (mut users, mut items) = (self.users.clone(), self.items.clone());
            let sums = Visit { block, users: &mut users, items: &mut items, coefficients }.with_simd(simd);
            let mut numbers = vec![sums.loss as f32, sums.penalty as f32, sums.squared as f32];
            for Rows { factors, scalars } in [users, items] {
                numbers.extend_from_slice(cast_slice(&factors));
                numbers.extend(scalars);
            }
            numbers
        }
    }

    fn check<R: Rule>(rule: R, rank: usize) {
        let mut stream = crate::random::stream(6, "stratified");
        let lanes = Lane::count(rank);
        let mut rows = || {
            let mut factors = vec![Lane::ZERO; 20 * lanes * (1 + R::MOMENTS.len())];
            for row in cast_slice_mut::<_, f32>(&mut factors).chunks_exact_mut(lanes * Lane::WIDTH) {
                row[..rank].iter_mut().for_each(|number| *number = stream.random_range(0.0..1.0));
            }
            let scalars = (0..20 * (1 + R::SCALARS)).map(|_| stream.random_range(0.5..0.9)).collect();
            Rows { factors, scalars }
        };
        let (users, items) = (rows(), rows());
        let cell = |at: u32| Cell { user: at % 20, item: (at * 7 + at / 20) % 20, value: (1 + at * at % 5) as f32 };
        let block = Block {
            cells: (0..80).map(cell).collect(),
            weights: (0..80).map(|at| 0.5 + at as f32 / 90.0).collect(),
            groups: vec![16, 4, 16, 4, 16, 4, 16, 4],
        };
        let side = SideCoefficients { lambda: 0.03, bias_lambda: 0.01, rate: 0.1, bias_rate: 0.05 };
        let coefficients = Coefficients {
            rule,
            loss: Loss::Squared(Squared {}),
            offset: 0.7,
            rank,
            non_negative: rank == 17,
            users: side,
            items: SideCoefficients { lambda: 0.02, ..side },
        };
        assert_same_bits(Steps { block: &block, users: &users, items: &items, coefficients: &coefficients });
    }

    #[test]
    fn the_bits_are_the_same_on_every_instruction_set() {
        for rank in [3, 16, 17, 40, 64] {
            check(AdaGrad { initial_accumulator: 0.5, epsilon: 1e-8 }, rank);
            check(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, rank);
        }
    }
}
