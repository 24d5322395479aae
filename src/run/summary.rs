//! `summary.json`: the result of a run in one object.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::views::Views;
use crate::error::{Error, Result};
use crate::files;
use crate::metric::Scores;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name from the config.
    pub name: String,
    /// `model.kind`.
    pub model: String,
    /// `solver.kind`.
    pub solver: String,
    /// The device used.
    pub device: String,
    /// Threads used.
    pub threads: usize,
    /// Seed.
    pub seed: u64,
    /// Epochs trained before the best was chosen.
    pub epochs_run: u64,
    /// Epoch of the kept model.
    pub best_epoch: u64,
    /// Whether the model was retrained on training and validation ratings together, for `best_epoch` epochs.
    pub refit: bool,
    /// Seconds spent in steps, refit included.
    pub seconds_training: f64,
    /// Ratings trained on per second.
    pub ratings_per_second: f64,
    /// Peak memory of the program, if the operating system reports it (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Users with a training rating.
    pub num_users: usize,
    /// Items with a training rating.
    pub num_items: usize,
    /// All ratings, of all splits.
    pub num_ratings: usize,
    /// Metrics of the kept model on the ratings it was trained on.
    pub train: Option<Scores>,
    /// Metrics on the validation split, of the model before any refit.
    pub validation: Option<Scores>,
    /// Metrics of the kept model on the test split, which is used for nothing else.
    pub test: Option<Scores>,
    /// The kept model on the test split, each interaction ranked among a few items only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_among_candidates: Option<AmongCandidates>,
    /// What predictions without factors reach on the test split, or else on the validation or training split. Beside
    /// preferences and orders, which are no predictions of targets, only rankings.
    pub baselines: Option<Baselines>,
    /// For planted data, the lowest reachable root mean squared error.
    #[serde(rename = "reachable_rmse")]
    pub reachable_error: Option<f64>,
    /// Test ratings whose user was not in training; predicted by the biases baseline.
    pub test_unknown_users: usize,
    /// Test ratings whose item was not in training; predicted by the biases baseline.
    pub test_unknown_items: usize,
    /// Test ratings whose user has none in training and is known by features alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub test_cold_users: usize,
    /// Test ratings whose item has none in training and is known by features alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub test_cold_items: usize,
    /// What makes this result doubtful, and what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// Measures and findings of the factors: of pictures, documents, SVD and non-negative models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Summary {
    /// Reads `summary.json`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Data`] if it is none.
    pub fn read(path: &Path) -> Result<Self> {
        serde_json::from_str(&files::read_text(path)?).map_err(|e| Error::data(path, format!("is not a summary: {e}")))
    }

    /// Takes over what was measured while the model was trained, for a run that was resumed with nothing left to train.
    pub fn keep_measurements(&mut self, earlier: Self) {
        let Self { device, threads, peak_memory_bytes, .. } = earlier;
        (self.device, self.threads, self.peak_memory_bytes) = (device, threads, peak_memory_bytes);
    }
}

/// Metrics of sampled ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AmongCandidates {
    /// Where the candidates come from: `"given"` or `"drawn"`.
    pub candidates: String,
    /// The kept model.
    pub model: Scores,
    /// For everybody the items that most users met in training.
    pub popularity: Scores,
}

/// Trivial predictions on the split that the result is judged by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// The split: `"test"`, `"validation"` or `"train"`.
    pub split: String,
    /// Always the mean training rating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub global_mean: Option<Scores>,
    /// μ + b_u + b_i with damped means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biases: Option<Scores>,
    /// For everybody the items that most users met in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popularity: Option<Scores>,
    /// Item k-NN with its default settings; `None` also where it would take long to compute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_knn: Option<Scores>,
    /// What is like the items that the user met, by features alone, where items have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Scores>,
    /// Of a graph, scores of pairs in closed form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<NamedScores>,
}

/// Metrics of something with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedScores {
    /// Its name, for people.
    pub name: String,
    /// Its metrics.
    pub scores: Scores,
}

impl Baselines {
    /// Those that there are, with names for people.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Scores)> {
        let Self { global_mean, biases, popularity, item_knn, content, links, .. } = self;
        let all = [
            ("always the mean", global_mean),
            ("biases only", biases),
            ("what is most popular", popularity),
            ("item k-NN", item_knn),
            ("content k-NN", content),
        ];
        let all = all.into_iter().filter_map(|(name, scores)| Some((name, scores.as_ref()?)));
        all.chain(links.iter().map(|link| (link.name.as_str(), &link.scores)))
    }
}
