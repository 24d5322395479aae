//! What models are trained on: ratings, their vocabularies, where they come from and how they are divided.

pub mod batch;
pub mod catalog;
pub mod layout;
pub mod ratings;
pub mod read;
pub mod source;
pub mod split;
pub mod statistics;
pub mod synthetic;
pub mod vocabulary;

pub use layout::{Layout, class_of};
pub use ratings::{Ratings, UNKNOWN};
pub use source::Source;
pub use vocabulary::Vocabulary;

/// Everything that was read for one run, before it is divided into training, validation and test.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// All ratings, in file order, test files after training files.
    pub ratings: Ratings,
    /// User ids of [`Ratings::users`].
    pub users: Vocabulary,
    /// Item ids of [`Ratings::items`].
    pub items: Vocabulary,
    /// Where ready-made test ratings begin in `ratings`; `None` without a test file.
    pub test_start: Option<usize>,
    /// Title of each item index, for people; `None` without a title file. Unknown titles are empty.
    pub titles: Option<Vec<String>>,
    /// SHA-256 (hexadecimal) of what was read (see [`read`]), or of the recipe of synthetic data.
    pub fingerprint: String,
    /// For planted data, the RMSE of the model that generated it (its noise): nobody can do better.
    pub reachable_rmse: Option<f64>,
    /// What rows and columns are.
    pub layout: Layout,
    /// Things the user should know about: duplicates merged, titles missing.
    pub notes: Vec<String>,
}
