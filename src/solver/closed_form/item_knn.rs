//! Item k-NN: similarities of items by the users who met both.
//!
//! The product XᵀX of the signs is computed item by item on all threads and never kept, so that memory grows with the
//! items and their neighbours alone, and time with Σ_u n_u², where user u met n_u items.

use std::collections::HashMap;

use burn::module::ParamId;
use rayon::prelude::*;

use super::{ClosedForm, Found, signs, with_defaults};
use crate::config::{Choice, Key, KeyKind, Keys, Values, in_toml, is};
use crate::error::{Error, Result};
use crate::linalg::similar::{Similarity, add_rows, by_column, most_similar};
use crate::linalg::{Cells, Groups};
use crate::model::{AnyModel, ItemKnn, ModelKind};
use crate::solver::part::{Footprint, Misfit, ModelSize, Predictions, Setup, SolverPart};
use crate::solver::solve::Solver;

/// Similarities for [`ItemKnn`].
#[derive(Debug, Clone, Copy)]
pub struct ItemKnnPart;

/// A solver for [`ItemKnn`].
pub fn item_knn(similarity: Similarity) -> ClosedForm {
    ClosedForm::new(move |model, train| {
        let model = of_any(model, "item-knn")?;
        let [num_items, count] = model.neighbours.dims();
        let [of_users, of_items] = signs(train, model.history(), num_items);
        let lists = by_column(&most_similar(&of_items, &of_users, similarity, count));
        let squared = squared_differences(&lists, &of_users);
        let parameters = parameters(model, lists);
        Ok(Found { parameters, cells: of_users.members().len(), squared, penalty: 0.0 })
    })
}

/// The model of lists of neighbours that `solver` is to find.
///
/// # Errors
/// [`Error::Usage`] if it is another.
pub(super) fn of_any<'a>(model: &'a AnyModel, solver: &str) -> Result<&'a ItemKnn> {
    let message = || Error::Usage(format!("the {solver} solver finds only model.kind = \"item-knn\""));
    model.downcast_ref::<ItemKnn>().ok_or_else(message)
}

/// The parameters of the model whose lists these are: for each item those that have it among their neighbours.
pub(super) fn parameters(model: &ItemKnn, lists: Cells) -> HashMap<ParamId, Vec<f32>> {
    let [num_items, count] = model.neighbours.dims();
    let padded = |mut values: Vec<f32>| {
        values.resize(num_items * count, 0.0);
        values
    };
    let lengths = lists.columns().iter().map(|list| list.len() as f32).collect();
    let items = lists.columns().members().iter().map(|&item| item as f32).collect();
    HashMap::from([
        (model.list_lengths.id, lengths),
        (model.neighbours.id, padded(items)),
        (model.similarities.id, padded(lists.into_values())),
    ])
}

/// Σ (1 − r̂_ui)² over the signs.
fn squared_differences(lists: &Cells, of_users: &Groups) -> f64 {
    let of_user = |scores: &mut Vec<f32>, user: usize| {
        let met = of_users.get(user);
        scores.resize(lists.rows(), 0.0);
        add_rows(lists, met, scores);
        let squared: f64 = met.iter().map(|&item| (1.0 - f64::from(scores[item as usize])).powi(2)).sum();
        scores.fill(0.0);
        squared
    };
    let users = (0..of_users.count()).into_par_iter();
    users.map_init(Vec::new, of_user).collect::<Vec<f64>>().iter().sum()
}

/// `solver.weighting`, and the keys that go with each.
fn keys() -> Keys {
    let weighting = "How similar two items are: the \"cosine\" of the users who met them; the same with \"tf-idf\" weights, \
                     less for users who met many items; or \"bm25\", which also corrects for items that many users met.";
    let shrinkage = || {
        let meaning = "Added to the denominator of a similarity: items that few users met are less similar.";
        Key::new("solver.shrinkage", KeyKind::NOT_NEGATIVE, meaning)
            .default(&in_toml(&Similarity::SHRINKAGE_OF_COSINE.into()))
            .default_if(is("solver.weighting", ["tf-idf"]), &in_toml(&Similarity::SHRINKAGE_OF_TF_IDF.into()))
    };
    let saturation = "k1 of BM25: from how many signs on more of them count little.";
    let correction = "b of BM25: how much an item is held back that more users met than the average.";
    let one = KeyKind::Float(std::ops::Bound::Included(0.0), std::ops::Bound::Included(1.0));
    Choice::new("solver.weighting", weighting)
        .with(|key| key.default("'tf-idf'"))
        .part("cosine", shrinkage())
        .part("tf-idf", shrinkage())
        .part(
            "bm25",
            Keys::new([
                Key::new("solver.bm25_k1", KeyKind::NOT_NEGATIVE, saturation).default("1.2"),
                Key::new("solver.bm25_b", one, correction).default("0.75"),
            ]),
        )
        .into()
}

/// The similarity that a config asks for.
fn similarity(values: &Values) -> Similarity {
    match values.get::<String>("solver.weighting").as_str() {
        "cosine" => Similarity::Cosine { shrinkage: values.get("solver.shrinkage") },
        "tf-idf" => Similarity::TfIdf { shrinkage: values.get("solver.shrinkage") },
        _ => Similarity::Bm25 { k1: values.get("solver.bm25_k1"), b: values.get("solver.bm25_b") },
    }
}

impl SolverPart for ItemKnnPart {
    fn name(&self) -> &str {
        "item-knn"
    }

    fn takes_repeats(&self) -> bool {
        false
    }

    fn takes_start(&self, _: &Values) -> bool {
        false
    }

    fn keys(&self, _: &[ModelKind]) -> Keys {
        with_defaults(keys())
    }

    fn build(&self, values: &Values, _: &Setup) -> Result<Box<dyn Solver>> {
        Ok(Box::new(item_knn(similarity(values))))
    }

    fn predictions(&self, _: &Values) -> Predictions {
        Predictions::Preferences
    }

    fn remedies(&self, _: &Values, _: Misfit) -> Vec<&'static str> {
        vec!["try another model.neighbours or solver.weighting"]
    }

    fn footprint(&self, _: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { items, train, parameters, .. } = *size;
        // The signs from both sides, neighbours before and after they are turned around, and the new model.
        Footprint { in_step: 2 * train + 3 * parameters + 8 * items, ..Footprint::default() }
    }

    fn memory_remedies(&self, _: &Values) -> Vec<&'static str> {
        vec!["lower model.neighbours", "leave out items with few ratings (data.min_item_ratings)"]
    }
}
