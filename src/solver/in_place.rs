//! Update rules applied in place to rows in main memory.
//!
//! [`Optimizer`](super::Optimizer) states the rules as tensor operations, each of which reads and writes all updated
//! rows. Here a row is read and written once, by the same formulas in the same order of operations. No row is computed
//! by two threads and no rounding depends on the vector registers, so neither changes a bit.

use burn::tensor::{DType, Tensor, TensorData};

use super::gradient_parts::GradientParts;
use super::prefetch::prefetch;
use super::rule::UpdateRule;
use crate::device::{is_host, to_vec};

/// Values that one task handles: enough to be worth handing to another thread.
const TASK: usize = 1 << 14;

/// How many rows ahead to prefetch.
const AHEAD: usize = 8;

/// Whether rows of a table can be updated here.
pub(super) fn is_possible(table: &Tensor<2>) -> bool {
    is_host(&table.device()) && table.dtype() == DType::F32
}

/// Updates the rows `indices`, ascending, of a table `[rows, width]` and of its moments. `gradient` has one row per
/// index; `project` sets negative values to zero.
pub(super) fn update_rows(
    rule: RuleAtStep,
    (table, moments): (Tensor<2>, Vec<Tensor<1>>),
    indices: &[u32],
    gradient: GradientParts,
    project: bool,
) -> (Tensor<2>, Vec<Tensor<1>>) {
    let (device, width) = (table.device(), table.dims()[1]);
    let mut table = table.into_data();
    let mut moments: Vec<TensorData> = moments.into_iter().map(Tensor::into_data).collect();
    let GradientParts { data, penalty, limit, scale } = gradient;
    let gradient = data.into_data();
    let limit = limit.map(|limit| limit as f32);
    let scale = scale.map_or(1.0, |scale| to_vec(scale)[0]);
    let rows = Rows {
        first: 0,
        table: values(&mut table),
        moments: moments.iter_mut().map(values).collect(),
        indices,
        gradient: gradient.as_slice().expect("of the same type as the table"),
        penalty: penalty.as_deref(),
    };
    Update { rule, width, limit, scale, project }.run(rows);
    let moments = moments.into_iter().map(|moment| Tensor::from_data(moment, &device)).collect();
    (Tensor::from_data(table, &device), moments)
}

fn values(data: &mut TensorData) -> &mut [f32] {
    data.as_mut_slice().expect("single precision, which was asked for")
}

/// An [`UpdateRule`] at one step, in single precision and without weight decay, which concerns every row.
#[derive(Debug, Clone, Copy)]
pub(super) enum RuleAtStep {
    Adam { keep1: f32, add1: f32, keep2: f32, add2: f32, root: f32, epsilon: f32, rate: f32 },
    Sgd { rate: f32 },
    Momentum { momentum: f32, rate: f32 },
    AdaGrad { epsilon: f32, rate: f32 },
}

impl RuleAtStep {
    /// The rule at step `step`, from 1.
    pub fn new(rule: UpdateRule, step: u64, learning_rate: f64) -> Self {
        let rate = learning_rate as f32;
        match rule {
            UpdateRule::Adam { beta1, beta2, epsilon, weight_decay: _ } => {
                let correction = |beta: f64| 1.0 - beta.powf(step as f64);
                Self::Adam {
                    keep1: beta1 as f32,
                    add1: (1.0 - beta1) as f32,
                    keep2: beta2 as f32,
                    add2: (1.0 - beta2) as f32,
                    root: correction(beta2).sqrt() as f32,
                    epsilon: epsilon as f32,
                    rate: (learning_rate / correction(beta1)) as f32,
                }
            }
            UpdateRule::Sgd { momentum: 0.0 } => Self::Sgd { rate },
            UpdateRule::Sgd { momentum } => Self::Momentum { momentum: momentum as f32, rate },
            UpdateRule::AdaGrad { epsilon } => Self::AdaGrad { epsilon: epsilon as f32, rate },
        }
    }

    /// Moves a row against its gradient.
    #[inline(always)]
    pub fn apply(self, row: &mut [f32], gradient: &[f32], moments: &mut [&mut [f32]]) {
        let pairs = row.iter_mut().zip(gradient);
        match (self, moments) {
            (Self::Adam { keep1, add1, keep2, add2, root, epsilon, rate }, [first, second]) => {
                for (((x, g), m), v) in pairs.zip(&mut **first).zip(&mut **second) {
                    *m = *m * keep1 + g * add1;
                    *v = *v * keep2 + g * g * add2;
                    *x -= *m / (v.sqrt() / root + epsilon) * rate;
                }
            }
            (Self::Sgd { rate }, []) => pairs.for_each(|(x, g)| *x -= g * rate),
            (Self::Momentum { momentum, rate }, [velocity]) => {
                for ((x, g), v) in pairs.zip(&mut **velocity) {
                    *v = *v * momentum + g;
                    *x -= *v * rate;
                }
            }
            (Self::AdaGrad { epsilon, rate }, [sum]) => {
                for ((x, g), s) in pairs.zip(&mut **sum) {
                    *s += g * g;
                    *x -= g / (s.sqrt() + epsilon) * rate;
                }
            }
            _ => unreachable!("a rule has its moments"),
        }
    }
}

/// A range of a table, and the rows of it to update.
struct Rows<'a> {
    /// The row of the table that the range starts with.
    first: usize,
    table: &'a mut [f32],
    moments: Vec<&'a mut [f32]>,
    /// Rows of the whole table, ascending.
    indices: &'a [u32],
    /// One row per index.
    gradient: &'a [f32],
    /// One factor per index.
    penalty: Option<&'a [f32]>,
}

impl Rows<'_> {
    /// The part before and the part from the index number `middle`.
    fn split(self, middle: usize, width: usize) -> (Self, Self) {
        let row = self.indices[middle] as usize;
        let cut = (row - self.first) * width;
        let (table, table_after) = self.table.split_at_mut(cut);
        let (moments, moments_after) = self.moments.into_iter().map(|moment| moment.split_at_mut(cut)).unzip();
        let (indices, indices_after) = self.indices.split_at(middle);
        let (gradient, gradient_after) = self.gradient.split_at(middle * width);
        let (penalty, penalty_after) = self.penalty.map(|penalty| penalty.split_at(middle)).unzip();
        let before = Self { first: self.first, table, moments, indices, gradient, penalty };
        let after = Self {
            first: row,
            table: table_after,
            moments: moments_after,
            indices: indices_after,
            gradient: gradient_after,
            penalty: penalty_after,
        };
        (before, after)
    }
}

/// The update of every row.
struct Update {
    rule: RuleAtStep,
    width: usize,
    limit: Option<f32>,
    scale: f32,
    project: bool,
}

impl Update {
    fn run(&self, rows: Rows) {
        let count = rows.indices.len();
        if count * self.width > TASK && count > 1 {
            let (before, after) = rows.split(count / 2, self.width);
            rayon::join(|| self.run(before), || self.run(after));
        } else {
            // Compiled for each vector instruction set.
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || self.run_here(rows),
            );
        }
    }

    #[inline(always)]
    fn run_here(&self, rows: Rows) {
        let Rows { first, table, mut moments, indices, gradient, penalty } = rows;
        let mut shaped = vec![0.0; self.width];
        for (at, (&index, gradient)) in indices.iter().zip(gradient.chunks_exact(self.width)).enumerate() {
            let place_of = |index: u32| (index as usize - first) * self.width;
            if let Some(&later) = indices.get(at + AHEAD) {
                let place = place_of(later);
                prefetch(&table[place..][..self.width]);
                moments.iter().for_each(|moment| prefetch(&moment[place..][..self.width]));
            }
            let place = place_of(index);
            let row = &mut table[place..][..self.width];
            let penalty = penalty.map_or(0.0, |penalty| penalty[at]);
            for ((shaped, g), x) in shaped.iter_mut().zip(gradient).zip(&*row) {
                *shaped = g + x * penalty;
            }
            if let Some(limit) = self.limit {
                shaped.iter_mut().for_each(|shaped| *shaped = shaped.clamp(-limit, limit));
            }
            shaped.iter_mut().for_each(|shaped| *shaped *= self.scale);
            match &mut moments[..] {
                [] => self.rule.apply(row, &shaped, &mut []),
                [one] => self.rule.apply(row, &shaped, &mut [&mut one[place..][..self.width]]),
                [one, two] => self.rule.apply(
                    row,
                    &shaped,
                    &mut [&mut one[place..][..self.width], &mut two[place..][..self.width]],
                ),
                _ => unreachable!("no rule has more moments"),
            }
            if self.project {
                row.iter_mut().for_each(|x| *x = x.max(0.0));
            }
        }
    }
}
