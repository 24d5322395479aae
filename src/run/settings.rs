//! What a config says, as the types of the parts that it is for.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use burn::tensor::Device;

use crate::config::{Config, Effect, Key, KeyKind, Keys, Schema, Values};
use crate::data::split::{Split, SplitKind, SplitSpec};
use crate::data::{Dataset, Source};
use crate::device::DeviceSpec;
use crate::error::{Error, Result};
use crate::eval::{Baseline, Predictor};
use crate::loss::{Loss, PointwiseLoss};
use crate::model::{AnyModel, ModelConfig, Start};
use crate::report::ReportOptions;
use crate::solver::Method;
use crate::solver::nmf::Zeros;
use crate::train::{TrainConfig, needs_validation};

/// All of a config.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Runs are kept as `<name>-<n>`.
    pub name: String,
    /// All random draws follow from it.
    pub seed: u64,
    /// `model.kind`.
    pub model_kind: String,
    /// `solver.kind`.
    pub solver_kind: String,
    /// Where data come from.
    pub source: Source,
    /// How they are divided.
    pub split: SplitSpec,
    /// What predicts.
    pub model: ModelConfig,
    /// How to train, on what objective.
    pub training: TrainConfig,
    /// Whether predictions are limited to the range of the training ratings.
    pub clip: bool,
    /// Whether the chosen model is trained again on training and validation ratings.
    pub refit: bool,
    /// What is shown.
    pub report: ReportOptions,
    /// The folder that run directories are made in.
    pub dir: PathBuf,
    /// Where to compute.
    pub device: DeviceSpec,
    /// CPU threads; 0 takes all cores.
    pub threads: usize,
    /// Gigabytes: a run that needs more is refused.
    pub max_memory: Option<f64>,
}

/// The keys of a config of this program.
pub fn schema() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Settings::schema()));
    Arc::clone(&SCHEMA)
}

/// What every config has: users and items.
fn entities(_: &Values) -> Vec<String> {
    ["user", "item"].map(Into::into).to_vec()
}

impl Settings {
    fn schema() -> Schema {
        let clip = "Limit predictions to the range of the training ratings.";
        let keys = Self::own_keys()
            .and(Source::keys())
            .and(SplitSpec::keys())
            .and(ModelConfig::keys())
            .and(Loss::keys())
            .and(Method::keys(&ModelConfig::declared()))
            .and(Self::machine_keys())
            .and(TrainConfig::keys())
            .and(Self::refit_keys())
            .and(Key::new("evaluation.clip", KeyKind::Bool, clip).default("true"))
            .and(ReportOptions::keys())
            .and(
                Key::new("run.dir", KeyKind::Text, "The folder that run directories are made in.")
                    .default("'runs'")
                    .effect(Effect::Nothing),
            );
        Schema::new(keys, entities, "lowrank config explain")
    }

    fn own_keys() -> Keys {
        let seed =
            Key::new("seed", KeyKind::Int(0..=i64::MAX), "All random draws follow from it: same seed, same result.");
        let name = Key::new("name", KeyKind::Name, "Runs are kept as <name>-<n>.");
        Keys::new([name.default_of_file().effect(Effect::Name), seed.default("42").effect(Effect::Pairing)])
    }

    fn machine_keys() -> Keys {
        let device =
            "Where to compute: auto, cpu, ndarray, wgpu or cuda, as far as built in; wgpu:1 is the second GPU.";
        let threads = "CPU threads; 0 takes all cores. It never changes the result.";
        let memory = "Gigabytes (10⁹ bytes): a run that needs more, as estimated once the data are read, is refused.";
        Keys::new([
            Key::new("train.device", KeyKind::Text, device).default("'auto'"),
            Key::new("train.threads", KeyKind::Int(0..=4096), threads).default("0"),
            Key::new("train.max_memory", KeyKind::POSITIVE, memory),
        ])
        .effect(Effect::Nothing)
    }

    fn refit_keys() -> Keys {
        let refit = "Train again, on training and validation, for as many epochs as were best.";
        let refit = Key::new("train.refit", KeyKind::Bool, refit).default("false").effect(Effect::Refit);
        Keys::from(refit).rule(|values| {
            let problem = needs_validation(values, "train.refit", "false");
            problem.filter(|_| values.get("train.refit")).into_iter().collect()
        })
    }

    /// The settings of a config.
    ///
    /// # Errors
    /// [`Error::Usage`] for a device that is none.
    pub fn of(config: &Config) -> Result<Self> {
        let values = config.values();
        Ok(Self {
            name: values.get("name"),
            seed: values.get("seed"),
            model_kind: values.get("model.kind"),
            solver_kind: values.get("solver.kind"),
            source: Source::of(values),
            split: SplitSpec::of(values),
            model: ModelConfig::of(values),
            training: TrainConfig::of(values),
            clip: values.get("evaluation.clip"),
            refit: values.get("train.refit"),
            report: ReportOptions::of(values),
            dir: values.get("run.dir"),
            device: values.get::<String>("train.device").parse()?,
            threads: values.get("train.threads"),
            max_memory: values.find("train.max_memory"),
        })
    }

    /// Whether whole rows are held out, of which training sees nothing.
    pub fn holds_out_rows(&self) -> bool {
        matches!(self.split.kind, SplitKind::FirstOfClass { .. })
    }

    /// What a rating must be, where loss or solver have no meaning for it.
    pub fn refuses(&self, rating: f32) -> Option<&'static str> {
        let TrainConfig { method, loss, .. } = &self.training;
        method.refuses(rating).or_else(|| loss.refuses(rating))
    }

    /// What cells that are not in the data mean to the solver.
    pub fn zeros(&self) -> Zeros {
        match self.training.method {
            Method::WholeMatrix(method) => method.zeros(),
            _ => Zeros::Missing,
        }
    }

    /// What predictions depend on beside the model.
    pub fn predictor(&self, data: &Split) -> Predictor {
        Predictor {
            loss: self.training.loss,
            clip: self.clip.then(|| data.train.range()).flatten(),
            baseline: Baseline::fit(&data.train, data.users.len(), data.items.len()),
        }
    }

    /// The model with the parameters it starts from.
    pub fn initial_model(&self, data: &Split, predictor: &Predictor, device: &Device) -> AnyModel {
        // Offsets of ratings are offsets of scores only where the two are the same.
        let (user_offsets, item_offsets) = match predictor.loss.has_link() {
            true => (&[][..], &[][..]),
            false => (&predictor.baseline.user_offsets[..], &predictor.baseline.item_offsets[..]),
        };
        self.model.init(&Start {
            num_users: data.users.len(),
            num_items: data.items.len(),
            mean_score: predictor.loss.score(predictor.baseline.global_mean),
            user_offsets,
            item_offsets,
            seed: self.seed,
            device,
        })
    }
}

/// Refuses ratings for which `refuses` has a remedy.
///
/// # Errors
/// [`Error::Usage`] with the first such rating and the remedy.
pub fn check_ratings(dataset: &Dataset, refuses: impl Fn(f32) -> Option<&'static str>) -> Result<()> {
    let ratings = &dataset.ratings;
    let (user_noun, item_noun) = dataset.layout.nouns();
    for (at, &value) in ratings.values.iter().enumerate() {
        if let Some(remedy) = refuses(value) {
            let user = dataset.users.id(ratings.users[at] as usize);
            let item = dataset.items.id(ratings.items[at] as usize);
            return Err(Error::Usage(format!(
                "the rating {value} of {user_noun} {user} for {item_noun} {item}: {remedy}"
            )));
        }
    }
    Ok(())
}
