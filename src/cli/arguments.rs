//! Arguments shared by several commands.

use std::path::PathBuf;

use clap::Args;

/// Overrides of config keys.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Set a config key, as in `--set solver.learning_rate=0.02`; the last one wins.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// A trained model, as the user names it.
#[derive(Debug, Args)]
pub struct RunArg {
    /// A run directory, or a model.safetensors file.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// auto, cpu, ndarray, wgpu, wgpu:0, wgpu:cpu, cuda or cuda:0.
    #[arg(long, default_value = "auto")]
    pub device: String,
}
