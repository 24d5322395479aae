//! The parts of a run, made from its settings. The only place that knows both config names and the parts' own types.

use burn::tensor::Device;

use crate::config::settings::{
    DivergenceKind, DuplicatesKind, FeedbackKind, FormatKind, InitKind, InnerKind, LossKind, MethodKind, ModelKind,
    RowsKind, RuleKind, ScheduleKind, Settings, SolverKind, SplitKind as SplitName, StartKind, StopWordsKind,
    StoppingMetric, WeightingKind, ZerosKind,
};
use crate::data::read::{
    DocumentOptions, Duplicates, Format, ReadOptions, StopWords, TitleFile, Weighting, read_dataset,
};
use crate::data::split::{Split, SplitKind, SplitSpec};
use crate::data::synthetic::Synthetic;
use crate::data::{Dataset, catalog};
use crate::error::{Error, Result};
use crate::eval::{Baseline, Predictor};
use crate::files;
use crate::loss::{Absolute, Huber, Logistic, Loss, PointwiseLoss, Poisson, Quantile, Squared};
use crate::metric::Metric;
use crate::model::{
    AnyModel, BiasedMfConfig, FactorInit, GmfConfig, MfConfig, MlpConfig, ModelConfig, NeuMfConfig, NmfConfig, Start,
};
use crate::solver::{
    AlsConfig, Clip, Decay, Feedback, Inner, MatrixMethod, NmfStart, Regularization, RowRule, Rows, Rule, Schedule,
    nmf, stratified, svd,
};
use crate::train::{EarlyStopping, Gradient, Method, TrainConfig};

/// The name under `data.dataset` that generates ratings instead of reading them.
pub const SYNTHETIC: &str = "synthetic";

/// A key that the schema guarantees wherever its condition holds.
fn given<T>(value: Option<T>) -> T {
    value.expect("the schema gives every active key a value")
}

/// How the data are laid out.
pub fn format(kind: FormatKind) -> Format {
    match kind {
        FormatKind::Auto => Format::Auto,
        FormatKind::Delimited => Format::Delimited,
        FormatKind::MatrixMarket => Format::MatrixMarket,
        FormatKind::Dense => Format::Dense,
        FormatKind::Picture => Format::Picture,
        FormatKind::Pictures => Format::Pictures,
        FormatKind::Documents => Format::Documents,
    }
}

/// How the run's ratings file is laid out; the defaults where the data came from elsewhere. Without titles and cache.
pub fn read_options(settings: &Settings) -> ReadOptions {
    let data = &settings.data;
    ReadOptions {
        format: data.format.map_or(Format::Auto, format),
        delimiter: data.delimiter.clone(),
        columns: data.columns.clone(),
        class_column: data.class_column,
        skip_lines: data.skip_lines.unwrap_or(0),
        extension: data.extension.clone(),
        documents: data.documents.as_ref().map_or_else(DocumentOptions::default, |documents| DocumentOptions {
            stop_words: match documents.stop_words {
                StopWordsKind::None => StopWords::None,
                StopWordsKind::English => StopWords::English,
            },
            min_documents: documents.min_documents,
            max_share: documents.max_share,
            max_terms: documents.max_terms,
            weighting: match documents.weighting {
                WeightingKind::Counts => Weighting::Counts,
                WeightingKind::LogCounts => Weighting::LogCounts,
                WeightingKind::TfIdf => Weighting::TfIdf,
                WeightingKind::LogTfIdf => Weighting::LogTfIdf,
            },
        }),
        duplicates: match data.duplicates {
            DuplicatesKind::Last => Duplicates::Last,
            DuplicatesKind::Mean => Duplicates::Mean,
            DuplicatesKind::Error => Duplicates::Error,
        },
        binarize: data.binarize.map(|from| from as f32),
        ..ReadOptions::default()
    }
}

/// Reads or generates the data.
///
/// # Errors
/// Those of the readers, the catalog and the generator.
pub fn dataset(settings: &Settings) -> Result<Dataset> {
    let data = &settings.data;
    // Without a home folder nothing can be kept.
    let cache = data.cache.then(|| files::cache_folder("ratings").ok()).flatten();
    let options = ReadOptions { cache, ..read_options(settings) };
    if let Some(path) = &data.path {
        let titles = data.titles.as_ref().map(|titles| TitleFile {
            path: titles.path.clone(),
            delimiter: titles.delimiter.clone(),
            columns: titles.columns.clone(),
        });
        return read_dataset(path, data.test_path.as_deref(), &ReadOptions { titles, ..options });
    }
    let name = given(data.dataset.as_deref());
    if name == SYNTHETIC {
        let recipe = given(data.synthetic.as_ref());
        let synthetic = Synthetic {
            users: recipe.users,
            items: recipe.items,
            ratings: recipe.ratings as u64,
            rank: recipe.rank,
            noise: recipe.noise,
            seed: settings.seed,
        };
        let mut dataset = synthetic.dataset()?;
        if let Some(from) = options.binarize {
            dataset.ratings.values.iter_mut().for_each(|value| *value = f32::from(*value >= from));
            dataset.reachable_rmse = None;
        }
        return Ok(dataset);
    }
    let fold = match data.split.kind {
        SplitName::Files => data.split.fold,
        _ => None,
    };
    catalog::load(catalog::find(name)?, fold, &options)
}

/// How the ratings are divided.
pub fn split(settings: &Settings) -> SplitSpec {
    let split = &settings.data.split;
    let kind = match split.kind {
        SplitName::None => SplitKind::None,
        SplitName::Random => SplitKind::Random,
        SplitName::KFold => SplitKind::KFold { folds: given(split.folds), fold: given(split.fold) },
        SplitName::UserStratified => SplitKind::UserStratified,
        SplitName::LeaveLastOut => SplitKind::LeaveLastOut,
        SplitName::Temporal => SplitKind::Temporal,
        SplitName::Files => SplitKind::Files,
        SplitName::FirstOfClass => SplitKind::FirstOfClass { train_rows: given(split.train_rows) },
    };
    SplitSpec { kind, test: split.test.unwrap_or(0.0), validation: split.validation.unwrap_or(0.0) }
}

/// The loss.
pub fn loss(settings: &Settings) -> Loss {
    let loss = &settings.loss;
    match loss.kind {
        LossKind::Squared => Loss::Squared(Squared {}),
        LossKind::Absolute => Loss::Absolute(Absolute {}),
        LossKind::Huber => Loss::Huber(Huber { delta: given(loss.delta) }),
        LossKind::Quantile => Loss::Quantile(Quantile { level: given(loss.level) }),
        LossKind::Logistic => Loss::Logistic(Logistic {}),
        LossKind::Poisson => Loss::Poisson(Poisson {}),
    }
}

/// What a rating must be, where loss or solver have no meaning for it.
pub fn refusal(settings: &Settings) -> impl Fn(f32) -> Option<&'static str> {
    let (loss, feedback) = (loss(settings), feedback(settings));
    let is_nmf = matches!(settings.solver.kind, SolverKind::Hals | SolverKind::Multiplicative);
    move |rating| {
        let of_nmf = (is_nmf && rating < 0.0).then_some("nmf makes sums of what is at least 0; use mf with svd or als");
        of_nmf.or_else(|| loss.refuses(rating)).or_else(|| feedback.and_then(|feedback| feedback.refuses(rating)))
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

/// What cells that are not in the data mean to the solver.
pub fn zeros(settings: &Settings) -> nmf::Zeros {
    match (settings.solver.kind, settings.solver.zeros) {
        (SolverKind::Svd, _) | (_, Some(ZerosKind::Data)) => nmf::Zeros::Data,
        _ => nmf::Zeros::Missing,
    }
}

/// The model.
pub fn model(settings: &Settings) -> ModelConfig {
    let model = &settings.model;
    let rank = model.rank;
    let init = match model.init {
        InitKind::Matched => FactorInit::Matched { std: given(model.init_std) },
        InitKind::Normal => FactorInit::Normal { std: given(model.init_std) },
        InitKind::Uniform => FactorInit::Uniform { low: given(model.init_low), high: given(model.init_high) },
    };
    let layers = || given(model.layers.clone());
    // Ratings need biases; the paper's models without them are for library users.
    let biases = true;
    match model.kind {
        ModelKind::Mf => ModelConfig::Mf(MfConfig { rank, init }),
        ModelKind::BiasedMf => ModelConfig::BiasedMf(BiasedMfConfig { rank, init }),
        ModelKind::Nmf => ModelConfig::Nmf(NmfConfig { rank, init }),
        ModelKind::Gmf => ModelConfig::Gmf(GmfConfig { rank, init, biases }),
        ModelKind::Mlp => ModelConfig::Mlp(MlpConfig { rank, layers: layers(), init, biases }),
        ModelKind::Neumf => ModelConfig::NeuMf(NeuMfConfig { rank, layers: layers(), init, biases }),
    }
}

/// What predictions depend on beside the model.
pub fn predictor(settings: &Settings, data: &Split) -> Predictor {
    Predictor {
        loss: loss(settings),
        clip: settings.evaluation.clip.then(|| data.train.range()).flatten(),
        baseline: Baseline::fit(&data.train, data.users.len(), data.items.len()),
    }
}

/// The model with the parameters it starts from.
pub fn initial_model(settings: &Settings, data: &Split, predictor: &Predictor, device: &Device) -> AnyModel {
    // Offsets of ratings are offsets of scores only where the two are the same.
    let (user_offsets, item_offsets) = match predictor.loss.has_link() {
        true => (&[][..], &[][..]),
        false => (&predictor.baseline.user_offsets[..], &predictor.baseline.item_offsets[..]),
    };
    model(settings).init(&Start {
        num_users: data.users.len(),
        num_items: data.items.len(),
        mean_score: predictor.loss.score(predictor.baseline.global_mean),
        user_offsets,
        item_offsets,
        seed: settings.seed,
        device,
    })
}

/// The metric that early stopping watches.
pub fn metric(name: StoppingMetric) -> Metric {
    match name {
        StoppingMetric::Loss => Metric::Loss,
        StoppingMetric::Rmse => Metric::Rmse,
        StoppingMetric::Mae => Metric::Mae,
    }
}

/// What the als solver takes ratings for; nothing for other solvers.
pub fn feedback(settings: &Settings) -> Option<Feedback> {
    Some(match settings.solver.feedback? {
        FeedbackKind::Explicit => Feedback::Explicit,
        FeedbackKind::Implicit => Feedback::Implicit { confidence_alpha: given(settings.solver.confidence_alpha) },
    })
}

/// How to train.
pub fn training(settings: &Settings) -> TrainConfig {
    let (solver, train) = (&settings.solver, &settings.train);
    let adam = |weight_decay| Rule::Adam {
        beta1: given(solver.beta1),
        beta2: given(solver.beta2),
        epsilon: given(solver.epsilon),
        weight_decay,
    };
    let gradient = |rule| {
        Method::MiniBatch(Gradient {
            batch_size: given(solver.batch_size),
            rows: match given(solver.rows) {
                RowsKind::All => Rows::All,
                RowsKind::Touched => Rows::Touched,
            },
            rule,
            clip: Clip { value: solver.clip_value, norm: solver.clip_norm },
        })
    };
    let nmf = |kind, divergence| {
        Method::WholeMatrix(MatrixMethod::Nmf {
            solver: kind,
            divergence,
            zeros: zeros(settings),
            start: match given(solver.start) {
                StartKind::Nndsvd => NmfStart::Nndsvd,
                StartKind::Nndsvda => NmfStart::Nndsvda,
                StartKind::Model => NmfStart::Model,
            },
            user_l1: given(solver.regularization.user_l1),
            item_l1: given(solver.regularization.item_l1),
            tolerance: given(solver.tolerance),
        })
    };
    let method = match solver.kind {
        SolverKind::Adam => gradient(adam(0.0)),
        SolverKind::Adamw => gradient(adam(given(solver.weight_decay))),
        SolverKind::Sgd => gradient(Rule::Sgd { momentum: given(solver.momentum) }),
        SolverKind::Adagrad => gradient(Rule::AdaGrad { epsilon: given(solver.epsilon) }),
        SolverKind::Stratified => Method::Stratified(match given(solver.rule) {
            RuleKind::Adagrad => RowRule::AdaGrad(stratified::AdaGrad {
                initial_accumulator: given(solver.initial_accumulator) as f32,
                epsilon: given(solver.epsilon) as f32,
            }),
            RuleKind::Adam => RowRule::Adam(stratified::Adam {
                beta1: given(solver.beta1) as f32,
                beta2: given(solver.beta2) as f32,
                epsilon: given(solver.epsilon) as f32,
            }),
        }),
        SolverKind::Als => Method::Als(AlsConfig {
            feedback: given(feedback(settings)),
            inner: match given(solver.inner) {
                InnerKind::Cholesky => Inner::Cholesky,
                InnerKind::ConjugateGradient => Inner::ConjugateGradient { steps: given(solver.inner_steps) },
                InnerKind::CoordinateDescent => Inner::CoordinateDescent { sweeps: given(solver.inner_steps) },
            },
            count_exponent: given(solver.regularization.count_exponent),
        }),
        SolverKind::Svd => Method::WholeMatrix(MatrixMethod::Svd {
            method: match given(solver.method) {
                MethodKind::Auto => svd::Method::Auto,
                MethodKind::Exact => svd::Method::Exact,
                MethodKind::Randomized => svd::Method::Randomized,
            },
            oversampling: solver.oversampling,
            power_iterations: given(solver.power_iterations),
            tolerance: given(solver.tolerance),
        }),
        SolverKind::Hals => nmf(nmf::Solver::Hals, nmf::Divergence::Frobenius),
        SolverKind::Multiplicative => nmf(
            nmf::Solver::Multiplicative,
            match given(solver.divergence) {
                DivergenceKind::Frobenius => nmf::Divergence::Frobenius,
                DivergenceKind::KullbackLeibler => nmf::Divergence::KullbackLeibler,
            },
        ),
    };
    // What a solver without a learning rate is not asked for.
    let defaults = TrainConfig::new(loss(settings));
    let schedule = solver.schedule.as_ref().map_or(defaults.schedule, |schedule| Schedule {
        warmup: schedule.warmup,
        decay: match schedule.kind {
            ScheduleKind::Constant => Decay::Constant,
            ScheduleKind::Step => Decay::Step { every: given(schedule.every), factor: given(schedule.factor) },
            ScheduleKind::Exponential => Decay::Exponential { factor: given(schedule.factor) },
            ScheduleKind::Cosine => Decay::Cosine { last: given(schedule.r#final) },
        },
    });
    let lambda = &solver.regularization;
    let stopping = &train.early_stopping;
    TrainConfig {
        epochs: train.epochs,
        seed: settings.seed,
        loss: defaults.loss,
        regularization: Regularization {
            user_factors: lambda.user_factors.unwrap_or(0.0),
            item_factors: lambda.item_factors.unwrap_or(0.0),
            user_biases: lambda.user_biases.unwrap_or(0.0),
            item_biases: lambda.item_biases.unwrap_or(0.0),
            weights: lambda.weights.unwrap_or(0.0),
        },
        method,
        learning_rate: solver.learning_rate.unwrap_or(defaults.learning_rate),
        schedule_epochs: train.epochs,
        schedule,
        early_stopping: EarlyStopping {
            metric: metric(stopping.metric),
            patience: stopping.patience,
            min_delta: stopping.min_delta,
        },
        checkpoint_every: train.checkpoint_every,
    }
}
