//! One run of training, from a config to a directory.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::module::ParamId;
use serde::Serialize;
use serde_json::{Value, json};

use super::directory::RunDirectory;
use super::memory::{self, Estimate, Sizes};
use super::model_file::{ModelFile, Seen};
use super::parts::Parts;
use super::settings::{Settings, check_targets};
use super::summary::{Baselines, Summary};
use super::views::{self, Fitted, Views};
use crate::config::{Config, Effect, Values};
use crate::data::split::{HeldOutRows, Part, Split, assign, divide, held_out_rows};
use crate::data::{Dataset, ITEM, Interactions, Layout, USER};
use crate::device::{DeviceSpec, Opened, to_vec};
use crate::error::{Error, Result};
use crate::eval::Evaluator;
use crate::files;
use crate::linalg::processor::vector_features;
use crate::metric::{Metric, Rmse};
use crate::model::Visited;
use crate::model::{AnyModel, HostTensor, TableKind};
use crate::report::event_file::EventFile;
use crate::report::plot;
use crate::report::{JsonLines, TensorBoard, curves, projector};
use crate::solver::nmf::Zeros;
use crate::train::{Checkpoints, Observer, TrainConfig, TrainData, Trained};

/// Where a run goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// Nowhere: a new run directory is made.
    New,
    /// The newest run of the config's name.
    Newest,
    /// This run directory.
    Run(PathBuf),
}

/// What a run is given beside its config.
pub struct TrainOptions<'a> {
    /// Where to go on from.
    pub resume: Resume,
    /// Becomes true when the run should write a checkpoint and end.
    pub stop: &'a AtomicBool,
    /// For `environment.json`.
    pub command_line: String,
    /// Told things the user should know, before training.
    pub note: &'a mut (dyn FnMut(&str) + Send),
    /// Makes an observer of each phase of training; gets the number of epochs.
    pub observer: &'a (dyn Fn(u64) -> Option<Box<dyn Observer>> + Sync),
}

/// A finished run.
pub struct Finished {
    /// Where everything lies.
    pub directory: RunDirectory,
    /// The result.
    pub summary: Summary,
    /// The model.
    pub model: ModelFile,
}

/// Trains, evaluates and writes everything down.
///
/// # Errors
/// Those of data, device, training and files. A failed run leaves its directory as far as it got; a run refused before
/// its first step leaves none.
pub fn train(config: &Config, parts: &Parts, options: TrainOptions) -> Result<Finished> {
    let settings = Settings::of(config, parts)?;
    with_threads(&settings, |threads| Job { settings: &settings, options, threads }.run())
}

/// What a run is expected to take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Name from the config.
    pub name: String,
    /// The device that was asked.
    pub device: String,
    /// Threads that would be used.
    pub threads: usize,
    /// Users with a training rating.
    pub num_users: usize,
    /// Items with a training rating.
    pub num_items: usize,
    /// Ratings to train on, before any refit.
    pub num_train: usize,
    /// Bytes at the peak, by what they hold.
    pub memory: Estimate,
    /// Their sum.
    pub memory_bytes: u64,
    /// Seconds of an epoch with its validation, without checkpoints and reports.
    pub seconds_per_epoch: f64,
    /// `train.epochs`.
    pub epochs: u64,
    /// Seconds of all epochs, should none of them be spared by early stopping; any refit is left out.
    pub seconds: f64,
    /// Ratings trained on a second.
    pub ratings_per_second: f64,
}

/// Reads the data, counts the memory that training would need and times a few steps; writes nothing.
///
/// # Errors
/// Those of [`train`] before its first step.
pub fn dry_run(config: &Config, parts: &Parts, mut note: impl FnMut(&str) + Send) -> Result<Forecast> {
    /// Steps are timed for so long.
    const PROBE_SECONDS: f64 = 0.5;
    let settings = &Settings::of(config, parts)?;
    with_threads(settings, |threads| {
        let Prepared { device, data, memory, .. } = Prepared::new(settings, &mut note)?;
        let evaluator = settings.evaluator(&data);
        let model = settings.initial_model(&data, &evaluator, &device.device)?;
        let trainer = settings.trainer(settings.training.clone(), model, &device)?;
        let train_data = TrainData { train: &data.train, validation: &data.validation, evaluator: &evaluator };
        let pace = trainer.probe(train_data, PROBE_SECONDS)?;
        let seconds_per_epoch = pace.seconds_training + pace.seconds_validation;
        Ok(Forecast {
            name: settings.name.clone(),
            device: device.spec.to_string(),
            threads,
            num_users: data.users().len(),
            num_items: data.items().len(),
            num_train: data.train.len(),
            memory,
            memory_bytes: memory.total(),
            seconds_per_epoch,
            epochs: settings.training.epochs,
            seconds: seconds_per_epoch * settings.training.epochs as f64,
            ratings_per_second: pace.ratings_per_second,
        })
    })
}

/// Divides `dataset` into `parts` and adds the histories that the model has a use for; with `refit`, validation joins
/// training.
///
/// # Errors
/// Those of [`divide`].
pub(super) fn divided(settings: &Settings, dataset: &Dataset, parts: &[Part], refit: bool) -> Result<Split> {
    let mut data = divide(dataset, parts, refit)?;
    data.add_histories(settings.model.declaration.histories);
    Ok(data)
}

/// Runs `job` on as many threads as the settings ask for, and tells it how many they are.
pub(super) fn with_threads<T: Send>(settings: &Settings, job: impl FnOnce(usize) -> Result<T> + Send) -> Result<T> {
    let threads = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::Failed(format!("cannot start {threads} threads: {e}")))?;
    pool.install(|| job(threads))
}

/// Everything that a run needs before it has a directory.
struct Prepared {
    device: Opened,
    dataset: Dataset,
    parts: Vec<Part>,
    data: Split,
    memory: Estimate,
}

impl Prepared {
    /// Opens the device, reads and divides the data, and refuses a run that needs more than `train.max_memory`.
    fn new(settings: &Settings, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let device = settings.device.open()?;
        if settings.device == DeviceSpec::Auto {
            note(&format!("device auto: using {}", device.spec));
        }
        let program = memory::resident();
        let mut dataset = settings.source.load()?;
        dataset.notes.iter().for_each(|text| note(text));
        let parts = assign(&dataset, &settings.split, settings.seed)?;
        // A split has been made of them; nothing here trains on time.
        dataset.interactions.timestamps = None;
        check_targets(&dataset, settings.refusal())?;
        let data = divided(settings, &dataset, &parts, false)?;
        let cells = data.users().len() * data.items().len();
        if settings.zeros() == Zeros::Data && dataset.layout == Layout::Cells && 2 * data.train.len() < cells {
            note(&format!(
                "solver.kind = \"{}\" takes the {} cells that are not in the training data for zeros; where they are \
                 unknown, as ratings are, use \"als\", or \"hals\" with solver.zeros = \"missing\"",
                settings.solver.name(),
                cells - data.train.len()
            ));
        }
        let sizes = Sizes::of(&data, dataset.interactions.len());
        let memory = memory::of_run(settings, &sizes, program, &device.device)?;
        memory::check(settings, &memory)?;
        Ok(Self { device, dataset, parts, data, memory })
    }
}

/// Version of burn that Cargo.toml asks for.
const BURN_VERSION: &str = "0.22.1";

struct Job<'a, 'o> {
    settings: &'a Settings,
    options: TrainOptions<'o>,
    threads: usize,
}

impl Job<'_, '_> {
    fn run(self) -> Result<Finished> {
        let Prepared { device, dataset, parts, data, .. } = Prepared::new(self.settings, self.options.note)?;
        let directory = self.directory(&dataset, &device)?;
        let config = self.settings.training.clone();
        let evaluator = self.settings.evaluator(&data);
        let selected = self.phase(&directory, &directory, config.clone(), &data, &evaluator, &device)?;
        let best = selected.progress.best.clone();
        let best_epoch = best.as_ref().map_or(selected.progress.epoch, |best| best.epoch);
        let mut seconds = selected.progress.seconds;
        let mut ratings_seen = selected.progress.ratings_seen;
        let (trained, data, evaluator) = if self.settings.refit {
            drop(data);
            let data = divided(self.settings, &dataset, &parts, true)?;
            let evaluator = self.settings.evaluator(&data);
            let config = TrainConfig { epochs: best_epoch, ..config };
            (self.options.note)(&format!(
                "epoch {best_epoch} was best; training again on training and validation ratings"
            ));
            let refit = self.phase(&directory, &directory.refit(), config, &data, &evaluator, &device)?;
            seconds += refit.progress.seconds;
            ratings_seen += refit.progress.ratings_seen;
            (refit, data, evaluator)
        } else {
            (selected.clone(), data, evaluator)
        };
        let num_ratings = dataset.interactions.len();
        let (reachable_error, layout) = (dataset.reachable_error, dataset.layout);
        // Rows that were held out can be made up from the components and recognized, by all their cells.
        let held_out = match self.settings.holds_out_rows() {
            true => held_out_rows(&dataset, &parts, &data),
            false => HeldOutRows::default(),
        };
        drop(dataset);
        let model = &trained.model;
        let test = evaluator.evaluate(model, &device.device, &data.test);
        let train = evaluator.evaluate(model, &device.device, &data.train);
        let mut summary = Summary {
            name: self.settings.name.clone(),
            model: self.settings.model.name.into(),
            solver: self.settings.solver.name().into(),
            device: device.spec.to_string(),
            threads: self.threads,
            seed: self.settings.seed,
            epochs_run: selected.progress.epoch,
            best_epoch,
            refit: self.settings.refit,
            seconds_training: seconds,
            ratings_per_second: ratings_seen as f64 / seconds.max(f64::MIN_POSITIVE),
            peak_memory_bytes: None,
            num_users: data.users().len(),
            num_items: data.items().len(),
            num_ratings,
            train: train.scores,
            validation: best.map(|best| best.scores),
            baselines: baselines(&evaluator, &data),
            reachable_error,
            test_unknown_users: test.unknown(USER),
            test_unknown_items: test.unknown(ITEM),
            test: test.scores,
            views: None,
        };
        let values = self.settings.values();
        let values = ["model", "loss"].map(|section| values.section(section));
        let values = values.iter().flat_map(Values::iter).map(|(path, value)| (path.to_string(), value.clone()));
        let file = ModelFile {
            kind: self.settings.model,
            objective_kind: self.settings.objective_kind,
            values: values.collect(),
            model: trained.model,
            predictor: evaluator.predictor,
            bags: Arc::clone(&data.train.bags),
            entities: data.entities,
            fields: data.fields,
            layout,
            solver: self.settings.solver.name().into(),
            components: self.settings.solver.components(),
            zeros: self.settings.zeros(),
        };
        summary.views = self.views(&directory, &file, &data.train, &held_out)?;
        Seen::of(&data.train, file.users().len()).write(&directory.seen())?;
        file.write(&directory.model())?;
        self.pictures(&directory, &file, summary.reachable_error)?;
        summary.peak_memory_bytes = memory::peak();
        write_json(&directory.summary(), &summary)?;
        Ok(Finished { directory, summary, model: file })
    }

    /// A new run directory with its config and environment, or the one to go on in.
    fn directory(&self, dataset: &Dataset, device: &Opened) -> Result<RunDirectory> {
        let parent = &self.settings.dir;
        let directory = match &self.options.resume {
            Resume::New => {
                let directory = RunDirectory::create(parent, &self.settings.name)?;
                return files::write_bytes(&directory.config(), self.settings.config.to_toml().as_bytes())
                    .and_then(|()| write_json(&directory.environment(), &self.environment(dataset, device)))
                    .map(|()| directory.clone())
                    .inspect_err(|_| {
                        // Without both, it could not even be resumed; the first error is the one worth reporting.
                        let _ = std::fs::remove_dir_all(directory.path());
                    });
            }
            Resume::Newest => RunDirectory::newest(parent, &self.settings.name)?,
            Resume::Run(path) => RunDirectory::open(path)?,
        };
        self.check_same_run(&directory, dataset)?;
        Ok(directory)
    }

    /// Refuses to go on with other settings or data: the result would be neither run's.
    fn check_same_run(&self, directory: &RunDirectory, dataset: &Dataset) -> Result<()> {
        let config = &self.settings.config;
        let began = Config::load(config.schema(), &directory.config(), &[])?;
        let differing = differing_keys(&began, config);
        if !differing.is_empty() {
            return Err(Error::Usage(format!(
                "{}: cannot resume with another {}; resume with the run's own config, or train without --resume",
                directory.path().display(),
                differing.join(", ")
            )));
        }
        directory.check_data(dataset)
    }

    fn environment(&self, dataset: &Dataset, device: &Opened) -> Value {
        let git =
            Command::new("git").args(["rev-parse", "HEAD"]).output().ok().filter(|output| output.status.success());
        json!({
            "lowrank": env!("CARGO_PKG_VERSION"),
            "burn": BURN_VERSION,
            "operating_system": std::env::consts::OS,
            "architecture": std::env::consts::ARCH,
            "processor_features": vector_features(),
            "working_directory_git_commit": git.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()),
            "device": device.spec.to_string(),
            "threads": self.threads,
            "seed": self.settings.seed,
            "data_sha256": dataset.fingerprint,
            "command_line": self.options.command_line,
        })
    }

    /// Trains one model from its start, or from its last checkpoint, in `directory` (of the run `root`).
    fn phase(
        &self,
        root: &RunDirectory,
        directory: &RunDirectory,
        config: TrainConfig,
        data: &Split,
        evaluator: &Evaluator,
        device: &Opened,
    ) -> Result<Trained> {
        let model = self.settings.initial_model(data, evaluator, &device.device)?;
        let epochs = config.epochs;
        let checkpoints = Checkpoints::create(&directory.checkpoints())?;
        let trainer = self.settings.trainer(config, model, device)?;
        let mut trainer = trainer.with_checkpoints(checkpoints).with_stop(self.options.stop);
        if self.options.resume != Resume::New {
            trainer = trainer.resume()?;
        }
        let mut metrics = JsonLines::open(&directory.metrics(), trainer.epochs_done())?;
        let report = &self.settings.report;
        let mut tensorboard = None;
        // A phase that is done has nothing to add to its events.
        if report.tensorboard && !trainer.is_done() {
            let truth = &data.validation.targets;
            let (seconds, seen) = trainer.pace();
            let mut opened = TensorBoard::open(directory.path(), seconds, seen, report.histograms_every, truth)?;
            if seen == 0 {
                opened.text("config", &format!("```toml\n{}\n```", self.settings.config.to_toml()))?;
            }
            tensorboard = Some(opened);
        }
        let mut console = (self.options.observer)(epochs);
        let mut observers: Vec<&mut dyn Observer> = vec![&mut metrics];
        observers.extend(tensorboard.as_mut().map(|observer| observer as &mut dyn Observer));
        observers.extend(console.as_deref_mut().map(|observer| observer as &mut dyn Observer));
        let data = TrainData { train: &data.train, validation: &data.validation, evaluator };
        trainer.fit(data, &mut observers).map_err(|error| match error {
            Error::Interrupted { .. } => {
                Error::Interrupted { resume: format!("lowrank train {} --resume", root.config().display()) }
            }
            error => error,
        })
    }

    /// The training curve, and the item factors for the embedding projector.
    fn pictures(&self, directory: &RunDirectory, file: &ModelFile, reachable: Option<f64>) -> Result<()> {
        let metrics = &self.settings.metrics;
        if let Some(metric) = metrics.find(metrics.watched()) {
            self.curve(directory, &**metric, reachable)?;
        }
        if self.settings.report.projector && self.settings.report.tensorboard {
            let titles = |item: usize| file.title(item).unwrap_or_default();
            let labels: Vec<_> = file.items().ids().enumerate().map(|(item, id)| (id, titles(item))).collect();
            for (name, values) in item_factors(&file.model) {
                projector::write(directory.path(), &name, &labels, values.shape[1], &values.data)?;
            }
        }
        Ok(())
    }

    /// The curves of a metric over the epochs, and what nobody can beat, which is a root mean squared error.
    fn curve(&self, directory: &RunDirectory, metric: &dyn Metric, reachable: Option<f64>) -> Result<()> {
        let mut series = curves(&directory.metrics(), metric.name())?;
        let last_epoch = series.iter().flat_map(|series| series.points.last()).map(|point| point.0).fold(0.0, f64::max);
        if last_epoch > 0.0 {
            if let Some(reachable) = reachable.filter(|_| metric.name() == Rmse.name()) {
                let points = vec![(1.0, reachable), (last_epoch, reachable)];
                series.push(plot::Series { name: "reachable".into(), points });
            }
            let title = format!("{}: {}", self.settings.name, self.settings.model.name);
            let picture = plot::curves(&title, "epoch", &metric.label(), &series).png()?;
            files::write_bytes(&directory.curve(), &picture.bytes)?;
        }
        Ok(())
    }
}

impl Job<'_, '_> {
    /// What the factors are looked at by, as files and in TensorBoard.
    fn views(
        &self,
        directory: &RunDirectory,
        file: &ModelFile,
        train: &Interactions,
        held_out: &HeldOutRows,
    ) -> Result<Option<Views>> {
        let Some(fitted) = Fitted::of(file).filter(|fitted| !fitted.has_user_biases) else { return Ok(None) };
        let factors = fitted.factors();
        // Any rotation of other factors of users and items is as good: there is nothing in them to look at.
        if factors.layout == Layout::Cells && !factors.non_negative && factors.singular_values.is_none() {
            return Ok(None);
        }
        let num_items = file.items().len();
        let mut rows = vec![0.0; held_out.ids.len() * num_items];
        for (row, cells) in rows.chunks_exact_mut(num_items.max(1)).zip(&held_out.cells) {
            cells.iter().for_each(|&(item, value)| row[item as usize] = value);
        }
        let held_out = (!held_out.ids.is_empty()).then_some(views::HeldOut { ids: &held_out.ids, rows: &rows });
        let views = views::views(&factors, train, held_out, directory.path())?;
        if self.settings.report.tensorboard {
            EventFile::append(directory.path())?.pictures(views::pictures(&views.files))?;
        }
        Ok(Some(views))
    }
}

/// The factors of items, by parameter name.
fn item_factors(model: &AnyModel) -> Vec<(String, HostTensor)> {
    let tables = model.tables().into_iter();
    let of_items = tables.filter(|table| table.group().kind == TableKind::Factors && table.is_indexed_by(ITEM));
    let ids: Vec<ParamId> = of_items.map(|table| table.rows.id).collect();
    let mut found = Vec::new();
    model.visit(None, &mut |Visited { name, id, shape, rows, .. }| {
        if ids.contains(&id) {
            found.push((name, HostTensor { shape, data: to_vec(rows) }));
        }
    });
    found
}

/// Trivial baselines on the split that the result is judged by.
fn baselines(evaluator: &Evaluator, data: &Split) -> Option<Baselines> {
    let splits = [("test", &data.test), ("validation", &data.validation), ("train", &data.train)];
    let (split, interactions) = splits.into_iter().find(|(_, interactions)| !interactions.is_empty())?;
    let [global_mean, biases] = evaluator.predictor.baselines(interactions, &evaluator.metrics);
    Some(Baselines { split: split.into(), global_mean: global_mean.scores()?, biases: biases.scores()? })
}

/// Keys that decide the result and have another value in `b` than in `a`.
fn differing_keys(a: &Config, b: &Config) -> Vec<String> {
    const DECISIVE: [Effect; 5] = [Effect::Name, Effect::Refit, Effect::Pairing, Effect::Data, Effect::Result];
    let (a, b): (Vec<_>, Vec<_>) = (a.values_with(&DECISIVE).collect(), b.values_with(&DECISIVE).collect());
    let differing = a.iter().filter(|value| !b.contains(value)).chain(b.iter().filter(|value| !a.contains(value)));
    let mut keys: Vec<String> = differing.map(|(key, _)| key.to_string()).collect();
    keys.sort();
    keys.dedup();
    keys
}

pub(super) fn write_json(path: &std::path::Path, value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Failed(format!("{}: {e}", path.display())))?;
    files::write_bytes(path, (text + "\n").as_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_recorded_version_of_burn_is_the_one_that_is_built() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(manifest.contains(&format!("burn = {{ version = \"={}\"", super::BURN_VERSION)));
    }
}
