//! Popularity: r̂_ui = b_i, the same for every user.
//!
//! The baseline of every ranked list, as a model like all others: what most users met is recommended to everybody.

use burn::module::Module;
use burn::tensor::Tensor;

use super::factorization::Factorization;
use super::init::Start;
use super::part::{Declaration, ModelPart};
use super::table::Table;
use crate::config::Values;
use crate::data::batch::Batch;
use crate::data::{FieldId, ITEM};
use crate::error::Result;

/// One score an item; see the solver of the same name in configs for what it counts.
#[derive(Module, Debug)]
pub struct Popularity {
    /// b_i: `[num_items, 1]`.
    pub item_biases: Table,
}

impl Popularity {
    /// The model before training.
    pub fn new(start: &Start) -> Self {
        Self { item_biases: start.biases(ITEM) }
    }
}

impl Factorization for Popularity {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.item_biases.gather(batch, ITEM).squeeze_dim(1) // [batch]
    }

    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        let scores = (field == ITEM).then(|| self.item_biases.rows.val().transpose())?; // [1, items]
        Some(scores.repeat_dim(0, queries.len())) // [queries, items]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.item_biases]
    }

    /// Nothing of a user is asked for.
    fn can_score(&self, unknown: &[FieldId]) -> bool {
        !unknown.contains(&ITEM)
    }
}

impl ModelPart for Popularity {
    const NAME: &'static str = "popularity";
    const DECLARATION: Declaration = Declaration { solvers: &["popularity"], ..Declaration::NONE };

    fn init(_: &Values, start: &Start) -> Result<Self> {
        Ok(Self::new(start))
    }
}
