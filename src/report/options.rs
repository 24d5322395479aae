//! What a run reports.

use crate::config::{Effect, Key, KeyKind, Keys, Values};

/// What is written and printed, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOptions {
    /// Whether event files for TensorBoard are written.
    pub tensorboard: bool,
    /// Epochs between two lines on the console.
    pub every: u64,
    /// Epochs between two histograms; 0 for none.
    pub histograms_every: u64,
    /// Whether item factors are written for TensorBoard's projector.
    pub projector: bool,
}

impl ReportOptions {
    /// The config keys of reports.
    pub fn keys() -> Keys {
        let histograms = "Epochs between two histograms, with one at the end; 0 writes none.";
        let projector = "Write item factors for TensorBoard's projector.";
        Keys::new([
            Key::new("report.tensorboard", KeyKind::Bool, "Write event files for TensorBoard.").default("true"),
            Key::new("report.every", KeyKind::AT_LEAST_ONE, "Epochs between two lines on the console.").default("1"),
            Key::new("report.histograms_every", KeyKind::ANY_COUNT, histograms).default("5"),
            Key::new("report.projector", KeyKind::Bool, projector).default("true"),
        ])
        .effect(Effect::Nothing)
    }

    /// The options set in a config.
    pub fn of(values: &Values) -> Self {
        Self {
            tensorboard: values.get("report.tensorboard"),
            every: values.get("report.every"),
            histograms_every: values.get("report.histograms_every"),
            projector: values.get("report.projector"),
        }
    }
}
