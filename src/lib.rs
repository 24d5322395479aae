//! Matrix factorization models, trained from a config file.
//!
//! `lowrank` learns R ≈ P·Qᵀ and models derived from it: a **model** computes scores, an **objective** their loss, a
//! **solver** finds the parameters, the **trainer** runs epochs and informs **observers**, **metrics** judge, and a
//! **run** directory holds all results.
//!
//! | module | contents |
//! |---|---|
//! | [`data`] | interactions, entities, fields, bags, readers, splits, batches, the catalog, planted data |
//! | [`objective`] | squared, absolute, Huber, quantile, logistic, Poisson, GloVe's; the [`Objective`](objective::Objective) trait |
//! | [`model`] | MF, biased MF, NMF, GMF, MLP, NeuMF; the [`Factorization`](model::Factorization) trait |
//! | [`metric`], [`eval`] | metrics as values, exact sums, predictions, baselines, top-N |
//! | [`solver`] | solvers: mini-batches by autodiff, stratified SGD, ALS, SVD, NMF; update rules, schedules |
//! | [`linalg`] | matrices, groups, small systems, singular values, linkage |
//! | [`train`] | the loop, checkpoints, early stopping, observers |
//! | [`report`] | TensorBoard, JSON lines, console, plots |
//! | `sweep` | hyper-parameter search: spaces, samplers, pruning, the journal |
//! | [`config`] | config keys, and files of them |
//! | [`run`], [`cli`] | from a config to a run directory, and the commands |
//!
//! Each module uses only modules to its left in `error → random → files → linalg → config → device → data → objective →
//! model → metric → eval → solver → train → report → run → sweep → cli`.
//!
//! # A model of your own
//!
//! Any burn module that implements [`Factorization`](model::Factorization) is trained, evaluated, logged and
//! checkpointed like the built-in ones; with [`ModelPart`](model::ModelPart), configs can name it, and [`cli::main`] is
//! a program that knows it, with all commands. This one lets each user stretch the scale: r̂_ui = μ + s_u · b_i.
//!
//! ```
//! use std::path::Path;
//!
//! use lowrank::Parts;
//! use lowrank::burn::module::{Module, Param};
//! use lowrank::burn::tensor::Tensor;
//! use lowrank::config::{Config, Values};
//! use lowrank::data::batch::Batch;
//! use lowrank::data::split::{assign, divide};
//! use lowrank::data::{ITEM, USER};
//! use lowrank::error::Result;
//! use lowrank::model::{Factorization, ModelPart, Start, Table, TableGroup, TableKind, Use};
//! use lowrank::run::Settings;
//! use lowrank::train::TrainData;
//!
//! #[derive(Module, Debug)]
//! struct Stretched {
//!     /// s_u: `[num_users, 1]`.
//!     user_scales: Table,
//!     /// b_i: `[num_items, 1]`.
//!     item_biases: Table,
//!     /// μ, frozen.
//!     global_mean: Param<Tensor<1>>,
//! }
//!
//! impl Factorization for Stretched {
//!     fn forward(&self, batch: &Batch) -> Tensor<1> {
//!         let stretched = self.user_scales.gather(batch, USER) * self.item_biases.gather(batch, ITEM); // [batch, 1]
//!         self.global_mean.val() + stretched.squeeze_dim(1) // [batch]
//!     }
//!
//!     fn tables(&self) -> Vec<&Table> {
//!         vec![&self.user_scales, &self.item_biases]
//!     }
//! }
//!
//! impl ModelPart for Stretched {
//!     const NAME: &'static str = "stretched";
//!
//!     fn init(_: &Values, start: &Start) -> Result<Self> {
//!         let group = TableGroup { entity: "user".into(), kind: TableKind::Factors };
//!         let ones = vec![1.0; start.frame.rows(USER)];
//!         Ok(Self {
//!             user_scales: Table::new(group, vec![Use::Field(USER)], 1, ones, start.device),
//!             item_biases: start.biases(ITEM),
//!             global_mean: start.offset(),
//!         })
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let parts = Parts::built_in().model::<Stretched>();
//! let text = "
//!     data = { dataset = 'synthetic', synthetic = { users = 100, items = 50, ratings = 2000, rank = 1, noise = 0.3 } }
//!     model.kind = 'stretched'
//!     solver = { batch_size = 256, learning_rate = 0.02 }
//!     train.epochs = 10
//! ";
//! let config = Config::parse(&parts.schema(), text, Path::new("stretched.toml"), &[])?;
//! let settings = Settings::of(&config, &parts)?;
//! let dataset = settings.source.load()?;
//! let data = divide(&dataset, &assign(&dataset, &settings.split, settings.seed)?, false)?;
//!
//! let opened = settings.device.open()?;
//! let evaluator = settings.evaluator(&data);
//! let model = settings.initial_model(&data, &evaluator, &opened.device)?;
//! let trainer = settings.trainer(settings.training.clone(), model, &opened)?;
//! let for_training = TrainData { train: &data.train, validation: &data.validation, evaluator: &evaluator };
//! let trained = trainer.fit(for_training, &mut [])?;
//!
//! let test = evaluator.evaluate(&trained.model, &opened.device, &data.test).scores.expect("test ratings");
//! let [mean, _] = evaluator.predictor.baselines(&data.test, &settings.metrics);
//! assert!(test.get("rmse") < mean.scores().expect("test ratings").get("rmse"));
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod error;
pub mod eval;
mod files;
pub mod linalg;
pub mod metric;
pub mod model;
pub mod objective;
pub mod random;
pub mod report;
pub mod run;
pub mod solver;
mod sweep;
mod tables;
pub mod train;

pub use burn;
pub use run::Parts;
