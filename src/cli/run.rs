//! Opening what `RUN` names.

use std::path::{Path, PathBuf};

use super::arguments::RunArg;
use super::output;
use crate::config::words::{did_you_mean, joined, nearest};
use crate::config::{Config, Values};
use crate::data::context::{at_moment, typed, understand_as};
use crate::data::read::{DocumentOptions, Duplicates, ReadOptions, context_key, read_dataset};
use crate::data::split::{NewRows, Part, assign_all, reindexed};
use crate::data::{CellForm, Dataset, Field, FieldId, ITEM, Interactions, Role, UNKNOWN, USER, moment};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::model::names_where;
use crate::run::views::Fitted;
use crate::run::{ModelFile, Parts, RunDirectory, SeenItems, Settings};

/// What `--context` calls the time of an interaction.
const TIMESTAMP: &str = "timestamp";

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
    let (path, directory) = RunDirectory::find_model(&run.run)?;
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

    /// Index of an item, named by its id or, if no item has that, by its title.
    ///
    /// # Errors
    /// [`Error::Usage`] if training never saw it, with the titles that are nearest, or if several have the title.
    pub fn item(&self, name: &str) -> Result<u32> {
        let items = self.file.entity(ITEM);
        if let Some(index) = items.ids.index(name) {
            return Ok(index);
        }
        let titles = items.titles.as_deref().unwrap_or_default();
        let lower = name.to_lowercase();
        let titled: Vec<usize> = (0..titles.len()).filter(|&at| titles[at].to_lowercase() == lower).collect();
        match titled[..] {
            [index] => return Ok(index as u32),
            [] => {}
            _ => {
                let ids: Vec<&str> = titled.iter().map(|&at| items.ids.id(at)).collect();
                let ids = joined(&ids, "and");
                return Err(Error::Usage(format!("several items are titled {name:?}: {ids}; give the id of one")));
            }
        }
        let hint = did_you_mean(nearest(name, titles.iter().map(String::as_str).chain(items.ids.ids())));
        let what = if titles.is_empty() { "id" } else { "id or title" };
        Err(Error::Usage(format!(
            "{name:?} is the {what} of none of the {} items of this model{hint}",
            items.ids.len()
        )))
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

    /// Reads ratings or pairs in the layout of the run's own file, if known, and passes on the notes of the reader. Cells of the
    /// context that the model does not know are taken in by what they hold.
    ///
    /// # Errors
    /// Those of the config, the reader and the forms of the context.
    pub fn read(&mut self, path: &Path, overrides: &[String], duplicates: Option<Duplicates>) -> Result<Dataset> {
        let mut options = match &self.directory {
            Some(directory) => {
                let config = Config::load(&self.parts.schema(), &directory.config(), overrides)?;
                ReadOptions::of(config.values(), &self.parts.readers)
            }
            None => {
                let (_, context) = self.file.fields.split_at(2);
                let is_column = |field: &&Field| !field.form.as_ref().is_some_and(CellForm::is_of_time);
                let context = context.iter().filter(is_column).map(|field| field.name.clone());
                let mut values = Values::default();
                values.insert(context_key().path, context.collect::<Vec<_>>());
                ReadOptions::of(&values, &self.parts.readers)
            }
        };
        options.duplicates = duplicates.unwrap_or(options.duplicates);
        let mut dataset = read_dataset(path, None, &options)?;
        understand_as(&mut dataset, &self.file.fields)?;
        dataset.notes.iter().for_each(|note| output::message(note));
        let cells = |field: &Field| {
            let own = dataset.fields.iter().position(|own| own.name == field.name);
            own.map_or(Vec::new(), |own| dataset.entity(FieldId(own)).ids.ids().collect())
        };
        let cells: Vec<Vec<&str>> = self.file.fields.iter().map(cells).collect();
        self.file.take_in(&cells)?;
        Ok(dataset)
    }

    /// A user of training with the ratings that training saw, from the data of the run.
    ///
    /// # Errors
    /// [`Error::Usage`] for a model file without its run, another user, and data that changed; those of the data.
    pub fn known_user(&self, id: &str) -> Result<NewRows> {
        let user = self.user(id)?;
        let Some(directory) = &self.directory else {
            return Err(Error::Usage(
                "what a user rated is in the data of the run: name its directory, not the model file alone".into(),
            ));
        };
        let settings = Settings::of(&Config::load(&self.parts.schema(), &directory.config(), &[])?, &self.parts)?;
        let mut dataset = settings.source.load()?;
        directory.check_data(&dataset)?;
        let assigned = assign_all(&mut dataset, &settings.split, settings.seed)?;
        let is_trained = |part: Part| part == Part::Train || (settings.refit && part == Part::Validation);
        let own = dataset.users().index(self.file.users().id(user as usize));
        if own.is_none() {
            return Err(Error::Usage(format!(
                "user {id:?} is not in the data of this run, but was taken in later; tell what was rated by --rating"
            )));
        }
        let keep = |at: usize| is_trained(assigned[at]) && Some(dataset.interactions.column(USER)[at]) == own;
        new_rows(&self.file, &dataset, Role::User, keep, 1.0, 0)
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
    /// Those of [`reindexed`].
    pub fn reindexed(&self, dataset: &Dataset, keep: impl Fn(usize) -> bool) -> Result<Interactions> {
        let positions: Vec<usize> = (0..dataset.interactions.len()).filter(|&at| keep(at)).collect();
        let interactions = reindexed(dataset, &positions, &self.file.entities, &self.file.fields)?;
        Ok(Interactions { bags: self.file.bags.clone(), ..interactions })
    }

    /// The row that `--context` names in each field beyond user and item, in their order. `timestamp=…` gives those that are made
    /// of the time. A cell that the model does not know is taken in by what it holds.
    ///
    /// # Errors
    /// [`Error::Usage`] for one that is missing, or that the model does not have.
    pub fn context(&mut self, given: &[String]) -> Result<Vec<u32>> {
        let (_, fields) = self.file.fields.split_at(2);
        let pairs = given.iter().map(|pair| {
            let name_and_id = pair.split_once('=');
            name_and_id.ok_or_else(|| Error::Usage(format!("--context {pair}: write it as NAME=ID")))
        });
        let pairs = pairs.collect::<Result<Vec<_>>>()?;
        let when = pairs.iter().find(|(name, _)| *name == TIMESTAMP).map(|(_, text)| {
            let message =
                || format!("--context {TIMESTAMP}={text}: write it as 2010-12-01 08:26, or in seconds since 1970");
            moment(text).ok_or_else(|| Error::Usage(message()))
        });
        let when = when.transpose()?;
        let of_time = |field: &Field| field.form.as_ref().is_some_and(CellForm::is_of_time);
        let is_known = |name: &str| {
            fields.iter().any(|field| field.name == *name) || name == TIMESTAMP && fields.iter().any(of_time)
        };
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_known(name)) {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let known = if names.is_empty() { "no context".into() } else { joined(&names, "and") };
            return Err(Error::Usage(format!("--context {name}=…: this model has {known}")));
        }
        let cell = |field: &Field| {
            let given = pairs.iter().find(|(name, _)| *name == field.name);
            let told = || when.and_then(|when| at_moment(field, when));
            match (given, told) {
                (Some((name, text)), _) => {
                    typed(field, text).map_err(|expected| Error::Usage(format!("--context {name}={text}: {expected}")))
                }
                (None, told) => told().ok_or_else(|| {
                    Error::Usage(format!("this model reads the {0} of a rating; add --context {0}=ID", field.name))
                }),
            }
        };
        let cells = fields.iter().map(cell).collect::<Result<Vec<String>>>()?;
        let known: Vec<Vec<&str>> =
            [vec![], vec![]].into_iter().chain(cells.iter().map(|cell| vec![cell.as_str()])).collect();
        self.file.take_in(&known)?;
        let index = |(at, cell): (usize, &String)| self.file.entity(FieldId(at + 2)).ids.index(cell).unwrap_or(UNKNOWN);
        Ok(cells.iter().enumerate().map(index).collect())
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

/// The interactions of a data set to keep as those of rows that a model does not know; see [`NewRows::of`].
///
/// # Errors
/// Those of [`NewRows::of`].
pub fn new_rows(
    file: &ModelFile,
    dataset: &Dataset,
    role: Role,
    keep: impl Fn(usize) -> bool,
    given: f64,
    seed: u64,
) -> Result<NewRows> {
    NewRows::of(dataset, role, keep, (&file.entities, &file.fields), given, seed)
}
