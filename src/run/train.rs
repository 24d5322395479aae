//! One run of training, from a config to a directory.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::among::{Ranked, among_candidates};
use super::chosen::chosen;
use super::directory::RunDirectory;
use super::doubts;
use super::fold_in::TestedUsers;
use super::links;
use super::memory;
use super::model_file::ModelFile;
use super::parts::Parts;
use super::prepared::{Prepared, divided, held_out_cells, with_threads};
use super::seen_items::SeenItems;
use super::settings::Settings;
use super::shown::{self, Beside};
use super::summary::{Baselines, Summary};
use super::train_options::{Resume, TrainOptions};
use crate::config::{Config, Effect};
use crate::data::read::read_candidates;
use crate::data::split::{HeldOutRows, NewRows, Part, Split, held_out_rows};
use crate::data::{Dataset, ITEM, Interactions, Layout, Role, USER};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::eval::{Evaluation, Evaluator};
use crate::files::{self, Lock};
use crate::linalg::processor::vector_features;
use crate::model::summed;
use crate::report::{JsonLines, TensorBoard};
use crate::solver::Predictions;
use crate::train::{Checkpoints, Observer, TrainConfig, TrainData, Trained, Trainer};

/// A finished run.
pub struct Finished {
    /// The run directory.
    pub directory: RunDirectory,
    /// The result.
    pub summary: Summary,
    /// The model.
    pub model: ModelFile,
}

/// Trains, evaluates and writes all results.
///
/// # Errors
/// Those of data, device, training and files. A failed run leaves its directory as far as it got; a run refused or stopped
/// before its first step leaves none. A directory in which another process trains is refused.
pub fn train(config: &Config, parts: &Parts, mut options: TrainOptions) -> Result<Finished> {
    let settings = Settings::of(config, parts)?;
    with_threads(&settings, |threads| {
        let chosen = chosen(&settings, parts, &mut options)?;
        Job { settings: chosen.as_ref().unwrap_or(&settings), parts, options, threads }.run()
    })
}

/// Version of burn in Cargo.toml.
const BURN_VERSION: &str = "0.22.1";

struct Job<'a, 'o> {
    settings: &'a Settings,
    parts: &'a Parts,
    options: TrainOptions<'o>,
    threads: usize,
}

impl Job<'_, '_> {
    fn run(mut self) -> Result<Finished> {
        let Prepared { device, mut dataset, parts, data, doubts, .. } =
            Prepared::new(self.settings, self.options.note)?;
        (self.options.loaded)();
        if self.options.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted { resume: "the same command".into() });
        }
        if let Some(path) = self.settings.values().find::<PathBuf>("evaluation.candidates") {
            // What is wrong with it is said before training.
            read_candidates(&path, data.users(), data.items())?;
        }
        let num_ratings = dataset.interactions.len();
        if !self.settings.divides_again() {
            dataset.interactions = Interactions::default();
        }
        let config = self.settings.training.clone();
        let evaluator = self.settings.evaluator(&data);
        let trainer = self.trainer(config.clone(), &data, &evaluator, &device)?;
        let (directory, _owned) = self.directory(&dataset, &device)?;
        if dataset.layout == Layout::Graph {
            links::write_held_out(&directory, &data)?;
        }
        let (selected, mut has_trained) =
            self.phase(&directory, &directory, config.epochs, trainer, &data, &evaluator)?;
        let best = selected.progress.best.clone();
        let best_epoch = best.as_ref().map_or(selected.progress.epoch, |best| best.epoch);
        let mut seconds = selected.progress.seconds;
        let mut ratings_seen = selected.progress.ratings_seen;
        let (trained, data, evaluator) = if self.settings.refit {
            drop(data);
            let data = divided(self.settings, &dataset, &parts, true)?;
            let evaluator = self.settings.evaluator(&data);
            let config = TrainConfig { epochs: best_epoch, ..config };
            (self.options.note)(&format!("epoch {best_epoch} was best; retraining on training and validation ratings"));
            let trainer = self.trainer(config, &data, &evaluator, &device)?;
            let (refit, has_refitted) =
                self.phase(&directory, &directory.refit(), best_epoch, trainer, &data, &evaluator)?;
            has_trained |= has_refitted;
            seconds += refit.progress.seconds;
            ratings_seen += refit.progress.ratings_seen;
            (refit, data, evaluator)
        } else {
            (selected.clone(), data, evaluator)
        };
        let (reachable_error, layout) = (dataset.reachable_error, dataset.layout);
        // Held-out rows can be reconstructed from the components and recognized, by all their cells.
        let held_out = match self.settings.holds_out_rows() {
            true => held_out_rows(&dataset, &parts, &data),
            false => HeldOutRows::default(),
        };
        // Whole users are held out: what the model is told and asked about them is found by their own ids.
        let new_users = self.settings.split.given().map(|share| {
            let is_test = |at: usize| parts[at] == Part::Test;
            let model = (&data.entities[..], &data.fields[..]);
            NewRows::of(&dataset, Role::User, is_test, model, share, self.settings.seed)
        });
        let new_users = new_users.transpose()?;
        let purchases = dataset.purchases_among(&data.entities, &data.fields);
        drop(dataset);
        let kind = &self.settings.model;
        let sum = summed(kind, &self.settings.model_values(), &trained.model, &data.frame(), &data.train.bags)?;
        let model = sum.as_ref().unwrap_or(&trained.model);
        let test = match &new_users {
            None => evaluator.evaluate(model, &device.device, &data.test),
            Some(_) => Evaluation::default(),
        };
        let train = evaluator.evaluate(model, &device.device, &data.train);
        let met = || data.met([&data.train, &data.test]);
        let ranked = Ranked { test: &data.test, met: &met, ids: [data.users(), data.items()] };
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
            test_among_candidates: among_candidates(self.settings, &evaluator, model, &device.device, ranked)?,
            baselines: self.baselines(&evaluator, &data, new_users.is_some()),
            reachable_error,
            test_unknown_users: test.unknown(USER),
            test_unknown_items: test.unknown(ITEM),
            test_cold_users: data.test.count_cold(USER, data.entity(USER)),
            test_cold_items: data.test.count_cold(ITEM, data.entity(ITEM)),
            test: test.scores,
            doubts,
            views: None,
        };
        if layout == Layout::Graph {
            self.compare_links(&mut summary, &data)?;
        }
        let seen = SeenItems::of(&data);
        let declaration = self.settings.model.declaration;
        let settled = self.settings.solver.settled(self.settings.values(), declaration, &data.train).section("solver");
        let has_held_out_cells = held_out_cells(&data) > 0;
        let (model, by_features) = match sum {
            Some(sum) => (sum, Some(trained.model)),
            None => (trained.model, None),
        };
        let file = ModelFile {
            kind: self.settings.model,
            objective_kind: self.settings.objective_kind,
            values: self.settings.model_values(),
            model,
            by_features,
            predictor: evaluator.predictor.clone(),
            bags: Arc::clone(&data.train.bags),
            entities: data.entities,
            fields: data.fields,
            layout,
            solver: self.settings.solver.name().into(),
            components: self.settings.solver.components(),
            zeros: self.settings.zeros(),
            predictions: self.settings.predictions(),
            settled,
        };
        if let Some(new) = new_users {
            let tested = TestedUsers::new(&file, &evaluator, new, &device.device, self.parts)?;
            let test = tested.evaluate(&device.device);
            summary.test_unknown_users = test.unknown(USER);
            summary.test_unknown_items = test.unknown(ITEM);
            summary.test = test.scores;
            summary.baselines = self.baselines_on(&tested.evaluator, "test", &tested.asked, file.fields[ITEM.0].entity);
        }
        summary.views = shown::views(self.settings, &directory, &file, &data.train, &held_out)?;
        summary.doubts.extend(doubts::of_result(self.settings, &summary, has_held_out_cells));
        seen.write(&directory.seen())?;
        file.write(&directory.model())?;
        shown::pictures(self.settings, &directory, &file, summary.reachable_error)?;
        let held_out = [("test", &data.test), ("validation", &data.validation)];
        let purchases = purchases.as_ref();
        let beside = Beside { seen: &seen, purchases, train: &data.train, held_out, device: &device.device };
        shown::of_data(self.settings, &directory, &file, beside, &mut summary)?;
        summary.peak_memory_bytes = memory::peak();
        // A summary that cannot be read is written anew.
        if let Some(earlier) = Summary::read(&directory.summary()).ok().filter(|_| !has_trained) {
            summary.keep_measurements(earlier);
        }
        write_json(&directory.summary(), &summary)?;
        Ok(Finished { directory, summary, model: file })
    }

    /// Trivial baselines on the split that the result is judged by; those on a test part of new users need what is given.
    fn baselines(&self, evaluator: &Evaluator, data: &Split, tests_new_users: bool) -> Option<Baselines> {
        let splits = [("test", &data.test), ("validation", &data.validation), ("train", &data.train)];
        let (split, interactions) = splits.into_iter().find(|(_, interactions)| !interactions.is_empty())?;
        if tests_new_users {
            None
        } else {
            self.baselines_on(evaluator, split, interactions, data.fields[ITEM.0].entity)
        }
    }

    /// Trivial baselines on these interactions, whose items are of the entity `items`.
    fn baselines_on(
        &self,
        evaluator: &Evaluator,
        split: &str,
        interactions: &Interactions,
        items: usize,
    ) -> Option<Baselines> {
        // Counts are in another unit than preferences.
        let are_comparable = self.settings.predictions() == Predictions::Targets;
        let tallies = are_comparable.then(|| evaluator.predictor.baselines(interactions, &evaluator.metrics));
        let [global_mean, biases] = tallies.map_or([None, None], |tallies| tallies.map(|tally| tally.scores()));
        let [popularity, item_knn] = [evaluator.popularity(interactions), evaluator.item_knn(interactions)];
        let content = evaluator.content(interactions, items);
        let split = split.into();
        let baselines = Baselines { split, global_mean, biases, popularity, item_knn, content, links: Vec::new() };
        let has_some = baselines.named().next().is_some();
        has_some.then_some(baselines)
    }

    /// Puts what classical scores of links reach beside the other baselines.
    fn compare_links(&self, summary: &mut Summary, data: &Split) -> Result<()> {
        let parts = [("test", &data.test), ("validation", &data.validation)];
        let Some((split, pairs)) = parts.into_iter().find(|(_, part)| !part.is_empty()) else { return Ok(()) };
        let links = links::classical(data, &self.settings.metrics, pairs)?;
        if !links.is_empty() {
            let none = || Baselines { split: split.into(), ..Baselines::default() };
            summary.baselines.get_or_insert_with(none).links = links;
        }
        Ok(())
    }

    /// A new run directory with its config and environment, or the one to go on in; it is this process's as long as the
    /// lock is there.
    fn directory(&mut self, dataset: &Dataset, device: &Opened) -> Result<(RunDirectory, Lock)> {
        let parent = &self.settings.dir;
        let directory = match &self.options.resume {
            Resume::New => {
                let directory = RunDirectory::create(parent, &self.settings.name)?;
                let begin = || {
                    let lock = directory.own()?;
                    files::write_bytes(&directory.config(), self.settings.config.to_toml().as_bytes())?;
                    write_json(&directory.environment(), &self.environment(dataset, device))?;
                    Ok(lock)
                };
                let lock = begin().inspect_err(|_| {
                    // Without both files it could not even be resumed; the first error is the one worth reporting.
                    let _ = std::fs::remove_dir_all(directory.path());
                })?;
                return Ok((directory, lock));
            }
            Resume::Newest => RunDirectory::newest(parent, &self.settings.name, self.options.note)?,
            Resume::Run(path) => RunDirectory::open(path)?,
        };
        let lock = directory.own()?;
        self.check_same_run(&directory, dataset)?;
        Ok((directory, lock))
    }

    /// Refuses to continue with other settings or data: the result would belong to neither run.
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

    fn trainer(
        &self,
        config: TrainConfig,
        data: &Split,
        evaluator: &Evaluator,
        device: &Opened,
    ) -> Result<Trainer<'static>> {
        let model = self.settings.initial_model(data, evaluator, &device.device)?;
        self.settings.trainer(config, model, device)
    }

    /// Trains one model for so many epochs from its start, or from its last checkpoint, in `directory` (of the run
    /// `root`). Says whether there was anything left to train.
    fn phase(
        &self,
        root: &RunDirectory,
        directory: &RunDirectory,
        epochs: u64,
        trainer: Trainer,
        data: &Split,
        evaluator: &Evaluator,
    ) -> Result<(Trained, bool)> {
        let checkpoints = Checkpoints::create(&directory.checkpoints())?;
        let mut trainer = trainer.with_checkpoints(checkpoints).with_stop(self.options.stop);
        if self.options.resume != Resume::New {
            trainer = trainer.resume()?;
        }
        let mut metrics = JsonLines::open(&directory.metrics(), trainer.epochs_done())?;
        let report = &self.settings.report;
        let mut tensorboard = None;
        // A phase that is done has nothing to add to its events.
        let has_work = !trainer.is_done();
        if report.tensorboard && has_work {
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
        let trained = trainer.fit(data, &mut observers).map_err(|error| match error {
            Error::Interrupted { .. } => {
                Error::Interrupted { resume: format!("lowrank train {} --resume", root.config().display()) }
            }
            error => error,
        })?;
        Ok((trained, has_work))
    }
}

/// Keys that affect the result and differ between `a` and `b`.
fn differing_keys(a: &Config, b: &Config) -> Vec<String> {
    const DECISIVE: [Effect; 6] =
        [Effect::Name, Effect::Refit, Effect::Pairing, Effect::Data, Effect::Input, Effect::Result];
    let (a, b): (Vec<_>, Vec<_>) = (a.deciding(&DECISIVE).collect(), b.deciding(&DECISIVE).collect());
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
