//! Observers of training, and the files and pictures they leave.

mod console;
pub mod event_file;
mod json_lines;
mod options;
pub mod pictures;
pub mod plot;
pub mod projector;
mod tensorboard;

pub use console::Console;
pub use json_lines::{JsonLines, curves};
pub use options::ReportOptions;
pub use tensorboard::TensorBoard;
