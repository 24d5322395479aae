//! Kinds of models that a config can name.

use std::fmt;
use std::ops::Bound;

use super::any::AnyModel;
use super::factorization::{Constraint, Factorization};
use super::init::Start;
use super::parameters::ByName;
use crate::config::{Effect, Key, KeyKind, Keys, Values, is};
use crate::data::FieldId;
use crate::error::Result;

/// Properties of a kind of model, for solvers and config keys before a model exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Whether its score is a dot product of two factors, plus biases if it has them, so that
    /// [`factored`](Factorization::factored) gives two terms.
    pub is_dot_product: bool,
    /// Whether its score is a sum of biases and dot products, so that [`factored`](Factorization::factored) gives its terms,
    /// with every setting or most.
    pub is_factored: bool,
    /// Whether it has tables of biases.
    pub has_biases: bool,
    /// Whether it has dense layers.
    pub has_layers: bool,
    /// The constraint on its parameters.
    pub constraint: Constraint,
    /// Whether it uses fields beyond the first two.
    pub uses_context: bool,
    /// The histories that it uses: (field whose rows have one, field of its members). They are collected from the
    /// training interactions, as the bag [`HISTORY`](crate::data::HISTORY).
    pub histories: &'static [(FieldId, FieldId)],
    /// Whether only interactions with a target above 0, which are signs of a preference, belong to these histories.
    pub histories_above_zero: bool,
    /// The solvers that alone find its parameters, for a model that is no minimum of an objective which others minimize;
    /// the first is the default for such a model. Empty for all others.
    pub solvers: &'static [&'static str],
}

impl Declaration {
    /// None of these.
    pub const NONE: Self = Self {
        is_dot_product: false,
        is_factored: false,
        has_biases: false,
        has_layers: false,
        constraint: Constraint::None,
        uses_context: false,
        histories: &[],
        histories_above_zero: false,
        solvers: &[],
    };

    /// Whether factors must carry the mean, because nothing else does.
    pub fn factors_carry_mean(self) -> bool {
        self.is_dot_product && !self.has_biases
    }

    /// Whether only solvers of its own find its parameters.
    pub fn has_own_solvers(self) -> bool {
        !self.solvers.is_empty()
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

    /// Properties of these models.
    const DECLARATION: Declaration = Declaration::NONE;

    /// The keys of `[model]` that it reads, which it may share with other models.
    fn keys() -> Keys {
        Keys::default()
    }

    /// Kinds of models of which one of each makes such a model, by [`made_of`](Self::made_of); none by default.
    const MADE_OF: &'static [&'static str] = &[];

    /// The parameters by name, from those of models of the kinds [`MADE_OF`](Self::MADE_OF), in that order.
    fn made_of(parts: &[ByName]) -> ByName {
        let _ = parts;
        ByName::new()
    }

    /// How many numbers such a model has at least, whatever the data: those of its dense layers. A file that holds fewer
    /// is refused before there is memory for them.
    fn least_size(values: &Values) -> usize {
        let _ = values;
        0
    }

    /// The model before training, as a config asks for it.
    ///
    /// # Errors
    /// If it cannot be created for these data.
    fn init(values: &Values, start: &Start) -> Result<Self>;
}

/// A [`ModelPart`] as a value.
#[derive(Clone, Copy)]
pub struct ModelKind {
    /// `model.kind`.
    pub name: &'static str,
    /// Properties of these models.
    pub declaration: Declaration,
    /// Kinds of models of which one of each makes such a model; see [`ModelPart::MADE_OF`].
    pub made_of: &'static [&'static str],
    join: fn(&[ByName]) -> ByName,
    keys: fn() -> Keys,
    least_size: fn(&Values) -> usize,
    init: fn(&Values, &Start) -> Result<AnyModel>,
}

impl ModelKind {
    /// The kind of models of type `M`.
    pub fn of<M: ModelPart>() -> Self {
        let init = |values: &Values, start: &Start| Ok(M::init(values, start)?.into());
        Self {
            name: M::NAME,
            declaration: M::DECLARATION,
            made_of: M::MADE_OF,
            join: M::made_of,
            keys: M::keys,
            least_size: M::least_size,
            init,
        }
    }

    /// The config keys that it reads.
    pub fn keys(&self) -> Keys {
        (self.keys)()
    }

    /// See [`ModelPart::least_size`].
    pub fn least_size(&self, values: &Values) -> usize {
        (self.least_size)(values)
    }

    /// The parameters by name, from those of models of the kinds `made_of`, in that order.
    pub fn join(&self, parts: &[ByName]) -> ByName {
        (self.join)(parts)
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

/// `model.draws`: how many draws a model is the mean of.
pub const DRAWS: &str = "model.draws";

/// The key of [`DRAWS`], for models that the gibbs solver finds.
pub fn draws_key() -> Key {
    let meaning = "How many draws from the posterior distribution the model is the mean of, at most: it holds as many times \
                   model.rank factors of each user and item.";
    Key::new(DRAWS, KeyKind::Int(1..=10_000), meaning).default("100").when(is("solver.kind", ["gibbs"]))
}

/// Factors of each row in a model of so many draws; `model.rank` for a single one.
pub fn rank_of_draws(values: &Values) -> usize {
    values.get::<usize>("model.rank") * values.find::<usize>(DRAWS).unwrap_or(1)
}

/// `model.start_from`: trained models that a model starts from.
pub const START_FROM: &str = "model.start_from";

/// The key of [`START_FROM`].
pub(crate) fn start_from_key() -> Key {
    let meaning = "Runs, or model files, whose parameters the model starts from: one of its own kind, or for \"neumf\" one of \
                   \"gmf\" and one of \"mlp\", which it begins as the mean of. Rows are matched by id; those of new ids start as usual.";
    Key::new(START_FROM, KeyKind::PathList, meaning).effect(Effect::Input)
}

/// Share of a network's input and of the units of each hidden layer that a step of training drops.
const DROPOUT: &str = "model.dropout";

/// `model.dropout`.
pub fn dropout_key() -> Key {
    let meaning = "Share of the network's input and of the units of each hidden layer that a step of training drops, drawn anew for each \
                   interaction, so that none relies on another; none if absent.";
    Key::new(DROPOUT, KeyKind::Float(Bound::Included(0.0), Bound::Excluded(1.0)), meaning)
}

/// The share that a config asks for.
pub fn dropout(values: &Values) -> f64 {
    values.find(DROPOUT).unwrap_or(0.0)
}

/// `model.layers`: widths of hidden layers.
pub fn layers_key() -> Key {
    Key::new("model.layers", KeyKind::IntList(1..=65536), "Sizes of the hidden layers, from input to output.")
        .default("[64, 32, 16]")
}
