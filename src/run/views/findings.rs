//! How a factorization is shown, and what is found.

use serde::{Deserialize, Serialize};

use super::album::Shown;
use crate::eval::GroupStability;

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
    /// Of purchases: segments of customers, and communities of products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<SegmentFindings>,
    /// What was written.
    pub files: Vec<Shown>,
}

/// Segments of customers, communities of products, and what is bought together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentFindings {
    /// Customers in segments.
    pub customers: usize,
    /// How well so many segments come out again.
    pub stability: GroupStability,
    /// The same of so many segments by recency, frequency and monetary value alone, if taste counts as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability_of_habits: Option<GroupStability>,
    /// Communities, where products have vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communities: Option<CommunityFindings>,
    /// What is bought together; `None` where it would take long to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bought_together: Option<TogetherFindings>,
    /// How well the lists of segments tell what customers buy next, if orders are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<ListFindings>,
}

/// Communities of products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommunityFindings {
    /// How well so many communities come out again.
    pub stability: GroupStability,
    /// Of the pairs of products in an order that is held out, the share that is of one community.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_pairs_within: Option<f64>,
    /// The same if products of orders had nothing to do with each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_chance: Option<f64>,
}

/// Pairs of products that are bought together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TogetherFindings {
    /// Pairs that are listed.
    pub pairs: usize,
    /// How many times more often they are in one order than by chance, all together.
    pub lift: Option<f64>,
    /// The same in orders that are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_lift: Option<f64>,
    /// Held-out orders without one of their products, that are to be completed.
    pub asked: usize,
    /// How often the missing product is among the first ten by the lifts of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<f64>,
    /// The same by how many orders a product is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popularity_hit_rate: Option<f64>,
}

/// Lists for segments, judged by orders that are held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListFindings {
    /// Days whose first purchases make the lists; `None` for all.
    pub days: Option<u32>,
    /// Customers who then buy something for the first time.
    pub customers: usize,
    /// The share of them who buy one of the first ten products of their segment's list that they have not bought.
    pub hit_rate: f64,
    /// The same of the products that most customers of all segments bought first in these days.
    pub recent_hit_rate: f64,
    /// The same of the products that most customers bought at any time.
    pub popularity_hit_rate: f64,
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
