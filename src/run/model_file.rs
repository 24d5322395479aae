//! `model.safetensors`: all that prediction needs, with the same bytes for the same training.
//!
//! Tensors: every parameter under its name (`user_factors` `[num_users, rank]` float32, …); `users.text` and `users.ends`
//! (the ids back to back in UTF-8, and where each one ends), the same for `items` and, where titles are known, `titles`;
//! `baseline.user_offsets` and `baseline.item_offsets`. The metadata key `lowrank` holds JSON: format version, model,
//! loss, rating range, global mean, solver, layout, what zeros are.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::data::{Layout, Ratings, Vocabulary};
use crate::error::{Error, Result};
use crate::eval::{Baseline, Predictor};
use crate::linalg::Groups;
use crate::loss::Loss;
use crate::model::parameters::{self, Values};
use crate::model::{AnyModel, ModelConfig, Start};
use crate::solver::nmf::Zeros;
use crate::train::{FORMAT_VERSION, Tensor, read_tensors, write_tensors};

/// A trained model with the ids it knows.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Kind and size.
    pub config: ModelConfig,
    /// The model, without autodiff.
    pub model: AnyModel,
    /// Scores → predictions.
    pub predictor: Predictor,
    /// User ids.
    pub users: Vocabulary,
    /// Item ids.
    pub items: Vocabulary,
    /// Title of each item; empty where unknown.
    pub titles: Option<Vec<String>>,
    /// What users and items are.
    pub layout: Layout,
    /// `solver.kind` of the training; empty where the file does not say.
    pub solver: String,
    /// What cells that training had not are.
    pub zeros: Zeros,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format_version: u32,
    model: ModelConfig,
    loss: Loss,
    clip: Option<(f32, f32)>,
    global_mean: f64,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    solver: String,
    #[serde(default = "missing")]
    zeros: Zeros,
}

fn missing() -> Zeros {
    Zeros::Missing
}

impl ModelFile {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let baseline = &self.predictor.baseline;
        let vector = |values: &[f32]| Tensor::floats(&Values { shape: vec![values.len()], data: values.to_vec() });
        let mut tensors: Vec<(String, Tensor)> = parameters::collect(&self.model)
            .into_iter()
            .map(|(name, values)| (name, Tensor::floats(&values)))
            .collect();
        tensors.push(("baseline.user_offsets".into(), vector(&baseline.user_offsets)));
        tensors.push(("baseline.item_offsets".into(), vector(&baseline.item_offsets)));
        push_texts(&mut tensors, "users", self.users.ids());
        push_texts(&mut tensors, "items", self.items.ids());
        if let Some(titles) = &self.titles {
            push_texts(&mut tensors, "titles", titles.iter().map(String::as_str));
        }
        let header = Header {
            format_version: FORMAT_VERSION,
            model: self.config.clone(),
            loss: self.predictor.loss,
            clip: self.predictor.clip,
            global_mean: baseline.global_mean,
            layout: self.layout,
            solver: self.solver.clone(),
            zeros: self.zeros,
        };
        write_tensors(path, &tensors, &header)
    }

    /// Reads a file back onto a device.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] where it is damaged, of another version, or not a model.
    pub fn read(path: &Path, device: &Device) -> Result<Self> {
        let (tensors, header) = read_tensors::<Header>(path)?;
        let broken = |cause: &str| Error::model_file(path, format!("is not a whole model file: {cause}"));
        let texts = |name: &str| read_texts(&tensors, name).ok_or_else(|| broken(&format!("{name} is missing")));
        let users = Vocabulary::from_ids(texts("users")?);
        let items = Vocabulary::from_ids(texts("items")?);
        let titles = tensors.contains_key("titles.text").then(|| texts("titles")).transpose()?;
        let offsets = |name: &str, count: usize| {
            let values = tensors.get(name).and_then(Tensor::values).filter(|values| values.data.len() == count);
            values.map(|values| values.data).ok_or_else(|| broken(&format!("{name} does not fit")))
        };
        let baseline = Baseline {
            global_mean: header.global_mean,
            user_offsets: offsets("baseline.user_offsets", users.len())?,
            item_offsets: offsets("baseline.item_offsets", items.len())?,
        };
        let values: BTreeMap<String, Values> =
            tensors.iter().filter_map(|(name, tensor)| Some((name.clone(), tensor.values()?))).collect();
        let start = Start {
            num_users: users.len(),
            num_items: items.len(),
            mean_score: 0.0,
            user_offsets: &[],
            item_offsets: &[],
            seed: 0,
            device,
        };
        let model = parameters::restore(header.model.init(&start), &values).map_err(|cause| broken(&cause))?;
        let predictor = Predictor { loss: header.loss, clip: header.clip, baseline };
        Ok(Self {
            config: header.model,
            model,
            predictor,
            users,
            items,
            titles,
            layout: header.layout,
            solver: header.solver,
            zeros: header.zeros,
        })
    }

    /// Id of an item, with its title where there is one.
    pub fn title(&self, item: usize) -> Option<&str> {
        self.titles.as_ref().map(|titles| titles[item].as_str()).filter(|title| !title.is_empty())
    }
}

fn push_texts<'a>(tensors: &mut Vec<(String, Tensor)>, name: &str, texts: impl Iterator<Item = &'a str>) {
    let mut all = String::new();
    let mut ends = Vec::new();
    for text in texts {
        all.push_str(text);
        ends.push(all.len() as u64);
    }
    tensors.push((format!("{name}.text"), Tensor::text(all.as_bytes())));
    tensors.push((format!("{name}.ends"), Tensor::u64s(&ends)));
}

fn read_texts(tensors: &BTreeMap<String, Tensor>, name: &str) -> Option<Vec<String>> {
    let text = std::str::from_utf8(&tensors.get(&format!("{name}.text"))?.bytes).ok()?;
    let ends = tensors.get(&format!("{name}.ends"))?.to_u64s()?;
    let mut start = 0;
    let take = |end: u64| {
        let end = end as usize;
        let part = text.get(start..end)?.to_string();
        start = end;
        Some(part)
    };
    ends.into_iter().map(take).collect()
}

/// `seen.safetensors`: the items that each user rated in training, so that recommendations can leave them out.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen(
    /// Sorted item indices by user.
    Groups,
);

#[derive(Serialize, Deserialize)]
struct SeenHeader {
    format_version: u32,
}

impl Seen {
    /// The items of each of `num_users` users.
    pub fn of(train: &Ratings, num_users: usize) -> Self {
        let rated = train.users.iter().zip(&train.items).map(|(&user, &item)| (user as usize, item));
        let mut items = Groups::new(num_users, rated);
        items.for_each_mut(<[u32]>::sort_unstable);
        Self(items)
    }

    /// Sorted indices of the items that a user rated.
    pub fn items(&self, user: u32) -> &[u32] {
        self.0.get(user as usize)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let starts: Vec<u64> = self.0.starts().iter().map(|&start| start as u64).collect();
        let tensors =
            [("starts".to_string(), Tensor::u64s(&starts)), ("items".to_string(), Tensor::u32s(self.0.members()))];
        write_tensors(path, &tensors, &SeenHeader { format_version: FORMAT_VERSION })
    }

    /// Reads a file back.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] where it is damaged or not of `num_users` users.
    pub fn read(path: &Path, num_users: usize) -> Result<Self> {
        let (tensors, _) = read_tensors::<SeenHeader>(path)?;
        let seen = || {
            let starts = tensors.get("starts")?.to_u64s()?.into_iter().map(|start| start as usize).collect();
            let items = Groups::from_parts(starts, tensors.get("items")?.to_u32s()?)?;
            (items.count() == num_users).then_some(Self(items))
        };
        seen().ok_or_else(|| Error::model_file(path, "does not belong to this model"))
    }
}
