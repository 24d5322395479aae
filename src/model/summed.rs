//! Models whose rows have features as the same models without: every row is the sum of its own vector and those of its
//! features, and what needs no more than predictions can treat it like any other.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::ParamId;
use burn::tensor::Tensor;

use super::any::AnyModel;
use super::init::Start;
use super::part::ModelKind;
use super::walk::Visited;
use crate::config::Values;
use crate::data::batch::Samples;
use crate::data::{Bag, BagFrame, EntityFrame, Frame};
use crate::error::Result;

/// The model without features that gives the scores of `model`, which was made of these `values` for this `frame`; `None`
/// if its rows have none.
///
/// # Errors
/// Those of the model.
pub(crate) fn summed(
    kind: &ModelKind,
    values: &Values,
    model: &AnyModel,
    frame: &Frame,
    bags: &Arc<Vec<Bag>>,
) -> Result<Option<AnyModel>> {
    let device = model.device();
    let batch = Arc::new(Samples::of_columns(vec![Vec::new(); frame.fields.len()], bags)).to_device(&device);
    let tables = model.tables().into_iter().filter(|table| !table.features().is_empty());
    let mut sums: HashMap<ParamId, Tensor<2>> = tables.map(|table| (table.rows.id, table.all_rows(&batch))).collect();
    if sums.is_empty() {
        return Ok(None);
    }
    // What the parts of a row have to do with each other depends on the row alone, as its bias does.
    for (factors, biases) in model.products_within() {
        let (Some(whole), Some(own)) = (sums.get(&factors.rows.id), sums.get(&biases.rows.id)) else { continue };
        let within = (whole.clone().square() - factors.all_squares(&batch)).sum_dim(1) * 0.5;
        sums.insert(biases.rows.id, own.clone() + within);
    }
    let mut by_name: HashMap<String, Tensor<2>> = HashMap::new();
    model.visit(None, &mut |Visited { name, id, rows, .. }| {
        by_name.insert(name, sums.get(&id).cloned().unwrap_or(rows));
    });
    let entity = |entity: &EntityFrame| EntityFrame { by_features_alone: false, ..entity.clone() };
    let bag = |bag: &BagFrame| BagFrame { is_feature: false, ..bag.clone() };
    let frame = &Frame {
        entities: frame.entities.iter().map(entity).collect(),
        bags: frame.bags.iter().map(bag).collect(),
        ..frame.clone()
    };
    let start = Start { frame, mean_score: 0.0, offsets: [&[], &[]], seed: None, device: &device };
    let plain = kind.init(values, &start)?;
    Ok(Some(plain.map(None, &mut |Visited { name, rows, .. }| by_name.remove(&name).unwrap_or(rows))))
}
