//! `lowrank reconstruct`.

use std::path::PathBuf;

use clap::Args;

use super::{RunArg, output, run};
use crate::data::Layout;
use crate::error::{Error, Result};
use crate::files;
use crate::report::pictures::{Shades, Tile};

/// Arguments of `lowrank reconstruct`.
#[derive(Debug, Args)]
pub struct ReconstructArgs {
    #[command(flatten)]
    run: RunArg,
    /// The id of a user, document or picture; a model of one picture needs none.
    #[arg(allow_negative_numbers = true)]
    row: Option<String>,
    /// From so many of the first components; all where not given. Needs an SVD, whose components fall in weight.
    #[arg(long)]
    rank: Option<usize>,
    /// Where pictures are written; reconstruction.png where not given. Other rows go to standard output.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// Writes a row, or a picture, as the factorization makes it up again.
pub fn reconstruct(args: ReconstructArgs) -> Result<()> {
    let open = run::open(&args.run)?;
    let file = &open.file;
    let fitted = open.fitted()?;
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
        return Err(Error::Usage("--rank: only the components of an SVD come in an order; leave it out".into()));
    }
    let (noun, _) = factors.layout.nouns();
    let row = || -> Result<usize> {
        let Some(id) = &args.row else { return Err(Error::Usage(format!("which {noun}? Give its id after the run"))) };
        let at = file.users.index(id);
        at.map(|at| at as usize).ok_or_else(|| {
            Error::Usage(format!("{noun} {id:?} is not among the {} {noun}s of this model", file.users.len()))
        })
    };
    let picture = match factors.layout {
        Layout::Picture { width, channels } => {
            let lines: Vec<f32> = (0..file.users.len()).flat_map(|line| factors.reconstruct(line, rank)).collect();
            Tile::picture("", &lines, width, channels).png()?
        }
        Layout::Pictures { width, .. } => {
            Tile::grey("", &factors.reconstruct(row()?, rank), width, Shades::Bytes).png()?
        }
        Layout::Cells | Layout::Documents => {
            let mut text = String::new();
            for (id, value) in file.items.ids().zip(factors.reconstruct(row()?, rank)) {
                text += &format!("{id}\t{value}\n");
            }
            return output::print(&text);
        }
    };
    let path = args.output.unwrap_or_else(|| PathBuf::from("reconstruction.png"));
    files::write_bytes(&path, &picture.bytes)?;
    output::print(&format!("{}\n", path.display()))
}
