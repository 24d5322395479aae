//! `lowrank man`.

use std::path::PathBuf;

use clap::{Args, Command};

use crate::error::{Error, Result};
use crate::files;

/// Arguments of `lowrank man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder, as in ~/.local/share/man/man1; made if there is none.
    folder: PathBuf,
}

/// Writes a page for `program` and one for each of its commands.
pub fn man(args: ManArgs, program: Command) -> Result<()> {
    let folder = args.folder;
    files::create_folder(&folder)?;
    clap_mangen::generate_to(program, &folder).map_err(|e| Error::io("write man pages into", folder, e))
}
