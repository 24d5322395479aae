//! A gradient in parts: updates add the penalty's part to a row while they update it.

use burn::tensor::{Device, Tensor, TensorData};

/// The gradient of one parameter, in parts that the update combines: scale · clamp(data + penalty · row, ± limit).
pub(super) struct GradientParts {
    /// `[rows, width]`.
    pub data: Tensor<2>,
    /// One factor per row.
    pub penalty: Option<Vec<f32>>,
    /// Limit of each element.
    pub limit: Option<f64>,
    /// `[1]`.
    pub scale: Option<Tensor<1>>,
}

impl GradientParts {
    /// The combined gradient, for a parameter with the values `rows`.
    pub fn at(self, rows: Tensor<2>) -> Tensor<2> {
        let mut gradient = self.data;
        if let Some(penalty) = self.penalty {
            let penalty = column(penalty, &rows.device());
            gradient = gradient + rows * penalty;
        }
        if let Some(limit) = self.limit {
            gradient = gradient.clamp(-limit, limit);
        }
        match self.scale {
            Some(scale) => gradient * scale.unsqueeze(),
            None => gradient,
        }
    }
}

/// `[values, 1]`.
pub(super) fn column(values: Vec<f32>, device: &Device) -> Tensor<2> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count, 1]), device)
}
