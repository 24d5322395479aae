//! A resolved config as plain types: what the rest of the program reads.
//!
//! Every field is a key of the [schema](super::schema), which says what it means, its range and its default. A field is
//! `None` where its key takes no part: optional and not given, or it belongs to a choice that was not made.

#![allow(missing_docs, reason = "what a field means is said once, in the schema")]

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An enum whose variants have a name in config files, so that each name is written once.
macro_rules! choices {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$meaning])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// The names in config files, in the order of the variants.
            pub const NAMES: &[&str] = &[$($text),+];

            /// The name in config files.
            pub const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

choices! {
    /// How the data are written.
    FormatKind {
        /// Found out from the file's name.
        Auto = "auto",
        /// A rating a line, its columns separated by a delimiter.
        Delimited = "delimited",
        /// MatrixMarket coordinates.
        MatrixMarket = "matrix-market",
        /// A table of numbers: a row a user, a column an item.
        Dense = "dense",
        /// One picture: a row a line of pixels.
        Picture = "picture",
        /// A folder of pictures: a row a picture.
        Pictures = "pictures",
        /// Texts: a row a document, a column a term.
        Documents = "documents",
    }
}

choices! {
    /// Words of documents that never count.
    StopWordsKind {
        /// None.
        None = "none",
        /// English function words.
        English = "english",
    }
}

choices! {
    /// What the cell of a term in a document holds.
    WeightingKind {
        /// How often it occurs.
        Counts = "counts",
        /// The logarithm of one more than that.
        LogCounts = "log-counts",
        /// How often it occurs, times how rare it is, in rows of length 1.
        TfIdf = "tf-idf",
        /// The same with one more than the logarithm of how often.
        LogTfIdf = "log-tf-idf",
    }
}

choices! {
    /// What becomes of a second rating of one user for one item.
    DuplicatesKind {
        /// The last one counts.
        Last = "last",
        /// Their mean counts.
        Mean = "mean",
        /// The data are refused.
        Error = "error",
    }
}

choices! {
    /// How ratings are divided into training, validation and test.
    SplitKind {
        /// Everything is for training.
        None = "none",
        /// Ratings at random.
        Random = "random",
        /// One of several equal random parts is the test part.
        KFold = "k-fold",
        /// At random, the same share of every user's ratings.
        UserStratified = "user-stratified",
        /// The newest rating of each user is the test part.
        LeaveLastOut = "leave-last-out",
        /// The newest of each user's ratings are the test part.
        Temporal = "temporal",
        /// Training and test come in files of their own.
        Files = "files",
        /// All ratings of the first users of each class are for training, those of the others for the test.
        FirstOfClass = "first-of-class",
    }
}

choices! {
    /// What predicts a rating.
    ModelKind {
        /// Matrix factorization: a dot product of factors.
        Mf = "mf",
        /// The same with a bias for each user and item and the mean rating.
        BiasedMf = "biased-mf",
        /// Non-negative matrix factorization.
        Nmf = "nmf",
        /// Generalized matrix factorization: a weighted dot product.
        Gmf = "gmf",
        /// A multi-layer perceptron over both factors.
        Mlp = "mlp",
        /// Neural matrix factorization: GMF and MLP together.
        Neumf = "neumf",
    }
}

choices! {
    /// The distribution that factors start from.
    InitKind {
        /// Normal, around the value whose dot product is the mean rating.
        Matched = "matched",
        /// Normal, around zero.
        Normal = "normal",
        /// Uniform.
        Uniform = "uniform",
    }
}

choices! {
    /// What a wrong prediction costs.
    LossKind {
        /// The square of the residual.
        Squared = "squared",
        /// Its absolute value.
        Absolute = "absolute",
        /// Squared near zero, absolute further out.
        Huber = "huber",
        /// Absolute, with another price above than below.
        Quantile = "quantile",
        /// The cross-entropy of a rating in 0 to 1.
        Logistic = "logistic",
        /// The negative log-likelihood of a count.
        Poisson = "poisson",
    }
}

choices! {
    /// What moves the parameters.
    SolverKind {
        /// Adam.
        Adam = "adam",
        /// Adam with decoupled weight decay.
        Adamw = "adamw",
        /// Stochastic gradient descent.
        Sgd = "sgd",
        /// AdaGrad.
        Adagrad = "adagrad",
        /// One rating at a time, in blocks that run at once.
        Stratified = "stratified",
        /// Alternating least squares.
        Als = "als",
        /// Truncated singular value decomposition of the whole matrix.
        Svd = "svd",
        /// Hierarchical alternating least squares: non-negative factorization of the whole matrix.
        Hals = "hals",
        /// Multiplicative updates: the same, for other divergences too.
        Multiplicative = "multiplicative",
    }
}

choices! {
    /// How a singular value decomposition is computed.
    MethodKind {
        /// Exactly where the matrix is small.
        Auto = "auto",
        /// Exactly.
        Exact = "exact",
        /// From random projections.
        Randomized = "randomized",
    }
}

choices! {
    /// What a cell that is not in the data means.
    ZerosKind {
        /// It is zero.
        Data = "data",
        /// It is unknown.
        Missing = "missing",
    }
}

choices! {
    /// Where a non-negative factorization begins.
    StartKind {
        /// Non-negative double SVD.
        Nndsvd = "nndsvd",
        /// The same with the mean in the place of zeros.
        Nndsvda = "nndsvda",
        /// Where the model begins.
        Model = "model",
    }
}

choices! {
    /// What multiplicative updates lower.
    DivergenceKind {
        /// Half the squared difference.
        Frobenius = "frobenius",
        /// Kullback–Leibler.
        KullbackLeibler = "kullback-leibler",
    }
}

choices! {
    /// How the stratified solver makes a step of a gradient.
    RuleKind {
        /// Row-wise AdaGrad.
        Adagrad = "adagrad",
        /// Adam.
        Adam = "adam",
    }
}

choices! {
    /// What the als solver takes ratings for.
    FeedbackKind {
        /// How much a user likes an item.
        Explicit = "explicit",
        /// How sure it is that a user likes an item.
        Implicit = "implicit",
    }
}

choices! {
    /// How the als solver solves the linear system of a row.
    InnerKind {
        /// Exactly, by Cholesky factorization.
        Cholesky = "cholesky",
        /// By some steps of conjugate gradients.
        ConjugateGradient = "conjugate-gradient",
        /// One unknown at a time, none below zero for nmf.
        CoordinateDescent = "coordinate-descent",
    }
}

choices! {
    /// Which rows of a table a step updates.
    RowsKind {
        /// All of them, also those that the batch does not touch.
        All = "all",
        /// Those that the batch touches.
        Touched = "touched",
    }
}

choices! {
    /// How the learning rate changes over the epochs.
    ScheduleKind {
        /// It does not.
        Constant = "constant",
        /// By a factor every few epochs.
        Step = "step",
        /// By a factor every epoch.
        Exponential = "exponential",
        /// Along half a cosine wave.
        Cosine = "cosine",
    }
}

choices! {
    /// What early stopping watches on the validation part.
    StoppingMetric {
        /// The training objective's loss.
        Loss = "loss",
        /// Root of the mean squared error.
        Rmse = "rmse",
        /// Mean absolute error.
        Mae = "mae",
    }
}

/// Everything a run is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub name: String,
    pub seed: u64,
    pub data: DataSettings,
    pub model: ModelSettings,
    pub loss: LossSettings,
    pub solver: SolverSettings,
    pub train: TrainSettings,
    pub evaluation: EvaluationSettings,
    pub report: ReportSettings,
    pub run: RunSettings,
}

/// Where ratings come from. Exactly one of `dataset` and `path` is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    pub dataset: Option<String>,
    pub path: Option<PathBuf>,
    pub format: Option<FormatKind>,
    pub delimiter: Option<String>,
    pub columns: Option<Vec<String>>,
    pub class_column: Option<usize>,
    pub skip_lines: Option<usize>,
    pub duplicates: DuplicatesKind,
    pub binarize: Option<f64>,
    pub cache: bool,
    pub extension: Option<String>,
    pub documents: Option<DocumentsSettings>,
    pub test_path: Option<PathBuf>,
    pub titles: Option<TitlesSettings>,
    pub split: SplitSettings,
    pub synthetic: Option<SyntheticSettings>,
}

/// What becomes of texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentsSettings {
    pub stop_words: StopWordsKind,
    pub min_documents: usize,
    pub max_share: f64,
    pub max_terms: Option<usize>,
    pub weighting: WeightingKind,
}

/// A file with a title for each item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TitlesSettings {
    pub path: PathBuf,
    pub delimiter: Option<String>,
    pub columns: Option<Vec<String>>,
}

/// How ratings are divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitSettings {
    pub kind: SplitKind,
    pub test: Option<f64>,
    pub validation: Option<f64>,
    pub folds: Option<usize>,
    pub fold: Option<usize>,
    pub train_rows: Option<usize>,
}

/// The recipe of planted data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticSettings {
    pub users: usize,
    pub items: usize,
    pub ratings: usize,
    pub rank: usize,
    pub noise: f64,
}

/// The model and its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    pub kind: ModelKind,
    pub rank: usize,
    pub init: InitKind,
    pub init_std: Option<f64>,
    pub init_low: Option<f64>,
    pub init_high: Option<f64>,
    pub layers: Option<Vec<usize>>,
}

/// The loss and its parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossSettings {
    pub kind: LossKind,
    pub delta: Option<f64>,
    pub level: Option<f64>,
}

/// How parameters are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolverSettings {
    pub kind: SolverKind,
    pub rows: Option<RowsKind>,
    pub rule: Option<RuleKind>,
    pub feedback: Option<FeedbackKind>,
    pub confidence_alpha: Option<f64>,
    pub inner: Option<InnerKind>,
    pub inner_steps: Option<usize>,
    pub method: Option<MethodKind>,
    pub oversampling: Option<usize>,
    pub power_iterations: Option<usize>,
    pub zeros: Option<ZerosKind>,
    pub divergence: Option<DivergenceKind>,
    pub start: Option<StartKind>,
    pub tolerance: Option<f64>,
    pub learning_rate: Option<f64>,
    pub batch_size: Option<usize>,
    pub beta1: Option<f64>,
    pub beta2: Option<f64>,
    pub epsilon: Option<f64>,
    pub initial_accumulator: Option<f64>,
    pub momentum: Option<f64>,
    pub weight_decay: Option<f64>,
    pub clip_norm: Option<f64>,
    pub clip_value: Option<f64>,
    #[serde(default)]
    pub regularization: RegularizationSettings,
    pub schedule: Option<ScheduleSettings>,
}

/// The penalty λ of each group of parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegularizationSettings {
    pub user_factors: Option<f64>,
    pub item_factors: Option<f64>,
    pub user_l1: Option<f64>,
    pub item_l1: Option<f64>,
    pub user_biases: Option<f64>,
    pub item_biases: Option<f64>,
    pub weights: Option<f64>,
    pub count_exponent: Option<f64>,
}

/// How the learning rate changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    pub kind: ScheduleKind,
    pub warmup: f64,
    pub every: Option<u64>,
    pub factor: Option<f64>,
    pub r#final: Option<f64>,
}

/// How long, where and with what stops training runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    pub device: String,
    pub threads: usize,
    pub max_memory: Option<f64>,
    pub epochs: u64,
    pub checkpoint_every: u64,
    pub refit: bool,
    pub early_stopping: EarlyStoppingSettings,
}

/// When training stops before its last epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingSettings {
    pub metric: StoppingMetric,
    pub patience: u64,
    pub min_delta: f64,
}

/// How predictions are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSettings {
    pub clip: bool,
}

/// What a run shows of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSettings {
    pub tensorboard: bool,
    pub every: u64,
    pub histograms_every: u64,
    pub projector: bool,
}

/// Where a run is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    pub dir: PathBuf,
}
