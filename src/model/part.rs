//! Kinds of models that a config can name.

use std::fmt;

use super::any::AnyModel;
use super::factorization::{Constraint, Factorization};
use super::init::Start;
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::FieldId;
use crate::error::Result;

/// What a kind of model is, as solvers and config keys ask before there is a model of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Whether its score is a dot product of two factors, plus biases if it has them: whether
    /// [`factored`](Factorization::factored) gives two terms.
    pub is_dot_product: bool,
    /// Whether it has tables of biases.
    pub has_biases: bool,
    /// Whether it has dense layers.
    pub has_layers: bool,
    /// Where its parameters may lie.
    pub constraint: Constraint,
    /// Whether it has a use for fields beyond the first two.
    pub uses_context: bool,
    /// The histories that it has a use for: (field whose rows have one, field of what is in it). They are made of the
    /// training interactions, as the bag [`HISTORY`](crate::data::HISTORY).
    pub histories: &'static [(FieldId, FieldId)],
}

impl Declaration {
    /// None of it.
    pub const NONE: Self = Self {
        is_dot_product: false,
        has_biases: false,
        has_layers: false,
        constraint: Constraint::None,
        uses_context: false,
        histories: &[],
    };

    /// Whether factors have to carry the mean, because nothing else does.
    pub fn factors_carry_mean(self) -> bool {
        self.is_dot_product && !self.has_biases
    }

    /// Whether every score is a sum of products of numbers that are at least 0, and therefore at least 0 itself.
    pub fn is_sum_of_parts(self) -> bool {
        self.is_dot_product && !self.has_biases && self.constraint == Constraint::NonNegative
    }
}

/// A kind of model that a config can name.
pub trait ModelPart: Factorization + Sized + 'static {
    /// `model.kind`.
    const NAME: &'static str;

    /// What such a model is, before there is one.
    const DECLARATION: Declaration = Declaration::NONE;

    /// The keys of `[model]` that it reads; keys of other models may be among them.
    fn keys() -> Keys {
        Keys::default()
    }

    /// The model before training, as a config asks for it.
    ///
    /// # Errors
    /// Whatever keeps it from being made of these data.
    fn init(values: &Values, start: &Start) -> Result<Self>;
}

/// A [`ModelPart`] as a value.
#[derive(Clone, Copy)]
pub struct ModelKind {
    /// `model.kind`.
    pub name: &'static str,
    /// What such a model is.
    pub declaration: Declaration,
    keys: fn() -> Keys,
    init: fn(&Values, &Start) -> Result<AnyModel>,
}

impl ModelKind {
    /// The kind of models of type `M`.
    pub fn of<M: ModelPart>() -> Self {
        let init = |values: &Values, start: &Start| Ok(M::init(values, start)?.into());
        Self { name: M::NAME, declaration: M::DECLARATION, keys: M::keys, init }
    }

    /// The config keys that it reads.
    pub fn keys(&self) -> Keys {
        (self.keys)()
    }

    /// The model before training, as a config asks for it.
    ///
    /// # Errors
    /// Those of [`ModelPart::init`].
    pub fn init(&self, values: &Values, start: &Start) -> Result<AnyModel> {
        (self.init)(values, start)
    }
}

impl fmt::Debug for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ModelKind").field(&self.name).finish()
    }
}

/// Names of the kinds of models for which `wanted` holds.
pub fn names_where(kinds: &[ModelKind], wanted: impl Fn(Declaration) -> bool) -> Vec<String> {
    kinds.iter().filter(|kind| wanted(kind.declaration)).map(|kind| kind.name.to_string()).collect()
}

/// `model.rank`: the number of latent factors of each row.
pub fn rank_key() -> Key {
    Key::new("model.rank", KeyKind::Int(1..=4096), "Number of latent factors of each user and item.").default("32")
}

/// `model.layers`: widths of hidden layers.
pub fn layers_key() -> Key {
    Key::new("model.layers", KeyKind::IntList(1..=65536), "Sizes of the hidden layers, from input to output.")
        .default("[64, 32, 16]")
}
