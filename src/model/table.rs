//! Tables that a batch indexes: one row for each user or item.

use std::fmt;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::batch::Batch;
pub use crate::data::batch::Column;
use crate::device::row_dots;

/// What a row of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Latent vectors, p_u or q_i.
    Factors,
    /// Offsets, b_u or b_i: one number a row.
    Biases,
}

/// Tables that share one λ of `solver.regularization`: `user_factors`, `item_factors`, `user_biases` or `item_biases`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Whose rows.
    pub column: Column,
    /// Of what.
    pub kind: Kind,
}

impl Group {
    /// P.
    pub const USER_FACTORS: Self = Self { column: Column::User, kind: Kind::Factors };
    /// Q.
    pub const ITEM_FACTORS: Self = Self { column: Column::Item, kind: Kind::Factors };
    /// b_u.
    pub const USER_BIASES: Self = Self { column: Column::User, kind: Kind::Biases };
    /// b_i.
    pub const ITEM_BIASES: Self = Self { column: Column::Item, kind: Kind::Biases };
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = match self.column {
            Column::User => "user",
            Column::Item => "item",
        };
        let kind = match self.kind {
            Kind::Factors => "factors",
            Kind::Biases => "biases",
        };
        write!(f, "{column}_{kind}")
    }
}

/// A parameter `[num_rows, width]` and the batch column that indexes its rows.
///
/// All tables of all models being of this one type is what lets a solver regularize rows without knowing the model.
#[derive(Module, Debug)]
pub struct Table {
    /// `[num_rows, width]`; width is the rank, or 1 for biases.
    pub rows: Param<Tensor<2>>,
    #[module(skip)]
    group: Group,
}

impl Table {
    /// A table of `values` in row-major order.
    pub fn new(group: Group, width: usize, values: Vec<f32>, device: &Device) -> Self {
        let shape = [values.len() / width, width];
        Self { rows: Param::from_data(TensorData::new(values, shape), device), group }
    }

    /// A table of zeros.
    pub fn zeros(group: Group, num_rows: usize, width: usize, device: &Device) -> Self {
        Self::new(group, width, vec![0.0; num_rows * width], device)
    }

    /// The λ group, which also says whose rows these are.
    pub fn group(&self) -> Group {
        self.group
    }

    /// The rows of a batch, one a rating.
    ///
    /// # Shapes
    /// - output: `[batch, width]`
    pub fn gather(&self, batch: &Batch) -> Tensor<2> {
        self.rows.val().select(0, batch.indices(self.group.column).clone())
    }

    /// Dot products of this table's rows of a batch with another table's: the same as [`dot`](dot()) of what both
    /// gather, without the two matrices.
    ///
    /// # Shapes
    /// - output: `[batch, 1]`
    pub fn dot(&self, other: &Self, batch: &Batch) -> Tensor<2> {
        let rows = [self, other].map(|table| batch.indices(table.group.column));
        row_dots(self.rows.val(), other.rows.val(), rows)
    }
}

/// Row-wise dot products: `[batch, rank]`, `[batch, rank]` → `[batch, 1]`.
pub fn dot(p: Tensor<2>, q: Tensor<2>) -> Tensor<2> {
    (p * q).sum_dim(1)
}

/// Adds b_u + b_i to scores `[batch, 1]`, as far as there are such tables.
pub(super) fn with_biases(score: Tensor<2>, biases: [&Option<Table>; 2], batch: &Batch) -> Tensor<2> {
    biases.into_iter().flatten().fold(score, |score, biases| score + biases.gather(batch))
}
