//! How a factorization is shown, and what is found.

use serde::{Deserialize, Serialize};

use super::album::Shown;

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
    /// ‖A − Â‖ / ‖A‖ over the stored cells; `None` if those are all zero.
    pub relative_error: Option<f64>,
    /// The same over all cells, those that are not stored being 0; `None` if all are stored, or the others missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_error_with_zeros: Option<f64>,
    /// How much of A each component carries; see [`Factors::shares`](super::Factors::shares).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<Vec<f64>>,
    /// Of one picture: what fewer components would cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compression: Vec<Compression>,
    /// Root mean squared error over the cells of held-out rows, each made up from the components as well as it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_rmse: Option<f64>,
    /// Of pictures and documents with classes: whether held-out ones are recognized.
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
    /// Peak signal-to-noise ratio in decibels over the stored cells; `None` if the picture is reached exactly.
    pub psnr: Option<f64>,
    /// 4 bytes for each number of the factors and means.
    pub stored_bytes: usize,
    /// A byte for each pixel and channel.
    pub original_bytes: usize,
}

/// Held-out rows, each taken for the class of the nearest training row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// Held-out rows.
    pub count: usize,
    /// The share that got the right class.
    pub accuracy: f64,
}

/// A component of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// How much of A it carries, if components have a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Mean NPMI of the pairs of its words (see [`coherence`](crate::eval::coherence)).
    pub coherence: Option<f64>,
    /// The terms with the largest |weight|, largest first; negative ones begin with `−`.
    pub words: Vec<String>,
}
