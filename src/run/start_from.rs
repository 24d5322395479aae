//! `model.start_from`: the parameters of trained models as the start of another.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::module::ParamId;
use burn::tensor::Device;

use super::directory::RunDirectory;
use super::model_file::ModelFile;
use super::parts::Parts;
use crate::config::words::joined;
use crate::config::{Config, Values, from_here};
use crate::data::split::Split;
use crate::data::{Entity, ITEM, USER};
use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::model::parameters::{self, ByName};
use crate::model::{AnyModel, HostTensor, ModelKind, START_FROM, Start, Visited};

/// Trained models that a model starts from; none by default.
#[derive(Debug, Clone)]
pub struct StartFrom {
    paths: Vec<PathBuf>,
    parts: Parts,
}

impl StartFrom {
    /// Those that a config names.
    pub fn of(values: &Values, parts: &Parts) -> Self {
        let paths: Vec<PathBuf> = values.find(START_FROM).unwrap_or_default();
        Self { paths: paths.into_iter().map(from_here).collect(), parts: parts.clone() }
    }

    /// Checks that they are there, fit a model of this kind and know some of the ids in `data`, and says how many. The
    /// result is what makes the model doubtful that starts from them.
    ///
    /// # Errors
    /// [`Error::Usage`] if not; those of model files.
    pub(super) fn check(
        &self,
        kind: &ModelKind,
        config: &Config,
        data: &Split,
        device: &Device,
        note: &mut dyn FnMut(&str),
    ) -> Result<Vec<String>> {
        let mut doubts = Vec::new();
        for (path, file) in self.read(kind, device)? {
            let path = path.display();
            let known = [USER, ITEM].map(|field| {
                let (own, theirs) =
                    (data.entity(field), file.entities.iter().find(|other| other.name == data.entity(field).name));
                let known = theirs.map_or(0, |theirs| rows_of(own, theirs).iter().flatten().count());
                (known, own.ids.len(), own.name.as_str())
            });
            if let Some((_, _, name)) = known.iter().find(|(known, all, _)| *known == 0 && *all > 0) {
                let message =
                    format!("{START_FROM}: {path} knows no {name} of these data, so nothing can start from it");
                return Err(Error::Usage(message));
            }
            let are_all_known = known.iter().all(|(known, all, _)| known == all);
            let [users, items] = known.map(|(known, all, name)| format!("{known} of {all} {name}s"));
            let others = if are_all_known { "" } else { "; the others start as usual" };
            note(&format!("{START_FROM}: {path} has rows of {users} and {items}{others}"));
        }
        if !data.validation.is_empty() {
            doubts.extend(self.paths.iter().filter_map(|path| doubt(path, config)));
        }
        Ok(doubts)
    }

    /// `model`, of this kind, with the parameters of the trained ones, where it has rows of `entities`.
    ///
    /// # Errors
    /// [`Error::Usage`] if they do not fit; those of model files.
    pub(super) fn started(
        &self,
        kind: &ModelKind,
        model: AnyModel,
        entities: &[Entity],
        start: &Start,
    ) -> Result<AnyModel> {
        if self.paths.is_empty() {
            return Ok(model);
        }
        let files = self.read(kind, start.device)?;
        let aligned = files.iter().map(|(path, file)| aligned(file, path, entities, start));
        let mut aligned = aligned.collect::<Result<Vec<_>>>()?;
        let values = if files[0].1.kind.name == kind.name { aligned.swap_remove(0) } else { kind.join(&aligned) };
        let from = self.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        parameters::restore(model, &values).map_err(|cause| {
            let from = joined(&from, "and");
            Error::Usage(format!(
                "{START_FROM}: {from} cannot be the start of this {}: {cause}; the keys of [model] have to be the same",
                kind.name
            ))
        })
    }

    /// The models and where they are, in the order in which `kind` is made of them.
    fn read(&self, kind: &ModelKind, device: &Device) -> Result<Vec<(&Path, ModelFile)>> {
        let read = |path: &PathBuf| {
            let (file, _) = RunDirectory::find_model(path)?;
            ModelFile::read(&file, device, &self.parts)
        };
        let files = self.paths.iter().map(|path| Ok((path.as_path(), read(path)?)));
        let mut files = files.collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = files.iter().map(|(_, file)| file.kind.name).collect();
        if files.is_empty() || names == [kind.name] {
            return Ok(files);
        }
        let mut sorted = names.clone();
        let place = |name: &&str| kind.made_of.iter().position(|part| part == name);
        sorted.sort_by_key(place);
        if sorted.is_empty() || sorted != kind.made_of {
            let parts: Vec<String> = kind.made_of.iter().map(|part| format!("one {part}")).collect();
            let or = if parts.is_empty() { String::new() } else { format!(", or from {}", joined(&parts, "and")) };
            let (own, found) = (kind.name, joined(&names, "and"));
            return Err(Error::Usage(format!("{START_FROM}: {own} starts from one {own}{or}, but these are: {found}")));
        }
        files.sort_by_key(|(_, file)| place(&file.kind.name));
        Ok(files)
    }
}

/// Why a model that starts from the one at `path` is judged too kindly by its validation part, if it is.
fn doubt(path: &Path, config: &Config) -> Option<String> {
    let (_, directory) = RunDirectory::find_model(path).ok()?;
    let its = Config::load(config.schema(), &directory?.config(), &[]).ok()?;
    let (own, its) = (config.values(), its.values());
    let cause = if its.find("train.refit") == Some(true) {
        "was retrained on its validation part (train.refit)"
    } else if own.section("data.split") != its.section("data.split") || own.value("seed") != its.value("seed") {
        "was trained on another split"
    } else {
        return None;
    };
    Some(format!("{START_FROM}: {} {cause}, so it may have seen what this run is validated on", path.display()))
}

/// For each trained row of `own` the row of the same id, if `theirs` has trained one.
fn rows_of(own: &Entity, theirs: &Entity) -> Vec<Option<usize>> {
    let trained = own.trained.unwrap_or(own.ids.len());
    let their_row = |id: &str| theirs.ids.index(id).map(|row| row as usize);
    let is_trained = |row: &usize| theirs.trained.is_none_or(|trained| *row < trained);
    own.ids.ids().take(trained).map(|id| their_row(id).filter(is_trained)).collect()
}

/// The parameters of a trained model with the rows of `entities`: of ids that it does not know, those of `start`.
fn aligned(file: &ModelFile, path: &Path, entities: &[Entity], start: &Start) -> Result<ByName> {
    let fresh = file.kind.init(&file.values, start)?;
    let trained: ByName = parameters::collect(file.by_features.as_ref().unwrap_or(&file.model)).into_iter().collect();
    let of = |own: &Entity| {
        let theirs = file.entities.iter().find(|other| other.name == own.name);
        theirs.map_or_else(Vec::new, |theirs| rows_of(own, theirs))
    };
    let rows: Vec<Vec<Option<usize>>> = entities.iter().map(of).collect();
    let tables: HashMap<ParamId, &[Option<usize>]> = fresh
        .tables()
        .into_iter()
        .filter_map(|table| Some((table.rows.id, rows.get(table.entity(start.frame))?.as_slice())))
        .collect();
    let mut values = ByName::new();
    let mut problem = None;
    fresh.visit(None, &mut |Visited { name, id, shape, rows, .. }| {
        let Some(theirs) = trained.get(&name).filter(|theirs| theirs.shape[1..] == shape[1..]) else {
            problem.get_or_insert(name);
            return;
        };
        let data = match tables.get(&id) {
            None => theirs.data.clone(),
            Some(places) => {
                let width = rows.dims()[1];
                let mut data = to_vec(rows);
                for (own, place) in data.chunks_mut(width).zip(*places) {
                    if let Some(place) = place {
                        own.copy_from_slice(&theirs.data[place * width..][..width]);
                    }
                }
                data
            }
        };
        let shape = if tables.contains_key(&id) { shape } else { theirs.shape.clone() };
        values.insert(name, HostTensor { shape, data });
    });
    match problem {
        None => Ok(values),
        Some(name) => Err(Error::Usage(format!(
            "{START_FROM}: {} has no {name} of this form; are its data others?",
            path.display()
        ))),
    }
}
