//! Models: what is predicted.
//!
//! One model is one file: equation, citation, configuration, parameters, forward pass. No loss, no optimizer, no files.
//! To add one here: the file, a line in the `models!` list below, and a config. To add one from outside the crate:
//! implement [`Factorization`] for any burn module and give it to [`crate::train::Trainer`].

pub mod declaration;
pub mod factorization;
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
pub use declaration::{Declaration, Declared, names_where, rank_key};
pub use factorization::{Constraint, Factorization};
pub use gmf::{Gmf, GmfConfig};
pub use init::{FactorInit, Start};
pub use mf::{Mf, MfConfig};
pub use mlp::{Mlp, MlpConfig};
pub use neumf::{NeuMf, NeuMfConfig};
pub use nmf::{Nmf, NmfConfig};
pub use table::{Column, Group, Kind, Table, dot};

use crate::config::words::joined;
use crate::config::{Choice, Keys, Problem, Values};
use crate::data::batch::Batch;

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
