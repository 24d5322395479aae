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

use crate::data::batch::Batch;

/// Where a model's parameters may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// Anywhere.
    None,
    /// Every trained parameter is at least zero; kept by projection after each step.
    NonNegative,
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

models! {
    "mf" Mf(Mf, MfConfig),
    "biased-mf" BiasedMf(BiasedMf, BiasedMfConfig),
    "nmf" Nmf(Nmf, NmfConfig),
    "gmf" Gmf(Gmf, GmfConfig),
    "mlp" Mlp(Mlp, MlpConfig),
    "neumf" NeuMf(NeuMf, NeuMfConfig),
}
