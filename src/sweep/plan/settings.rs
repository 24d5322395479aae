//! The settings of a space file beside its space: its own keys, with sampler and pruning.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Choice, Effect, Key, KeyKind, Keys, Schema, Values};
use crate::metric::Metrics;

/// The keys of a space file beside `[set]`, `[repeat]` and `[space]`; trials are compared by one of `metrics`.
pub fn space_file(metrics: &Metrics) -> Arc<Schema> {
    Arc::new(Schema::new(SweepSettings::keys(metrics), |_| Vec::new(), "lowrank sweep --explain"))
}

/// The settings of a space file beside its space.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepSettings {
    /// Part of the folder's name.
    pub name: String,
    /// The base config.
    pub base: Option<PathBuf>,
    /// Most trials.
    pub trials: usize,
    /// Minutes after which no trial begins.
    pub max_minutes: Option<f64>,
    /// Seed of the sampler.
    pub seed: u64,
    /// Trials run at once.
    pub parallel: usize,
    /// Gigabytes for all trials that run at once.
    pub max_memory: Option<f64>,
    /// The metric that compares trials.
    pub metric: Option<String>,
    /// Whether the winner is retrained and tested.
    pub refit: bool,
    /// Where trials come from.
    pub sampler: Sampler,
    /// Which trials are stopped early.
    pub pruning: Pruning,
}

/// Where trials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// Drawn independently of each other.
    Random,
    /// See [`tpe`](crate::sweep::tpe).
    Tpe {
        /// Random trials before it begins.
        startup: usize,
        /// Candidates per trial.
        candidates: usize,
    },
    /// Every combination.
    Grid {
        /// Values per range.
        points: usize,
    },
}

/// Which trials are stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruning {
    /// None.
    None,
    /// See [`asha`](crate::sweep::asha).
    Asha {
        /// The first rung.
        min_epochs: u64,
        /// η.
        reduction: u64,
    },
}

impl SweepSettings {
    fn keys(metrics: &Metrics) -> Keys {
        let base = "The config to start from, relative to the space file. Required.";
        let minutes = "Minutes from the start after which no trial begins.";
        let parallel = "Trials run at once; they share the cores. Random and grid trials are the same for any number; \
                        tpe and asha depend on which trials end first, so only 1 reproduces the sweep.";
        let memory =
            "Gigabytes (10⁹ bytes) that all trials running at once may need, as estimated from their settings.";
        let metric = "The validation metric that compares trials. It also chooses a trial's best epoch. If absent, the \
                      base config's train.early_stopping.metric.";
        let refit = "At the end, retrain the winner on training and validation ratings, and test it once.";
        let name = Key::new(
            "name",
            KeyKind::Name,
            "Name of the sweep: its directory is <name>-sweep-<n>, in the base config's run.dir.",
        );
        let trials = Key::new("trials", KeyKind::AT_LEAST_ONE, "Most trials; a grid may have fewer.");
        let seed = Key::new("seed", KeyKind::Int(0..=i64::MAX), "Seed of all draws of the sampler.");
        let free = |key: Key| key.effect(Effect::Nothing);
        Keys::new([
            free(name.default_of_file()),
            free(Key::new("base", KeyKind::Path, base)),
            free(trials.default("50")),
            free(Key::new("max_minutes", KeyKind::POSITIVE, minutes)),
            seed.default("1"),
            free(Key::new("parallel", KeyKind::Int(1..=4096), parallel).default("1")),
            free(Key::new("max_memory", KeyKind::POSITIVE, memory)),
            Key::new("metric", KeyKind::Text, metric),
            free(Key::new("refit", KeyKind::Bool, refit).default("true")),
        ])
        .and(Sampler::keys())
        .and(Pruning::keys())
        .rule({
            let metrics = metrics.clone();
            move |values| {
                values.find("metric").and_then(|name: String| metrics.problem("metric", &name)).into_iter().collect()
            }
        })
    }

    pub(super) fn of(values: &Values) -> Self {
        Self {
            name: values.get("name"),
            base: values.find("base"),
            trials: values.get("trials"),
            max_minutes: values.find("max_minutes"),
            seed: values.get("seed"),
            parallel: values.get("parallel"),
            max_memory: values.find("max_memory"),
            metric: values.find("metric"),
            refit: values.get("refit"),
            sampler: Sampler::of(values),
            pruning: Pruning::of(values),
        }
    }
}

impl Sampler {
    fn keys() -> Keys {
        let kind = "Where trials come from: drawn at random; drawn by the tree-structured Parzen estimator from \
                    regions where earlier trials were good; or one for each combination of some values.";
        let startup = Key::new("sampler.startup", KeyKind::ANY_COUNT, "Random trials before tpe begins.").default("10");
        let candidates =
            Key::new("sampler.candidates", KeyKind::AT_LEAST_ONE, "Candidates of which tpe tries the best.");
        let points = Key::new("sampler.points", KeyKind::AT_LEAST_ONE, "Values per range in the grid, ends included.");
        Choice::new("sampler.kind", kind)
            .with(|key| key.default("'tpe'"))
            .part("random", [])
            .part("tpe", [startup, candidates.default("24")])
            .part("grid", points.default("3"))
            .into()
    }

    fn of(values: &Values) -> Self {
        match values.get::<String>("sampler.kind").as_str() {
            "grid" => Self::Grid { points: values.get("sampler.points") },
            "random" => Self::Random,
            _ => Self::Tpe { startup: values.get("sampler.startup"), candidates: values.get("sampler.candidates") },
        }
    }
}

impl Pruning {
    fn keys() -> Keys {
        let kind = "Whether trials are stopped early: by asynchronous successive halving, or never.";
        let epochs = "Epochs before the first comparison. The next ones are at this times reduction, reduction², … An \
                      early comparison prefers settings that start fast, such as high learning rates, to better ones.";
        let epochs = Key::new("pruning.min_epochs", KeyKind::AT_LEAST_ONE, epochs).default("15");
        let reduction = "At a comparison, one in this many trials continues.";
        let reduction = Key::new("pruning.reduction", KeyKind::Int(2..=1000), reduction).default("3");
        Choice::new("pruning.kind", kind)
            .with(|key| key.default("'asha'"))
            .part("none", [])
            .part("asha", [epochs, reduction])
            .into()
    }

    fn of(values: &Values) -> Self {
        match values.get::<String>("pruning.kind").as_str() {
            "asha" => {
                Self::Asha { min_epochs: values.get("pruning.min_epochs"), reduction: values.get("pruning.reduction") }
            }
            _ => Self::None,
        }
    }
}
