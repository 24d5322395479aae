//! The parameters visited by a walk over a model.
//!
//! Every walk treats a parameter as a matrix `[rows, width]`: a vector is a column, and all but the first dimension of
//! a larger tensor are merged.

use burn::module::ParamId;
use burn::tensor::Tensor;

/// A parameter that a walk visits. On a walk that changes parameters, its tensors have no other owner, so that they can
/// change in place.
pub struct Visited {
    /// Its name.
    pub name: String,
    /// Its id in burn.
    pub id: ParamId,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// Whether it is trained.
    pub is_trained: bool,
    /// `[rows, width]`, without autodiff.
    pub rows: Tensor<2>,
    /// Its gradient `[rows, width]`, if it has one.
    pub gradient: Option<Tensor<2>>,
}

/// Any parameter as a matrix.
pub(super) fn as_rows<const D: usize>(tensor: Tensor<D>) -> Tensor<2> {
    let rows = tensor.dims().first().copied().unwrap_or(1);
    tensor.reshape([rows as i64, -1])
}
