//! The factors of a trained model.

use super::factors::Factors;
use crate::data::{ITEM, USER};
use crate::device::to_vec;
use crate::linalg::dot::column_squares;
use crate::model::{Constraint, Table};
use crate::run::ModelFile;
use crate::solver::Components;

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
        let factored = file.model.factored()?;
        let offset = factored.offset;
        let of = |field| factored.terms.iter().find(|term| term.field == field);
        let (users, items) = of(USER).zip(of(ITEM)).filter(|_| factored.terms.len() == 2)?;
        let values = |table: &Table| to_vec(table.rows.val());
        let rank = users.factors.rows.dims()[1];
        let (w, h) = (values(users.factors), values(items.factors));
        let means = match items.biases {
            Some(biases) => Some(values(biases).into_iter().map(|bias| offset + bias).collect()),
            None => (offset != 0.0).then(|| vec![offset; file.items().len()]),
        };
        let has_user_biases = users.biases.is_some_and(|biases| values(biases).iter().any(|&bias| bias != 0.0));
        // W = U·diag(σ).
        let lengths = || column_squares(&w, rank).into_iter().map(f64::sqrt).collect();
        let singular_values = (file.components == Components::SingularVectors).then(lengths);
        Some(Self { file, rank, w, h, means, singular_values, has_user_biases })
    }

    /// The same, borrowed.
    pub fn factors(&self) -> Factors<'_> {
        Factors {
            rows: self.file.users(),
            columns: self.file.items(),
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
