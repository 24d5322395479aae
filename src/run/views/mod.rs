//! How a factorization is shown: the one place that decides which tables and pictures data of a [`Layout`] get.
//!
//! | layout | files |
//! |---|---|
//! | all, if components have a share | `components.csv` |
//! | [`Picture`](Layout::Picture) | `reconstructions.png`, `compression.csv` |
//! | [`Pictures`](Layout::Pictures) | `gallery.png`, `explained.png` (singular values), `recognition.png` (held-out rows) |
//! | [`CoOccurrences`](Layout::CoOccurrences) | `words.png`, `neighbours.csv`, `explained.png` (singular values) |
//! | all, of probabilities | `calibration.png` |
//! | [`Cells`](Layout::Cells) with a context | `effects.png`, `effects.csv`, `interactions.png`, `interactions.csv` |
//! | [`Cells`](Layout::Cells) counted from purchases | those of `segments` |
//! | [`Documents`](Layout::Documents) | `topics.csv`, `terms.png`, `explained.png` (singular values), `documents.png` (classes) |
//!
//! Components are counted from 1 in all of them.

mod album;
mod calibration;
mod consensus;
mod documents;
mod effects;
mod factors;
mod findings;
mod fitted;
mod pictures;
mod products;
mod segments;
mod words;

use std::path::Path;

use crate::data::{Interactions, Layout, Vocabulary};
use crate::error::Result;
use crate::eval::WordVectors;
use crate::report::plot::{self, Series};

use album::Album;
pub use album::{Shown, pictures};
pub(super) use calibration::calibration_view;
pub use consensus::{ConsensusViews, consensus_views};
pub(super) use effects::{EffectViews, Interaction, ValueEffect, effect_views};
pub use factors::Factors;
pub use findings::{CommunityFindings, Compression, HeldOut, ListFindings, SegmentFindings, Topic, Views};
pub use fitted::Fitted;
pub(super) use products::{BoughtTogether, ProductView};
pub(super) use segments::{Mail, SegmentView, segment_views};

/// Strongest rows and columns of a component that `components.csv` lists.
const STRONGEST: usize = 10;

/// Writes the tables and pictures for data of this layout into `folder`. `train` holds the stored cells that the factors were
/// fitted to, `held_out` rows that were left out, which are recognized if they are pictures with classes.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io) if a file cannot be written, [`Error::Failed`](crate::error::Error::Failed)
/// if a picture cannot be drawn.
///
/// # Panics
/// If the factors do not fit their vocabularies, `train` or the layout.
pub fn views(factors: &Factors, train: &Interactions, held_out: Option<HeldOut>, folder: &Path) -> Result<Views> {
    factors.check();
    let mut album = Album::new(folder);
    let errors = factors.errors(train);
    let shares = factors.shares(train);
    let mut views = Views {
        relative_error: errors.stored,
        relative_error_with_zeros: errors.with_zeros,
        shares: shares.clone(),
        ..Views::default()
    };
    let projected = held_out.map(|held_out| factors.project(held_out.rows)).transpose()?;
    let held_out = held_out.zip(projected.as_deref());
    views.held_out_rmse = held_out.and_then(|(held_out, projected)| factors.error_of_others(held_out.rows, projected));
    if let Some(shares) = &shares {
        components(factors, shares, &mut album)?;
    }
    match factors.layout {
        Layout::Cells | Layout::Table | Layout::Matrix | Layout::Graph => {}
        Layout::Picture { width, channels } => {
            views.compression = pictures::reconstructions(factors, train, (width, channels), &mut album)?;
        }
        Layout::Pictures { width, .. } => {
            pictures::gallery(factors, width, shares.as_deref(), &mut album)?;
            explained(factors, shares.as_deref(), &mut album)?;
            if let Some(held_out) = held_out {
                views.recognition = pictures::recognition(factors, train, held_out, width, &mut album)?;
            }
        }
        Layout::CoOccurrences => explained(factors, shares.as_deref(), &mut album)?,
        Layout::Documents => {
            views.topics = documents::topics(factors, train, shares.as_deref(), &mut album)?;
            let known: Vec<f64> = views.topics.iter().filter_map(|topic| topic.coherence).collect();
            views.coherence = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
            explained(factors, shares.as_deref(), &mut album)?;
            documents::maps(factors, &mut album)?;
            views.precision_at_10 = documents::precision(factors);
            if let Some(held_out) = held_out {
                views.recognition = documents::recognition(factors, held_out);
            }
        }
    }
    views.files = album.files;
    Ok(views)
}

/// Writes a table into `folder`.
///
/// # Errors
/// Those of [`views`].
pub fn table(folder: &Path, file: &str, caption: &str, header: &[&str], lines: &[Vec<String>]) -> Result<Shown> {
    let mut album = Album::new(folder);
    album.table(file, caption, header, lines)?;
    Ok(album.files.remove(0))
}

/// Writes the tables and pictures of words by their vectors.
///
/// # Errors
/// Those of [`views`].
pub fn word_views(words: &Vocabulary, vectors: &WordVectors, folder: &Path) -> Result<Vec<Shown>> {
    let mut album = Album::new(folder);
    words::map(words, vectors, &mut album)?;
    words::neighbours(words, vectors, &mut album)?;
    Ok(album.files)
}

/// `components.csv`: the rows and columns with the largest |weight| of each component.
fn components(factors: &Factors, shares: &[f64], album: &mut Album) -> Result<()> {
    let mut lines = Vec::new();
    for (component, share) in shares.iter().enumerate() {
        for (side, values, ids) in [("column", factors.h, factors.columns), ("row", factors.w, factors.rows)] {
            for (place, (at, weight)) in factors.strongest(values, component, STRONGEST).into_iter().enumerate() {
                let [component, place] = [component + 1, place + 1].map(|number| number.to_string());
                let id = ids.id(at).to_string();
                lines.push(vec![component, share.to_string(), side.into(), place, id, weight.to_string()]);
            }
        }
    }
    let caption = "components: their shares, and the columns and rows with the largest weights";
    album.table("components.csv", caption, &["component", "share", "side", "place", "id", "weight"], &lines)
}

/// `explained.png`: the shares of singular values, summed up.
fn explained(factors: &Factors, shares: Option<&[f64]>, album: &mut Album) -> Result<()> {
    let (Some(shares), Some(_)) = (shares, factors.singular_values) else { return Ok(()) };
    let sums = shares.iter().scan(0.0, |sum, share| {
        *sum += share;
        Some(*sum)
    });
    let points = [0.0].into_iter().chain(sums).enumerate().map(|(count, sum)| (count as f64, 100.0 * sum)).collect();
    let what = if factors.means.is_some() { "variance" } else { "sum of squares" };
    let title = format!("Explained {what} of {} components", shares.len());
    let series = [Series { name: "cumulative".into(), points }];
    let chart = plot::curves(&title, "components", &format!("% of the {what}"), &series);
    album.chart("explained.png", &title, &chart)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::factors::tests::{Fit, cells, sparse};
    use super::findings::Recognition;
    use super::*;
    use crate::linalg::{Dense, Matrix};

    fn names(views: &Views) -> Vec<&str> {
        views.files.iter().map(|shown| shown.file.as_str()).collect()
    }

    /// Views of a fit, and a file of theirs as text.
    fn of(fit: &Fit, matrix: &Matrix, held_out: Option<HeldOut>) -> (Views, impl Fn(&str) -> String + use<>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let views = views(&fit.factors(), &cells(matrix), held_out, folder.path()).expect("views");
        for shown in &views.files {
            let bytes = fs::read(folder.path().join(&shown.file)).expect("the file is there");
            assert_eq!(
                shown.picture.as_ref().map(|picture| &picture.bytes),
                shown.file.ends_with(".png").then_some(&bytes)
            );
        }
        let kept = serde_json::to_string(&views).expect("serializable");
        let again: Views = serde_json::from_str(&kept).expect("and back");
        assert!(again.files.iter().all(|shown| shown.picture.is_none()), "{kept}");
        assert_eq!(again.files.len(), views.files.len());
        (views, move |name| fs::read_to_string(folder.path().join(name)).expect("text"))
    }

    #[test]
    fn cells_have_components_only_where_those_mean_something() {
        let matrix = sparse();
        let fit = Fit::svd(&matrix, Layout::Cells, 2, false);
        let (views, text) = of(&fit, &matrix, None);
        assert_eq!(names(&views), ["components.csv"]);
        let missed = views.relative_error_with_zeros.expect("zeros").powi(2);
        let explained: f64 = views.shares.expect("shares").iter().sum();
        assert!((missed + explained - 1.0).abs() < 1e-5, "{missed} {explained}");
        assert!(text("components.csv").lines().nth(1).expect("a line").starts_with("1,0."));
        let rotated = Factors { singular_values: None, non_negative: false, ..fit.factors() };
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(super::views(&rotated, &cells(&matrix), None, folder.path()).expect("views").files.is_empty());
    }

    #[test]
    fn a_picture_gets_better_with_each_step_of_the_ladder() {
        let value = |row: usize, column: usize| ((row * 31 + column * 17 + row * column) % 256) as f32;
        let matrix = Matrix::Dense(Dense::from_fn(20, 3 * 16, value));
        let layout = Layout::Picture { width: 16, channels: 3 };
        for fit in [Fit::svd(&matrix, layout, 20, true), Fit::nmf(&matrix, layout, 7)] {
            let (views, text) = of(&fit, &matrix, None);
            assert_eq!(names(&views), ["components.csv", "reconstructions.png", "compression.csv"]);
            let steps = &views.compression;
            assert_eq!(steps.iter().map(|step| step.rank).collect::<Vec<_>>()[..3], [1, 2, 5]);
            assert_eq!(steps.last().expect("steps").rank, fit.rank);
            assert!(steps.is_sorted_by(|a, b| a.psnr < b.psnr), "{steps:?}");
            let means = if fit.means.is_some() { 48 } else { 0 };
            assert_eq!((steps[1].stored_bytes, steps[1].original_bytes), (4 * (2 * 68 + means), 960));
            assert_eq!(text("compression.csv").lines().count(), steps.len() + 1);
        }
        assert!(
            of(&Fit::svd(&matrix, layout, 20, true), &matrix, None).0.compression[4]
                .psnr
                .is_none_or(|psnr| psnr > 60.0)
        );
    }

    #[test]
    fn pictures_are_recognized_by_what_they_are_made_of() {
        // Three classes, each a pattern of its own, in four brightnesses.
        let picture = |class: usize, place: usize| f32::from(u8::from(place % 3 == class || place == class));
        let value = |row: usize, place: usize| picture(row / 4, place) * (row % 4 + 1) as f32;
        let matrix = Matrix::Dense(Dense::from_fn(12, 12, value));
        let ids: Vec<String> = (0..3).map(|class| format!("c{class}/new")).collect();
        let held_out: Vec<f32> =
            (0..3).flat_map(|class| (0..12).map(move |place| 2.5 * picture(class, place))).collect();
        let layout = Layout::Pictures { width: 4, height: 3 };
        for (mut fit, explained) in [
            (Fit::svd(&matrix, layout, 3, true), true),
            (Fit::svd(&matrix, layout, 3, false), true),
            (Fit::nmf(&matrix, layout, 3), false),
        ] {
            let held_out = HeldOut { ids: &ids, rows: &held_out };
            let (views, _) = of(&fit, &matrix, Some(held_out));
            assert_eq!(views.recognition, None, "no classes");
            fit.rows = Vocabulary::from_ids((0..12).map(|row| format!("c{}/{row}", row / 4)));
            let (views, _) = of(&fit, &matrix, Some(held_out));
            assert_eq!(views.recognition, Some(Recognition { count: 3, accuracy: 1.0 }));
            let files = ["components.csv", "gallery.png", "explained.png", "recognition.png"];
            assert_eq!(
                names(&views),
                files.into_iter().filter(|name| explained || *name != "explained.png").collect::<Vec<_>>()
            );
            let (views, _) = of(&fit, &matrix, Some(HeldOut { ids: &[], rows: &[] }));
            assert_eq!(views.recognition, None);
        }
    }

    #[test]
    fn topics_of_separate_vocabularies_are_found_and_coherent() {
        // Documents of two classes share no word; words of a class are all in each of its documents.
        let class = |row: usize| usize::from(row >= 6);
        let value = |row: usize, term: usize| if term / 10 == class(row) { (2 + (row + term) % 3) as f32 } else { 0.0 };
        let matrix = Matrix::Dense(Dense::from_fn(14, 20, value));
        let matrix = Matrix::Sparse(matrix.filtered(|row, term| value(row, term) != 0.0));
        for mut fit in [Fit::nmf(&matrix, Layout::Documents, 2), Fit::svd(&matrix, Layout::Documents, 2, false)] {
            fit.rows = Vocabulary::from_ids((0..14).map(|row| format!("{}/{row}", ["a", "b"][class(row)])));
            fit.columns = Vocabulary::from_ids((0..20).map(|term| format!("t{term}")));
            let (views, text) = of(&fit, &matrix, None);
            assert_eq!(names(&views)[..2], ["components.csv", "topics.csv"]);
            assert!(names(&views).ends_with(&["terms.png", "documents.png"]));
            let mut topics: Vec<Vec<String>> = views.topics.iter().map(|topic| topic.words.clone()).collect();
            topics.iter_mut().for_each(|words| words.sort());
            topics.sort();
            let expected = [0, 10].map(|first| (first..first + 10).map(|term| format!("t{term}")).collect::<Vec<_>>());
            assert_eq!(topics, expected);
            assert_eq!(views.precision_at_10.map(|precision| (precision * 1e6).round()), Some(614286.0));
            assert!(text("topics.csv").starts_with("topic,share,npmi,words\n1,0."));
            assert!((views.coherence.expect("words") - 1.0).abs() < 1e-12);
        }
    }
}
