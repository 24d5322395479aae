//! Matrix factorization models, trained from a config file.
//!
//! `lowrank` learns R ≈ P·Qᵀ and what grew out of it: a **model** says what is predicted, a **loss** what is wanted, a
//! **solver** finds the parameters, the **trainer** drives epochs and tells **observers**, and a **run** directory is
//! everything that came of it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`linalg`] | dense and sparse matrices, products, Gram matrices, groups, small systems, clustering |
//! | [`data`] | ratings, vocabularies, readers, splits, batches, the catalog, planted data |
//! | [`loss`] | squared, absolute, Huber, quantile, logistic, Poisson |
//! | [`model`] | MF, biased MF, NMF, GMF, MLP, NeuMF; the [`Factorization`](model::Factorization) trait |
//! | [`metric`], [`eval`] | exact sums, predictions, baselines, top-N |
//! | [`solver`] | how parameters are found: mini-batches by autodiff, stratified SGD, ALS, SVD, NMF; update rules, schedules |
//! | [`train`] | the loop, checkpoints, early stopping, observers |
//! | [`report`] | TensorBoard, JSON lines, console, plots |
//! | [`sweep`] | hyper-parameter search: spaces, samplers, pruning, the journal |
//! | [`config`] | what config keys are, and reading files of them |
//! | [`run`], [`cli`] | from a config to a run directory, and the commands |
//!
//! Each module uses only those to its left in `error → random → files → linalg → config → device → data → loss → model →
//! metric → eval → solver → train → report → run → sweep → cli`.
//!
//! # A model of your own
//!
//! Any burn module that implements [`Factorization`](model::Factorization) is trained, evaluated, logged and
//! checkpointed like the built-in ones. This one lets each user stretch the scale: r̂_ui = μ + s_u · b_i.
//!
//! ```
//! use burn::module::{Module, Param};
//! use burn::tensor::Tensor;
//! use lowrank::data::batch::Batch;
//! use lowrank::data::split::{SplitKind, SplitSpec, assign, divide};
//! use lowrank::data::synthetic::Synthetic;
//! use lowrank::device::DeviceSpec;
//! use lowrank::eval::{Baseline, Predictor};
//! use lowrank::loss::{Loss, Squared};
//! use lowrank::model::{Factorization, Group, Start, Table};
//! use lowrank::solver::{Gradient, Method};
//! use lowrank::train::{TrainConfig, TrainData, Trainer};
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
//!         let stretched = self.user_scales.gather(batch) * self.item_biases.gather(batch); // [batch, 1]
//!         self.global_mean.val() + stretched.squeeze_dim(1) // [batch]
//!     }
//!
//!     fn tables(&self) -> Vec<&Table> {
//!         vec![&self.user_scales, &self.item_biases]
//!     }
//! }
//!
//! # fn main() -> lowrank::error::Result<()> {
//! let dataset = Synthetic { users: 100, items: 50, ratings: 2000, rank: 1, noise: 0.3, seed: 1 }.dataset()?;
//! let parts = assign(&dataset, &SplitSpec { kind: SplitKind::Random, test: 0.1, validation: 0.1 }, 1)?;
//! let data = divide(&dataset, &parts, false)?;
//!
//! let opened = DeviceSpec::Auto.open()?;
//! let baseline = Baseline::fit(&data.train, data.users.len(), data.items.len());
//! let start = Start {
//!     num_users: data.users.len(),
//!     num_items: data.items.len(),
//!     mean_score: baseline.global_mean,
//!     user_offsets: &[],
//!     item_offsets: &baseline.item_offsets,
//!     seed: 1,
//!     device: &opened.device,
//! };
//! let model = Stretched {
//!     user_scales: Table::new(Group::USER_FACTORS, 1, vec![1.0; start.num_users], start.device),
//!     item_biases: start.biases(Group::ITEM_BIASES),
//!     global_mean: start.offset(),
//! };
//!
//! let loss = Loss::Squared(Squared {});
//! let method = Method::MiniBatch(Gradient { batch_size: 256, ..Gradient::default() });
//! let config = TrainConfig { epochs: 10, learning_rate: 0.02, method, ..TrainConfig::new(loss) };
//! let predictor = Predictor { loss, clip: None, baseline };
//! let data_for_training = TrainData { train: &data.train, validation: &data.validation, predictor: &predictor };
//! let trained = Trainer::new(config, model, opened.clone()).fit(data_for_training, &mut [])?;
//!
//! let test = predictor.evaluate(&trained.model, &opened.device, &data.test).sums.scores().expect("test ratings");
//! let (mean, _) = predictor.baselines(&data.test);
//! assert!(test.rmse < mean.scores().expect("test ratings").rmse);
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod error;
pub mod eval;
pub mod files;
pub mod linalg;
pub mod loss;
pub mod metric;
pub mod model;
pub mod random;
pub mod report;
pub mod run;
pub mod solver;
pub mod sweep;
pub mod train;
