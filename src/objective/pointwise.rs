//! Losses of one rating at a time.

use std::fmt;

use burn::tensor::Tensor;

/// A loss that looks at one rating at a time.
pub trait PointwiseLoss: fmt::Debug + Send + Sync {
    /// Loss of each rating, not reduced.
    ///
    /// # Shapes
    /// - `score`, `rating`, output: `[batch]`
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1>;

    /// Loss of one rating.
    fn value(&self, score: f64, rating: f64) -> f64;

    /// ∂ loss / ∂ score of one rating; 0 at a kink.
    fn slope(&self, score: f64, rating: f64) -> f64;

    /// r̂ of a score.
    fn prediction(&self, score: f64) -> f64 {
        score
    }

    /// The score whose prediction is `rating`: inverse of [`prediction`](Self::prediction), finite for every mean of
    /// ratings that the loss accepts.
    fn score(&self, rating: f64) -> f64 {
        rating
    }

    /// A target t and a weight w of a rating for which the loss is w(t − s)², if it is that: what kernels compute once.
    fn as_weighted_square(&self, rating: f32) -> Option<(f32, f32)> {
        let _ = rating;
        None
    }

    /// Whether score and prediction differ.
    fn has_link(&self) -> bool {
        false
    }

    /// The requirement on ratings that `rating` violates, if it does.
    fn refuses(&self, rating: f32) -> Option<&'static str> {
        let _ = rating;
        None
    }
}
