//! Many factorizations of the same data, compared: how many components the data support, and what they contain.

use std::path::PathBuf;

use serde::Serialize;

use super::directory::RunDirectory;
use super::parts::Parts;
use super::prepared::with_threads;
use super::settings::{Settings, check_targets};
use super::train::write_json;
use super::views::{ConsensusViews, consensus_views, pictures};
use crate::config::Config;
use crate::config::words::joined;
use crate::data::split::{SplitKind, assign_all, divide};
use crate::data::{Layout, Vocabulary};
use crate::error::{Error, Result};
use crate::files;
use crate::linalg::Matrix;
use crate::report::event_file::EventFile;
use crate::report::plot::{self, Series};
use crate::solver::nmf::consensus::{Consensus, SampleSide, consensus as compare_runs, held_out};
use crate::solver::nmf::{NmfOptions, Zeros};

/// The options of a comparison.
#[derive(Debug, Clone)]
pub struct ConsensusOptions {
    /// Numbers of components, ascending.
    pub ranks: Vec<usize>,
    /// Factorizations of each, from random starts.
    pub runs: usize,
    /// Which side of the matrix holds the samples; `None` for the rows of pictures and documents, and the columns of
    /// other data.
    pub samples: Option<SampleSide>,
    /// Parts into which cells are dealt, held out in turn; 0 holds none out.
    pub folds: usize,
}

/// A finished comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// The directory of all files.
    pub directory: PathBuf,
    /// Runs of each rank.
    pub runs: usize,
    /// Samples all of whose cells are 0, which belong to no component and are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Root mean squared error of held-out cells by rank, if cells were held out: mean over the folds.
    pub held_out_rmse: Vec<(usize, f64)>,
    /// The findings, and the files that show them.
    #[serde(flatten)]
    pub views: ConsensusViews,
}

/// Factorizes the data of `config` repeatedly and writes what the runs agree on.
///
/// # Errors
/// [`Error::Usage`] for a solver other than `hals` and `multiplicative`, without ranks, or for ranks that do not
/// increase; those of data, factorization and files.
pub fn consensus(
    config: &Config,
    parts: &Parts,
    options: &ConsensusOptions,
    note: impl FnMut(&str) + Send,
) -> Result<Compared> {
    let settings = Settings::of(config, parts)?;
    with_threads(&settings, |_| run(config, &settings, options, note))
}

fn run(
    config: &Config,
    settings: &Settings,
    options: &ConsensusOptions,
    mut note: impl FnMut(&str),
) -> Result<Compared> {
    let ConsensusOptions { ranks, runs, samples, folds } = options;
    if ranks.is_empty() || !ranks.is_sorted_by(|a, b| a < b) {
        return Err(Error::Usage("--ranks must be increasing numbers of components".into()));
    }
    let of_rank = |&rank: &usize| settings.solver.nmf(settings.values(), rank, settings.seed);
    let factorizations = ranks.iter().map(of_rank).collect::<Result<Vec<NmfOptions>>>()?;
    let mut dataset = settings.source.load()?;
    dataset.notes.iter().for_each(|text| note(text));
    if settings.split.kind != SplitKind::None {
        note("only the training part is factorized; set data.split.kind = \"none\" to use all");
    }
    check_targets(&dataset, settings.refusal(), |at, message| settings.source.error_at(&dataset, at, message))?;
    let parts = assign_all(&mut dataset, &settings.split, settings.seed)?;
    dataset.interactions.timestamps = None;
    let data = divide(&dataset, &parts, false)?;
    let matrix = data.train.to_matrix(data.users().len(), data.items().len())?;
    let samples = samples.unwrap_or(match dataset.layout {
        Layout::Cells | Layout::Table | Layout::Matrix => SampleSide::Columns,
        _ => SampleSide::Rows,
    });
    let all = match samples {
        SampleSide::Rows => data.users(),
        SampleSide::Columns => data.items(),
    };
    let kept = expressed(&matrix, samples);
    let left_out: Vec<String> =
        all.ids().zip(&kept).filter(|(_, kept)| !**kept).map(|(id, _)| id.to_string()).collect();
    if !left_out.is_empty() {
        note(&format!("samples without any cell that is not 0 are left out: {}", listed(&left_out)));
    }
    let names = Vocabulary::from_ids(all.ids().zip(&kept).filter(|(_, kept)| **kept).map(|(id, _)| id));
    let matrix = only(&matrix, samples, &kept)?;
    let (rows, columns) = match samples {
        SampleSide::Rows => (&names, data.items()),
        SampleSide::Columns => (data.users(), &names),
    };
    let (count, side) = match samples {
        SampleSide::Rows => (matrix.rows(), "rows"),
        SampleSide::Columns => (matrix.columns(), "columns"),
    };
    let most = ranks[ranks.len() - 1];
    if most > count {
        return Err(Error::Usage(format!(
            "--ranks {most}: there are only {count} samples, the {side}; give at most {count}, or the other --samples"
        )));
    }
    check_memory(settings, &matrix, count, *folds)?;
    let mut fits: Vec<(usize, Consensus)> = Vec::new();
    let mut held_out_rmse = Vec::new();
    for nmf in &factorizations {
        let rank = nmf.rank;
        fits.push((rank, compare_runs(&matrix, nmf, *runs, samples)?));
        if *folds > 0 {
            let errors = held_out(&matrix, nmf, *folds)?;
            held_out_rmse.push((rank, errors.iter().sum::<f64>() / errors.len() as f64));
        }
        note(&format!("rank {rank}: {runs} runs, cophenetic correlation {:.4}", fits[fits.len() - 1].1.cophenetic));
    }
    let directory = RunDirectory::create(&settings.dir, &format!("{}-consensus", settings.name))?;
    files::write_bytes(&directory.config(), config.to_toml().as_bytes())?;
    let borrowed: Vec<_> = fits.iter().map(|(rank, fit)| (*rank, fit)).collect();
    let mut views = consensus_views(&borrowed, samples, rows, columns, directory.path())?;
    if held_out_rmse.len() > 1 {
        let title = "Held-out cells";
        let points = held_out_rmse.iter().map(|&(rank, error)| (rank as f64, error)).collect();
        let series = [Series { name: format!("mean of {folds} folds"), points }];
        views.add(directory.path(), "held_out.png", title, &plot::curves(title, "rank", "RMSE", &series))?;
    }
    if settings.report.tensorboard {
        EventFile::append(directory.path())?.pictures(pictures(&views.files))?;
    }
    let compared = Compared { directory: directory.path().to_path_buf(), runs: *runs, left_out, held_out_rmse, views };
    write_json(&directory.path().join("consensus.json"), &compared)?;
    Ok(compared)
}

/// The first of some names, and how many there are.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    match names.len() {
        0..=MOST => joined(names, "and"),
        count => format!("{}, … ({count} in all)", names[..MOST].join(", ")),
    }
}

/// Which samples have a cell that is not 0.
fn expressed(matrix: &Matrix, samples: SampleSide) -> Vec<bool> {
    let count = match samples {
        SampleSide::Rows => matrix.rows(),
        SampleSide::Columns => matrix.columns(),
    };
    let mut expressed = vec![false; count];
    for (at, _) in matrix.values().iter().enumerate().filter(|(_, value)| **value != 0.0) {
        let (row, column) = matrix.place(at);
        expressed[if samples == SampleSide::Rows { row } else { column }] = true;
    }
    expressed
}

/// The matrix of those samples alone that are kept.
fn only(matrix: &Matrix, samples: SampleSide, kept: &[bool]) -> Result<Matrix> {
    let mut numbers = 0_u32..;
    let places: Vec<Option<u32>> = kept.iter().map(|kept| if *kept { numbers.next() } else { None }).collect();
    let count = numbers.start;
    let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (at, &value) in matrix.values().iter().enumerate() {
        let (row, column) = matrix.place(at);
        let (sample, other) = if samples == SampleSide::Rows { (row, column) } else { (column, row) };
        let Some(sample) = places[sample] else { continue };
        let (row, column) = if samples == SampleSide::Rows { (sample, other as u32) } else { (other as u32, sample) };
        rows.push(row);
        columns.push(column);
        values.push(value);
    }
    let size = |side, all| if side == samples { count as usize } else { all };
    let (height, width) = (size(SampleSide::Rows, matrix.rows()), size(SampleSide::Columns, matrix.columns()));
    Matrix::from_cells(height, width, &rows, &columns, &values)
}

/// Rejects a consensus that needs more than `train.max_memory`, or 8 GB if that is not set.
fn check_memory(settings: &Settings, matrix: &Matrix, samples: usize, folds: usize) -> Result<()> {
    const GIGABYTE: f64 = 1e9;
    let most = settings.max_memory.unwrap_or(8.0);
    // The counts, the consensus, the distances and the tree's own copy of them.
    let pairs = 24.0 * (samples as f64).powi(2);
    // All cells, and those that each fold sees, by rows and by columns.
    let cells = match settings.zeros() {
        Zeros::Missing => matrix.stored(),
        Zeros::Data => matrix.rows() * matrix.columns(),
    };
    let left_out = if folds == 0 { 0.0 } else { (8 + 16 * (folds - 1)) as f64 * cells as f64 };
    let (needed, remedy) = if pairs > left_out {
        (pairs, "use the other --samples, or fewer rows or columns")
    } else {
        (left_out, "--folds 0 holds no cells out")
    };
    if needed <= most * GIGABYTE {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "a consensus needs about {:.1} GB, more than {most} GB; {remedy}, or set train.max_memory",
        needed / GIGABYTE
    )))
}
