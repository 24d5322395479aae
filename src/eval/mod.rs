//! Models on splits: predictions, metrics, top-N lists, and what happens to ids that training never saw. And what
//! factors are judged by where there is nothing to predict: neighbours, coherence, pictures.

mod baseline;
pub mod coherence;
mod evaluator;
mod lists;
pub mod neighbours;
mod predictor;
pub mod psnr;

pub use baseline::Baseline;
pub use evaluator::{Evaluation, Evaluator, seen_items};
pub use lists::{Query, top_n};
pub use predictor::Predictor;
