//! Repeated factorizations at several ranks: which rank the data carry, who belongs together, and by what.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::album::{Album, Shown};
use crate::data::Vocabulary;
use crate::error::Result;
use crate::linalg::Dense;
use crate::linalg::dot::norm;
use crate::report::plot::{self, Chart, Series};
use crate::solver::nmf::NmfFit;
use crate::solver::nmf::consensus::{Consensus, SampleSide, rank_before_fall};

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
    /// Cophenetic correlation, 1 if all agree.
    pub cophenetic: f64,
    /// Mean of 4 (c − ½)² of the consensus, 1 if all agree.
    pub dispersion: f64,
    /// The lowest objective of a run.
    pub objective: f64,
}

impl ConsensusViews {
    /// Adds a chart to what is in `folder`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::error::Error::Io), [`Error::Failed`](crate::error::Error::Failed) if it cannot be drawn.
    pub fn add(&mut self, folder: &Path, file: &str, caption: &str, chart: &Chart) -> Result<()> {
        let mut album = Album::new(folder);
        album.chart(file, caption, chart)?;
        self.files.append(&mut album.files);
        Ok(())
    }
}

/// Writes for each rank the consensus matrix, its samples as the leaves of the tree stand (`consensus_<rank>.png` and
/// `.svg`), over all ranks `cophenetic.png` and `members.csv` (the cluster of each sample when the tree is cut into as
/// many parts as the rank), and for the best rank `modules.csv`: what tells its components apart.
///
/// `fits` come by rising rank; `rows` and `columns` are the ids of A's.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io) if a file cannot be written, [`Error::Failed`](crate::error::Error::Failed)
/// if a picture cannot be drawn, [`Error::Usage`](crate::error::Error::Usage) for a rank above the number of samples.
///
/// # Panics
/// If a vocabulary does not fit the samples or the features.
pub fn consensus_views(
    fits: &[(usize, &Consensus)],
    samples: SampleSide,
    rows: &Vocabulary,
    columns: &Vocabulary,
    folder: &Path,
) -> Result<ConsensusViews> {
    let (names, others) = match samples {
        SampleSide::Rows => (rows, columns),
        SampleSide::Columns => (columns, rows),
    };
    let mut album = Album::new(folder);
    for (rank, fit) in fits {
        let order = fit.tree.leaves();
        let sorted = Dense::from_fn(order.len(), order.len(), |row, column| fit.matrix.row(order[row])[order[column]]);
        let ids: Vec<&str> = order.iter().map(|&sample| names.id(sample)).collect();
        let runs = fit.objectives.len();
        let title = format!("Consensus of {runs} runs at rank {rank}, cophenetic correlation {:.4}", fit.cophenetic);
        let chart = plot::heat_map(&title, &sorted, [&ids, &[]], (0.0, 1.0));
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
fn modules(fit: &NmfFit, samples: SampleSide, features: &Vocabulary, album: &mut Album) -> Result<()> {
    let weights = match samples {
        SampleSide::Rows => scaled(&fit.h.transposed(), &fit.w.transposed()),
        SampleSide::Columns => scaled(&fit.w, &fit.h),
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
    let lengths: Vec<f64> = (0..samples.rows()).map(|t| norm(samples.row(t))).collect();
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::linalg::Matrix;
    use crate::solver::nmf::NmfOptions;
    use crate::solver::nmf::consensus::consensus;

    #[test]
    fn planted_groups_are_found_with_their_features() {
        // Three groups of four samples (columns); features 0 … 8 belong to one each, 9 … 29 to all.
        let value = |row: usize, column: usize| match row {
            0..9 => {
                if row / 3 == column / 4 {
                    10.0 + (row % 3) as f32
                } else {
                    0.1
                }
            }
            _ => 1.0 + ((row * 7 + column * 3) % 5) as f32 * 0.05,
        };
        let dense = Dense::from_fn(30, 12, value);
        let (rows, columns) = (Vocabulary::numbered(30), Vocabulary::numbered(12));
        for (samples, matrix, rows, columns) in [
            (SampleSide::Columns, Matrix::Dense(dense.clone()), &rows, &columns),
            (SampleSide::Rows, Matrix::Dense(dense.transposed()), &columns, &rows),
        ] {
            let fits =
                [2, 3, 4].map(|rank| (rank, consensus(&matrix, &NmfOptions::new(rank), 6, samples).expect("runs")));
            let fits: Vec<_> = fits.iter().map(|(rank, fit)| (*rank, fit)).collect();
            let folder = tempfile::tempdir().expect("a temporary folder");
            let views = consensus_views(&fits[1..2], samples, rows, columns, folder.path()).expect("views");
            let names: Vec<&str> = views.files.iter().map(|shown| shown.file.as_str()).collect();
            assert_eq!(names, ["consensus_3.png", "consensus_3.svg", "members.csv", "modules.csv"]);
            assert_eq!((views.best_rank, views.stability[0].rank), (Some(3), 3));
            let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("text");
            let clusters: Vec<String> = read("members.csv")
                .lines()
                .skip(1)
                .map(|line| line.rsplit(',').next().expect("a cell").into())
                .collect();
            assert_eq!(clusters.concat(), "111122223333");
            let modules = read("modules.csv");
            let mut strongest = ["1,", "2,", "3,"].map(|component| {
                let lines = modules.lines().filter(|line| line.starts_with(component)).take(3);
                lines.map(|line| line.split(',').nth(1).expect("an id")).collect::<Vec<_>>()
            });
            strongest.sort();
            assert_eq!(strongest, [["3", "2", "1"], ["6", "5", "4"], ["9", "8", "7"]], "{modules}");

            let views = consensus_views(&fits, samples, rows, columns, folder.path()).expect("views");
            assert!(views.files.iter().any(|shown| shown.file == "cophenetic.png"));
            assert!(
                views.stability.iter().all(|at| at.cophenetic <= 1.0 && at.dispersion <= 1.0 && at.objective > 0.0)
            );
            assert!(
                read("members.csv").starts_with("sample,rank_2,rank_3,rank_4\n1,1,1,1\n"),
                "{}",
                read("members.csv")
            );
        }
        let none =
            consensus_views(&[], SampleSide::Rows, &rows, &columns, tempfile::tempdir().expect("a folder").path());
        assert_eq!(none.expect("views").best_rank, None);
    }

    #[test]
    fn the_score_of_kim_and_park() {
        let weights = Dense::new(5, 2, vec![8.0, 0.0, 1.0, 1.0, 3.0, 3.0, 0.0, 0.0, 2.0, 2.0]).expect("valid");
        assert_eq!(specific(&weights), [Specific { at: 0, component: 0, weight: 8.0, score: 1.0 }]);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
        assert_eq!(median(vec![]), 0.0);
    }
}
