//! Models: how scores are computed.
//!
//! One file per model: equation, citation, configuration, parameters, forward pass, config keys. No loss, no optimizer,
//! no files. A model outside the crate implements [`Factorization`] for any burn module; with [`ModelPart`], configs
//! can name it.

mod any;
mod biased_mf;
mod ease;
mod factorization;
mod fm;
mod gmf;
mod history;
mod init;
mod item_knn;
mod mf;
mod mlp;
mod neumf;
mod nmf;
pub mod parameters;
mod part;
mod popularity;
mod size;
mod summed;
mod table;
mod walk;

pub use any::AnyModel;
pub use biased_mf::{BiasedMf, BiasedMfConfig};
pub use ease::Ease;
pub use factorization::{Constraint, Factored, Factorization, Term};
pub use fm::{Fm, FmConfig};
pub use gmf::{Gmf, GmfConfig};
pub use init::{FactorInit, Start};
pub use item_knn::{ItemKnn, ItemKnnConfig};
pub use mf::{Mf, MfConfig};
pub use mlp::{Mlp, MlpConfig};
pub use neumf::{NeuMf, NeuMfConfig};
pub use nmf::{Nmf, NmfConfig};
pub use parameters::HostTensor;
pub(crate) use part::start_from_key;
pub use part::{Declaration, ModelKind, ModelPart, START_FROM, layers_key, names_where, rank_key};
pub use popularity::Popularity;
pub(crate) use size::sized;
pub(crate) use summed::summed;
pub use table::{NamedTables, Table, TableGroup, TableKind, Use, dot};
pub use walk::Visited;

/// The models that every config can name, in the order of the documentation.
pub fn built_in() -> Vec<ModelKind> {
    vec![
        ModelKind::of::<Mf>(),
        ModelKind::of::<BiasedMf>(),
        ModelKind::of::<Nmf>(),
        ModelKind::of::<Gmf>(),
        ModelKind::of::<Mlp>(),
        ModelKind::of::<NeuMf>(),
        ModelKind::of::<Fm>(),
        ModelKind::of::<Popularity>(),
        ModelKind::of::<ItemKnn>(),
        ModelKind::of::<Ease>(),
    ]
}
