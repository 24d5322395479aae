//! The interactions of each row, and what their scores have to do with it.

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Simd, WithSimd};

use super::rows::{DrawnRows, Evidence};
use crate::data::UNKNOWN;
use crate::linalg::lanes::{Squares, add, dot};
use crate::linalg::{Groups, Lane};

/// The interactions of each row of a field.
#[derive(Debug, Clone)]
pub struct Met {
    /// Positions of the interactions.
    pub positions: Groups,
    /// The row of each other field, in the order of these groups.
    others: Vec<Vec<u32>>,
    /// In the same order.
    targets: Vec<f32>,
}

impl Met {
    /// Those of the rows in column `own` of all columns.
    pub fn new(count: usize, own: usize, columns: &[&[u32]], targets: &[f32]) -> Self {
        let known = columns[own].iter().zip(0..).filter(|(row, _)| **row != UNKNOWN);
        let positions = Groups::new(count, known.map(|(&row, position)| (row as usize, position)));
        let pick = |column: &&[u32]| positions.members().iter().map(|&at| column[at as usize]).collect();
        let others = columns.iter().enumerate().filter(|(other, _)| *other != own).map(|(_, column)| pick(column));
        let others = others.collect();
        let targets = positions.members().iter().map(|&at| targets[at as usize]).collect();
        Self { positions, others, targets }
    }
}

/// ĥ of some interactions, which is what their score multiplies the row's unknowns with, and what these have to explain.
pub struct Regressors<'a> {
    pub met: &'a Met,
    /// The other fields' rows, in the order of the fields.
    pub others: &'a [&'a DrawnRows],
    /// Which interactions, in the order of the rows that they belong to.
    pub chunk: Range<usize>,
    /// Numbers of a vector, and whether a bias is behind them.
    pub rank: usize,
    pub has_bias: bool,
    /// ĥ: the sum of the other fields' factors, and 1 for the bias.
    pub panel: &'a mut [Lane],
    /// The target without the other fields' biases and the products among them.
    pub rests: &'a mut Vec<f32>,
    /// If it is given, ĥ·x is taken away as well.
    pub own: Option<&'a [Lane]>,
}

impl WithSimd for Regressors<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { met, others, chunk, rank, has_bias, panel, rests, own } = self;
        let lanes = Lane::count(rank + 1);
        rests.clear();
        for (slot, at) in panel.chunks_exact_mut(lanes).zip(chunk) {
            slot.fill(Lane::ZERO);
            let mut squares = 0.0;
            for (other, rows) in others.iter().zip(&met.others) {
                if rows[at] == UNKNOWN {
                    continue;
                }
                let row = other.row(rows[at] as usize);
                add(simd, slot, 1.0, 1.0, row);
                if others.len() > 1 {
                    squares += square(simd, row, rank);
                }
            }
            let mut rest = met.targets[at];
            if others.len() > 1 {
                rest -= (square(simd, slot, rank) - squares) / 2.0;
            }
            let bias = &mut cast_slice_mut::<_, f32>(slot)[rank];
            rest -= std::mem::replace(bias, if has_bias { 1.0 } else { 0.0 });
            if let Some(own) = own {
                rest -= dot(simd, slot, own);
            }
            rests.push(rest);
        }
    }
}

/// ‖v‖² of a row, which has its bias at place `rank`.
#[inline(always)]
fn square<S: Simd>(simd: S, row: &[Lane], rank: usize) -> f32 {
    let bias = cast_slice::<_, f32>(row)[rank];
    dot(simd, row, row) - bias * bias
}

/// Adds the interactions of a panel to the evidence.
pub struct Add<'a> {
    pub panel: &'a [Lane],
    pub rests: &'a [f32],
    /// Unknowns of the row.
    pub columns: usize,
    pub evidence: &'a mut Evidence,
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { panel, rests, columns, evidence: Evidence { matrix, right } } = self;
        let lanes = right.len();
        for (row, &rest) in panel.chunks_exact(lanes).zip(rests) {
            add(simd, right, 1.0, rest, row);
        }
        Squares { panel, lanes, columns, matrix }.with_simd(simd);
    }
}
