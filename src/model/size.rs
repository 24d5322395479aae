//! How large a model is, before there is memory for it.

use burn::tensor::Device;

use super::any::AnyModel;
use super::init::Start;
use super::parameters;
use super::part::ModelKind;
use crate::config::Values;
use crate::data::Frame;
use crate::error::Result;

/// A model with one row of each entity, and how many numbers each of its parameters has with the rows of `frame`.
/// Parameters are affine in the number of rows of each entity, so that a model with one row of each, and for each entity
/// one with a row more, tell the size of any.
///
/// # Errors
/// Those of the model.
pub fn sized(kind: &ModelKind, values: &Values, frame: &Frame, device: &Device) -> Result<(AnyModel, Vec<usize>)> {
    let with_two_of = |larger: Option<usize>| -> Result<AnyModel> {
        let rows = |at: usize| if larger == Some(at) { 2 } else { 1 };
        let entities = frame.entities.iter().enumerate().map(|(at, (name, _))| (name.clone(), rows(at)));
        let frame = &Frame { entities: entities.collect(), ..frame.clone() };
        kind.init(values, &Start { frame, mean_score: 1.0, offsets: [&[], &[]], seed: None, device })
    };
    let lengths = |model: &AnyModel| -> Vec<usize> {
        parameters::collect(model).iter().map(|(_, values)| values.data.len()).collect()
    };
    let smallest = with_two_of(None)?;
    let one = lengths(&smallest);
    let mut all = one.clone();
    for (at, (_, rows)) in frame.entities.iter().enumerate() {
        let two = lengths(&with_two_of(Some(at))?);
        for (sum, (two, one)) in all.iter_mut().zip(two.iter().zip(&one)) {
            *sum = sum.saturating_add(rows.saturating_sub(1).saturating_mul(two - one));
        }
    }
    Ok((smallest, all))
}
