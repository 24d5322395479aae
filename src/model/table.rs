//! Tables that a batch indexes: one row per user, item or other member of an entity.

use std::fmt;
use std::sync::Arc;

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

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
///
/// Where the rows of a field have features (genres, an age), the table has one more for each feature, and what is gathered
/// is the row's own vector plus those of its features: x_i = e_i + Σ_f Σ_{v ∈ f(i)} w_v e_v   (Kula 2015, section 3). A row
/// that training never saw has only the sum of its features.
#[derive(Debug, Clone)]
pub struct Table {
    /// `[num_rows, width]`; width is the rank, or 1 for biases.
    pub rows: Param<Tensor<2>>,
    group: TableGroup,
    uses: Vec<Use>,
    /// How many rows, the first ones, training has interactions of; `None` for all.
    trained: Option<usize>,
    /// Those of the features, by name.
    features: Vec<(String, Table)>,
    /// What a row that is hidden shows beside its features, as one that training never saw has it: `[width]`; empty for
    /// zeros.
    unseen: Vec<f32>,
}

impl Table {
    /// A table of `values` in row-major order.
    pub fn new(group: TableGroup, uses: Vec<Use>, width: usize, values: Vec<f32>, device: &Device) -> Self {
        let shape = [values.len() / width, width];
        let rows = Param::from_data(TensorData::new(values, shape), device);
        Self { rows, group, uses, trained: None, features: Vec::new(), unseen: Vec::new() }
    }

    /// The same with the tables of features, by name, each of which is indexed by one bag.
    pub(super) fn with_features(self, features: Vec<(String, Self)>) -> Self {
        Self { features, ..self }
    }

    /// The same, of which training has interactions of so many rows, the first ones; `None` for all.
    pub(super) fn with_trained(self, trained: Option<usize>) -> Self {
        Self { trained, ..self }
    }

    /// The same, in which rows that training never saw are these numbers, and so is what a hidden row shows.
    pub(super) fn with_unseen(self, unseen: Vec<f32>) -> Self {
        Self { unseen, ..self }
    }

    /// How many rows, the first ones, training has interactions of.
    pub fn trained_rows(&self) -> usize {
        self.trained.unwrap_or_else(|| self.rows.dims()[0])
    }

    /// The tables of features, by name.
    pub fn features(&self) -> &[(String, Self)] {
        &self.features
    }

    /// This table and those of its features.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.features.iter().map(|(_, table)| table))
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

    /// The rows of a field with the sums of their features, one per score; zeros for an unknown row.
    ///
    /// # Shapes
    /// - output: `[batch, width]`
    ///
    /// # Panics
    /// If the field does not index this table.
    pub fn gather(&self, batch: &Batch, field: FieldId) -> Tensor<2> {
        assert!(self.is_indexed_by(field), "a table gathers only fields in its uses");
        let column = batch.column(self.rows.id, field);
        let own = column.masked(self.rows.val().select(0, column.indices.clone()));
        let own = match &column.known {
            Some(known) if !self.unseen.is_empty() => {
                let unseen = TensorData::new(self.unseen.clone(), [1, self.unseen.len()]);
                own + (known.clone() * -1.0 + 1.0) * Tensor::from_data(unseen, &known.device())
            }
            _ => own,
        };
        // Each distinct row's features are added up once, whatever the number of its scores.
        let sums = self.features.iter().filter_map(|(_, table)| table.of_bags(batch, field));
        match sums.reduce(|(sum, of_scores), (more, _)| (sum + more, of_scores)) {
            Some((sums, of_scores)) => own + sums.select(0, of_scores),
            None => own,
        }
    }

    /// The sums of the bags that index a feature's table, for each distinct row of the field, if they are those of the
    /// field's rows; and the place of each score's row among these.
    fn of_bags(&self, batch: &Batch, field: FieldId) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        match self.uses[..] {
            [Use::Bag(of, bag)] if of == field => {
                let bags = batch.bag(self.rows.id, field, bag);
                Some((bag_sums(self.rows.val(), bags.rows, bags.weights, bags.bags, bags.count), bags.of_scores))
            }
            _ => None,
        }
    }

    /// Every row with the sum of its features, whose bags are those of `batch`.
    ///
    /// # Shapes
    /// - output: `[num_rows, width]`
    pub(crate) fn all_rows(&self, batch: &Batch) -> Tensor<2> {
        let count = self.rows.dims()[0];
        let of_feature = |(_, table): &(String, Self)| match table.uses[..] {
            [Use::Bag(_, bag)] => {
                let bags = batch.bags_of_all(bag, count);
                Some(bag_sums(table.rows.val(), bags.rows, bags.weights, bags.bags, bags.count))
            }
            _ => None,
        };
        self.features.iter().filter_map(of_feature).fold(self.rows.val(), |sum, part| sum + part)
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
    /// [`dot`] of the gathered rows, without materializing them.
    ///
    /// # Shapes
    /// - output: `[batch, 1]`
    ///
    /// # Panics
    /// As for [`gather`](Self::gather).
    pub fn dot(&self, field: FieldId, other: &Self, other_field: FieldId, batch: &Batch) -> Tensor<2> {
        let are_indexed = self.is_indexed_by(field) && other.is_indexed_by(other_field);
        assert!(are_indexed, "a table gathers only fields in its uses");
        if !(self.features.is_empty() && other.features.is_empty()) {
            return dot(self.gather(batch, field), other.gather(batch, other_field));
        }
        let [own, others] = [batch.column(self.rows.id, field), batch.column(other.rows.id, other_field)];
        let dots = row_dots(self.rows.val(), other.rows.val(), [&own.indices, &others.indices]);
        own.masked(others.masked(dots))
    }
}

/// Row-wise dot products: `[batch, rank]`, `[batch, rank]` → `[batch, 1]`.
pub fn dot(p: Tensor<2>, q: Tensor<2>) -> Tensor<2> {
    (p * q).sum_dim(1)
}

impl Table {
    /// The same with other parameters.
    fn each(self, change: &mut impl FnMut(Param<Tensor<2>>) -> Param<Tensor<2>>) -> Self {
        let rows = change(self.rows);
        let features = self.features.into_iter().map(|(name, table)| (name, table.each(change))).collect();
        Self { rows, features, ..self }
    }
}

impl Module for Table {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.all().fold(devices, |devices, table| table.rows.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.each(&mut |rows| rows.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.each(&mut |rows| Module::to_device(rows, device))
    }

    fn materialize(self) -> Self {
        self.each(&mut |rows| rows.materialize())
    }

    fn train(self) -> Self {
        self.each(&mut |rows| rows.train())
    }

    fn valid(&self) -> Self {
        self.clone().each(&mut |rows| rows.valid())
    }

    /// The parameter of a feature is in a module of its name.
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.rows.visit(visitor);
        for (name, table) in &self.features {
            visitor.enter_module(name, "Table");
            table.visit(visitor);
            visitor.exit_module(name, "Table");
        }
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let rows = Module::map(self.rows, mapper);
        let of_feature = |(name, table): (String, Self)| {
            mapper.enter_module(&name, "Table");
            let table = Module::map(table, mapper);
            mapper.exit_module(&name, "Table");
            (name, table)
        };
        let features = self.features.into_iter().map(of_feature).collect();
        Self { rows, features, ..self }
    }
}

impl ModuleDisplayDefault for Table {
    fn content(&self, content: Content) -> Option<Content> {
        let [rows, width] = self.rows.dims();
        content.add_single(&format!("{} [{rows}, {width}]", self.group)).optional()
    }
}

impl ModuleDisplay for Table {}
