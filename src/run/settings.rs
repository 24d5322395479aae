//! The settings of a config, as the types of the parts that they configure.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;

use super::parts::Parts;
use super::segments::SegmentOptions;
use super::start_from::StartFrom;
use crate::config::{Config, Effect, Key, KeyKind, Keys, Problem, Schema, Values};
use crate::data::split::{Split, SplitKind, SplitSpec};
use crate::data::{CellForm, Context, Dataset, Features, Frame, ITEM, Interactions, Source, USER};
use crate::device::{DeviceSpec, Opened};
use crate::error::{Error, Result};
use crate::eval::{Baseline, Evaluator, Predictor};
use crate::metric::{Metric, Metrics, Needs};
use crate::model::{AnyModel, ModelKind, START_FROM, Start, names_where};
use crate::objective::{Objective, ObjectiveKind};
use crate::report::ReportOptions;
use crate::solver::nmf::Zeros;
use crate::solver::{self, Predictions, Setup, SolverPart};
use crate::train::{TrainConfig, Trainer, needs_validation};

/// All settings of a config.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The config itself, from which the parts read their own keys.
    pub config: Config,
    /// Name of the runs: their directories are `<name>-<n>`.
    pub name: String,
    /// The seed of all random draws.
    pub seed: u64,
    /// The model.
    pub model: ModelKind,
    /// The kind of objective.
    pub objective_kind: ObjectiveKind,
    /// Trained models that the model starts from.
    pub start_from: StartFrom,
    /// The objective to minimize.
    pub objective: Arc<dyn Objective>,
    /// The solver.
    pub solver: Arc<dyn SolverPart>,
    /// The metrics to compute.
    pub metrics: Metrics,
    /// Where data come from.
    pub source: Source,
    /// How they are divided.
    pub split: SplitSpec,
    /// How long to train.
    pub training: TrainConfig,
    /// Whether predictions are clipped to the range of the training ratings.
    pub clip: bool,
    /// Interactions of at least this value are relevant in ranked lists; all if absent.
    pub relevant_from: Option<f32>,
    /// Whether the chosen model is retrained on training and validation ratings.
    pub refit: bool,
    /// How customers are put in segments, if the data are purchases.
    pub(super) segments: Option<SegmentOptions>,
    /// What is reported.
    pub report: ReportOptions,
    /// The folder of run directories.
    pub dir: PathBuf,
    /// Where to compute.
    pub device: DeviceSpec,
    /// CPU threads; 0 takes all cores.
    pub threads: usize,
    /// Gigabytes: a run that needs more is rejected.
    pub max_memory: Option<f64>,
}

/// The entities of a config: users, items, context columns and features.
fn entities(values: &Values) -> Vec<String> {
    let context = Context::names(values);
    let features = Features::of(values);
    let features = features.iter().flat_map(Features::names).map(String::from);
    ["user", "item"].map(Into::into).into_iter().chain(context).chain(features).collect()
}

impl Parts {
    /// The keys that a config can have.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::new(Settings::schema(self))
    }
}

impl Settings {
    fn schema(parts: &Parts) -> Schema {
        let clip = "Clip predictions to the range of the training ratings.";
        let keys = Self::own_keys()
            .and(parts.data_keys())
            .and(SplitSpec::keys())
            .and(parts.model_keys())
            .and(parts.objective_keys())
            .and(solver::keys(&parts.solvers, &parts.models))
            .and(Self::machine_keys())
            .and(TrainConfig::keys(&parts.metrics))
            .and(Self::patience_rule(parts))
            .and(Self::refit_keys())
            .and(parts.metric_keys())
            .and(Key::new("evaluation.clip", KeyKind::Bool, clip).default("true"))
            .and(SegmentOptions::keys(names_where(&parts.models, |model| model.is_dot_product)))
            .and(ReportOptions::keys())
            .and(
                Key::new(
                    "run.dir",
                    KeyKind::Text,
                    "The folder that run directories are made in, as seen from the current folder.",
                )
                .default("'runs'")
                .effect(Effect::Nothing),
            );
        Schema::new(keys, entities, "lowrank config explain")
    }

    fn own_keys() -> Keys {
        let seed = Key::new("seed", KeyKind::Int(0..=i64::MAX), "Seed of all random draws: same seed, same result.");
        let name = Key::new("name", KeyKind::Name, "Name of the runs: their directories are <name>-<n>.");
        Keys::new([name.default_of_file().effect(Effect::Name), seed.default("42").effect(Effect::Pairing)])
    }

    fn machine_keys() -> Keys {
        let device = "Where to compute: auto, cpu, ndarray, wgpu or cuda, if built in; wgpu:1 is the second GPU.";
        let threads = "CPU threads; 0 takes all cores. It never changes the result.";
        let memory = "Gigabytes (10⁹ bytes): a run that needs more, as estimated once the data are read, is rejected.";
        Keys::new([
            Key::new("train.device", KeyKind::Text, device).default("'auto'"),
            Key::new("train.threads", KeyKind::Int(0..=4096), threads).default("0"),
            Key::new("train.max_memory", KeyKind::POSITIVE, memory),
        ])
        .effect(Effect::Nothing)
    }

    fn refit_keys() -> Keys {
        let refit = "Retrain on training and validation, for the number of epochs that was best.";
        let refit = Key::new("train.refit", KeyKind::Bool, refit).default("false").effect(Effect::Refit);
        Keys::from(refit).rule(|values| {
            let problem = needs_validation(values, "train.refit", "false");
            problem.filter(|_| values.get("train.refit")).into_iter().collect()
        })
    }

    /// Nothing is to be waited for if the watched metric cannot tell.
    fn patience_rule(parts: &Parts) -> Keys {
        const PATIENCE: &str = "train.early_stopping.patience";
        let parts = parts.clone();
        Keys::default().rule(move |values| {
            let solver = parts.find_solver(&values.get::<String>("solver.kind"));
            let objective = parts.find_objective(&values.get::<String>("loss.kind"));
            let metric = parts.metrics.find(&values.get::<String>("train.early_stopping.metric"));
            let only_ranks = objective.and_then(|kind| kind.make(values).ok()).is_some_and(|made| made.only_ranks());
            let why_last = |(solver, metric): (&Arc<dyn SolverPart>, Arc<dyn Metric>)| {
                why_last(&**solver, only_ranks, values, &*metric)
            };
            let reason = solver.zip(metric).and_then(why_last);
            let problem = |reason| Problem::new([PATIENCE], format!("{PATIENCE} waits in vain: {reason}; set it to 0"));
            // Without a validation part there is another reason, which is told elsewhere.
            let is_waiting = values.get::<u64>(PATIENCE) > 0 && SplitSpec::without_validation(values).is_none();
            reason.filter(|_| is_waiting).map(problem).into_iter().collect()
        })
    }

    /// The settings of a config whose schema is that of `parts`.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown device, and for a part that is not among `parts` or cannot be created.
    pub fn of(config: &Config, parts: &Parts) -> Result<Self> {
        let values = config.values();
        let missing = |key: &str| Error::Usage(format!("{key} names a part that this program does not have"));
        let names: Vec<String> = values.get("evaluation.metrics");
        let metrics = names.iter().filter_map(|name| parts.metrics.find(name));
        let metrics = Metrics(metrics.map(|kind| kind.of_config(values).unwrap_or_else(|| kind.clone())).collect());
        let kind = |key: &str| values.get::<String>(key);
        let solver = parts.find_solver(&kind("solver.kind")).ok_or_else(|| missing("solver.kind"))?.clone();
        let mut training = TrainConfig::of(values, &metrics)?;
        let objective_kind = *parts.find_objective(&kind("loss.kind")).ok_or_else(|| missing("loss.kind"))?;
        let objective = objective_kind.make(values)?;
        let metric = &*training.early_stopping.metric;
        training.early_stopping.keeps_last = why_last(&*solver, objective.only_ranks(), values, metric).is_some();
        Ok(Self {
            name: values.get("name"),
            seed: values.get("seed"),
            model: *parts.find_model(&kind("model.kind")).ok_or_else(|| missing("model.kind"))?,
            start_from: StartFrom::of(values, parts),
            objective_kind,
            objective,
            solver,
            source: Source::of(values, &parts.readers),
            split: SplitSpec::of(values),
            training,
            metrics,
            clip: values.get("evaluation.clip"),
            relevant_from: values.find("evaluation.relevant_from"),
            refit: values.get("train.refit"),
            segments: SegmentOptions::of(values),
            report: ReportOptions::of(values),
            dir: values.get("run.dir"),
            device: values.get::<String>("train.device").parse()?,
            threads: values.get("train.threads"),
            max_memory: values.find("train.max_memory"),
            config: config.clone(),
        })
    }

    /// The values of `[model]` and `[loss]`, which a model is made of.
    pub(super) fn model_values(&self) -> Values {
        let sections = ["model", "loss"].map(|section| self.values().section(section));
        // What a model started from is no part of it.
        let values = sections.iter().flat_map(Values::iter).filter(|(path, _)| *path != START_FROM);
        values.map(|(path, value)| (path.to_string(), value.clone())).collect()
    }

    /// The value of every key.
    pub fn values(&self) -> &Values {
        self.config.values()
    }

    /// Whether whole rows are held out, which training does not see.
    pub fn holds_out_rows(&self) -> bool {
        matches!(self.split.kind, SplitKind::FirstOfClass { .. })
    }

    /// Whether the undivided data are needed once more after the first division.
    pub(super) fn divides_again(&self) -> bool {
        self.refit || self.holds_out_rows() || self.split.given().is_some()
    }

    /// Which targets model, objective or solver have no meaning for, and what to do.
    pub fn refusal(&self) -> impl Fn(f32) -> Option<String> + use<> {
        let (solver, objective) = (self.solver.refusal(self.values()), self.objective.clone());
        // With a link, predictions are not the sums themselves.
        let is_sum_of_parts = self.model.declaration.is_sum_of_parts() && !objective.has_link();
        let model = self.model.name;
        move |target| {
            let of_model = (is_sum_of_parts && target < 0.0)
                .then(|| format!("{model} makes sums of what is at least 0; use model.kind = \"mf\" or \"biased-mf\""));
            of_model.or_else(|| solver(target).or_else(|| objective.refuses(target)).map(Into::into))
        }
    }

    /// What predictions are.
    pub fn predictions(&self) -> Predictions {
        match self.objective.only_ranks() {
            true => Predictions::Order,
            false => self.solver.predictions(self.values()),
        }
    }

    /// Why the last epoch is kept rather than the best, if it is.
    pub fn why_last(&self) -> Option<String> {
        why_last(&*self.solver, self.objective.only_ranks(), self.values(), &*self.training.early_stopping.metric)
    }

    /// How the solver treats cells that are not in the data.
    pub fn zeros(&self) -> Zeros {
        self.solver.zeros(self.values())
    }

    /// What predictions depend on beside the model, and their metrics.
    pub fn evaluator(&self, data: &Split) -> Evaluator {
        let frame = data.frame();
        let baseline = match self.predictions() {
            Predictions::Targets => Baseline::fit(&data.train, &frame),
            // Of an id without an interaction there is no sign of a preference.
            Predictions::Preferences | Predictions::Order => Baseline::constant(0.0, &frame),
        };
        let clip = self.clip.then(|| data.train.range()).flatten();
        let predictor = Predictor { objective: self.objective.clone(), clip, baseline };
        let [users, items] = [data.users().len(), data.items().len()];
        let seen = self.metrics.longest_list().map(|_| data.met([&data.train]));
        Evaluator::of_trained(predictor, self.metrics.clone(), seen, [users, items])
            .with_relevant_from(self.relevant_from)
    }

    /// The model with its initial parameters.
    ///
    /// # Errors
    /// Those of the model, and [`Error::Usage`] if it cannot start from the trained ones that the config names.
    pub fn initial_model(&self, data: &Split, evaluator: &Evaluator, device: &Device) -> Result<AnyModel> {
        let Predictor { objective, baseline, .. } = &evaluator.predictor;
        let mut frame = data.frame();
        for features in Features::of(self.values()) {
            let entity = frame[features.role.field()].entity;
            frame.entities[entity].by_features_alone = features.identity_dropout == 1.0;
        }
        for field in data.fields.iter().filter(|field| field.form.as_ref().is_some_and(CellForm::is_summed)) {
            frame.entities[field.entity].by_features_alone = true;
        }
        // Preferences start from the targets, too; an order starts from nothing.
        let of_targets = (self.predictions() == Predictions::Preferences).then(|| Baseline::fit(&data.train, &frame));
        let baseline = of_targets.as_ref().unwrap_or(baseline);
        let of_scores = self.baseline_of_scores(&data.train, &frame);
        // Offsets of ratings are offsets of scores only if the two are the same.
        let offsets = match (&of_scores, objective.has_link()) {
            (Some(of_scores), _) => [&of_scores.user_offsets[..], &of_scores.item_offsets[..]],
            (None, true) => [&[][..], &[][..]],
            (None, false) => [&baseline.user_offsets[..], &baseline.item_offsets[..]],
        };
        let mean_score = of_scores.as_ref().map_or(objective.score(baseline.global_mean), |of| of.global_mean);
        let start = Start { frame: &frame, mean_score, offsets, seed: Some(self.seed), device };
        let model = self.model.init(self.values(), &start)?;
        self.start_from.started(&self.model, model, &data.entities, &start)
    }

    /// Damped means of the scores at which ratings have no loss, for a loss that is a weighted square of the distance to them.
    fn baseline_of_scores(&self, train: &Interactions, frame: &Frame) -> Option<Baseline> {
        let loss = self.objective.pointwise()?;
        let targets: Option<Vec<f32>> =
            train.targets.iter().map(|&rating| Some(loss.as_weighted_square(rating)?.0)).collect();
        targets.map(|targets| {
            let (columns, bags) = (train.columns.clone(), Arc::clone(&train.bags));
            Baseline::fit(&Interactions { columns, targets, weights: None, timestamps: None, bags }, frame)
        })
    }

    /// Training of `model` with the solver, for as long as `training` says.
    ///
    /// # Errors
    /// Those of creating the solver.
    pub fn trainer<'a>(&self, training: TrainConfig, model: AnyModel, device: &Opened) -> Result<Trainer<'a>> {
        let setup = Setup { objective: self.objective.clone(), seed: self.seed, device: &device.device };
        let solver = self.solver.build(self.values(), &setup)?;
        Ok(Trainer::new(training, solver, model, device.clone()))
    }
}

/// Why `metric` on the validation part cannot choose the epoch of a model that `solver` trains, for an objective that only
/// ranks or one that does not, if it cannot.
fn why_last(solver: &dyn SolverPart, only_ranks: bool, values: &Values, metric: &dyn Metric) -> Option<String> {
    if metric.needs().list_length().is_some() || only_ranks && metric.needs() == Needs::Order {
        return None;
    }
    let (name, label) = (solver.name(), metric.label());
    if only_ranks {
        return Some(format!("its scores only put items in order, and {label} would compare them with targets"));
    }
    if solver.predictions(values) == Predictions::Preferences {
        return Some(format!("its scores are preferences near 0 to 1, which {label} would compare with counts"));
    }
    let reason =
        format!("solver.kind = {name:?} takes held-out cells for zeros, which a better fit makes {label} worse on");
    (solver.zeros(values) == Zeros::Data).then_some(reason)
}

/// Refuses targets for which `refuses` has a remedy.
///
/// # Errors
/// What `error_at` the position of the first such target makes of the remedy.
pub fn check_targets<R: Display>(
    dataset: &Dataset,
    refuses: impl Fn(f32) -> Option<R>,
    error_at: impl Fn(usize, String) -> Error,
) -> Result<()> {
    let interactions = &dataset.interactions;
    let (user_noun, item_noun) = dataset.layout.nouns();
    for (at, &value) in interactions.targets.iter().enumerate() {
        if let Some(remedy) = refuses(value) {
            let user = dataset.users().id(interactions.column(USER)[at] as usize);
            let item = dataset.items().id(interactions.column(ITEM)[at] as usize);
            let message = format!("the rating {value} of {user_noun} {user} for {item_noun} {item}: {remedy}");
            return Err(error_at(at, message));
        }
    }
    Ok(())
}
