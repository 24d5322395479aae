//! Tables that a batch indexes: one row per user, item or other member of an entity.

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::table_group::{TableGroup, Use};
use crate::data::batch::{BagRows, Batch};
use crate::data::{BagId, FieldId, Frame};
use crate::device::{bag_sums, row_dots, to_vec};

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
    /// Those of the features.
    features: NamedTables,
    /// What a row that is hidden shows beside its features, as one that training never saw has it: `[width]`; empty for
    /// zeros.
    unseen: Vec<f32>,
}

impl Table {
    /// A table of `values` in row-major order.
    pub fn new(group: TableGroup, uses: Vec<Use>, width: usize, values: Vec<f32>, device: &Device) -> Self {
        let shape = [values.len() / width, width];
        let rows = Param::from_data(TensorData::new(values, shape), device);
        Self { rows, group, uses, trained: None, features: NamedTables::default(), unseen: Vec::new() }
    }

    /// The same with the tables of features, by name, each of which is indexed by one bag.
    pub(super) fn with_features(self, features: Vec<(String, Self)>) -> Self {
        Self { features: features.into(), ..self }
    }

    /// The same, of which training has interactions of so many rows, the first ones; `None` for all.
    pub(super) fn with_trained(self, trained: Option<usize>) -> Self {
        Self { trained, ..self }
    }

    /// The same, in which rows that training never saw are these numbers, and so is what a hidden row shows.
    pub(super) fn with_unseen(self, unseen: Vec<f32>) -> Self {
        Self { unseen, ..self }
    }

    /// The table's own numbers in main memory, row by row.
    pub(crate) fn numbers(&self) -> Vec<f32> {
        let rows = self.rows.val();
        to_vec(if rows.is_autodiff() { rows.inner() } else { rows })
    }

    /// How many rows, the first ones, training has interactions of.
    pub fn trained_rows(&self) -> usize {
        self.trained.unwrap_or_else(|| self.rows.dims()[0])
    }

    /// The tables of features, by name.
    pub fn features(&self) -> &[(String, Self)] {
        self.features.as_slice()
    }

    /// This table and those of its features.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.features().iter().map(|(_, table)| table))
    }

    /// The λ group, which also names the entity of the rows.
    pub fn group(&self) -> &TableGroup {
        &self.group
    }

    /// The entity of its rows.
    pub fn entity(&self, frame: &Frame) -> usize {
        self.uses[0].entity(frame)
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
        self.with_features_of(self.own(batch, field), batch, field, false)
    }

    /// The same, and the sums of squares of what each is the sum of: the row's own vector, and the vector of each feature
    /// times its weight.
    ///
    /// # Shapes
    /// - outputs: `[batch, width]`
    ///
    /// # Panics
    /// If the field does not index this table.
    pub fn gather_with_squares(&self, batch: &Batch, field: FieldId) -> (Tensor<2>, Tensor<2>) {
        let own = self.own(batch, field);
        let squares = self.with_features_of(own.clone().square(), batch, field, true);
        (self.with_features_of(own, batch, field, false), squares)
    }

    /// The rows' own vectors.
    fn own(&self, batch: &Batch, field: FieldId) -> Tensor<2> {
        assert!(self.is_indexed_by(field), "a table gathers only fields in its uses");
        let column = batch.column(self.rows.id, field);
        let own = column.masked(self.rows.val().select(0, column.indices.clone()));
        match &column.known {
            Some(known) if !self.unseen.is_empty() => {
                let unseen = TensorData::new(self.unseen.clone(), [1, self.unseen.len()]);
                own + (known.clone() * -1.0 + 1.0) * Tensor::from_data(unseen, &known.device())
            }
            _ => own,
        }
    }

    /// `own` and the sums over features of the rows, or of their squares. Each distinct row's features are added up once,
    /// whatever the number of its scores.
    fn with_features_of(&self, own: Tensor<2>, batch: &Batch, field: FieldId, squared: bool) -> Tensor<2> {
        let sums = self.features().iter().filter_map(|(_, table)| {
            let bag = table.uses.iter().find_map(|of| match of {
                Use::Bag(of, bag) if *of == field => Some(*bag),
                _ => None,
            })?;
            let bags = batch.bag(table.rows.id, field, bag);
            let of_scores = bags.of_scores.clone();
            Some((table.sums(bags, squared), of_scores))
        });
        match sums.reduce(|(sum, of_scores), (more, _)| (sum + more, of_scores)) {
            Some((sums, of_scores)) => own + sums.select(0, of_scores),
            None => own,
        }
    }

    /// Every row with the sum of its features, whose bags are those of `batch`.
    ///
    /// # Shapes
    /// - output: `[num_rows, width]`
    pub(crate) fn all_rows(&self, batch: &Batch) -> Tensor<2> {
        self.with_all_features(self.rows.val(), batch, false)
    }

    /// Every row's sum of squares of what it is the sum of; see [`gather_with_squares`](Self::gather_with_squares).
    ///
    /// # Shapes
    /// - output: `[num_rows, width]`
    pub(crate) fn all_squares(&self, batch: &Batch) -> Tensor<2> {
        self.with_all_features(self.rows.val().square(), batch, true)
    }

    fn with_all_features(&self, own: Tensor<2>, batch: &Batch, squared: bool) -> Tensor<2> {
        let count = self.rows.dims()[0];
        let of_feature = |(_, table): &(String, Self)| match table.uses[..] {
            // Fields of one entity have the same bags.
            [Use::Bag(_, bag), ..] => Some(table.sums(batch.bags_of_all(bag, count), squared)),
            _ => None,
        };
        self.features().iter().filter_map(of_feature).fold(own, |sum, part| sum + part)
    }

    /// The weighted sums of this table's rows in each bag, or those of the squares of what is added up.
    fn sums(&self, bags: BagRows, squared: bool) -> Tensor<2> {
        let rows = self.rows.val();
        let (rows, weights) = match squared {
            false => (rows, bags.weights),
            true => (rows.square(), bags.weights.map(|weights| weights.square())),
        };
        bag_sums(rows, bags.rows, weights, bags.bags, bags.count)
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
        let of_scores = bags.of_scores.clone();
        self.sums(bags, false).select(0, of_scores)
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
        if !(self.features().is_empty() && other.features().is_empty()) {
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
    fn each(self, rows: impl FnOnce(Param<Tensor<2>>) -> Param<Tensor<2>>, features: NamedTables) -> Self {
        Self { rows: rows(self.rows), features, ..self }
    }
}

impl Module for Table {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.features.collect_devices(self.rows.collect_devices(devices))
    }

    fn fork(mut self, device: &Device) -> Self {
        let features = std::mem::take(&mut self.features).fork(device);
        self.each(|rows| rows.fork(device), features)
    }

    fn to_device(mut self, device: &Device) -> Self {
        let features = std::mem::take(&mut self.features).to_device(device);
        self.each(|rows| Module::to_device(rows, device), features)
    }

    fn materialize(mut self) -> Self {
        let features = std::mem::take(&mut self.features).materialize();
        self.each(|rows| rows.materialize(), features)
    }

    fn train(mut self) -> Self {
        let features = std::mem::take(&mut self.features).train();
        self.each(|rows| rows.train(), features)
    }

    fn valid(&self) -> Self {
        Self { rows: self.rows.valid(), features: self.features.valid(), ..self.clone() }
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.rows.visit(visitor);
        self.features.visit(visitor);
    }

    fn map<M: ModuleMapper>(mut self, mapper: &mut M) -> Self {
        let features = std::mem::take(&mut self.features);
        let rows = Module::map(self.rows, mapper);
        Self { rows, features: features.map(mapper), ..self }
    }
}

impl ModuleDisplayDefault for Table {
    fn content(&self, content: Content) -> Option<Content> {
        let [rows, width] = self.rows.dims();
        content.add_single(&format!("{} [{rows}, {width}]", self.group)).optional()
    }
}

impl ModuleDisplay for Table {}

/// Tables with names that depend on the data, as those of the columns of a context. In a field called
/// [`tables`](Self::FIELD) of a model, the parameter of each goes by its name alone: `hour_factors`.
#[derive(Debug, Clone, Default)]
pub struct NamedTables(Vec<(String, Table)>);

impl From<Vec<(String, Table)>> for NamedTables {
    fn from(tables: Vec<(String, Table)>) -> Self {
        Self(tables)
    }
}

impl NamedTables {
    /// What a field is called whose name is left out of the names of parameters.
    pub const FIELD: &'static str = "tables";

    /// Names and tables, in their order.
    pub fn as_slice(&self) -> &[(String, Table)] {
        &self.0
    }

    fn each(self, mut change: impl FnMut(Table) -> Table) -> Self {
        Self(self.0.into_iter().map(|(name, table)| (name, change(table))).collect())
    }
}

impl Module for NamedTables {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.0.iter().fold(devices, |devices, (_, table)| table.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.each(|table| table.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.each(|table| Module::to_device(table, device))
    }

    fn materialize(self) -> Self {
        self.each(Table::materialize)
    }

    fn train(self) -> Self {
        self.each(Table::train)
    }

    fn valid(&self) -> Self {
        Self(self.0.iter().map(|(name, table)| (name.clone(), table.valid())).collect())
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        for (name, table) in &self.0 {
            visitor.enter_module(name, "Table");
            table.visit(visitor);
            visitor.exit_module(name, "Table");
        }
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let map = |(name, table): (String, Table)| {
            mapper.enter_module(&name, "Table");
            let table = Module::map(table, mapper);
            mapper.exit_module(&name, "Table");
            (name, table)
        };
        Self(self.0.into_iter().map(map).collect())
    }
}

impl ModuleDisplayDefault for NamedTables {
    fn content(&self, content: Content) -> Option<Content> {
        self.0.iter().fold(content, |content, (name, table)| content.add(name, table)).optional()
    }
}

impl ModuleDisplay for NamedTables {}
