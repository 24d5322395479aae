//! Repeated factorizations at several ranks: which rank the data carry, who belongs together, and by what.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::album::{Album, Shown};
use crate::data::Vocabulary;
use crate::data::matrix::Dense;
use crate::error::Result;
use crate::report::plot::{self, Series};
use crate::solver::nmf::Nmf;
use crate::solver::nmf::consensus::{Consensus, Samples, rank_before_fall};

/// What was found at each rank, and the files that show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsensusViews {
    /// How far the runs agree, a rank each.
    pub stability: Vec<Stability>,
    /// The largest rank up to which the cophenetic correlation has not fallen.
    pub best_rank: Option<usize>,
    /// What was written.
    pub files: Vec<Shown>,
}

/// How far the runs at a rank agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Number of components.
    pub rank: usize,
    /// Cophenetic correlation, 1 where all agree.
    pub cophenetic: f64,
    /// Mean of 4 (c − ½)² of the consensus, 1 where all agree.
    pub dispersion: f64,
    /// The lowest objective of a run.
    pub objective: f64,
}

/// Writes for each rank the consensus matrix, its samples as the leaves of the tree stand (`consensus_<rank>.png` and
/// `.svg`), over all ranks `cophenetic.png` and `members.csv` (the cluster of each sample when the tree is cut into as
/// many parts as the rank), and for the best rank `modules.csv`: what tells its components apart.
///
/// `fits` come by rising rank; `rows` and `columns` are the ids of A's.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io) where a file cannot be written, [`Error::Failed`](crate::error::Error::Failed)
/// where a picture cannot be drawn, [`Error::Usage`](crate::error::Error::Usage) for a rank above the number of samples.
pub fn consensus_views(
    fits: &[(usize, &Consensus)],
    samples: Samples,
    rows: &Vocabulary,
    columns: &Vocabulary,
    folder: &Path,
) -> Result<ConsensusViews> {
    let (names, others) = match samples {
        Samples::Rows => (rows, columns),
        Samples::Columns => (columns, rows),
    };
    let mut album = Album::new(folder);
    for (rank, fit) in fits {
        let order = fit.tree.leaves();
        let sorted = Dense::from_fn(order.len(), order.len(), |row, column| fit.matrix.row(order[row])[order[column]]);
        let ids: Vec<&str> = order.iter().map(|&sample| names.id(sample)).collect();
        let runs = fit.objectives.len();
        let title = format!("Consensus of {runs} runs at rank {rank}, cophenetic correlation {:.4}", fit.cophenetic);
        let chart = plot::heat_map(&title, &sorted, &ids, (0.0, 1.0));
        album.chart(&format!("consensus_{rank}.png"), &title, &chart)?;
        album.svg(&format!("consensus_{rank}.svg"), &title, &chart)?;
    }
    let curve: Vec<(usize, f64)> = fits.iter().map(|(rank, fit)| (*rank, fit.cophenetic)).collect();
    let best_rank = rank_before_fall(&curve);
    let series = [("cophenetic correlation", true), ("dispersion", false)].map(|(name, cophenetic)| {
        let value = |fit: &Consensus| if cophenetic { fit.cophenetic } else { fit.dispersion };
        Series { name: name.into(), points: fits.iter().map(|(rank, fit)| (*rank as f64, value(fit))).collect() }
    });
    if fits.len() > 1 {
        let title = "Agreement of the runs";
        album.chart("cophenetic.png", title, &plot::curves(title, "rank", "1 where all runs agree", &series))?;
    }
    members(fits, names, &mut album)?;
    if let Some((_, fit)) = fits.iter().find(|(rank, _)| Some(*rank) == best_rank) {
        modules(&fit.best, samples, others, &mut album)?;
    }
    let stability = |(rank, fit): &(usize, &Consensus)| Stability {
        rank: *rank,
        cophenetic: fit.cophenetic,
        dispersion: fit.dispersion,
        objective: fit.best.objective,
    };
    Ok(ConsensusViews { stability: fits.iter().map(stability).collect(), best_rank, files: album.files })
}

/// `members.csv`: the cluster of each sample, from 1, at each rank.
fn members(fits: &[(usize, &Consensus)], names: &Vocabulary, album: &mut Album) -> Result<()> {
    let clusters = fits.iter().map(|(rank, fit)| fit.clusters(*rank)).collect::<Result<Vec<_>>>()?;
    let header: Vec<String> =
        ["sample".into()].into_iter().chain(fits.iter().map(|(rank, _)| format!("rank_{rank}"))).collect();
    let line = |(sample, id): (usize, &str)| {
        let numbers = clusters.iter().map(|clusters| (clusters[sample] + 1).to_string());
        [id.to_string()].into_iter().chain(numbers).collect()
    };
    let lines: Vec<Vec<String>> = names.ids().enumerate().map(line).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    album.table("members.csv", "the cluster of each sample at each rank", &header, &lines)
}

/// `modules.csv`: of each component the features (genes, terms) that are specific to it, strongest first.
fn modules(fit: &Nmf, samples: Samples, features: &Vocabulary, album: &mut Album) -> Result<()> {
    let weights = match samples {
        Samples::Rows => scaled(&fit.h.transposed(), &fit.w.transposed()),
        Samples::Columns => scaled(&fit.w, &fit.h),
    };
    let mut specific = specific(&weights);
    specific.sort_by(|a, b| a.component.cmp(&b.component).then(b.weight.total_cmp(&a.weight)));
    let line = |feature: &Specific| {
        let Specific { at, component, weight, score } = feature;
        vec![(component + 1).to_string(), features.id(*at).to_string(), weight.to_string(), format!("{score:.4}")]
    };
    let lines: Vec<_> = specific.iter().map(line).collect();
    let rank = weights.columns();
    let caption = format!("what is specific to each of the {rank} components, strongest first");
    album.table("modules.csv", &caption, &["component", "id", "weight", "score"], &lines)
}

/// Features × components, in units in which the other factor's components (its rows) have unit length.
fn scaled(features: &Dense, samples: &Dense) -> Dense {
    let length = |t: usize| samples.row(t).iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let lengths: Vec<f64> = (0..samples.rows()).map(length).collect();
    let value = |row: usize, t: usize| (f64::from(features.row(row)[t]) * lengths[t]) as f32;
    Dense::from_fn(features.rows(), features.columns(), value)
}

/// A feature that tells a component from the others.
#[derive(Debug, PartialEq)]
struct Specific {
    at: usize,
    component: usize,
    weight: f32,
    score: f64,
}

/// The features that Kim & Park (2007) select: the score 1 + Σ_q p_q log p_q / log(rank), with p_q the part of its
/// weight that a feature has in component q, is above the median of all scores by three median absolute deviations, and
/// the largest weight is above the median of all weights. With a single component, every feature of the latter kind.
fn specific(weights: &Dense) -> Vec<Specific> {
    let rank = weights.columns();
    let score = |row: &[f32]| {
        let sum: f64 = row.iter().map(|&weight| f64::from(weight)).sum();
        let parts = row.iter().map(|&weight| f64::from(weight) / sum).filter(|&part| part > 0.0);
        let entropy = -parts.map(|part| part * part.ln()).sum::<f64>();
        if rank > 1 && sum > 0.0 { 1.0 - entropy / (rank as f64).ln() } else { 0.0 }
    };
    let scores: Vec<f64> = (0..weights.rows()).map(|row| score(weights.row(row))).collect();
    let middle = median(scores.clone());
    let deviation = median(scores.iter().map(|score| (score - middle).abs()).collect());
    let least_weight = median(weights.values().iter().map(|&weight| f64::from(weight)).collect());
    let select = |at: usize| {
        let row = weights.row(at);
        let component = (1..rank).fold(0, |best, t| if row[t] > row[best] { t } else { best });
        let (weight, score) = (row[component], scores[at]);
        let passes = (rank == 1 || score > middle + 3.0 * deviation) && f64::from(weight) > least_weight;
        passes.then_some(Specific { at, component, weight, score })
    };
    (0..weights.rows()).filter_map(select).collect()
}

/// The middle value, of an even number the mean of both; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.get(upper) {
        None => 0.0,
        Some(middle) if values.len() % 2 == 1 => *middle,
        Some(middle) => (middle + values[upper - 1]) / 2.0,
    }
}
