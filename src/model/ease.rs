//! EASE: r̂_ui = Σ_{j ∈ H(u)} B_ji, with a weight from every item to every other (Steck 2019, "Embarrassingly Shallow
//! Autoencoders for Sparse Data", eq. 1).
//!
//! H(u) are the items that user u met in training. B has the size of the catalog squared, and nothing else is learned: no
//! factors, and nothing of a user. The diagonal is zero, so that no item speaks for itself.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

use super::factorization::Factorization;
use super::history::{self, OfItems};
use super::init::Start;
use super::part::{Declaration, ModelPart};
use super::table::Table;
use crate::config::Values;
use crate::data::batch::Batch;
use crate::data::{BagId, FieldId, ITEM, USER};
use crate::device::with_values;
use crate::error::{Error, Result};

/// Items whose weights alone have 17 GB, and three times that while they are computed.
const MOST_ITEMS: usize = 1 << 16;

/// A linear model from items to items.
#[derive(Module, Debug)]
pub struct Ease {
    /// B: `[num_items, num_items]`; row j is what having met item j adds to the score of each item.
    pub item_weights: Param<Tensor<2>>,
    #[module(skip)]
    history: usize,
}

impl Ease {
    /// The model before training: zeros.
    ///
    /// # Errors
    /// [`Error::Usage`] for data without histories of users, and for too many items.
    pub fn new(start: &Start) -> Result<Self> {
        let items = start.frame.rows(ITEM);
        if items > MOST_ITEMS {
            return Err(Error::Usage(format!(
                "model.kind = \"ease\" has a weight for every pair of items, and takes at most {MOST_ITEMS} items, but there \
                 are {items}; leave out those with few ratings (data.min_item_ratings), or take \"item-knn\""
            )));
        }
        let weights = TensorData::new(vec![0.0_f32; items * items], [items, items]);
        let history = history::of_users(start, Self::NAME)?.0;
        Ok(Self { item_weights: Param::from_data(weights, start.device), history })
    }

    /// H.
    pub fn history(&self) -> BagId {
        BagId(self.history)
    }
}

/// B, row by row.
struct Weights<'a> {
    values: &'a [f32],
    num_items: usize,
}

impl Weights<'_> {
    fn row(&self, item: u32) -> &[f32] {
        &self.values[item as usize * self.num_items..][..self.num_items]
    }
}

/// Items whose scores are summed before the next: rows of so many numbers of B stay in the cache for all users.
const ITEMS: usize = 1024;

impl OfItems for Weights<'_> {
    fn num_items(&self) -> usize {
        self.num_items
    }

    fn add_all(&self, met: &[u32], scores: &mut [f32]) {
        for (part, scores) in scores.chunks_mut(ITEMS).enumerate() {
            for &item in met {
                let weights = &self.row(item)[part * ITEMS..][..scores.len()];
                scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight);
            }
        }
    }

    fn add_some(&self, met: &[u32], items: &[(u32, u32)], scratch: &mut Vec<f32>, put: &mut dyn FnMut(u32, f32)) {
        scratch.clear();
        scratch.resize(items.len(), 0.0);
        for &from in met {
            let weights = self.row(from);
            scratch.iter_mut().zip(items).for_each(|(score, &(item, _))| *score += weights[item as usize]);
        }
        scratch.iter().zip(items).for_each(|(&score, &(_, at))| put(at, score));
    }
}

impl Factorization for Ease {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let weights = self.item_weights.val();
        let num_items = weights.dims()[0];
        with_values(weights, |values| history::forward(batch, self.history(), &Weights { values, num_items }))
    }

    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        let weights = self.item_weights.val();
        let num_items = weights.dims()[0];
        with_values(weights, |values| {
            history::forward_all(queries, field, self.history(), &Weights { values, num_items })
        })
    }

    /// None that a batch could gather rows of.
    fn tables(&self) -> Vec<&Table> {
        Vec::new()
    }
}

impl ModelPart for Ease {
    const NAME: &'static str = "ease";
    const DECLARATION: Declaration =
        Declaration { solvers: &["ease"], histories: &[(USER, ITEM)], histories_above_zero: true, ..Declaration::NONE };

    fn init(_: &Values, start: &Start) -> Result<Self> {
        Self::new(start)
    }
}
