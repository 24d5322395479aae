//! `lowrank config`.

use std::path::PathBuf;

use clap::Subcommand;

use super::arguments::Overrides;
use super::output;
use crate::config::{self, Config};
use crate::error::Result;
use crate::run::Parts;

/// Subcommands of `lowrank config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a config and print it with every default filled in.
    Check {
        /// The config file.
        config: PathBuf,
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Print every key with its default, range and meaning.
    Explain {
        /// Only this key or section, as in `solver.schedule`.
        key: Option<String>,
    },
    /// Print the keys as a JSON schema, by which an editor completes and checks configs.
    Schema,
}

/// Runs a subcommand of `lowrank config`.
pub fn config(command: ConfigCommand, parts: &Parts) -> Result<()> {
    match command {
        ConfigCommand::Check { config, overrides } => {
            output::print(&Config::load(&parts.schema(), &config, &overrides.set)?.to_toml())
        }
        ConfigCommand::Schema => output::print_json(&config::json_schema(&parts.schema(), "lowrank config")),
        ConfigCommand::Explain { key } => output::print(&config::explain(&parts.schema(), key.as_deref())?),
    }
}
