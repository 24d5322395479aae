//! `model.safetensors`: everything that prediction needs, with the same bytes for the same training.
//!
//! Tensors: every parameter under its name (`user_factors` `[num_users, rank]` float32, …); for the `n`-th entity
//! `entities.<n>.ids.text` and `entities.<n>.ids.ends` (the ids back to back in UTF-8, and where each one ends) and, if
//! titles are known, the same for `entities.<n>.titles`; for the `n`-th bag `bags.<n>.starts` (where the members of
//! each row begin), `bags.<n>.members` and, unless they are 1, `bags.<n>.weights`; `baseline.user_offsets` and
//! `baseline.item_offsets`. The metadata key `lowrank` holds JSON: format version, kinds of model and loss with the
//! values of their config keys, rating range, global mean, entities with their numbers of rows, fields, bags, solver with
//! the values of its keys, layout, and the meaning of zeros and components.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::parts::Parts;
use crate::config::Values;
use crate::config::words::joined;
use crate::data::{Bag, BagFrame, Entity, EntityFrame, Field, FieldId, Frame, ITEM, Layout, USER, Vocabulary};
use crate::error::{Error, Result};
use crate::eval::{Baseline, Predictor};
use crate::model::{AnyModel, HostTensor, ModelKind, Start, parameters, sized, summed};
use crate::objective::ObjectiveKind;
use crate::solver::nmf::Zeros;
use crate::solver::{Components, Predictions};
use crate::train::{FileForm, Tensor, read_tensors, write_tensors};

/// Model files.
const MODEL: FileForm = FileForm { version: 2, mark: "model" };

/// A trained model with the ids it knows.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Kind of the model.
    pub kind: ModelKind,
    /// Kind of the objective.
    pub objective_kind: ObjectiveKind,
    /// Values of the keys in `[model]` and `[loss]` that the two were created from.
    pub values: Values,
    /// The model, without autodiff; where rows have features, the one in which each row is the sum of these.
    pub model: AnyModel,
    /// Where rows have features, the model as it was trained, which keeps these apart.
    pub by_features: Option<AnyModel>,
    /// Scores → predictions.
    pub predictor: Predictor,
    /// The entities that the model has rows for, with ids and titles.
    pub entities: Vec<Entity>,
    /// The columns that it reads.
    pub fields: Vec<Field>,
    /// The bags of the entities' rows.
    pub bags: Arc<Vec<Bag>>,
    /// The layout of the data.
    pub layout: Layout,
    /// `solver.kind` of the training.
    pub solver: String,
    /// The meaning of the columns of the factors.
    pub components: Components,
    /// How cells missing in training were treated.
    pub zeros: Zeros,
    /// What predictions are.
    pub predictions: Predictions,
    /// Values of the keys in `[solver]`, those that follow from the training interactions included: what it takes to find
    /// rows of new users and items. Empty in files of earlier versions.
    pub settled: Values,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format_version: u32,
    model: String,
    loss: String,
    values: Values,
    clip: Option<(f32, f32)>,
    global_mean: f64,
    entities: Vec<EntityFrame>,
    fields: Vec<Field>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bags: Vec<BagFrame>,
    layout: Layout,
    solver: String,
    components: Components,
    zeros: Zeros,
    #[serde(default)]
    predictions: Predictions,
    #[serde(default)]
    settled: Values,
}

impl Header {
    /// Refuses what predictions or views would fail of.
    fn check(&self, frame: &Frame) -> Result<(), String> {
        if !self.clip.is_none_or(|(low, high)| low.is_finite() && high.is_finite() && low <= high) {
            return Err("its clip is no range".into());
        }
        if !self.global_mean.is_finite() {
            return Err("its global_mean is not finite".into());
        }
        let columns = match self.layout {
            Layout::Cells
            | Layout::Table
            | Layout::Matrix
            | Layout::Documents
            | Layout::CoOccurrences
            | Layout::Graph => return Ok(()),
            Layout::Picture { width, channels } if width > 0 && [1, 3].contains(&channels) => {
                width.checked_mul(channels)
            }
            Layout::Pictures { width, height } if width > 0 => width.checked_mul(height),
            _ => None,
        };
        if columns == Some(frame.rows(ITEM)) { Ok(()) } else { Err("its layout is of other columns".into()) }
    }
}

/// The name of a tensor with a number that is not finite.
fn not_finite(tensors: &BTreeMap<String, Tensor>) -> Option<&String> {
    tensors.iter().find(|(_, tensor)| !tensor.is_finite()).map(|(name, _)| name)
}

impl ModelFile {
    /// The entity that a field indexes.
    pub fn entity(&self, field: FieldId) -> &Entity {
        &self.entities[self.fields[field.0].entity]
    }

    /// Ids of the first field.
    pub fn users(&self) -> &Vocabulary {
        &self.entity(USER).ids
    }

    /// Ids of the second field.
    pub fn items(&self) -> &Vocabulary {
        &self.entity(ITEM).ids
    }

    /// Title of an item, if it has one.
    pub fn title(&self, item: usize) -> Option<&str> {
        self.entity(ITEM).title(item)
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let baseline = &self.predictor.baseline;
        let vector = |values: &[f32]| Tensor::floats(&HostTensor::vector(values.to_vec()));
        let trained = self.by_features.as_ref().unwrap_or(&self.model);
        let mut tensors: Vec<(String, Tensor)> =
            parameters::collect(trained).into_iter().map(|(name, values)| (name, Tensor::floats(&values))).collect();
        tensors.push(("baseline.user_offsets".into(), vector(&baseline.user_offsets)));
        tensors.push(("baseline.item_offsets".into(), vector(&baseline.item_offsets)));
        for (at, entity) in self.entities.iter().enumerate() {
            push_texts(&mut tensors, &ids_name(at), entity.ids.ids());
            if let Some(titles) = &entity.titles {
                push_texts(&mut tensors, &titles_name(at), titles.iter().map(String::as_str));
            }
        }
        for (at, bag) in self.bags.iter().enumerate() {
            let (starts, members, weights) = bag.parts();
            tensors.push((format!("bags.{at}.starts"), Tensor::u64s(starts)));
            tensors.push((format!("bags.{at}.members"), Tensor::u32s(members)));
            tensors.extend(weights.map(|weights| (format!("bags.{at}.weights"), vector(weights))));
        }
        let header = Header {
            format_version: MODEL.version,
            model: self.kind.name.into(),
            loss: self.objective_kind.name.into(),
            values: self.values.clone(),
            clip: self.predictor.clip,
            global_mean: baseline.global_mean,
            entities: Frame::of(&self.entities, &[]).entities,
            fields: self.fields.clone(),
            bags: self.bags.iter().map(|bag| bag.frame.clone()).collect(),
            layout: self.layout,
            solver: self.solver.clone(),
            components: self.components,
            zeros: self.zeros,
            predictions: self.predictions,
            settled: self.settled.clone(),
        };
        write_tensors(path, &tensors, &header)
    }

    /// Reads a file onto a device. The kinds of model and objective must be among `parts`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ModelFile`] if it is damaged, of another version, not a model, or of a kind that is not
    /// among `parts`.
    pub fn read(path: &Path, device: &Device, parts: &Parts) -> Result<Self> {
        let (tensors, header) = read_tensors::<Header>(path, MODEL)?;
        let broken = |cause: &str| Error::model_file(path, format!("is not a complete model file: {cause}"));
        let unknown = |what: &str, kind: &str, names: Vec<&str>| {
            let known = joined(&names, "and");
            let cause = format!("has the {what} {kind:?}, which this program does not have; it has: {known}");
            Error::model_file(path, cause)
        };
        let kind = *parts
            .find_model(&header.model)
            .ok_or_else(|| unknown("model", &header.model, parts.models.iter().map(|kind| kind.name).collect()))?;
        let objective_kind = *parts
            .find_objective(&header.loss)
            .ok_or_else(|| unknown("loss", &header.loss, parts.objectives.iter().map(|kind| kind.name).collect()))?;
        kind.keys().and(objective_kind.keys()).check(&header.values).map_err(|cause| {
            let cause = format!("was written with other keys of {} and {}: {cause}", kind.name, objective_kind.name);
            Error::model_file(path, cause)
        })?;
        let entities =
            read_entities(&tensors, &header.entities).map_err(|name| broken(&format!("{name} is missing")))?;
        let is_known = |entity: usize| entity < entities.len();
        if header.fields.len() < 2 || !header.fields.iter().all(|field| is_known(field.entity)) {
            return Err(broken("its fields do not fit"));
        }
        let frame = Frame { bags: header.bags.clone(), ..Frame::of(&entities, &header.fields) };
        let bags: Option<Vec<Bag>> = (0..frame.bags.len()).map(|at| read_bag(&tensors, &frame, at)).collect();
        let bags = Arc::new(bags.ok_or_else(|| broken("its bags do not fit"))?);
        let offsets = |name: &str, field: FieldId| {
            // Data without users and items have none.
            let count = if frame.has_roles() { frame.rows(field) } else { 0 };
            let values = tensors.get(name).and_then(Tensor::values).filter(|values| values.data.len() == count);
            values.map(|values| values.data).ok_or_else(|| broken(&format!("{name} does not fit")))
        };
        let baseline = Baseline {
            global_mean: header.global_mean,
            user_offsets: offsets("baseline.user_offsets", USER)?,
            item_offsets: offsets("baseline.item_offsets", ITEM)?,
        };
        header.check(&frame).map_err(|cause| broken(&cause))?;
        if let Some(name) = not_finite(&tensors) {
            return Err(broken(&format!("{name} holds numbers that are not finite")));
        }
        // Memory is asked for only as far as there are numbers to fill it.
        let numbers = tensors.values().filter_map(Tensor::num_floats).fold(0, usize::saturating_add);
        let fits =
            |size: usize| if size <= numbers { Ok(()) } else { Err(broken("it holds fewer numbers than its model")) };
        fits(kind.least_size(&header.values))?;
        fits(sized(&kind, &header.values, &frame, device)?.1.into_iter().fold(0, usize::saturating_add))?;
        let start = Start { frame: &frame, mean_score: 0.0, offsets: [&[], &[]], seed: None, device };
        let model = kind.init(&header.values, &start)?;
        let objective = objective_kind.make(&header.values)?;
        let values: BTreeMap<String, HostTensor> =
            tensors.iter().filter_map(|(name, tensor)| Some((name.clone(), tensor.values()?))).collect();
        let model = parameters::restore(model, &values).map_err(|cause| broken(&cause))?;
        let (model, by_features) = match summed(&kind, &header.values, &model, &frame, &bags)? {
            Some(sum) => (sum, Some(model)),
            None => (model, None),
        };
        Ok(Self {
            kind,
            objective_kind,
            values: header.values,
            model,
            by_features,
            predictor: Predictor { objective, clip: header.clip, baseline },
            entities,
            fields: header.fields,
            bags,
            layout: header.layout,
            solver: header.solver,
            components: header.components,
            zeros: header.zeros,
            predictions: header.predictions,
            settled: header.settled,
        })
    }
}

fn ids_name(entity: usize) -> String {
    format!("entities.{entity}.ids")
}

fn titles_name(entity: usize) -> String {
    format!("entities.{entity}.titles")
}

/// The entities, or the name of what is missing.
fn read_entities(tensors: &BTreeMap<String, Tensor>, headers: &[EntityFrame]) -> Result<Vec<Entity>, String> {
    let texts = |name: String, rows: usize| read_texts(tensors, &name).filter(|texts| texts.len() == rows).ok_or(name);
    let read = |(at, frame): (usize, &EntityFrame)| {
        let EntityFrame { name, rows, trained, .. } = frame;
        let ids = Vocabulary::from_ids(texts(ids_name(at), *rows)?);
        let has_titles = tensors.contains_key(&format!("{}.text", titles_name(at)));
        let titles = has_titles.then(|| texts(titles_name(at), *rows)).transpose()?;
        let entity = Entity { ids, titles, trained: *trained, ..Entity::new(name) };
        if entity.ids.len() == *rows { Ok(entity) } else { Err(ids_name(at)) }
    };
    headers.iter().enumerate().map(read).collect()
}

/// The bag at a place; `None` if it is missing or refers to missing rows.
fn read_bag(tensors: &BTreeMap<String, Tensor>, frame: &Frame, at: usize) -> Option<Bag> {
    let tensor = |name: &str| tensors.get(&format!("bags.{at}.{name}"));
    let own = &frame.bags[at];
    let (owners, of) = (frame.entities.get(own.owner)?.rows, frame.entities.get(own.of)?.rows);
    let members = tensor("members")?.to_u32s()?;
    let weights = match tensor("weights") {
        Some(weights) => Some(weights.values()?.data),
        None => None,
    };
    let are_rows = members.iter().all(|&member| (member as usize) < of);
    let bag = Bag::new(own.clone(), tensor("starts")?.to_u64s()?, members, weights)?;
    (are_rows && bag.rows() == owners).then_some(bag)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{HISTORY, Interactions, pair_fields};
    use crate::metric::Metrics;

    /// A model of three users and two items with everything that a file can hold.
    fn file(parts: &Parts, device: &Device) -> ModelFile {
        let mut interactions = Interactions::default();
        for (user, item) in [(0, 1), (2, 0), (2, 1)] {
            interactions.push([user, item], 1.0, None);
        }
        let frame = Frame::pair(3, 2);
        let bags = Arc::new(vec![Bag::history(|field| interactions.column(field), &frame, USER, ITEM)]);
        let values: Values = [
            ("model.kind", "biased-mf".into()),
            ("model.rank", 2.into()),
            ("model.init", "normal".into()),
            ("model.init_std", 0.1.into()),
            ("loss.kind", "huber".into()),
            ("loss.delta", 0.5.into()),
        ]
        .map(|(path, value): (&str, toml::Value)| (path.to_string(), value))
        .into_iter()
        .collect();
        let kind = *parts.find_model("biased-mf").expect("built in");
        let objective_kind = *parts.find_objective("huber").expect("built in");
        let start = Start { frame: &frame, mean_score: 3.0, offsets: [&[], &[]], seed: Some(1), device };
        let titles = Some(vec!["X".into(), String::new()]);
        ModelFile {
            kind,
            objective_kind,
            model: kind.init(&values, &start).expect("a model"),
            by_features: None,
            predictor: Predictor {
                objective: objective_kind.make(&values).expect("a loss"),
                clip: Some((1.0, 5.0)),
                baseline: Baseline { global_mean: 3.0, user_offsets: vec![0.5; 3], item_offsets: vec![-0.5; 2] },
            },
            values,
            entities: vec![
                Entity { ids: Vocabulary::from_ids(["a", "b", "c"]), ..Entity::new("user") },
                Entity { ids: Vocabulary::from_ids(["x", "y"]), titles, ..Entity::new("item") },
            ],
            fields: pair_fields(),
            bags,
            layout: Layout::Cells,
            solver: "adam".into(),
            components: Components::Factors,
            zeros: Zeros::Missing,
            predictions: Predictions::Targets,
            settled: Values::default(),
        }
    }

    #[test]
    fn reads_back_what_it_wrote_with_the_same_bytes_each_time() {
        let (parts, device) = (Parts::built_in(), Device::default());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let written = file(&parts, &device);
        written.write(&a).expect("write");
        let read = ModelFile::read(&a, &device, &parts).expect("read");
        read.write(&b).expect("write again");
        assert_eq!(std::fs::read(&a).expect("a"), std::fs::read(&b).expect("b"));
        assert_eq!(parameters::collect(&read.model), parameters::collect(&written.model));
        assert_eq!((read.title(0), read.title(1), read.users().index("c")), (Some("X"), None, Some(2)));
        assert_eq!((&read.bags[0], read.bags[0].frame.name.as_str()), (&written.bags[0], HISTORY));
        assert_eq!(read.predictor.objective.pointwise().map(|loss| loss.value(2.0, 0.0)), Some(0.875));
    }

    #[test]
    fn what_the_program_does_not_have_is_named() {
        let (parts, device) = (Parts::built_in(), Device::default());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model.safetensors");
        let refused = |file: &ModelFile, parts: &Parts| {
            file.write(&path).expect("write");
            ModelFile::read(&path, &device, parts).expect_err("refused").to_string()
        };
        let whole = file(&parts, &device);
        let mut other = parts.clone();
        other.models.retain(|kind| kind.name == "mf");
        let message = refused(&whole, &other);
        assert!(message.contains("has the model \"biased-mf\", which this program does not have"), "{message}");
        assert!(message.ends_with("has: mf"), "{message}");
        other = Parts { objectives: Vec::new(), metrics: Metrics::default(), ..parts.clone() };
        assert!(refused(&whole, &other).contains("has the loss \"huber\""));
        let values = whole.values.iter().filter(|(path, _)| *path != "model.rank");
        let values = values.map(|(path, value)| (path.to_string(), value.clone())).collect();
        let message = refused(&ModelFile { values, ..whole.clone() }, &parts);
        assert!(message.contains("model.rank is missing"), "{message}");
        let mut interactions = Interactions::default();
        interactions.push([0, 1], 1.0, None);
        let bags = Arc::new(vec![Bag::history(|field| interactions.column(field), &Frame::pair(2, 2), USER, ITEM)]);
        assert!(refused(&ModelFile { bags, ..whole }, &parts).contains("its bags do not fit"));
    }
}
