//! The draws that a model is the mean of.

use std::collections::BTreeMap;

use bytemuck::cast_slice;

use super::rows::DrawnRows;
use crate::linalg::Lane;
use crate::model::HostTensor;

/// Draws of each table, in the order they were made.
#[derive(Debug, Clone)]
pub struct Kept {
    count: usize,
    tables: Vec<Draws>,
}

/// Draws of one table, one after another, each row by row.
#[derive(Debug, Clone, Default)]
struct Draws {
    factors: Vec<f32>,
    biases: Vec<f32>,
}

/// What draws are called in the memory of the solver.
const MOMENT: &str = "draws";

impl Kept {
    /// None of so many tables.
    pub fn new(tables: usize) -> Self {
        Self { count: 0, tables: vec![Draws::default(); tables] }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Adds what the tables hold now, of which each row has `rank` factors and then its bias.
    pub fn keep<'a>(&mut self, tables: impl Iterator<Item = &'a DrawnRows>, rank: usize) {
        self.count += 1;
        for (draws, rows) in self.tables.iter_mut().zip(tables) {
            for row in cast_slice::<_, f32>(&rows.values).chunks_exact(rows.lanes * Lane::WIDTH) {
                draws.factors.extend_from_slice(&row[..rank]);
                draws.biases.extend_from_slice(&row[rank..rows.size]);
            }
        }
    }

    /// The factors of a table as a model has them: for each row those of every draw side by side, times `unit`/√draws, with
    /// zeros up to `room` draws.
    pub fn factors(&self, table: usize, rank: usize, room: usize, unit: f32) -> Vec<f32> {
        let share = unit / (self.count as f32).sqrt();
        let draws = &self.tables[table].factors;
        let of_draw = draws.len() / self.count.max(1);
        let mut wide = vec![0.0; of_draw * room];
        for (draw, rows) in draws.chunks_exact(of_draw.max(1)).enumerate() {
            for (row, wide) in rows.chunks_exact(rank).zip(wide.chunks_exact_mut(rank * room)) {
                let place = &mut wide[draw * rank..][..rank];
                place.iter_mut().zip(row).for_each(|(place, factor)| *place = factor * share);
            }
        }
        wide
    }

    /// The mean biases of a table, times `unit`.
    pub fn biases(&self, table: usize, unit: f32) -> Vec<f32> {
        let draws = &self.tables[table].biases;
        let rows = draws.len() / self.count.max(1);
        let mean = |row: usize| {
            let sum: f64 = draws[row..].iter().step_by(rows).map(|&bias| f64::from(bias)).sum();
            (sum / self.count as f64) as f32 * unit
        };
        (0..rows).map(mean).collect()
    }

    /// Writes the draws of a table into the memory of the solver.
    pub fn remember(&self, table: usize, names: (&str, Option<&str>), memory: &mut BTreeMap<String, HostTensor>) {
        let Draws { factors, biases } = &self.tables[table];
        for (name, values) in [(Some(names.0), factors), (names.1, biases)] {
            let Some(name) = name else { continue };
            let shape = vec![self.count, values.len() / self.count.max(1)];
            memory.insert(format!("{name}/{MOMENT}"), HostTensor { shape, data: values.clone() });
        }
    }

    /// Reads them back.
    pub fn recall(&mut self, table: usize, names: (&str, Option<&str>), memory: &BTreeMap<String, HostTensor>) {
        let read = |name: &str| memory.get(&format!("{name}/{MOMENT}"));
        let Some(factors) = read(names.0) else { return };
        self.count = factors.shape[0];
        let biases = names.1.and_then(read).map(|biases| biases.data.clone()).unwrap_or_default();
        self.tables[table] = Draws { factors: factors.data.clone(), biases };
    }
}
