//! What a step tells of itself.

use burn::tensor::Tensor;

/// Euclidean norms by parameter name.
pub type Norms = Vec<(String, f64)>;

/// What one step saw, still on the device: nothing is read back until somebody asks. ALS counts an epoch's ratings in its
/// last step, and as they are after it.
#[derive(Debug, Clone)]
pub struct StepSums {
    /// `[3]`: Σ loss, penalty · |B|, Σ (r − s)² over the batch, before the step.
    pub sums: Tensor<1>,
    /// Number of ratings.
    pub count: usize,
}

impl StepSums {
    /// Of a batch of `count` ratings; `penalty` is the mean over them.
    pub(super) fn new(loss: &Tensor<1>, penalty: Option<&Tensor<1>>, squared: Tensor<1>, count: usize) -> Self {
        let loss = loss.clone().inner();
        let penalty = penalty.map_or_else(|| loss.zeros_like(), |penalty| penalty.clone().inner() * count as f64);
        Self { sums: Tensor::cat(vec![loss, penalty, squared], 0), count }
    }
}
