//! Cells of the context that training never saw, whose values it did.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::ParamId;
use burn::tensor::Tensor;

use super::model_file::ModelFile;
use crate::data::context::members_of;
use crate::data::{Bag, CellForm, FieldId, Frame, Vocabulary};
use crate::error::Result;
use crate::model::{AnyModel, summed};

impl ModelFile {
    /// Takes in those of the `cells` of each field that are sums of values (see [`CellForm::is_summed`]),
    /// new, and hold a value that the model knows: their rows are what these values make of them.
    ///
    /// # Errors
    /// Those of the model.
    pub fn take_in(&mut self, cells: &[Vec<&str>]) -> Result<()> {
        let Some(by_features) = self.by_features.clone() else { return Ok(()) };
        let mut grown: HashMap<ParamId, Tensor<2>> = HashMap::new();
        let mut bags = Vec::clone(&self.bags);
        for (at, cells) in cells.iter().enumerate() {
            let field = &self.fields[at];
            if !field.form.as_ref().is_some_and(CellForm::is_summed) {
                continue;
            }
            let entity = field.entity;
            let Some(bag) = bags.iter().position(|bag| bag.frame.is_feature && bag.frame.owner == entity) else {
                continue;
            };
            let values = &self.entities[bags[bag].frame.of].ids;
            let mut ids: Vocabulary = self.entities[entity].ids.clone();
            let before = ids.len();
            let mut lines = Vec::new();
            for cell in cells.iter().filter(|cell| self.entities[entity].ids.index(cell).is_none()) {
                let members = members_of(field, cell, values).filter(|members| !members.is_empty());
                if let Some(members) = members
                    && ids.insert(cell) as usize == before + lines.len()
                {
                    lines.push(members);
                }
            }
            if lines.is_empty() {
                continue;
            }
            let new = Bag::of_lines(bags[bag].frame.clone(), lines.iter().map(Vec::as_slice));
            bags[bag] = bags[bag].followed_by(&new);
            self.entities[entity].ids = ids;
            for table in by_features.tables().into_iter().filter(|table| table.is_indexed_by(FieldId(at))) {
                let rows = table.rows.val();
                let zeros = Tensor::zeros([lines.len(), rows.dims()[1]], &rows.device());
                grown.insert(table.rows.id, Tensor::cat(vec![rows, zeros], 0));
            }
        }
        if grown.is_empty() {
            return Ok(());
        }
        let model: AnyModel = by_features.map(None, &mut |visited| grown.remove(&visited.id).unwrap_or(visited.rows));
        self.bags = Arc::new(bags);
        let frames = self.bags.iter().map(|bag| bag.frame.clone()).collect();
        let frame = Frame { bags: frames, ..Frame::of(&self.entities, &self.fields) };
        if let Some(sum) = summed(&self.kind, &self.values, &model, &frame, &self.bags)? {
            self.model = sum;
        }
        self.by_features = Some(model);
        Ok(())
    }
}
