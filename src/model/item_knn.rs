//! Item k-NN: r̂_ui = Σ_{j ∈ H(u) ∩ N(i)} s_ij, with the k items N(i) that are most similar to item i (Sarwar, Karypis,
//! Konstan & Riedl 2001, section 3.2, for interactions without values).
//!
//! s_ij is how similar the two are, or with `solver.kind = "slim"` a weight that is learned (Ning & Karypis 2011).
//!
//! H(u) are the items that user u met in training. What is kept is turned around, as scores need it: for each item j the
//! items that have it among their neighbours, and how similar they are. These are k·items pairs at most, so that the
//! model grows with the catalog and not with its square.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::factorization::Factorization;
use super::history::{self, OfItems};
use super::init::Start;
use super::part::{Declaration, ModelPart};
use super::table::Table;
use crate::config::{Key, KeyKind, Keys, Values, is};
use crate::data::batch::Batch;
use crate::data::{BagId, FieldId, ITEM, USER};
use crate::device::with_values;
use crate::error::{Error, Result};

/// Size of an [`ItemKnn`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemKnnConfig {
    /// k: how many of the most similar items count for each item.
    pub neighbours: usize,
}

impl ItemKnnConfig {
    /// k if nothing else is said; chosen on the validation parts of six logs (benches/README.md).
    pub const NEIGHBOURS: usize = 50;
    /// The same where weights are learned, which more neighbours make better.
    pub const NEIGHBOURS_OF_SLIM: usize = 200;

    /// The model before training: no item is similar to another.
    ///
    /// # Errors
    /// [`Error::Usage`] for data without histories of users, and for more items than single precision counts.
    pub fn init(&self, start: &Start) -> Result<ItemKnn> {
        let items = start.frame.rows(ITEM);
        if items > MOST_ITEMS {
            return Err(Error::Usage(format!(
                "model.kind = \"item-knn\" numbers at most {MOST_ITEMS} items, but there are {items}; leave out those \
                 with few ratings (data.min_item_ratings)"
            )));
        }
        let zeros = |width: usize| {
            Param::from_data(TensorData::new(vec![0.0_f32; items * width], [items, width]), start.device)
        };
        let history = history::of_users(start, ItemKnn::NAME)?.0;
        let [neighbours, similarities] = [zeros(self.neighbours), zeros(self.neighbours)];
        Ok(ItemKnn { list_lengths: zeros(1), neighbours, similarities, history })
    }
}

/// Whole numbers up to this one are exact in single precision.
const MOST_ITEMS: usize = 1 << 24;

/// Similarities of items that are neighbours.
#[derive(Module, Debug)]
pub struct ItemKnn {
    /// Length of each item's list: `[num_items, 1]`.
    pub list_lengths: Param<Tensor<2>>,
    /// The lists, back to back in the order of the items, and then zeros: of item j the indices of the items that have it
    /// among their neighbours, ascending. `[num_items, k]`
    pub neighbours: Param<Tensor<2>>,
    /// s_ij of each of them, in the same order: `[num_items, k]`.
    pub similarities: Param<Tensor<2>>,
    #[module(skip)]
    history: usize,
}

impl ItemKnn {
    /// H.
    pub fn history(&self) -> BagId {
        BagId(self.history)
    }

    /// k.
    pub fn num_neighbours(&self) -> usize {
        self.neighbours.dims()[1]
    }

    fn with_lists<T>(&self, read: impl FnOnce(&Lists) -> T) -> T {
        with_values(self.list_lengths.val(), |lengths| {
            with_values(self.neighbours.val(), |items| {
                with_values(self.similarities.val(), |similarities| read(&Lists::new(lengths, items, similarities)))
            })
        })
    }
}

/// The list of each item.
struct Lists<'a> {
    /// Where each begins, and the last ends.
    starts: Vec<usize>,
    items: &'a [f32],
    similarities: &'a [f32],
}

impl<'a> Lists<'a> {
    /// Lists of these lengths. What a file says wrongly of them makes them shorter, and their items no items.
    fn new(lengths: &[f32], items: &'a [f32], similarities: &'a [f32]) -> Self {
        let mut starts = vec![0; lengths.len() + 1];
        for (item, &length) in lengths.iter().enumerate() {
            starts[item + 1] = (starts[item] + (length as usize).min(items.len())).min(items.len());
        }
        Self { starts, items, similarities }
    }

    /// Calls `each` with every pair in the lists of the items that a user met.
    fn of(&self, met: &[u32], mut each: impl FnMut(usize, f32)) {
        for &item in met {
            let range = self.starts[item as usize]..self.starts[item as usize + 1];
            let pairs = self.items[range.clone()].iter().zip(&self.similarities[range]);
            pairs.for_each(|(&item, &similarity)| each(item as usize, similarity));
        }
    }
}

impl OfItems for Lists<'_> {
    fn num_items(&self) -> usize {
        self.starts.len() - 1
    }

    fn add_all(&self, met: &[u32], scores: &mut [f32]) {
        self.of(met, |item, similarity| {
            if let Some(score) = scores.get_mut(item) {
                *score += similarity;
            }
        });
    }

    fn add_some(&self, met: &[u32], items: &[(u32, u32)], scratch: &mut Vec<f32>, put: &mut dyn FnMut(u32, f32)) {
        scratch.resize(self.num_items(), 0.0);
        self.add_all(met, scratch);
        items.iter().for_each(|&(item, at)| put(at, scratch[item as usize]));
        // Zeros again for the next user, without a pass over all items.
        self.of(met, |item, _| {
            if let Some(score) = scratch.get_mut(item) {
                *score = 0.0;
            }
        });
    }
}

impl Factorization for ItemKnn {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        self.with_lists(|lists| history::forward(batch, self.history(), lists))
    }

    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        self.with_lists(|lists| history::forward_all(queries, field, self.history(), lists))
    }

    /// None that a batch could gather rows of.
    fn tables(&self) -> Vec<&Table> {
        Vec::new()
    }
}

impl ModelPart for ItemKnn {
    const NAME: &'static str = "item-knn";
    const DECLARATION: Declaration = Declaration {
        solvers: &["item-knn", "slim"],
        histories: &[(USER, ITEM)],
        histories_above_zero: true,
        ..Declaration::NONE
    };

    fn keys() -> Keys {
        let meaning = "How many of the most similar items count for each item.";
        Key::new("model.neighbours", KeyKind::Int(1..=4096), meaning)
            .default(&ItemKnnConfig::NEIGHBOURS.to_string())
            .default_if(is("solver.kind", ["slim"]), &ItemKnnConfig::NEIGHBOURS_OF_SLIM.to_string())
            .into()
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        ItemKnnConfig { neighbours: values.get("model.neighbours") }.init(start)
    }
}
