//! Parameters of a dot product, and what the rule remembers of them, in the layout that the kernels work on: part by part,
//! rows padded to whole lanes.

use std::collections::BTreeMap;

use bytemuck::{cast_slice, cast_slice_mut};
use rayon::prelude::*;

use super::grid::DealtRows;
use super::kernel::{Coefficients, Rows};
use super::rule::{Memory, RowRule, Rule, SideCoefficients};
use crate::data::Role;
use crate::error::{Error, Result};
use crate::linalg::Lane;
use crate::model::{AnyModel, HostTensor, TableGroup, TableKind};
use crate::solver::dot_product::{DotProduct, ParameterRoles, SideTables};
use crate::solver::regularization::Regularization;

/// What the rules remember, as checkpoints have it: `<group>/<name>` → values in the order of the tables.
pub(super) type Remembered = BTreeMap<String, HostTensor>;

/// Users or items: their rows in parts.
pub(super) struct DealtTable {
    /// Where each row is.
    pub rows: DealtRows,
    /// The rows of each part.
    pub parts: Vec<Rows>,
}

/// All parameters of a model.
pub(super) struct Tables {
    pub users: DealtTable,
    pub items: DealtTable,
    offset: f32,
    rank: usize,
    non_negative: bool,
    /// Whether users and items have biases.
    biases: [bool; 2],
    /// λ groups of the factors of users and items.
    groups: [TableGroup; 2],
    /// λ of their factors and biases.
    lambdas: [[f32; 2]; 2],
    places: ParameterRoles,
    moments: &'static [&'static str],
    memory: Vec<Memory>,
}

/// The rows of a block, those of a part of the users and of a part of the items.
pub(super) struct BlockRows<'a> {
    pub user_part: usize,
    pub item_part: usize,
    pub users: &'a mut Rows,
    pub items: &'a mut Rows,
    /// Rows of the table of users, by row of the part.
    pub user_rows: &'a [u32],
    /// The same of the items.
    pub item_rows: &'a [u32],
}

/// What is remembered of a group of parameters, in checkpoints.
fn key(group: &TableGroup, name: &str) -> String {
    format!("{group}/{name}")
}

impl Tables {
    /// The parameters of `model` with users and items dealt into these parts, and what `rule` remembers of them: from
    /// `restored` if it is there.
    ///
    /// # Errors
    /// [`Error::Usage`] if what was restored has another size.
    pub fn new(
        model: &DotProduct,
        [users, items]: [DealtRows; 2],
        rule: &RowRule,
        regularization: &Regularization,
        restored: &Remembered,
    ) -> Result<Self> {
        let DotProduct { offset, rank, non_negative, places, .. } = model;
        let sides = [&model.users, &model.items];
        let lambda =
            |side: &SideTables| [TableKind::Factors, TableKind::Biases].map(|kind| side.lambda(regularization, kind));
        let layout = Layout { rank: *rank, moments: rule.moments(), memory: rule.memory(), restored };
        sides.iter().try_for_each(|side| layout.check(side))?;
        Ok(Self {
            users: layout.dealt(users, &model.users),
            items: layout.dealt(items, &model.items),
            offset: *offset,
            rank: *rank,
            non_negative: *non_negative,
            biases: sides.map(|side| side.biases.is_some()),
            groups: sides.map(|side| side.group.clone()),
            lambdas: sides.map(lambda),
            places: places.clone(),
            moments: layout.moments,
            memory: layout.memory,
        })
    }

    /// Bytes of a row of `rank` factors with its moments.
    pub fn row_bytes(rank: usize, rule: &RowRule) -> usize {
        Lane::count(rank) * size_of::<Lane>() * (1 + rule.moments().len())
    }

    /// Number of parts of the users, and of the items.
    pub fn parts(&self) -> usize {
        self.users.rows.count()
    }

    /// What all steps have in common.
    pub fn coefficients<R: Rule, L>(&self, rule: R, loss: L, learning_rate: f64) -> Coefficients<R, L> {
        let rate = learning_rate as f32;
        let side = |at: usize| {
            let ([lambda, bias_lambda], has_biases) = (self.lambdas[at], self.biases[at]);
            SideCoefficients {
                lambda,
                bias_lambda: if has_biases { bias_lambda } else { 0.0 },
                rate,
                bias_rate: if has_biases { rate } else { 0.0 },
            }
        };
        Coefficients {
            rule,
            loss,
            offset: self.offset,
            rank: self.rank,
            non_negative: self.non_negative,
            users: side(0),
            items: side(1),
        }
    }

    /// Calls `visit` for the blocks of every user part a and item part a + `shift`, at once; returns the results in the
    /// order of the user parts.
    pub fn visit<T: Send>(&mut self, shift: usize, visit: impl Fn(BlockRows) -> T + Sync) -> Vec<T> {
        let (users, items) = (&mut self.users, &mut self.items);
        let count = users.parts.len();
        items.parts.rotate_left(shift);
        let pairs = users.parts.par_iter_mut().zip(&mut items.parts).enumerate().with_max_len(1);
        let results = pairs.map(|(user_part, (of_users, of_items))| {
            let item_part = (user_part + shift) % count;
            visit(BlockRows {
                user_part,
                item_part,
                users: of_users,
                items: of_items,
                user_rows: users.rows.rows(user_part),
                item_rows: items.rows.rows(item_part),
            })
        });
        let results = results.collect();
        items.parts.rotate_right(shift);
        results
    }

    /// Deals the items anew.
    pub fn redeal_items(&mut self, rows: DealtRows) {
        let planes = 1 + self.moments.len();
        let (lanes, scalars) = (Lane::count(self.rank) * planes, 1 + self.memory.len());
        let old = &self.items;
        let moved = |part: usize| {
            let mut of_part = Rows { factors: Vec::new(), scalars: Vec::new() };
            for &row in rows.rows(part) {
                let (part, at) = old.rows.place(row);
                let Rows { factors, scalars: numbers } = &old.parts[part as usize];
                of_part.factors.extend_from_slice(&factors[at as usize * lanes..][..lanes]);
                of_part.scalars.extend_from_slice(&numbers[at as usize * scalars..][..scalars]);
            }
            of_part
        };
        let parts = (0..rows.count()).into_par_iter().map(moved).collect();
        self.items = DealtTable { rows, parts };
    }

    /// `model` with these parameters.
    pub fn write_back(&self, model: AnyModel) -> AnyModel {
        self.places.write(model, |role, kind| match kind {
            TableKind::Factors => self.plane(role, 0),
            TableKind::Biases => self.numbers(role, 0),
        })
    }

    /// What the rule remembers.
    pub fn remembered(&self) -> Remembered {
        let mut saved = BTreeMap::new();
        let mut save = |key: String, data: Vec<f32>| saved.insert(key, HostTensor::vector(data));
        for ((role, group), has_biases) in [Role::User, Role::Item].into_iter().zip(&self.groups).zip(self.biases) {
            let of = |kind| TableGroup { kind, ..group.clone() };
            for (plane, name) in (1..).zip(self.moments) {
                save(key(&of(TableKind::Factors), name), self.plane(role, plane));
            }
            for (at, Memory { of: kind, name, .. }) in (1..).zip(&self.memory) {
                if has_biases || *kind == TableKind::Factors {
                    save(key(&of(*kind), name), self.numbers(role, at));
                }
            }
        }
        saved
    }

    fn side(&self, role: Role) -> &DealtTable {
        match role {
            Role::User => &self.users,
            Role::Item => &self.items,
        }
    }

    /// Values of a table in its own order: of plane `plane` of the factors.
    fn plane(&self, role: Role, plane: usize) -> Vec<f32> {
        let DealtTable { rows, parts } = self.side(role);
        let (stride, planes) = (Lane::count(self.rank) * Lane::WIDTH, 1 + self.moments.len());
        let mut values = vec![0.0; rows.num_rows() * self.rank];
        for (part, of_part) in parts.iter().enumerate() {
            let flat: &[f32] = cast_slice(&of_part.factors);
            for (&row, of_row) in rows.rows(part).iter().zip(flat.chunks_exact(stride * planes)) {
                values[row as usize * self.rank..][..self.rank].copy_from_slice(&of_row[plane * stride..][..self.rank]);
            }
        }
        values
    }

    /// Values of one of the single numbers of each row.
    fn numbers(&self, role: Role, at: usize) -> Vec<f32> {
        let DealtTable { rows, parts } = self.side(role);
        let mut values = vec![0.0; rows.num_rows()];
        for (part, of_part) in parts.iter().enumerate() {
            for (&row, of_row) in rows.rows(part).iter().zip(of_part.scalars.chunks_exact(1 + self.memory.len())) {
                values[row as usize] = of_row[at];
            }
        }
        values
    }
}

/// How rows are laid out.
struct Layout<'a> {
    rank: usize,
    moments: &'static [&'static str],
    memory: Vec<Memory>,
    restored: &'a Remembered,
}

impl Layout<'_> {
    /// Refuses restored memory of another size than that of a side's tables.
    fn check(&self, side: &SideTables) -> Result<()> {
        let of_moments = self.moments.iter().map(|name| (TableKind::Factors, *name, side.num_rows * self.rank));
        let of_rows = self.memory.iter().map(|memory| (memory.of, memory.name, side.num_rows));
        for (kind, name, length) in of_moments.chain(of_rows) {
            let key = key(&side.group(kind), name);
            if self.restored.get(&key).is_some_and(|found| found.data.len() != length) {
                return Err(Error::Usage(format!("the checkpoint's {key} does not fit the model; train anew")));
            }
        }
        Ok(())
    }

    /// The rows of one side in parts, from the model's tables and the restored memory.
    fn dealt(&self, dealt: DealtRows, side: &SideTables) -> DealtTable {
        let Self { rank, restored, .. } = *self;
        let (factors, biases) = (&side.factors[..], side.biases.as_deref());
        let restored =
            |kind: TableKind, name: &str| restored.get(&key(&side.group(kind), name)).map(|found| &found.data[..]);
        let planes: Vec<Option<&[f32]>> = std::iter::once(Some(factors))
            .chain(self.moments.iter().map(|name| restored(TableKind::Factors, name)))
            .collect();
        let numbers: Vec<(Option<&[f32]>, f32)> = std::iter::once((biases, 0.0))
            .chain(self.memory.iter().map(|memory| (restored(memory.of, memory.name), memory.start)))
            .collect();
        let stride = Lane::count(rank) * Lane::WIDTH;
        let part = |part| {
            let rows = dealt.rows(part);
            let mut padded = vec![Lane::ZERO; rows.len() * planes.len() * Lane::count(rank)];
            let flat: &mut [f32] = cast_slice_mut(&mut padded);
            let mut scalars = Vec::with_capacity(rows.len() * numbers.len());
            for (&row, of_row) in rows.iter().zip(flat.chunks_exact_mut(stride * planes.len())) {
                let row = row as usize;
                for (plane, values) in of_row.chunks_exact_mut(stride).zip(&planes) {
                    if let Some(values) = values {
                        plane[..rank].copy_from_slice(&values[row * rank..][..rank]);
                    }
                }
                scalars.extend(numbers.iter().map(|(values, start)| values.map_or(*start, |values| values[row])));
            }
            Rows { factors: padded, scalars }
        };
        let parts = (0..dealt.count()).into_par_iter().map(part).collect();
        DealtTable { rows: dealt, parts }
    }
}
