//! Models on splits: predictions, metrics, top-N lists, and what happens to ids that training never saw. Also measures
//! of factors if there is nothing to predict: neighbours, coherence, pictures.

mod among;
mod baseline;
mod baskets;
pub(crate) mod coherence;
mod content;
mod evaluator;
mod links;
mod lists;
pub(crate) mod neighbours;
mod predictor;
mod products;
pub(crate) mod psnr;
mod rerank;
mod stability;
mod words;
mod worse;

pub use baseline::Baseline;
pub(crate) use baskets::{Baskets, Completion, Partner, within_groups};
pub use evaluator::{Evaluation, Evaluator, MOST_OPERATIONS};
pub use links::LinkScore;
pub(crate) use lists::{Queries, best};
pub use predictor::Predictor;
pub(crate) use rerank::{ListOptions, list};
pub use stability::GroupStability;
pub(crate) use stability::{largest_stable, stabilities};
pub use words::{Agreement, AnalogyResult, AnalogySection, JudgedPair, WordVectors, read_analogies, read_judged_pairs};
pub(crate) use worse::worse_than;
