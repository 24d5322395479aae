//! The named parameters of any model: listing, reading and restoring them.
//!
//! A parameter's name is its path of fields, `hidden.0.weight`; a [`Table`](super::Table) counts as the parameter it
//! holds, `user_factors`. Every walk treats a parameter as a matrix `[rows, width]`: a vector is a column, and all but
//! the first dimension of a larger tensor are merged.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};

use super::any::AnyModel;
use super::walk::Visited;
use crate::device::to_vec;

/// A tensor in main memory, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTensor {
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// The numbers.
    pub data: Vec<f32>,
}

/// The parameters of a model by name.
pub type ByName = BTreeMap<String, HostTensor>;

impl HostTensor {
    /// A vector.
    pub fn vector(data: Vec<f32>) -> Self {
        Self { shape: vec![data.len()], data }
    }
}

/// All parameters of a model, frozen ones included, in field order.
pub fn collect(model: &AnyModel) -> Vec<(String, HostTensor)> {
    let mut found = Vec::new();
    model.visit(None, &mut |Visited { name, shape, rows, .. }| {
        found.push((name, HostTensor { shape, data: to_vec(rows) }));
    });
    found
}

/// A model with every parameter replaced by the values of that name.
///
/// # Errors
/// A message about the first parameter that is missing or has another shape.
pub fn restore(model: AnyModel, values: &ByName) -> Result<AnyModel, String> {
    let mut problem: Option<String> = None;
    let model = model.map(None, &mut |Visited { name, shape, rows, .. }| match values.get(&name) {
        Some(found) if found.shape == shape => {
            Tensor::from_data(TensorData::new(found.data.clone(), rows.dims()), &rows.device())
        }
        Some(found) => {
            let found = &found.shape;
            problem.get_or_insert_with(|| format!("parameter {name} has shape {found:?}, expected {shape:?}"));
            rows
        }
        None => {
            problem.get_or_insert_with(|| format!("parameter {name} is missing"));
            rows
        }
    });
    problem.map_or(Ok(model), Err)
}
