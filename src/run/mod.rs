//! Runs: from a resolved config to a directory that holds everything that came of it.

pub mod compare;
pub mod consensus;
mod directory;
pub mod memory;
mod model_file;
mod settings;
mod summary;
mod train;
mod trial;
pub mod views;

pub use directory::RunDirectory;
pub use model_file::{ModelFile, Seen};
pub use settings::{Settings, check_ratings, schema};
pub use summary::Summary;
pub use train::{Finished, Forecast, Resume, TrainOptions, dry_run, train};
pub use trial::TrialData;
