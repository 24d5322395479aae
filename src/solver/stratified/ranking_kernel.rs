//! Steps of single interactions among candidates, with hand-derived gradients.
//!
//! With scores s_j = μ + b_u + b_j + p·q_j of the interaction's item and its candidates and the loss's slopes
//! ℓ_j = ∂L/∂s_j, the gradients are Σ ℓ_j q_j + 2λ_p p and ℓ_j p + 2λ_q q_j, those of the biases Σ ℓ_j + 2λ_u b_u and
//! ℓ_j + 2λ_i b_j. To the rule the user's step looks like any other: of slope 1 along Σ ℓ_j q_j.

use pulp::{NullaryFnOnce, Simd, WithSimd};
use rand_chacha::ChaCha8Rng;

use super::candidates::{CandidateDraws, Candidates};
use super::grid::{Cell, GROUP};
use super::kernel::{Coefficients, Rows, Side, Sums};
use super::rule::{MOST_SCALARS, Rule, Scalars, SideCoefficients, Slopes, Step};
use crate::linalg::Lane;
use crate::linalg::lanes::{no_sums, total, vectors_of_lane};
use crate::objective::ranking::{RankingLoss, rank_weight};

/// Steps over the interactions of a block in their order.
pub struct RankingVisit<'a, R> {
    /// The interactions.
    pub cells: &'a [Cell],
    /// Rows of the users.
    pub users: &'a mut Rows,
    /// Rows of the items.
    pub items: &'a mut Rows,
    /// What they are compared with.
    pub candidates: Candidates<'a>,
    /// Draws them.
    pub stream: ChaCha8Rng,
    /// What steps have in common.
    pub coefficients: &'a Coefficients<R, &'a dyn RankingLoss>,
}

impl<R: Rule> WithSimd for RankingVisit<'_, R> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let lanes = Lane::count(self.coefficients.rank);
        // Loops whose length the compiler knows are unrolled; 0 stands for any other length.
        match lanes {
            1 => simd.vectorize(Kernel::<S, R, 1> { simd, visit: self, lanes }),
            2 => simd.vectorize(Kernel::<S, R, 2> { simd, visit: self, lanes }),
            4 => simd.vectorize(Kernel::<S, R, 4> { simd, visit: self, lanes }),
            _ => simd.vectorize(Kernel::<S, R, 0> { simd, visit: self, lanes }),
        }
    }
}

/// A visit for one instruction set, one rule and one length of rows.
struct Kernel<'a, S, R, const LANES: usize> {
    simd: S,
    visit: RankingVisit<'a, R>,
    lanes: usize,
}

impl<S: Simd, R: Rule, const LANES: usize> NullaryFnOnce for Kernel<'_, S, R, LANES> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let Self { simd, visit, lanes } = self;
        let RankingVisit { cells, users, items, candidates, stream, coefficients } = visit;
        let vectors = if LANES == 0 { lanes } else { LANES } * vectors_of_lane::<S>();
        let width = 1 + candidates.negatives.count;
        let mut walk = Walk::<S, R, LANES> {
            simd,
            all: coefficients,
            lanes,
            users: Side::<S>::new::<R>(users, vectors),
            items: Side::<S>::new::<R>(items, vectors),
            draw: CandidateDraws::new(candidates, cells, stream),
            chosen: Vec::with_capacity(width),
            dots: Vec::with_capacity(width),
            scores: Vec::with_capacity(width),
            slopes: Vec::with_capacity(width),
            gradient: vec![simd.splat_f32s(0.0); vectors],
            sums: Sums::default(),
        };
        for (at, cell) in cells.iter().enumerate() {
            if let Some(next) = cells.get(at + 2) {
                walk.users.prefetch::<R>(next.user);
                walk.items.prefetch::<R>(next.item);
            }
            walk.visit(cell);
        }
        walk.sums
    }
}

/// The state of a walk over a block.
struct Walk<'a, S: Simd, R, const LANES: usize> {
    simd: S,
    all: &'a Coefficients<R, &'a dyn RankingLoss>,
    /// Lanes of a row, if `LANES` is 0.
    lanes: usize,
    users: Side<'a, S>,
    items: Side<'a, S>,
    draw: CandidateDraws<'a>,
    /// Of one interaction: its item and its candidates, with p·q, score and slope of each.
    chosen: Vec<u32>,
    dots: Vec<f32>,
    scores: Vec<f32>,
    slopes: Vec<f32>,
    /// Σ ℓ_j q_j.
    gradient: Vec<S::f32s>,
    sums: Sums,
}

impl<S: Simd, R: Rule, const LANES: usize> Walk<'_, S, R, LANES> {
    /// The steps of one interaction.
    #[inline(always)]
    fn visit(&mut self, cell: &Cell) {
        let all = self.all;
        let mut of_user: Scalars<1> = [[0.0]; MOST_SCALARS];
        self.users.get_scalars::<R, 1>(cell.user, &mut of_user, 0);
        let base = all.offset + of_user[0][0];
        self.dots.clear();
        self.scores.clear();
        self.chosen.clear();
        self.meet(cell, cell.item, base, 0.0);
        let weight = cell.value
            * match all.loss.margin() {
                None => {
                    self.meet_all(cell, base);
                    1.0
                }
                Some(margin) => self.meet_first_violating(cell, base, margin),
            };
        let count = self.chosen.len();
        self.slopes.clear();
        self.slopes.resize(count, 0.0);
        if weight > 0.0 {
            let loss = all.loss.value_and_slopes(&self.scores, &mut self.slopes);
            self.sums.loss += loss * f64::from(weight);
            self.slopes.iter_mut().for_each(|slope| *slope *= weight);
        }
        let is_still = self.slopes.iter().all(|&slope| slope == 0.0);
        let penalties = [all.users.lambda, all.users.bias_lambda, all.items.lambda, all.items.bias_lambda];
        if R::RESTS_AT_ZERO && is_still && penalties == [0.0; 4] {
            return;
        }
        self.step(cell.user, of_user);
    }

    /// Adds an item, and `correction` to its score.
    #[inline(always)]
    fn meet(&mut self, cell: &Cell, item: u32, base: f32, correction: f32) {
        let dot = self.dot(self.users.row(cell.user), self.items.row(item));
        let bias = self.items.bias::<R>(item);
        self.chosen.push(item);
        self.dots.push(dot);
        self.scores.push(base + bias + dot + correction);
    }

    /// Adds the candidates of an interaction.
    #[inline(always)]
    fn meet_all(&mut self, cell: &Cell, base: f32) {
        for _ in 0..self.draw.candidates.negatives.count {
            let Some(item) = self.draw.next(cell.user, &self.chosen) else { break };
            let correction = self.draw.candidates.correction(cell.user, item);
            self.meet(cell, item, base, correction);
        }
    }

    /// Draws candidates until one scores more than the interaction less `margin`, and adds that one alone. Returns its
    /// weight; 0 if there is none.
    #[inline(always)]
    fn meet_first_violating(&mut self, cell: &Cell, base: f32, margin: f32) -> f32 {
        let mut draws = 0;
        for _ in 0..self.draw.candidates.negatives.count {
            let Some(item) = self.draw.next(cell.user, &self.chosen) else { break };
            draws += 1;
            self.meet(cell, item, base, 0.0);
            if self.scores[draws] > self.scores[0] - margin {
                self.keep(draws);
                return rank_weight(self.draw.candidates.unseen.count(self.draw.candidates.user(cell.user)), draws);
            }
        }
        self.keep(0);
        0.0
    }

    /// Keeps the interaction's own item and candidate `at`, if that is another.
    #[inline(always)]
    fn keep(&mut self, at: usize) {
        let count = if at == 0 { 1 } else { 2 };
        for list in [&mut self.dots, &mut self.scores] {
            list.swap(count - 1, at);
            list.truncate(count);
        }
        self.chosen.swap(count - 1, at);
        self.chosen.truncate(count);
    }

    /// Vectors of a row.
    #[inline(always)]
    fn vectors(&self) -> usize {
        let lanes = if LANES == 0 { self.lanes } else { LANES };
        lanes * vectors_of_lane::<S>()
    }

    /// Σ x·y over the factors of two rows.
    #[inline(always)]
    fn dot(&self, x: &[S::f32s], y: &[S::f32s]) -> f32 {
        let (simd, count) = (self.simd, vectors_of_lane::<S>());
        let (x, y) = (&x[..self.vectors()], &y[..self.vectors()]);
        let mut sums = no_sums(simd);
        for start in (0..x.len()).step_by(count) {
            for part in 0..count {
                sums[part] = simd.mul_add_f32s(x[start + part], y[start + part], sums[part]);
            }
        }
        total(simd, sums)
    }

    /// Moves the rows of the user and of all chosen items.
    #[inline(always)]
    fn step(&mut self, user: u32, mut of_user: Scalars<1>) {
        let (simd, all, vectors) = (self.simd, self.all, self.vectors());
        let count = vectors_of_lane::<S>();
        let [mut along, mut square, mut norm] = [no_sums(simd); 3];
        let p = &self.users.row(user)[..vectors];
        for start in (0..vectors).step_by(count) {
            for part in 0..count {
                let mut gradient = simd.splat_f32s(0.0);
                for (&item, &slope) in self.chosen.iter().zip(&self.slopes) {
                    gradient = simd.mul_add_f32s(simd.splat_f32s(slope), self.items.row(item)[start + part], gradient);
                }
                let p = p[start + part];
                along[part] = simd.mul_add_f32s(p, gradient, along[part]);
                square[part] = simd.mul_add_f32s(gradient, gradient, square[part]);
                norm[part] = simd.mul_add_f32s(p, p, norm[part]);
                self.gradient[start + part] = gradient;
            }
        }
        let user_norm = total(simd, norm);
        self.sums.penalty += penalty(&all.users, user_norm, of_user[0][0]);
        // Most often there is one candidate.
        match self.chosen.len() {
            2 => self.step_items::<2>(user, user_norm, 0),
            count => (0..count).step_by(GROUP).for_each(|first| self.step_items::<GROUP>(user, user_norm, first)),
        }
        let slopes = Slopes {
            slopes: &[1.0],
            of_biases: &[self.slopes.iter().sum()],
            dots: &[total(simd, along)],
            own: &[user_norm],
            other: &[total(simd, square)],
            rank: all.rank as f32,
        };
        let plan = all.rule.plan(&all.users, &slopes, &mut of_user).map(|numbers| simd.splat_f32s(numbers[0]));
        let (shrink, lowest) = (simd.splat_f32s(2.0 * all.users.lambda), self.lowest());
        let row = self.users.row_mut(user);
        for (vector, &gradient) in self.gradient[..vectors].iter().enumerate() {
            let step = Step { plan, shrink, own: row[vector], other: gradient };
            let moved = all.rule.step(simd, step, row, vector, vectors);
            row[vector] = simd.max_f32s(moved, simd.splat_f32s(lowest));
        }
        self.users.put_scalars::<R, 1>(user, &of_user, 0, lowest);
    }

    /// Moves the rows of up to `N` of the chosen items from the `first`.
    #[inline(always)]
    fn step_items<const N: usize>(&mut self, user: u32, user_norm: f32, first: usize) {
        let (simd, all, vectors) = (self.simd, self.all, self.vectors());
        let count = N.min(self.chosen.len() - first);
        let mut of_items: Scalars<N> = [[0.0; N]; MOST_SCALARS];
        let [mut slopes, mut dots, mut norms] = [[0.0; N]; 3];
        for at in 0..count {
            self.items.get_scalars::<R, N>(self.chosen[first + at], &mut of_items, at);
            let q = self.items.row(self.chosen[first + at]);
            (slopes[at], dots[at], norms[at]) = (self.slopes[first + at], self.dots[first + at], self.dot(q, q));
            self.sums.penalty += penalty(&all.items, norms[at], of_items[0][at]);
        }
        let known = Slopes {
            slopes: &slopes,
            of_biases: &slopes,
            dots: &dots,
            own: &norms,
            other: &[user_norm; N],
            rank: all.rank as f32,
        };
        let plan = all.rule.plan(&all.items, &known, &mut of_items);
        let (shrink, lowest) = (simd.splat_f32s(2.0 * all.items.lambda), self.lowest());
        let p = self.users.row(user);
        for at in 0..count {
            let item = self.chosen[first + at];
            let plan = plan.each_ref().map(|numbers| simd.splat_f32s(numbers[at]));
            let row = self.items.row_mut(item);
            for vector in 0..vectors {
                let step = Step { plan, shrink, own: row[vector], other: p[vector] };
                let moved = all.rule.step(simd, step, row, vector, vectors);
                row[vector] = simd.max_f32s(moved, simd.splat_f32s(lowest));
            }
            self.items.put_scalars::<R, N>(item, &of_items, at, lowest);
        }
    }

    fn lowest(&self) -> f32 {
        if self.all.non_negative { 0.0 } else { f32::NEG_INFINITY }
    }
}

fn penalty(side: &SideCoefficients, norm: f32, bias: f32) -> f64 {
    f64::from(side.lambda * norm + side.bias_lambda * bias * bias)
}

#[cfg(test)]
mod tests {
    use bytemuck::{cast_slice, cast_slice_mut};
    use rand::RngExt;

    use super::super::rule::{AdaGrad, Adam};
    use super::*;
    use crate::data::Interactions;
    use crate::data::unseen::Unseen;
    use crate::linalg::instruction_sets::assert_same_bits;
    use crate::objective::ranking::{Bpr, SampledSoftmax, Warp};
    use crate::objective::{NegativeSampler, Negatives};
    use crate::random::stream;

    /// Steps over a block from the same rows: what the rows are then, and the sums.
    #[derive(Clone, Copy)]
    struct Steps<'a, R> {
        rows: [&'a Rows; 2],
        unseen: &'a Unseen,
        count: usize,
        coefficients: &'a Coefficients<R, &'a dyn RankingLoss>,
    }

    impl<R: Rule> WithSimd for Steps<'_, R> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let ([mut users, mut items], all) = (self.rows.map(Clone::clone), Vec::from_iter(0..20));
            let cells: Vec<Cell> =
                (0..80).map(|at| Cell { user: at % 20, item: (at * 7 + at / 20) % 20, value: 1.0 }).collect();
            let candidates = Candidates {
                unseen: self.unseen,
                users: &all,
                items: &all,
                negatives: Negatives { count: self.count, sampler: NegativeSampler::Uniform },
                is_corrected: self.coefficients.loss.is_corrected(),
            };
            let (cells, stream) = (&cells[..], stream(7, "negatives"));
            let (users, items) = (&mut users, &mut items);
            let sums = RankingVisit { cells, users, items, candidates, stream, coefficients: self.coefficients };
            let sums = sums.with_simd(simd);
            let mut numbers = vec![sums.loss as f32, sums.penalty as f32, sums.squared as f32];
            for Rows { factors, scalars } in [users, items] {
                numbers.extend_from_slice(cast_slice(factors));
                numbers.extend_from_slice(scalars);
            }
            numbers
        }
    }

    fn check<R: Rule>(rule: R, rank: usize) {
        let mut stream = stream(6, "ranking");
        let lanes = Lane::count(rank);
        let mut rows = || {
            let mut factors = vec![Lane::ZERO; 20 * lanes * (1 + R::MOMENTS.len())];
            for row in cast_slice_mut::<_, f32>(&mut factors).chunks_exact_mut(lanes * Lane::WIDTH) {
                row[..rank].iter_mut().for_each(|number| *number = stream.random_range(0.0..1.0));
            }
            Rows { factors, scalars: (0..20 * (1 + R::SCALARS)).map(|_| stream.random_range(0.5..0.9)).collect() }
        };
        let rows = [rows(), rows()];
        let mut met = Interactions::default();
        (0..80_u32).for_each(|at| met.push([at % 20, (at * 7 + at / 20) % 20], 1.0, None));
        let unseen = Unseen::new([&met], 20, 20);
        let side = SideCoefficients { lambda: 0.03, bias_lambda: 0.01, rate: 0.1, bias_rate: 0.05 };
        let losses: [(&dyn RankingLoss, usize); 3] = [(&Bpr, 1), (&Warp { margin: 0.2 }, 5), (&SampledSoftmax, 17)];
        for (loss, count) in losses {
            let (users, items) = (side, SideCoefficients { lambda: 0.02, ..side });
            let coefficients = Coefficients { rule, loss, offset: 0.7, rank, non_negative: rank == 17, users, items };
            let rows = rows.each_ref();
            assert_same_bits(Steps { rows, unseen: &unseen, count, coefficients: &coefficients });
        }
    }

    #[test]
    fn the_bits_are_the_same_on_every_instruction_set() {
        for rank in [3, 16, 17, 40, 64] {
            check(AdaGrad { initial_accumulator: 0.5, epsilon: 1e-8 }, rank);
            check(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, rank);
        }
    }
}
