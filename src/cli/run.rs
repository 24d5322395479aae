//! Opening what `RUN` names.

use std::path::{Path, PathBuf};

use super::arguments::RunArg;
use super::output;
use crate::config::words::joined;
use crate::config::{Config, Values};
use crate::data::read::{DocumentOptions, Duplicates, ReadOptions, context_key, read_dataset};
use crate::data::{Dataset, Field, FieldId, Interactions, UNKNOWN};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::model::names_where;
use crate::run::views::Fitted;
use crate::run::{ModelFile, Parts, RunDirectory, SeenItems};

/// A model ready to predict.
pub struct OpenRun {
    /// The model.
    pub file: ModelFile,
    /// The device that holds it.
    pub device: Opened,
    /// Its run directory; `None` for a model file elsewhere.
    pub directory: Option<RunDirectory>,
    path: PathBuf,
    parts: Parts,
}

/// Opens a run directory or a model file.
///
/// # Errors
/// Those of the device and the model file.
pub fn open(run: &RunArg, parts: &Parts) -> Result<OpenRun> {
    let device = run.device.parse::<crate::device::DeviceSpec>()?.open()?;
    let (path, directory) = if run.run.is_dir() {
        let directory = RunDirectory::open(&run.run)?;
        (directory.finished(directory.model())?, Some(directory))
    } else if !run.run.exists() {
        return Err(Error::Usage(format!(
            "{}: there is no such run directory or model file; `lowrank train CONFIG` creates one",
            run.run.display()
        )));
    } else {
        (run.run.clone(), run.run.parent().and_then(|parent| RunDirectory::open(parent).ok()))
    };
    Ok(OpenRun { file: ModelFile::read(&path, &device.device, parts)?, device, directory, path, parts: parts.clone() })
}

impl OpenRun {
    /// Index of a user id.
    ///
    /// # Errors
    /// [`Error::Usage`] if training never saw it.
    pub fn user(&self, id: &str) -> Result<u32> {
        self.file.users().index(id).ok_or_else(|| {
            Error::Usage(format!("user {id:?} is not among the {} users of this model", self.file.users().len()))
        })
    }

    /// Its factors.
    ///
    /// # Errors
    /// [`Error::Usage`] if its score is not a dot product.
    pub fn fitted(&self, parts: &Parts) -> Result<Fitted<'_>> {
        Fitted::of(&self.file).ok_or_else(|| {
            let others = names_where(&parts.models, |model| model.is_dot_product);
            Error::Usage(format!(
                "{}: the score of this model is not a dot product of factors, so it has no components; train {}",
                self.path.display(),
                joined(&others, "or")
            ))
        })
    }

    /// Reads ratings or pairs in the layout of the run's own file, if known, and passes on the notes of the reader.
    ///
    /// # Errors
    /// Those of the config and the reader.
    pub fn read(&self, path: &Path, overrides: &[String], duplicates: Option<Duplicates>) -> Result<Dataset> {
        let mut options = match &self.directory {
            Some(directory) => {
                let config = Config::load(&self.parts.schema(), &directory.config(), overrides)?;
                ReadOptions::of(config.values(), &self.parts.readers)
            }
            None => {
                let (_, context) = self.file.fields.split_at(2);
                let context = context.iter().map(|field| field.name.clone());
                let mut values = Values::default();
                values.insert(context_key().path, context.collect::<Vec<_>>());
                ReadOptions::of(&values, &self.parts.readers)
            }
        };
        options.duplicates = duplicates.unwrap_or(options.duplicates);
        let dataset = read_dataset(path, None, &options)?;
        dataset.notes.iter().for_each(|note| output::message(note));
        Ok(dataset)
    }

    /// How the documents of the run were read, if known.
    ///
    /// # Errors
    /// Those of the config.
    pub fn documents(&self) -> Result<DocumentOptions> {
        let Some(directory) = &self.directory else { return Ok(DocumentOptions::default()) };
        Ok(DocumentOptions::of(Config::load(&self.parts.schema(), &directory.config(), &[])?.values()))
    }

    /// The interactions of a data set to keep, under the model's indices; ids that the model does not know become
    /// [`UNKNOWN`].
    ///
    /// # Errors
    /// [`Error::Usage`] for data without a column that the model reads.
    pub fn reindexed(&self, dataset: &Dataset, keep: impl Fn(usize) -> bool) -> Result<Interactions> {
        let from = |name: &str| {
            let at = dataset.fields.iter().position(|field| field.name == name);
            at.map(FieldId)
                .ok_or_else(|| Error::Usage(format!("the data have no column {name:?}, which the model reads")))
        };
        let kept: Vec<usize> = (0..dataset.interactions.len()).filter(|&at| keep(at)).collect();
        let column = |(at, field): (usize, &Field)| {
            let own = from(&field.name)?;
            let to = &self.file.entity(FieldId(at)).ids;
            let new: Vec<u32> = dataset.entity(own).ids.ids().map(|id| to.index(id).unwrap_or(UNKNOWN)).collect();
            let indices = dataset.interactions.column(own);
            Ok(kept.iter().map(|&at| new.get(indices[at] as usize).copied().unwrap_or(UNKNOWN)).collect())
        };
        let columns = self.file.fields.iter().enumerate().map(column).collect::<Result<Vec<Vec<u32>>>>()?;
        let targets = kept.iter().map(|&at| dataset.interactions.targets[at]).collect();
        Ok(Interactions { columns, targets, bags: self.file.bags.clone(), ..Interactions::default() })
    }

    /// The row that `--context` names in each field beyond user and item, in their order.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that is missing, or that the model does not have.
    pub fn context(&self, given: &[String]) -> Result<Vec<u32>> {
        let (_, fields) = self.file.fields.split_at(2);
        let pairs = given.iter().map(|pair| {
            let name_and_id = pair.split_once('=');
            name_and_id.ok_or_else(|| Error::Usage(format!("--context {pair}: write it as NAME=ID")))
        });
        let pairs = pairs.collect::<Result<Vec<_>>>()?;
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !fields.iter().any(|field| field.name == *name)) {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let known = if names.is_empty() { "no context".into() } else { joined(&names, "and") };
            return Err(Error::Usage(format!("--context {name}=…: this model has {known}")));
        }
        let row = |(at, field): (usize, &Field)| {
            let (_, id) = pairs.iter().find(|(name, _)| *name == field.name).ok_or_else(|| {
                Error::Usage(format!("this model reads the {0} of a rating; add --context {0}=ID", field.name))
            })?;
            Ok(self.file.entity(FieldId(at + 2)).ids.index(id).unwrap_or(UNKNOWN))
        };
        fields.iter().enumerate().map(row).collect()
    }

    /// The items that users rated in training; `None` if the file is not beside the model.
    ///
    /// # Errors
    /// Those of the file.
    pub fn seen(&self) -> Result<Option<SeenItems>> {
        let path = self.path.with_file_name("seen.safetensors");
        path.is_file().then(|| SeenItems::read(&path, self.file.users().len(), self.file.items().len())).transpose()
    }
}
