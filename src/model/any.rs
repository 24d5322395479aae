//! A model of any kind.

use std::any::Any;
use std::fmt;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Device, Gradients, Tensor};

use super::factorization::{Constraint, Factored, Factorization};
use super::table::{NamedTables, Table};
use super::table_group::Use;
use super::walk::{Visited, as_rows};
use crate::data::FieldId;
use crate::data::batch::Batch;

/// A model of any type, as trainer, solvers, evaluation and model files use it.
pub struct AnyModel(Box<dyn Face>);

/// Looks at a parameter.
pub type Look<'a> = dyn FnMut(Visited) + 'a;
/// Gives a parameter another value.
pub type Move<'a> = dyn FnMut(Visited) -> Tensor<2> + 'a;

impl AnyModel {
    /// Scores of a batch; see [`Factorization::forward`].
    pub fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.0.forward(batch)
    }

    /// Scores of every row of an entity; see [`Factorization::forward_all`].
    pub fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        self.0.forward_all(queries, field)
    }

    /// The tables that a batch indexes, with those of features; see [`Factorization::tables`].
    pub fn tables(&self) -> Vec<&Table> {
        self.0.tables().into_iter().flat_map(Table::all).collect()
    }

    /// The number of rows that a field indexes and training has interactions of, if a table has them.
    pub fn trained_rows(&self, field: FieldId) -> Option<usize> {
        self.0.tables().into_iter().find(|table| table.is_indexed_by(field)).map(Table::trained_rows)
    }

    /// The number of rows that a field indexes, if a table has them.
    pub fn rows(&self, field: FieldId) -> Option<usize> {
        let tables = self.tables();
        let table = tables.iter().find(|table| table.uses().contains(&Use::Field(field)))?;
        Some(table.rows.dims()[0])
    }

    /// Dense layers; see [`Factorization::layers`].
    pub fn layers(&self) -> Vec<&Linear> {
        self.0.layers()
    }

    /// The constraint on parameters; see [`Factorization::constraint`].
    pub fn constraint(&self) -> Constraint {
        self.0.constraint()
    }

    /// The score as a sum of dot products, whatever rows are sums of; see [`Factorization::factored`].
    pub fn terms(&self) -> Option<Factored<'_>> {
        self.0.factored()
    }

    /// The same if rows are single vectors.
    pub fn factored(&self) -> Option<Factored<'_>> {
        self.0.factored().filter(Factored::is_plain)
    }

    /// Factors and biases with products within a row; see [`Factorization::products_within`].
    pub(crate) fn products_within(&self) -> Vec<(&Table, &Table)> {
        self.0.products_within()
    }

    /// Whether a score is meaningful if these fields are unknown; see [`Factorization::can_score`].
    pub fn can_score(&self, unknown: &[FieldId]) -> bool {
        self.0.can_score(unknown)
    }

    /// The model without autodiff.
    pub fn valid(&self) -> Self {
        Self(self.0.valid())
    }

    /// The model on a device, ready to be trained: with autodiff.
    pub fn to_training(self, device: &Device) -> Self {
        Self(self.0.to_training(device))
    }

    /// The same model, of whose trained parameters only those stay trained for which `is_trained` holds. Steps leave the
    /// others as they are.
    pub fn with_trained(self, is_trained: &dyn Fn(ParamId) -> bool) -> Self {
        Self(self.0.with_trained(is_trained))
    }

    /// The device that holds its parameters.
    pub fn device(&self) -> Device {
        self.0.device()
    }

    /// The model as an `M`, if it is one.
    pub fn downcast_ref<M: Factorization + 'static>(&self) -> Option<&M> {
        self.0.as_any().downcast_ref()
    }

    /// Looks at every parameter, with its gradient if `gradients` has one.
    pub fn visit(&self, gradients: Option<&Gradients>, look: &mut Look) {
        self.0.visit(gradients, look);
    }

    /// Replaces every parameter by the result of `change`, which has the same width and may have another number of
    /// rows. Gradients are removed from `gradients`.
    pub fn map(self, gradients: Option<&mut Gradients>, change: &mut Move) -> Self {
        Self(self.0.map(gradients, change))
    }
}

impl<M: Factorization + 'static> From<M> for AnyModel {
    fn from(model: M) -> Self {
        Self(Box::new(model))
    }
}

impl Clone for AnyModel {
    fn clone(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl fmt::Debug for AnyModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The operations of every [`Factorization`], callable without knowing its type: burn's `Module` is not, because its
/// walks and copies are generic.
trait Face: fmt::Debug + Send + Sync {
    fn forward(&self, batch: &Batch) -> Tensor<1>;
    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>>;
    fn tables(&self) -> Vec<&Table>;
    fn layers(&self) -> Vec<&Linear>;
    fn constraint(&self) -> Constraint;
    fn factored(&self) -> Option<Factored<'_>>;
    fn products_within(&self) -> Vec<(&Table, &Table)>;
    fn can_score(&self, unknown: &[FieldId]) -> bool;
    fn duplicate(&self) -> Box<dyn Face>;
    fn valid(&self) -> Box<dyn Face>;
    fn to_training(self: Box<Self>, device: &Device) -> Box<dyn Face>;
    fn with_trained(self: Box<Self>, is_trained: &dyn Fn(ParamId) -> bool) -> Box<dyn Face>;
    fn device(&self) -> Device;
    fn as_any(&self) -> &dyn Any;
    fn visit(&self, gradients: Option<&Gradients>, look: &mut Look);
    fn map(self: Box<Self>, gradients: Option<&mut Gradients>, change: &mut Move) -> Box<dyn Face>;
}

impl<M: Factorization + 'static> Face for M {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        Factorization::forward(self, batch)
    }

    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        Factorization::forward_all(self, queries, field)
    }

    fn tables(&self) -> Vec<&Table> {
        Factorization::tables(self)
    }

    fn layers(&self) -> Vec<&Linear> {
        Factorization::layers(self)
    }

    fn constraint(&self) -> Constraint {
        Factorization::constraint(self)
    }

    fn factored(&self) -> Option<Factored<'_>> {
        Factorization::factored(self)
    }

    fn products_within(&self) -> Vec<(&Table, &Table)> {
        Factorization::products_within(self)
    }

    fn can_score(&self, unknown: &[FieldId]) -> bool {
        Factorization::can_score(self, unknown)
    }

    fn duplicate(&self) -> Box<dyn Face> {
        Box::new(self.clone())
    }

    fn valid(&self) -> Box<dyn Face> {
        Box::new(Module::valid(self))
    }

    fn to_training(self: Box<Self>, device: &Device) -> Box<dyn Face> {
        Box::new(Module::train(Module::to_device(*self, &device.clone().autodiff())))
    }

    fn with_trained(self: Box<Self>, is_trained: &dyn Fn(ParamId) -> bool) -> Box<dyn Face> {
        Box::new(Module::map(*self, &mut Freezer { is_trained }))
    }

    fn device(&self) -> Device {
        self.devices().into_iter().next().unwrap_or_default()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn visit(&self, gradients: Option<&Gradients>, look: &mut Look) {
        Module::visit(self, &mut Looker { path: Path::default(), gradients, look });
    }

    fn map(self: Box<Self>, gradients: Option<&mut Gradients>, change: &mut Move) -> Box<dyn Face> {
        Box::new(Module::map(*self, &mut Mover { path: Path::default(), gradients, change }))
    }
}

/// Follows the fields that a walk enters and leaves, and names the current parameter.
#[derive(Debug, Default)]
struct Path(Vec<Option<String>>);

impl Path {
    /// Enters a field. Enum variants have no name of their own, and named tables need no other.
    fn enter(&mut self, name: &str, container_type: &str) {
        let is_named = !container_type.starts_with("Enum:") && name != NamedTables::FIELD;
        self.0.push(is_named.then(|| name.to_string()));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    fn name(&self) -> String {
        self.0.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

struct Looker<'a, 'l> {
    path: Path,
    gradients: Option<&'a Gradients>,
    look: &'a mut Look<'l>,
}

impl ModuleVisitor for Looker<'_, '_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        (self.look)(Visited {
            name: self.path.name(),
            id: param.id,
            shape: tensor.dims().to_vec(),
            is_trained: tensor.is_require_grad(),
            gradient: self.gradients.and_then(|gradients| tensor.grad(gradients)).map(as_rows),
            rows: as_rows(plain(tensor)),
        });
    }
}

struct Mover<'a, 'm> {
    path: Path,
    gradients: Option<&'a mut Gradients>,
    change: &'a mut Move<'m>,
}

impl ModuleMapper for Mover<'_, '_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let is_trained = param.is_require_grad();
        let (id, tensor, mapper) = param.consume();
        let mut shape = tensor.dims();
        let is_autodiff = tensor.is_autodiff();
        let gradient = self.gradients.as_mut().and_then(|gradients| tensor.grad_remove(gradients)).map(as_rows);
        let rows = as_rows(plain(tensor));
        let changed =
            (self.change)(Visited { name: self.path.name(), id, shape: shape.to_vec(), is_trained, rows, gradient });
        if let Some(count) = shape.first_mut() {
            *count = changed.dims()[0];
        }
        let changed = changed.reshape(shape);
        let changed = if is_autodiff { changed.autodiff().set_require_grad(is_trained) } else { changed };
        Param::from_mapped_value(id, changed, mapper)
    }
}

struct Freezer<'a> {
    is_trained: &'a dyn Fn(ParamId) -> bool,
}

impl ModuleMapper for Freezer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let is_trained = tensor.is_require_grad() && (self.is_trained)(id);
        Param::from_mapped_value(id, tensor.set_require_grad(is_trained), mapper)
    }
}

/// A tensor without autodiff.
fn plain<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.is_autodiff() { tensor.inner() } else { tensor }
}
