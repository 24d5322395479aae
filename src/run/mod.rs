//! Runs: from a resolved config to a directory that holds everything that came of it.

pub mod compare;
pub mod consensus;
mod directory;
mod forecast;
pub mod memory;
mod model_file;
mod parts;
mod prepared;
mod settings;
mod shown;
mod summary;
mod train;
mod trial;
pub mod views;

pub use directory::RunDirectory;
pub use forecast::{Forecast, dry_run};
pub use model_file::{ModelFile, SeenItems};
pub use parts::Parts;
pub use settings::{Settings, check_targets};
pub use summary::Summary;
pub use train::{Finished, Resume, TrainOptions, train};
pub use trial::TrialData;
