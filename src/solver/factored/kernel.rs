//! What is done with the rows of a batch, in vector registers.

use bytemuck::cast_slice_mut;
use pulp::{Simd, WithSimd};

use super::rows::{FieldRows, UNUSED};
use crate::data::UNKNOWN;
use crate::linalg::Lane;
use crate::linalg::lanes::{no_sums, total, vectors, vectors_mut, vectors_of_lane};
use crate::solver::in_place::RuleAtStep;
use crate::solver::prefetch::prefetch;

/// How many interactions ahead to prefetch rows.
const AHEAD: usize = 4;

/// The sums S of some interactions, and their scores.
pub(super) struct Forward<'a> {
    pub fields: &'a [FieldRows],
    /// The rows of each field in the batch.
    pub indices: &'a [Vec<u32>],
    /// The interaction of the batch that these begin with.
    pub first: usize,
    pub lanes: usize,
    pub offset: f32,
    /// S of each.
    pub sums: &'a mut [Lane],
    pub scores: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { fields, indices, first, lanes, offset, sums, scores } = self;
        let of_lane = vectors_of_lane::<S>();
        let mut rows: Vec<&[S::f32s]> = Vec::with_capacity(fields.len());
        for (at, (score, sums)) in scores.iter_mut().zip(sums.chunks_exact_mut(lanes)).enumerate() {
            let mut linear = offset;
            rows.clear();
            for (own, indices) in fields.iter().zip(indices) {
                if own.is_large()
                    && let Some(&later) = indices.get(first + at + AHEAD).filter(|row| **row != UNKNOWN)
                {
                    prefetch(own.row(later));
                }
                let row = indices[first + at];
                if row != UNKNOWN {
                    rows.push(vectors::<S>(own.row(row)));
                    linear += own.bias(row);
                }
            }
            let mut products = no_sums(simd);
            for (j, sum) in vectors_mut::<S>(sums).iter_mut().enumerate() {
                // Two of each, so that an addition need not wait for the last one.
                let mut whole = [simd.splat_f32s(0.0); 2];
                let mut squares = whole;
                for row in rows.chunks(2) {
                    for (half, row) in row.iter().enumerate() {
                        whole[half] = simd.add_f32s(whole[half], row[j]);
                        squares[half] = simd.mul_add_f32s(row[j], row[j], squares[half]);
                    }
                }
                let whole = simd.add_f32s(whole[0], whole[1]);
                let squares = simd.add_f32s(squares[0], squares[1]);
                *sum = whole;
                let place = &mut products[j % of_lane];
                *place = simd.add_f32s(*place, simd.sub_f32s(simd.mul_f32s(whole, whole), squares));
            }
            *score = linear + 0.5 * total(simd, products);
        }
    }
}

/// What a step did to a field.
pub(super) struct Moved {
    /// Σ λ‖row‖² · its share of the batch, before the step.
    pub penalty: f64,
    /// ‖gradient‖² of factors and biases, before it is limited.
    pub squares: [f64; 2],
}

/// The gradient of a field's rows, and their step.
pub(super) struct Backward<'a> {
    pub own: &'a mut FieldRows,
    /// Its rows in the batch.
    pub indices: &'a [u32],
    /// The slope of each interaction's loss.
    pub slopes: &'a [f32],
    /// S of each.
    pub sums: &'a [Lane],
    pub lanes: usize,
    pub rule: RuleAtStep,
    pub limit: Option<f32>,
    pub non_negative: bool,
}

impl WithSimd for Backward<'_> {
    type Output = Moved;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Moved {
        let Self { own, indices, slopes, sums, lanes, rule, limit, non_negative } = self;
        let parts = own.parts();
        let stride = lanes * parts;
        let FieldRows { factors, biases, slots, used, lambdas, .. } = own;
        used.clear();
        for (at, &row) in indices.iter().enumerate().filter(|(_, row)| **row != UNKNOWN) {
            let slot = &mut slots[row as usize];
            if *slot == UNUSED {
                *slot = used.rows.len() as u32;
                used.rows.push(row);
                used.uses.push(0);
                used.slopes.push(0.0);
                used.gradients.resize(used.gradients.len() + lanes, Lane::ZERO);
            }
            let place = *slot as usize;
            used.uses[place] += 1;
            used.slopes[place] += slopes[at];
            let factor = simd.splat_f32s(slopes[at]);
            let gradient = vectors_mut::<S>(&mut used.gradients[place * lanes..][..lanes]);
            for (gradient, &sum) in gradient.iter_mut().zip(vectors::<S>(&sums[at * lanes..][..lanes])) {
                *gradient = simd.mul_add_f32s(factor, sum, *gradient);
            }
        }
        let share = 1.0 / indices.len() as f32;
        let [of_factors, of_biases] = lambdas.map(|lambda| lambda * share);
        let (mut norm, mut size) = (no_sums(simd), no_sums(simd));
        for (slot, &row) in used.rows.iter().enumerate() {
            slots[row as usize] = UNUSED;
            let gradient = &mut used.gradients[slot * lanes..][..lanes];
            let (values, moments) = factors[row as usize * stride..][..stride].split_at_mut(lanes);
            let weight = of_factors * used.uses[slot] as f32;
            let factor = simd.splat_f32s(2.0 * weight - used.slopes[slot]);
            let weight = simd.splat_f32s(weight);
            for (j, (gradient, &value)) in vectors_mut::<S>(gradient).iter_mut().zip(vectors::<S>(values)).enumerate() {
                *gradient = simd.mul_add_f32s(factor, value, *gradient);
                let place = j % vectors_of_lane::<S>();
                norm[place] = simd.mul_add_f32s(*gradient, *gradient, norm[place]);
                size[place] = simd.mul_add_f32s(simd.mul_f32s(weight, value), value, size[place]);
            }
            let (gradient, values): (&mut [f32], &mut [f32]) = (cast_slice_mut(gradient), cast_slice_mut(values));
            step(rule, values, gradient, cast_slice_mut(moments), limit, non_negative);
        }
        let mut moved = Moved { penalty: total(simd, size).into(), squares: [total(simd, norm).into(), 0.0] };
        if !biases.is_empty() {
            // All at once: each by itself would leave vector registers empty.
            let count = used.rows.len();
            for part in 0..parts {
                used.biases.extend(used.rows.iter().map(|&row| biases[row as usize * parts + part]));
            }
            let (values, moments) = used.biases.split_at_mut(count);
            for ((slope, &value), &uses) in used.slopes.iter_mut().zip(&*values).zip(&used.uses) {
                let weight = of_biases * uses as f32;
                *slope += 2.0 * weight * value;
                moved.squares[1] += f64::from(*slope * *slope);
                moved.penalty += f64::from(weight * value * value);
            }
            step(rule, values, &mut used.slopes, moments, limit, non_negative);
            for (slot, &row) in used.rows.iter().enumerate() {
                for part in 0..parts {
                    biases[row as usize * parts + part] = used.biases[part * count + slot];
                }
            }
        }
        moved
    }
}

/// Moves numbers; their moments lie one behind the other.
#[inline(always)]
fn step(
    rule: RuleAtStep,
    row: &mut [f32],
    gradient: &mut [f32],
    moments: &mut [f32],
    limit: Option<f32>,
    non_negative: bool,
) {
    if let Some(limit) = limit {
        gradient.iter_mut().for_each(|gradient| *gradient = gradient.clamp(-limit, limit));
    }
    let (first, second) = moments.split_at_mut(row.len().min(moments.len()));
    match (first.is_empty(), second.is_empty()) {
        (true, _) => rule.apply(row, gradient, &mut []),
        (false, true) => rule.apply(row, gradient, &mut [first]),
        (false, false) => rule.apply(row, gradient, &mut [first, second]),
    }
    if non_negative {
        row.iter_mut().for_each(|value| *value = value.max(0.0));
    }
}
