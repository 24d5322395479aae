//! Models: what is predicted.
//!
//! One model is one file: equation, citation, configuration, parameters, forward pass. No loss, no optimizer, no files.
//! To add one here: the file, a line in the `models!` list below, and a config. To add one from outside the crate:
//! implement [`Factorization`] for any burn module and give it to [`crate::train::Trainer`].

pub mod init;
pub mod parameters;
pub mod table;

mod biased_mf;
mod gmf;
mod mf;
mod mlp;
mod neumf;
mod nmf;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

pub use biased_mf::{BiasedMf, BiasedMfConfig};
pub use gmf::{Gmf, GmfConfig};
pub use init::{FactorInit, Start};
pub use mf::{Mf, MfConfig};
pub use mlp::{Mlp, MlpConfig};
pub use neumf::{NeuMf, NeuMfConfig};
pub use nmf::{Nmf, NmfConfig};
pub use table::{Column, Group, Kind, Table};

use crate::config::words::joined;
use crate::config::{Choice, Key, KeyKind, Keys, Problem, Values};
use crate::data::batch::Batch;

/// Where a model's parameters may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// Anywhere.
    None,
    /// Every trained parameter is at least zero; kept by projection after each step.
    NonNegative,
}

/// What a kind of model is, as solvers and config keys ask before there is a model of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Whether its score is a dot product of factors, plus biases if it has them; see
    /// [`dot_product`](Factorization::dot_product).
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
fn layers_key() -> Key {
    Key::new("model.layers", KeyKind::IntList(1..=65536), "Sizes of the hidden layers, from input to output.")
        .default("[64, 32, 16]")
}

/// A model: a burn module that scores (user, item) pairs.
///
/// A score becomes a prediction through the loss's link; for all losses but logistic and Poisson they are the same.
pub trait Factorization: Module {
    /// Scores of a batch of pairs.
    ///
    /// # Shapes
    /// - output: `[batch]`
    fn forward(&self, batch: &Batch) -> Tensor<1>;

    /// Scores of every item for each of `users`, where one matrix product gives them; `None` (the default) where each
    /// pair has to go through [`forward`](Self::forward).
    ///
    /// # Shapes
    /// - `users`: `[users]`, indices
    /// - output: `[users, num_items]`
    fn forward_all(&self, users: Tensor<1, Int>) -> Option<Tensor<2>> {
        let _ = users;
        None
    }

    /// The tables that a batch indexes: each has its share of the penalty λ‖row‖² per observed rating.
    fn tables(&self) -> Vec<&Table>;

    /// Dense layers, whose weight matrices have the λ called `weights`.
    fn layers(&self) -> Vec<&Linear> {
        Vec::new()
    }

    /// Where parameters may lie.
    fn constraint(&self) -> Constraint {
        Constraint::None
    }

    /// μ, where the score is μ + b_u + b_i + p_uᵀ q_i with a table of factors of each side, at most one of biases, and
    /// nothing else that is trained; `None` (the default) for other models. Some solvers know more of such models than
    /// their gradients.
    fn dot_product(&self) -> Option<f32> {
        None
    }
}

/// Row-wise dot products: `[batch, rank]`, `[batch, rank]` → `[batch, 1]`.
pub fn dot(p: Tensor<2>, q: Tensor<2>) -> Tensor<2> {
    (p * q).sum_dim(1)
}

/// Adds b_u + b_i to scores `[batch, 1]`, as far as there are such tables.
fn with_biases(score: Tensor<2>, biases: [&Option<Table>; 2], batch: &Batch) -> Tensor<2> {
    biases.into_iter().flatten().fold(score, |score, biases| score + biases.gather(batch))
}

macro_rules! models {
    ($($name:literal $variant:ident($model:ty, $config:ty)),* $(,)?) => {
        /// The model-defining part of a config: what `model.safetensors` carries so that prediction needs nothing else.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum ModelConfig {
            $(
                #[doc = concat!("See [`", stringify!($config), "`].")]
                #[serde(rename = $name)]
                $variant($config),
            )*
        }

        /// Any of the built-in models.
        #[derive(Module, Debug)]
        pub enum AnyModel {
            $(
                #[doc = concat!("See [`", stringify!($model), "`].")]
                $variant($model),
            )*
        }

        impl ModelConfig {
            /// Names and declarations of all models.
            pub fn declared() -> Declared {
                vec![$(($name.to_string(), <$config>::DECLARATION)),*]
            }

            /// The config keys of models.
            pub fn keys() -> Keys {
                let choice = Choice::new("model.kind", "What predicts a rating.").with(|key| key.default("'biased-mf'"));
                Keys::from(choice$(.part($name, <$config>::keys()))*).rule(check_start)
            }

            /// The model that a config asks for.
            pub fn of(values: &Values) -> Self {
                match values.get::<String>("model.kind").as_str() {
                    $($name => Self::$variant(<$config>::of(values)),)*
                    other => unreachable!("{other} is none of the choices"),
                }
            }

            /// The model before training.
            pub fn init(&self, start: &Start) -> AnyModel {
                match self {
                    $(Self::$variant(config) => AnyModel::$variant(config.init(start)),)*
                }
            }
        }

        impl Factorization for AnyModel {
            fn forward(&self, batch: &Batch) -> Tensor<1> {
                match self {
                    $(Self::$variant(model) => model.forward(batch),)*
                }
            }

            fn forward_all(&self, users: Tensor<1, Int>) -> Option<Tensor<2>> {
                match self {
                    $(Self::$variant(model) => model.forward_all(users),)*
                }
            }

            fn tables(&self) -> Vec<&Table> {
                match self {
                    $(Self::$variant(model) => model.tables(),)*
                }
            }

            fn layers(&self) -> Vec<&Linear> {
                match self {
                    $(Self::$variant(model) => model.layers(),)*
                }
            }

            fn constraint(&self) -> Constraint {
                match self {
                    $(Self::$variant(model) => model.constraint(),)*
                }
            }

            fn dot_product(&self) -> Option<f32> {
                match self {
                    $(Self::$variant(model) => model.dot_product(),)*
                }
            }
        }
    };
}

/// Factors can start from the baseline only if nothing else carries it.
fn check_start(values: &Values) -> Vec<Problem> {
    let declared = ModelConfig::declared();
    let carrying = names_where(&declared, Declaration::factors_carry_mean);
    let kind: String = values.get("model.kind");
    if !values.is("model.init", "matched") || carrying.contains(&kind) {
        return Vec::new();
    }
    let message = format!(
        "model.init = \"matched\" is for {}, whose factors carry the mean, but model.kind is {kind:?}; use \"normal\"",
        joined(&carrying, "and")
    );
    vec![Problem::new(["model.init", "model.kind"], message)]
}

models! {
    "mf" Mf(Mf, MfConfig),
    "biased-mf" BiasedMf(BiasedMf, BiasedMfConfig),
    "nmf" Nmf(Nmf, NmfConfig),
    "gmf" Gmf(Gmf, GmfConfig),
    "mlp" Mlp(Mlp, MlpConfig),
    "neumf" NeuMf(NeuMf, NeuMfConfig),
}
