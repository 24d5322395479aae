//! What PyTorch says of a model.

#[derive(Clone, Copy)]
pub struct GoldenModel {
    pub name: &'static str,
    pub scores: [f64; 12],
    pub objective: f64,
    /// Of each parameter: the norm of its gradient, and Σ_j g_j sin(1 + j).
    pub gradients: &'static [(&'static str, [f64; 2])],
    /// Of each rule: the objective before each of ten full-batch steps, and after the last.
    pub curves: &'static [(&'static str, [f64; 11])],
}
