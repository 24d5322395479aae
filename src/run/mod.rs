//! Runs: from a resolved config to a directory with all its results.

pub(crate) mod compare;
pub(crate) mod consensus;
mod directory;
mod doubts;
mod explain;
mod export;
mod fold_in;
mod forecast;
pub(crate) mod memory;
mod model_file;
mod parts;
mod prepared;
mod proposal;
mod seen_items;
mod settings;
mod shown;
mod summary;
mod train;
mod trial;
pub(crate) mod views;

pub use directory::RunDirectory;
pub(crate) use explain::{Attribution, Explanation, explain};
pub(crate) use export::{ExportForm, export};
pub(crate) use fold_in::TestedUsers;
pub(crate) use forecast::{Forecast, dry_run};
pub use model_file::ModelFile;
pub use parts::Parts;
pub(crate) use proposal::{Proposal, propose};
pub(crate) use seen_items::SeenItems;
pub use settings::Settings;
pub(crate) use settings::check_targets;
pub use summary::{AmongCandidates, Summary};
pub use train::{Finished, Resume, TrainOptions, train};
pub(crate) use trial::TrialData;
