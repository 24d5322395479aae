//! Models: how scores are computed.
//!
//! One file per model: equation, citation, configuration, parameters, forward pass, config keys. No loss, no optimizer,
//! no files. A model outside the crate implements [`Factorization`] for any burn module; with [`ModelPart`], configs
//! can name it.

mod any;
mod biased_mf;
mod deepfm;
mod ease;
mod factorization;
mod ffm;
mod field_tables;
mod fm;
mod gmf;
mod history;
mod init;
mod item_knn;
mod mf;
mod mlp;
mod neumf;
mod nfm;
mod nmf;
pub mod parameters;
mod part;
mod popularity;
mod size;
mod summed;
mod svdpp;
mod table;
mod table_group;
mod walk;

pub use any::AnyModel;
pub use biased_mf::{BiasedMf, BiasedMfConfig};
pub use deepfm::{DeepFm, DeepFmConfig};
pub use ease::Ease;
pub use factorization::{Constraint, Factored, Factorization, Term};
pub use ffm::{Ffm, FfmConfig};
pub use fm::{Fm, FmConfig};
pub use gmf::{Gmf, GmfConfig};
pub use init::{FactorInit, Start};
pub use item_knn::{ItemKnn, ItemKnnConfig};
pub use mf::{Mf, MfConfig};
pub use mlp::{Mlp, MlpConfig};
pub use neumf::{NeuMf, NeuMfConfig};
pub use nfm::{Nfm, NfmConfig};
pub use nmf::{Nmf, NmfConfig};
pub use parameters::HostTensor;
pub(crate) use part::start_from_key;
pub use part::{
    DRAWS, Declaration, ModelKind, ModelPart, START_FROM, draws_key, layers_key, names_where, rank_key, rank_of_draws,
};
pub use popularity::Popularity;
pub(crate) use size::sized;
pub(crate) use summed::summed;
pub use svdpp::{SvdPp, SvdPpConfig};
pub use table::{NamedTables, Table, dot};
pub use table_group::{TableGroup, TableKind, Use};
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
        ModelKind::of::<SvdPp>(),
        ModelKind::of::<Fm>(),
        ModelKind::of::<Ffm>(),
        ModelKind::of::<Nfm>(),
        ModelKind::of::<DeepFm>(),
        ModelKind::of::<Popularity>(),
        ModelKind::of::<ItemKnn>(),
        ModelKind::of::<Ease>(),
    ]
}
