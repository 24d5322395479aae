//! `lowrank reconstruct`.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::Args;

use super::arguments::RunArg;
use super::{output, run};
use crate::data::Layout;
use crate::error::{Error, Result};
use crate::files;
use crate::report::pictures::{Shades, Tile};
use crate::run::Parts;

/// Arguments of `lowrank reconstruct`.
#[derive(Debug, Args)]
pub struct ReconstructArgs {
    #[command(flatten)]
    run: RunArg,
    /// The id of a user, document or picture; a model of one picture needs none.
    #[arg(allow_negative_numbers = true)]
    row: Option<String>,
    /// Number of leading components to use; all by default. Needs an SVD, whose components are ordered by weight.
    #[arg(long)]
    rank: Option<usize>,
    /// The file to write. By default pictures go to reconstruction.png and other rows to standard output.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// Writes a row, or a picture, reconstructed from the factorization.
pub fn reconstruct(args: ReconstructArgs, parts: &Parts) -> Result<()> {
    let open = run::open(&args.run, parts)?;
    let file = &open.file;
    let fitted = open.fitted(parts)?;
    let factors = fitted.factors();
    if fitted.has_user_biases {
        return Err(Error::Usage(
            "this model has biases of users beside its factors; `lowrank predict` adds them".into(),
        ));
    }
    let rank = args.rank.unwrap_or(factors.rank);
    if !(1..=factors.rank).contains(&rank) {
        return Err(Error::Usage(format!("--rank {rank}: this model has {} components", factors.rank)));
    }
    if rank < factors.rank && factors.singular_values.is_none() {
        return Err(Error::Usage("--rank: only the components of an SVD are ordered; omit it".into()));
    }
    let (noun, _) = factors.layout.nouns();
    let row = || -> Result<usize> {
        let Some(id) = &args.row else { return Err(Error::Usage(format!("which {noun}? Give its id after the run"))) };
        let at = file.users().index(id);
        at.map(|at| at as usize).ok_or_else(|| {
            Error::Usage(format!("{noun} {id:?} is not among the {} {noun}s of this model", file.users().len()))
        })
    };
    let is_picture = matches!(factors.layout, Layout::Picture { .. } | Layout::Pictures { .. });
    let extension = args.output.as_ref().and_then(|path| path.extension());
    if is_picture && extension.is_some_and(|extension| !extension.eq_ignore_ascii_case("png")) {
        return Err(Error::Usage("--output: pictures are written as PNG; give a name that ends in .png".into()));
    }
    if let (Layout::Picture { .. }, Some(row)) = (factors.layout, &args.row) {
        return Err(Error::Usage(format!(
            "{row:?}: this model is of one picture, which is reconstructed as a whole; omit the id"
        )));
    }
    let picture = match factors.layout {
        Layout::Picture { width, channels } => {
            let lines: Vec<f32> = (0..file.users().len()).flat_map(|line| factors.reconstruct(line, rank)).collect();
            Tile::picture("", &lines, width, channels).png()?
        }
        Layout::Pictures { width, .. } => {
            Tile::grey("", &factors.reconstruct(row()?, rank), width, Shades::Bytes).png()?
        }
        Layout::Cells | Layout::Table | Layout::Matrix | Layout::Documents | Layout::CoOccurrences | Layout::Graph => {
            let values = factors.reconstruct(row()?, rank);
            let lines = |shown: fn(&str) -> Cow<str>| -> String {
                let line = |(id, value)| format!("{}\t{value}\n", shown(id));
                file.items().ids().zip(&values).map(line).collect()
            };
            return match &args.output {
                Some(path) => files::write_bytes(path, lines(|id| Cow::Borrowed(id)).as_bytes()),
                None => output::print(&lines(output::in_line)),
            };
        }
    };
    let path = args.output.unwrap_or_else(|| PathBuf::from("reconstruction.png"));
    files::write_bytes(&path, &picture.bytes)?;
    output::print(&format!("{}\n", path.display()))
}
