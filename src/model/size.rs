//! How large a model is, before there is memory for it.

use burn::tensor::Device;

use super::any::AnyModel;
use super::init::Start;
use super::parameters;
use super::part::ModelKind;
use crate::config::Values;
use crate::data::{EntityFrame, Frame};
use crate::error::Result;

/// A model with one row of each entity, and how many numbers each of its parameters has with the rows of `frame`.
/// Parameters grow with the number of rows of an entity, or with its square, so that a model with one row of each, and
/// for each entity those with one and two rows more, tell the size of any.
///
/// # Errors
/// Those of the model.
pub fn sized(kind: &ModelKind, values: &Values, frame: &Frame, device: &Device) -> Result<(AnyModel, Vec<usize>)> {
    let with = |larger: Option<(usize, usize)>| -> Result<AnyModel> {
        let rows = |at: usize| larger.filter(|(own, _)| *own == at).map_or(1, |(_, rows)| rows);
        let entity = |(at, entity): (usize, &EntityFrame)| EntityFrame { rows: rows(at), ..entity.clone() };
        let entities = frame.entities.iter().enumerate().map(entity);
        let frame = &Frame { entities: entities.collect(), ..frame.clone() };
        kind.init(values, &Start { frame, mean_score: 1.0, offsets: [&[], &[]], seed: None, device })
    };
    let lengths = |model: &AnyModel| -> Vec<usize> {
        parameters::collect(model).iter().map(|(_, values)| values.data.len()).collect()
    };
    let smallest = with(None)?;
    let one = lengths(&smallest);
    let mut all = one.clone();
    for (at, EntityFrame { rows, .. }) in frame.entities.iter().enumerate() {
        let [two, three] = [2, 3].map(|rows| with(Some((at, rows))).map(|model| lengths(&model)));
        let (two, three) = (two?, three?);
        // Newton's form, in which every term of what grows is at least 0.
        let more = rows.saturating_sub(1);
        let pairs = more.saturating_mul(more.saturating_sub(1)) / 2;
        for (sum, ((one, two), three)) in all.iter_mut().zip(one.iter().zip(&two).zip(&three)) {
            let slope = two.saturating_sub(*one);
            let curvature = three.saturating_sub(*two).saturating_sub(slope);
            *sum = sum.saturating_add(more.saturating_mul(slope)).saturating_add(pairs.saturating_mul(curvature));
        }
    }
    Ok((smallest, all))
}
