//! Observers of training, and the files and pictures they write.

mod console;
pub(crate) mod event_file;
mod json_lines;
mod options;
pub(crate) mod pictures;
pub(crate) mod plot;
pub(crate) mod projector;
mod tensorboard;

pub use console::Console;
pub use json_lines::JsonLines;
pub(crate) use json_lines::curves;
pub(crate) use options::ReportOptions;
pub use tensorboard::TensorBoard;
