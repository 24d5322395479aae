//! Runs: from a resolved config to a directory that holds everything that came of it.

pub mod assemble;
pub mod compare;
mod directory;
mod model_file;
mod summary;
mod train;
mod trial;

pub use directory::RunDirectory;
pub use model_file::{ModelFile, Seen};
pub use summary::Summary;
pub use train::{Finished, Resume, TrainOptions, train};
pub use trial::TrialData;
