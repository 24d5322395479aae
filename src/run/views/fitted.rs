//! The factors of a trained model.

use super::factors::Factors;
use crate::linalg::dot::column_squares;
use crate::model::parameters::collect;
use crate::model::{Constraint, Factorization};
use crate::run::ModelFile;

/// W, H and means of a model, read out of it.
pub struct Fitted<'a> {
    file: &'a ModelFile,
    rank: usize,
    w: Vec<f32>,
    h: Vec<f32>,
    means: Option<Vec<f32>>,
    singular_values: Option<Vec<f64>>,
    /// Whether users have biases, which W and H then do not tell.
    pub has_user_biases: bool,
}

impl<'a> Fitted<'a> {
    /// Reads a model whose score is W·Hᵀ + 1·meansᵀ and perhaps a bias of each user; `None` for others.
    pub fn of(file: &'a ModelFile) -> Option<Self> {
        let offset = file.model.dot_product()?;
        let (mut w, mut h, mut means, mut rank) = (None, None, (offset != 0.0).then(Vec::new), 0);
        let mut has_user_biases = false;
        for (name, values) in collect(&file.model) {
            match name.as_str() {
                "user_factors" => {
                    rank = values.shape[1];
                    w = Some(values.data);
                }
                "item_factors" => h = Some(values.data),
                "item_biases" => means = Some(values.data.iter().map(|bias| offset + bias).collect()),
                "user_biases" => has_user_biases = values.data.iter().any(|&bias| bias != 0.0),
                _ => {}
            }
        }
        if let Some(means) = means.as_mut().filter(|means| means.is_empty()) {
            means.resize(file.items.len(), offset);
        }
        let (w, h) = (w?, h?);
        // W = U·diag(σ).
        let lengths = || column_squares(&w, rank).into_iter().map(f64::sqrt).collect();
        let singular_values = (file.solver == "svd").then(lengths);
        Some(Self { file, rank, w, h, means, singular_values, has_user_biases })
    }

    /// The same, borrowed.
    pub fn factors(&self) -> Factors<'_> {
        Factors {
            rows: &self.file.users,
            columns: &self.file.items,
            layout: self.file.layout,
            rank: self.rank,
            w: &self.w,
            h: &self.h,
            zeros: self.file.zeros,
            means: self.means.as_deref(),
            singular_values: self.singular_values.as_deref(),
            non_negative: self.file.model.constraint() == Constraint::NonNegative,
        }
    }
}
