//! Tables that a batch indexes: one row per user, item or other member of an entity.

use std::fmt;
use std::sync::Arc;

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::batch::Batch;
use crate::data::{BagId, FieldId};
use crate::device::{bag_sums, row_dots};

/// What a row of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableKind {
    /// Latent vectors, p_u or q_i.
    Factors,
    /// Offsets, b_u or b_i: one number per row.
    Biases,
}

/// Tables that share one λ of `solver.regularization`: `user_factors`, `item_biases`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableGroup {
    /// Name of the entity that the rows belong to.
    pub entity: Arc<str>,
    /// Content of the tables.
    pub kind: TableKind,
}

impl fmt::Display for TableGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            TableKind::Factors => "factors",
            TableKind::Biases => "biases",
        };
        write!(f, "{}_{kind}", self.entity)
    }
}

/// How the data index the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// The field's indices are rows of the table.
    Field(FieldId),
    /// The members of the bags of the field's rows are rows of the table.
    Bag(FieldId, BagId),
}

/// A parameter `[num_rows, width]`, the entity of its rows, and the fields and bags of a batch that index it.
///
/// Because all tables of all models have this type, a solver can gather and regularize rows without knowing the model.
/// A walk through a module sees the parameter that it holds.
#[derive(Debug, Clone)]
pub struct Table {
    /// `[num_rows, width]`; width is the rank, or 1 for biases.
    pub rows: Param<Tensor<2>>,
    group: TableGroup,
    uses: Vec<Use>,
}

impl Table {
    /// A table of `values` in row-major order.
    pub fn new(group: TableGroup, uses: Vec<Use>, width: usize, values: Vec<f32>, device: &Device) -> Self {
        let shape = [values.len() / width, width];
        Self { rows: Param::from_data(TensorData::new(values, shape), device), group, uses }
    }

    /// The λ group, which also names the entity of the rows.
    pub fn group(&self) -> &TableGroup {
        &self.group
    }

    /// The fields and bags that index it.
    pub fn uses(&self) -> &[Use] {
        &self.uses
    }

    /// Whether a field's indices are its rows.
    pub fn is_indexed_by(&self, field: FieldId) -> bool {
        self.uses.contains(&Use::Field(field))
    }

    /// The rows of a field, one per score; zeros for an unknown row.
    ///
    /// # Shapes
    /// - output: `[batch, width]`
    ///
    /// # Panics
    /// If the field does not index this table.
    pub fn gather(&self, batch: &Batch, field: FieldId) -> Tensor<2> {
        assert!(self.is_indexed_by(field), "a table gathers only fields in its uses");
        let column = batch.column(self.rows.id, field);
        column.masked(self.rows.val().select(0, column.indices.clone()))
    }

    /// The weighted sums of the rows in the bags of a field's rows, one per score; zeros for an empty bag.
    ///
    /// # Shapes
    /// - output: `[batch, width]`
    ///
    /// # Panics
    /// If the bag does not index this table.
    pub fn gather_bag(&self, batch: &Batch, field: FieldId, bag: BagId) -> Tensor<2> {
        assert!(self.uses.contains(&Use::Bag(field, bag)), "a table gathers only bags in its uses");
        let bags = batch.bag(self.rows.id, field, bag);
        bag_sums(self.rows.val(), bags.rows, bags.weights, bags.bags, bags.count).select(0, bags.of_scores)
    }

    /// Dot products of this table's rows of one field with another table's of another field: the same as
    /// [`dot`](super::dot) of the gathered rows, without materializing them.
    ///
    /// # Shapes
    /// - output: `[batch, 1]`
    ///
    /// # Panics
    /// As for [`gather`](Self::gather).
    pub fn dot(&self, field: FieldId, other: &Self, other_field: FieldId, batch: &Batch) -> Tensor<2> {
        let are_indexed = self.is_indexed_by(field) && other.is_indexed_by(other_field);
        assert!(are_indexed, "a table gathers only fields in its uses");
        let [own, others] = [batch.column(self.rows.id, field), batch.column(other.rows.id, other_field)];
        let dots = row_dots(self.rows.val(), other.rows.val(), [&own.indices, &others.indices]);
        own.masked(others.masked(dots))
    }
}

impl Module for Table {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.rows.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self { rows: self.rows.fork(device), ..self }
    }

    fn to_device(self, device: &Device) -> Self {
        Self { rows: Module::to_device(self.rows, device), ..self }
    }

    fn materialize(self) -> Self {
        Self { rows: self.rows.materialize(), ..self }
    }

    fn train(self) -> Self {
        Self { rows: self.rows.train(), ..self }
    }

    fn valid(&self) -> Self {
        Self { rows: self.rows.valid(), group: self.group.clone(), uses: self.uses.clone() }
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.rows.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self { rows: Module::map(self.rows, mapper), ..self }
    }
}

impl ModuleDisplayDefault for Table {
    fn content(&self, content: Content) -> Option<Content> {
        let [rows, width] = self.rows.dims();
        content.add_single(&format!("{} [{rows}, {width}]", self.group)).optional()
    }
}

impl ModuleDisplay for Table {}
