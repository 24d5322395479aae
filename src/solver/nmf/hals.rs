//! Hierarchical alternating least squares: each entry of a factor in turn is set to its optimum, all others fixed.
//!
//! With G = HHᵀ and B = AHᵀ the objective of row w of W is ½wᵀGw − bᵀw + const, and w_t ← max(0, w_t − (Gw − b)_t /
//! G_tt). H is updated in the same way from Aᵀ ≈ HᵀWᵀ. Missing cells give each row its own G and b, sums over the cells
//! that it has.

use faer::Mat;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::config::NmfOptions;
use super::factors::{Factors, Iterated};
use super::objective::{exact, penalty};
use super::problem::{Penalty, Zeros};
use crate::linalg::gram::inner;
use crate::linalg::product::combine;
use crate::linalg::{Csr, Dense, Sides, View};

/// Part of ½‖A‖² below which the objective is computed from its cells and not along the way.
const LEAST_SHARE: f64 = 1e-4;

pub(super) struct Hals {
    /// ½‖A‖².
    half_norm: f64,
    gram_h: Mat<f64>,
}

impl Hals {
    pub fn new(sides: &Sides<'_>, factors: &Factors) -> Self {
        Self { half_norm: 0.5 * sides.matrix().norm_squared(), gram_h: factors.ht.gram() }
    }

    pub fn iterate(&mut self, sides: &Sides<'_>, config: &NmfOptions, Factors { w, ht }: &mut Factors) -> Iterated {
        let (rows, columns) = (sides.by_rows(), sides.by_columns());
        let problem = &config.problem;
        let left = improve(rows, w, ht, &self.gram_h, problem.zeros, problem.w);
        let gram_w = w.gram();
        let right = improve(columns, ht, w, &gram_w, problem.zeros, problem.h);
        self.gram_h = ht.gram();
        let all = if right.own_grams { 0.0 } else { 0.5 * inner(&gram_w, &self.gram_h) };
        let penalties = penalty(rows, w, problem.zeros, problem.w) + penalty(columns, ht, problem.zeros, problem.h);
        let mut objective = self.half_norm + all + right.value + penalties;
        // What is left after large parts have cancelled is worth no more than their rounding.
        if objective - penalties < LEAST_SHARE * self.half_norm {
            objective = exact(sides, w, ht, problem);
        }
        let is_small = |update: &Update| update.violation <= config.tolerance * update.size;
        Iterated { objective: Some(objective), is_converged: is_small(&left) && is_small(&right) }
    }
}

/// What the update of one factor tells.
#[derive(Default)]
struct Update {
    /// Σ |projected gradient| in the first sweep.
    violation: f64,
    /// Σ b: how large the parts of the gradient are that cancel at a minimum.
    size: f64,
    /// Σ −bᵀw over the rows, and ½wᵀGw if each has its own G.
    value: f64,
    /// Whether each row had its own G.
    own_grams: bool,
}

impl Update {
    /// The update of more rows.
    fn and(self, other: Self) -> Self {
        Self {
            violation: self.violation + other.violation,
            size: self.size + other.size,
            value: self.value + other.value,
            ..self
        }
    }
}

/// Updates `own` in A ≈ own · otherᵀ, A seen along the rows of `own`.
fn improve(view: View<'_>, own: &mut Dense, other: &Dense, gram: &Mat<f64>, zeros: Zeros, penalty: Penalty) -> Update {
    let rank = own.columns();
    // Work of the products beside that of one sweep (Gillis & Glineur 2012, section 4.1, with their α = ½).
    let products = view.stored() + view.columns() * rank;
    let sweeps = 1 + (products / (view.rows() * (rank + 1))).div_ceil(2);
    match (view, zeros) {
        (View::Sparse(csr), Zeros::Missing) => observed(csr, own, other, gram, penalty, sweeps),
        _ => everything(view, own, other, gram, penalty, sweeps),
    }
}

/// Sweeps end if one changes the factor by less than this part of what the first one changed.
const WORTHWHILE: f32 = 0.1;

/// Rows that are swept together, one in each lane.
const LANES: usize = 16;
/// Rows of one task.
const TASK: usize = 16 * LANES;

fn everything(
    view: View<'_>,
    own: &mut Dense,
    other: &Dense,
    gram: &Mat<f64>,
    penalty: Penalty,
    sweeps: usize,
) -> Update {
    let rank = own.columns();
    let products = view.times(other);
    let count = view.columns() as f64;
    let l1 = (penalty.l1 * count) as f32;
    let ridge = |row, column| if row == column { penalty.l2 * count } else { 0.0 };
    let gram = Dense::from_fn(rank, rank, |row, column| (gram[(row, column)] + ridge(row, column)) as f32);
    let tasks = own.values_mut().par_chunks_mut(TASK * rank).zip(products.values().par_chunks(TASK * rank));
    let parts = tasks.map(|(own, products)| Arch::new().dispatch(Sweeps { own, products, gram: &gram, l1, sweeps }));
    parts.collect::<Vec<_>>().into_iter().fold(Update::default(), Update::and)
}

/// Sweeps over rows that share G.
struct Sweeps<'a> {
    own: &'a mut [f32],
    products: &'a [f32],
    gram: &'a Dense,
    l1: f32,
    sweeps: usize,
}

impl WithSimd for Sweeps<'_> {
    type Output = Update;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Update {
        let rank = self.gram.columns();
        let mut w = vec![[0.0f32; LANES]; rank];
        let mut b = vec![[0.0f32; LANES]; rank];
        let mut update = Update::default();
        for (own, products) in self.own.chunks_mut(LANES * rank).zip(self.products.chunks(LANES * rank)) {
            for (lane, (own, products)) in own.chunks_exact(rank).zip(products.chunks_exact(rank)).enumerate() {
                for t in 0..rank {
                    w[t][lane] = own[t];
                    b[t][lane] = products[t] - self.l1;
                }
            }
            // Lanes without a row stay zero.
            for lane in own.len() / rank..LANES {
                for t in 0..rank {
                    w[t][lane] = 0.0;
                    b[t][lane] = -1.0 - self.l1;
                }
            }
            let first = sweep(&mut w, &b, self.gram);
            update.violation += first.0;
            for _ in 1..self.sweeps {
                if sweep(&mut w, &b, self.gram).1 <= WORTHWHILE * first.1 {
                    break;
                }
            }
            let [mut sizes, mut values] = [[0.0f32; LANES]; 2];
            for (w, b) in w.iter().zip(&b) {
                for lane in 0..LANES {
                    let b = (b[lane] + self.l1).max(0.0);
                    sizes[lane] += b;
                    values[lane] -= w[lane] * b;
                }
            }
            update.size += sizes.iter().map(|&size| f64::from(size)).sum::<f64>();
            update.value += values.iter().map(|&value| f64::from(value)).sum::<f64>();
            for (lane, own) in own.chunks_exact_mut(rank).enumerate() {
                for t in 0..rank {
                    own[t] = w[t][lane];
                }
            }
        }
        update
    }
}

/// One sweep over 16 rows: Σ |projected gradient| and Σ |change|.
#[inline(always)]
fn sweep(w: &mut [[f32; LANES]], b: &[[f32; LANES]], gram: &Dense) -> (f64, f32) {
    let rank = w.len();
    let (mut violations, mut changes) = ([0.0f32; LANES], [0.0f32; LANES]);
    for t in 0..rank {
        let weights = gram.row(t);
        let curvature = weights[t];
        // Four sums, for in one they would wait for each other.
        let [mut first, mut second, mut third, mut fourth] = [[0.0f32; LANES]; 4];
        let (fours, rest) = w.as_chunks::<4>();
        let (weights, last) = weights.as_chunks::<4>();
        for (four, weights) in fours.iter().zip(weights) {
            add(&mut first, weights[0], &four[0]);
            add(&mut second, weights[1], &four[1]);
            add(&mut third, weights[2], &four[2]);
            add(&mut fourth, weights[3], &four[3]);
        }
        rest.iter().zip(last).for_each(|(row, &weight)| add(&mut first, weight, row));
        // A component that is zero everywhere has no optimum: it stays.
        let step = if curvature > 0.0 { 1.0 / curvature } else { 0.0 };
        for lane in 0..LANES {
            let gradient = (first[lane] + second[lane]) + (third[lane] + fourth[lane]) - b[t][lane];
            let old = w[t][lane];
            let projected = if old > 0.0 { gradient } else { gradient.min(0.0) };
            let new = (old - gradient * step).max(0.0);
            violations[lane] += projected.abs();
            changes[lane] += (new - old).abs();
            w[t][lane] = new;
        }
    }
    (violations.iter().map(|&value| f64::from(value)).sum(), changes.iter().sum())
}

/// `sums` += `weight` · `row`.
#[inline(always)]
fn add(sums: &mut [f32; LANES], weight: f32, row: &[f32; LANES]) {
    for lane in 0..LANES {
        sums[lane] += weight * row[lane];
    }
}

/// Rows of one task if each row has its own G.
const MASKED_TASK: usize = 8;

fn observed(csr: &Csr, own: &mut Dense, other: &Dense, gram: &Mat<f64>, penalty: Penalty, sweeps: usize) -> Update {
    let rank = own.columns();
    let parts = own.values_mut().par_chunks_mut(MASKED_TASK * rank).enumerate().map(|(task, own)| {
        let mut equations = Equations::new(rank);
        let mut update = Update::default();
        for (row, own) in own.chunks_exact_mut(rank).enumerate() {
            let (indices, values) = csr.row(task * MASKED_TASK + row);
            if indices.is_empty() {
                own.fill(0.0);
                continue;
            }
            equations.gather(indices, values, other, gram);
            let count = indices.len() as f64;
            let (l1, l2) = ((penalty.l1 * count) as f32, (penalty.l2 * count) as f32);
            let solved = Arch::new().dispatch(RowSweeps { own, equations: &mut equations, l1, l2, sweeps });
            update = update.and(solved);
        }
        update
    });
    parts.collect::<Vec<_>>().into_iter().fold(Update { own_grams: true, ..Update::default() }, Update::and)
}

/// G and b of one row, and room to compute them in.
struct Equations {
    /// G: `[rank, rank]`.
    gram: Vec<f32>,
    /// b: `[rank]`.
    products: Vec<f32>,
    /// (G + l2)w − b + l1: `[rank]`.
    gradient: Vec<f32>,
    panel: Vec<f32>,
    missing: Vec<u32>,
}

impl Equations {
    fn new(rank: usize) -> Self {
        Self {
            gram: vec![0.0; rank * rank],
            products: vec![0.0; rank],
            gradient: vec![0.0; rank],
            panel: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Sums over the rows `indices` of `other`, whose sum over all rows is `all`.
    fn gather(&mut self, indices: &[u32], values: &[f32], other: &Dense, all: &Mat<f64>) {
        let rank = other.columns();
        Arch::new().dispatch(Combine { out: &mut self.products, indices, values, other });
        // Where most cells are there, it is less work to take away those that are not ...
        if 2 * indices.len() > other.rows() {
            self.missing.clear();
            let mut present = indices.iter().copied().peekable();
            self.missing.extend((0..other.rows() as u32).filter(|index| present.next_if_eq(index).is_none()));
            other.gram_of_rows(&self.missing, &mut self.panel, &mut self.gram);
            // Both are symmetric: a column of one is a row of the other.
            for (rest, all) in self.gram.chunks_exact_mut(rank).zip(all.col_iter()) {
                rest.iter_mut().zip(all.iter()).for_each(|(rest, all)| *rest = (all - f64::from(*rest)) as f32);
            }
            if (0..rank).all(|t| f64::from(self.gram[t * rank + t]) >= 1e-2 * all[(t, t)]) {
                return;
            }
            // ... unless a component lies in those almost alone, so that hardly a digit would be left.
        }
        other.gram_of_rows(indices, &mut self.panel, &mut self.gram);
    }
}

struct Combine<'a> {
    out: &'a mut [f32],
    indices: &'a [u32],
    values: &'a [f32],
    other: &'a Dense,
}

impl WithSimd for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        combine(self.out, self.indices, self.values, self.other);
    }
}

/// Sweeps over one row with its own G.
struct RowSweeps<'a> {
    own: &'a mut [f32],
    equations: &'a mut Equations,
    l1: f32,
    l2: f32,
    sweeps: usize,
}

impl WithSimd for RowSweeps<'_> {
    type Output = Update;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Update {
        let Self { own, equations, l1, l2, sweeps } = self;
        let rank = own.len();
        let Equations { gram, products, gradient, .. } = equations;
        gradient.iter_mut().zip(&*products).for_each(|(gradient, product)| *gradient = l1 - product);
        for (weights, &value) in gram.chunks_exact(rank).zip(&*own).filter(|(_, value)| **value != 0.0) {
            for (gradient, weight) in gradient.iter_mut().zip(weights) {
                *gradient += weight * value;
            }
        }
        gradient.iter_mut().zip(&*own).for_each(|(gradient, value)| *gradient += l2 * value);
        let (mut violation, mut first_change) = (0.0, 0.0);
        for sweep in 0..sweeps {
            let mut change = 0.0;
            for t in 0..rank {
                let curvature = gram[t * rank + t] + l2;
                let (old, slope) = (own[t], gradient[t]);
                if sweep == 0 {
                    violation += f64::from(if old > 0.0 { slope } else { slope.min(0.0) }.abs());
                }
                if curvature <= 0.0 {
                    continue;
                }
                let new = (old - slope / curvature).max(0.0);
                let step = new - old;
                if step != 0.0 {
                    own[t] = new;
                    change += step.abs();
                    let weights = &gram[t * rank..][..rank];
                    for (gradient, weight) in gradient.iter_mut().zip(weights) {
                        *gradient += weight * step;
                    }
                    gradient[t] += l2 * step;
                }
            }
            if sweep == 0 {
                first_change = change;
            } else if change <= WORTHWHILE * first_change {
                break;
            }
        }
        // gradient − l1 − l2·w − b = Gw − 2b.
        let value = |(&w, (&gradient, &b)): (&f32, (&f32, &f32))| {
            0.5 * f64::from(w) * (f64::from(gradient) - f64::from(l1) - f64::from(l2 * w) - f64::from(b))
        };
        let value = own.iter().zip(gradient.iter().zip(&*products)).map(value).sum();
        let size = products.iter().map(|&product| f64::from(product)).sum();
        Update { violation, size, value, own_grams: true }
    }
}
