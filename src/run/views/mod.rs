//! What a factorization is looked at by: the one place that decides what is shown of data of a [`Layout`].
//!
//! | layout | files |
//! |---|---|
//! | all, where components have a share | `components.csv` |
//! | [`Picture`](Layout::Picture) | `reconstructions.png`, `compression.csv` |
//! | [`Pictures`](Layout::Pictures) | `gallery.png`, `explained.png` (singular values), `recognition.png` (held-out rows) |
//! | [`Documents`](Layout::Documents) | `topics.csv`, `terms.png`, `explained.png` (singular values), `documents.png` (classes) |
//!
//! Components are counted from 1 in all of them.

mod album;
mod consensus;
mod documents;
mod factors;
mod pictures;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::Ratings;
use crate::data::layout::Layout;
use crate::error::Result;
use crate::report::plot::{self, Series};

use album::Album;
pub use album::Shown;
pub use consensus::{ConsensusViews, Stability, consensus_views};
pub use factors::Factors;

/// Strongest rows and columns of a component that `components.csv` lists.
const STRONGEST: usize = 10;

/// Rows of the data that the factorization has not seen.
#[derive(Debug, Clone, Copy)]
pub struct HeldOut<'a> {
    /// Their ids.
    pub ids: &'a [String],
    /// Their cells, zeros included: `[ids, columns]`.
    pub rows: &'a [f32],
}

/// What was found, and the files that show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Views {
    /// ‖A − Â‖ / ‖A‖ over the stored cells; `None` where those are all zero.
    pub relative_error: Option<f64>,
    /// The same over all cells, those that are not stored being 0; `None` where all are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_error_with_zeros: Option<f64>,
    /// How much of A each component carries; see [`Factors::shares`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<Vec<f64>>,
    /// Of one picture: what fewer components would cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compression: Vec<Compression>,
    /// Of pictures with classes: whether held-out ones are recognized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognition: Option<Recognition>,
    /// Of documents: the components by their words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<Topic>,
    /// The mean coherence of the topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coherence: Option<f64>,
    /// Of documents with classes: the share of a document's ten nearest by cosine that have its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_at_10: Option<f64>,
    /// What was written.
    pub files: Vec<Shown>,
}

/// A picture from its strongest components.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compression {
    /// How many components.
    pub rank: usize,
    /// Peak signal-to-noise ratio in decibels over the stored cells; `None` where the picture is reached exactly.
    pub psnr: Option<f64>,
    /// 4 bytes for each number of the factors and means.
    pub stored_bytes: usize,
    /// A byte for each pixel and channel.
    pub original_bytes: usize,
}

/// Held-out pictures, each taken for the class of the nearest training picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// Held-out pictures.
    pub pictures: usize,
    /// The share that got the right class.
    pub accuracy: f64,
}

/// A component of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// How much of A it carries, where components have a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Mean NPMI of the pairs of its words (see [`coherence`](crate::eval::coherence)).
    pub coherence: Option<f64>,
    /// The terms with the largest |weight|, largest first; negative ones begin with `−`.
    pub words: Vec<String>,
}

/// Writes into `folder` what data of this layout are looked at by. `train` holds the stored cells that the factors were
/// fitted to, `held_out` rows that were left out, which are recognized where they are pictures with classes.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io) where a file cannot be written, [`Error::Failed`](crate::error::Error::Failed)
/// where a picture cannot be drawn.
///
/// # Panics
/// Where the factors do not fit their vocabularies, `train` or the layout.
pub fn views(factors: &Factors, train: &Ratings, held_out: Option<HeldOut>, folder: &Path) -> Result<Views> {
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
    if let Some(shares) = &shares {
        components(factors, shares, &mut album)?;
    }
    match factors.layout {
        Layout::Cells => {}
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
        Layout::Documents => {
            views.topics = documents::topics(factors, train, shares.as_deref(), &mut album)?;
            let known: Vec<f64> = views.topics.iter().filter_map(|topic| topic.coherence).collect();
            views.coherence = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
            explained(factors, shares.as_deref(), &mut album)?;
            documents::maps(factors, shares.as_deref(), &mut album)?;
            views.precision_at_10 = documents::precision(factors);
        }
    }
    views.files = album.files;
    Ok(views)
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

/// A share as people read it.
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
