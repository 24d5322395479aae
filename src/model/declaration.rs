//! What kinds of models say of themselves before there is a model, and the config keys that several have.

use super::factorization::Constraint;
use crate::config::{Key, KeyKind};

/// What a kind of model is, as solvers and config keys ask before there is a model of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Whether its score is a dot product of factors, plus biases if it has them; see
    /// [`dot_product`](super::Factorization::dot_product).
    pub is_dot_product: bool,
    /// Whether it has tables of biases.
    pub has_biases: bool,
    /// Whether it has dense layers.
    pub has_layers: bool,
    /// Where its parameters may lie.
    pub constraint: Constraint,
}

impl Declaration {
    /// None of it.
    pub const NONE: Self =
        Self { is_dot_product: false, has_biases: false, has_layers: false, constraint: Constraint::None };

    /// Whether factors have to carry the mean, because nothing else does.
    pub fn factors_carry_mean(self) -> bool {
        self.is_dot_product && !self.has_biases
    }
}

/// Names and declarations of the models that a config can choose from.
pub type Declared = Vec<(String, Declaration)>;

/// Names of the declared models for which `wanted` holds.
pub fn names_where(declared: &Declared, wanted: impl Fn(Declaration) -> bool) -> Vec<String> {
    declared.iter().filter(|(_, declaration)| wanted(*declaration)).map(|(name, _)| name.clone()).collect()
}

/// `model.rank`.
pub fn rank_key() -> Key {
    Key::new("model.rank", KeyKind::Int(1..=4096), "Number of latent factors of each user and item.").default("32")
}

/// `model.layers`.
pub(super) fn layers_key() -> Key {
    Key::new("model.layers", KeyKind::IntList(1..=65536), "Sizes of the hidden layers, from input to output.")
        .default("[64, 32, 16]")
}
