//! The trait of models: burn modules that score rows of their tables.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::table::{Table, dot};
use crate::data::batch::Batch;
use crate::data::{FieldId, PAIR};

/// The constraint on a model's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// Any values.
    None,
    /// Every trained parameter is at least zero, enforced by projection after each step.
    NonNegative,
}

/// A model: a burn module that scores interactions, for example (user, item) pairs.
///
/// A score becomes a prediction through the objective's link; for all losses but logistic, Poisson and GloVe's they are the same.
pub trait Factorization: Module + Sync {
    /// Scores of a batch.
    ///
    /// # Shapes
    /// - output: `[batch]`
    fn forward(&self, batch: &Batch) -> Tensor<1>;

    /// Scores of every row of the entity of `field`, given the other fields of each query, if one matrix product
    /// computes them: by default, if the score is [`factored`](Self::factored). Otherwise each score must be computed
    /// by [`forward`](Self::forward).
    ///
    /// # Shapes
    /// - output: `[queries, rows of the field's entity]`
    fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        self.factored()?.forward_all(queries, field)
    }

    /// The tables that a batch indexes: each row is penalized by λ‖row‖² for each interaction that uses it. Those of
    /// features are parts of these.
    fn tables(&self) -> Vec<&Table>;

    /// Dense layers, whose weight matrices are penalized by the λ named `weights`.
    fn layers(&self) -> Vec<&Linear> {
        Vec::new()
    }

    /// The constraint on parameters.
    fn constraint(&self) -> Constraint {
        Constraint::None
    }

    /// The score as a sum of biases and dot products, if it is only that; `None` (the default) otherwise. Some solvers
    /// use more of these models than their gradients, most of them where rows are single vectors.
    fn factored(&self) -> Option<Factored<'_>> {
        None
    }

    /// Factors and biases of entities of which the score has the products within a row, too, where the row is the sum of
    /// several vectors: its own and those of its features. By default it has none.
    fn products_within(&self) -> Vec<(&Table, &Table)> {
        Vec::new()
    }

    /// Whether a score is meaningful for an interaction whose ids in these fields (at least one) training never saw;
    /// their rows are zeros. By default it is not, and the baseline predicts the interaction.
    fn can_score(&self, unknown: &[FieldId]) -> bool {
        let _ = unknown;
        false
    }
}

/// offset + Σ_t b_t + Σ_{s<t} ⟨v_s, v_t⟩, over the terms: two of them are matrix factorization, more a factorization
/// machine.
#[derive(Debug, Clone)]
pub struct Factored<'a> {
    /// The untrained part.
    pub offset: f32,
    /// One per field of the score.
    pub terms: Vec<Term<'a>>,
}

/// One field's part of a [`Factored`] score.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// The field.
    pub field: FieldId,
    /// v: `[rows, rank]`.
    pub factors: &'a Table,
    /// b: `[rows, 1]`, if the field has biases.
    pub biases: Option<&'a Table>,
    /// What is added to v beside its features: the rows of one more table in a bag of the field's row, such as what it met.
    pub beside: Option<&'a Table>,
}

impl<'a> Term<'a> {
    /// A field with nothing beside its rows.
    pub fn new(field: FieldId, factors: &'a Table, biases: Option<&'a Table>) -> Self {
        Self { field, factors, biases, beside: None }
    }
}

impl Factored<'_> {
    /// Whether rows are single vectors: no table has features, and nothing is beside them.
    pub(super) fn is_plain(&self) -> bool {
        let is_plain = |term: &Term| {
            let mut tables = std::iter::once(term.factors).chain(term.biases);
            term.beside.is_none() && tables.all(|table| table.features().is_empty())
        };
        self.terms.iter().all(is_plain)
    }

    /// See [`Factorization::forward_all`]; `None` if the field is in no term, or something is beside rows.
    pub(super) fn forward_all(&self, queries: &Batch, field: FieldId) -> Option<Tensor<2>> {
        if self.terms.iter().any(|term| term.beside.is_some()) {
            return None;
        }
        let sum = |sum: Tensor<2>, next: Tensor<2>| sum + next;
        let asked = self.terms.iter().find(|term| term.field == field)?;
        let others = || self.terms.iter().filter(|term| term.field != field);
        let factors: Vec<Tensor<2>> = others().map(|term| term.factors.gather(queries, term.field)).collect(); // [queries, rank]
        let among_others = (0..factors.len()).flat_map(|t| (0..t).map(move |s| (s, t)));
        let among_others = among_others.map(|(s, t)| dot(factors[s].clone(), factors[t].clone())); // [queries, 1]
        let biases = others().filter_map(|term| Some(term.biases?.gather(queries, term.field))); // [queries, 1]
        let of_asked = asked.biases.map(|biases| biases.all_rows(queries).transpose()); // [1, rows]
        let product = factors.iter().cloned().reduce(sum)?.matmul(asked.factors.all_rows(queries).transpose()); // [queries, rows]
        let scores = biases.chain(of_asked).chain(among_others).fold(product, sum);
        Some(if self.offset == 0.0 { scores } else { scores + self.offset })
    }
}

/// Adds b_u + b_i to scores `[batch, 1]`, for the tables that exist.
pub(super) fn with_biases(score: Tensor<2>, biases: [&Option<Table>; 2], batch: &Batch) -> Tensor<2> {
    let tables = PAIR.into_iter().zip(biases).filter_map(|(field, table)| Some((field, table.as_ref()?)));
    tables.fold(score, |score, (field, table)| score + table.gather(batch, field))
}
