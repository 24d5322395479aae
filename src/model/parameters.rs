//! The named parameters of any model: listing them, reading them and putting them back.
//!
//! A parameter's name is its path of fields, `hidden.0.weight`; a [`Table`](super::Table) counts as the parameter it
//! holds, `user_factors`.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::device::to_vec;

/// Values of one parameter in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// The numbers.
    pub data: Vec<f32>,
}

/// Follows the fields that a module walk enters and leaves, and names the parameter it stands on.
#[derive(Debug, Default)]
pub struct Path(Vec<Option<String>>);

impl Path {
    /// A field is entered. Enum variants and the inside of a table have no name of their own.
    pub fn enter(&mut self, name: &str, container_type: &str) {
        let silent = container_type.starts_with("Enum:") || container_type == "Struct:Table";
        self.0.push((!silent).then(|| name.to_string()));
    }

    /// The field is left.
    pub fn exit(&mut self) {
        self.0.pop();
    }

    /// Name of the parameter the walk stands on.
    pub fn name(&self) -> String {
        self.0.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

/// All parameters of a module, frozen ones included, in field order.
pub fn collect<M: Module>(module: &M) -> Vec<(String, Values)> {
    struct Collector {
        path: Path,
        found: Vec<(String, Values)>,
    }
    impl ModuleVisitor for Collector {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val();
            self.found.push((self.path.name(), Values { shape: tensor.dims().to_vec(), data: to_vec(tensor) }));
        }
    }
    let mut collector = Collector { path: Path::default(), found: Vec::new() };
    module.visit(&mut collector);
    collector.found
}

/// A module with every parameter replaced by the values of that name.
///
/// # Errors
/// A sentence for the first parameter that is missing or has another shape.
pub fn restore<M: Module>(module: M, values: &BTreeMap<String, Values>) -> Result<M, String> {
    struct Restorer<'a> {
        path: Path,
        values: &'a BTreeMap<String, Values>,
        problem: Option<String>,
    }
    impl ModuleMapper for Restorer<'_> {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let name = self.path.name();
            let shape = param.dims().to_vec();
            match self.values.get(&name) {
                Some(values) if values.shape == shape => {
                    let active = param.is_require_grad();
                    param.map(|tensor| {
                        let data = TensorData::new(values.data.clone(), shape.clone());
                        Tensor::from_data(data, &tensor.device()).set_require_grad(active)
                    })
                }
                Some(values) => {
                    let found = &values.shape;
                    self.problem.get_or_insert(format!("parameter {name} has shape {found:?}, expected {shape:?}"));
                    param
                }
                None => {
                    self.problem.get_or_insert(format!("parameter {name} is missing"));
                    param
                }
            }
        }
    }
    let mut restorer = Restorer { path: Path::default(), values, problem: None };
    let module = module.map(&mut restorer);
    match restorer.problem {
        None => Ok(module),
        Some(problem) => Err(problem),
    }
}

/// The device that a module's parameters live on.
pub fn device<M: Module>(module: &M) -> Device {
    module.devices().into_iter().next().unwrap_or_default()
}
