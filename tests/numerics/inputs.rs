//! What several tests start from: every model, every loss, ratings, and parameters read in `f64`.

use std::collections::BTreeMap;
use std::iter::successors;
use std::sync::Arc;

use burn::tensor::{Device, Gradients, Tensor};
use lowrank::data::Frame;
use lowrank::data::batch::Samples;
use lowrank::device::{DeviceSpec, Opened};
use lowrank::model::{
    AnyModel, BiasedMfConfig, DeepFmConfig, FactorInit, FfmConfig, FmConfig, GmfConfig, HostTensor, MfConfig,
    MlpConfig, NeuMfConfig, NfmConfig, NmfConfig, Start, Visited, parameters,
};
use lowrank::objective::{Absolute, Glove, Huber, Logistic, Loss, Poisson, Quantile, Squared};
use lowrank::solver::{Clip, GradientStep, Optimizer, Regularization, UpdateRule, UpdatedRows};
use serde::Serialize;

/// Any of the built-in models before it has parameters.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ModelConfig {
    Mf(MfConfig),
    BiasedMf(BiasedMfConfig),
    Nmf(NmfConfig),
    Gmf(GmfConfig),
    Mlp(MlpConfig),
    #[serde(rename = "neumf")]
    NeuMf(NeuMfConfig),
    Fm(FmConfig),
    Ffm(FfmConfig),
    Nfm(NfmConfig),
    #[serde(rename = "deepfm")]
    DeepFm(DeepFmConfig),
}

impl ModelConfig {
    pub fn init(&self, start: &Start) -> AnyModel {
        match self {
            Self::Mf(config) => config.init(start).into(),
            Self::BiasedMf(config) => config.init(start).into(),
            Self::Nmf(config) => config.init(start).into(),
            Self::Gmf(config) => config.init(start).expect("two sides").into(),
            Self::Mlp(config) => config.init(start).into(),
            Self::NeuMf(config) => config.init(start).into(),
            Self::Fm(config) => config.init(start).into(),
            Self::Ffm(config) => config.init(start).into(),
            Self::Nfm(config) => config.init(start).into(),
            Self::DeepFm(config) => config.init(start).into(),
        }
    }
}

/// A start without offsets.
pub fn start_of<'a>(frame: &'a Frame, mean_score: f64, seed: u64, device: &'a Device) -> Start<'a> {
    Start { frame, mean_score, offsets: [&[], &[]], seed: Some(seed), device }
}

/// λ of each group of a matrix factorization.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lambda {
    pub user_factors: f64,
    pub item_factors: f64,
    pub user_biases: f64,
    pub item_biases: f64,
    pub weights: f64,
}

impl From<Lambda> for Regularization {
    fn from(lambda: Lambda) -> Self {
        let Lambda { user_factors, item_factors, user_biases, item_biases, weights } = lambda;
        Self::new([
            ("user_factors", user_factors),
            ("item_factors", item_factors),
            ("user_biases", user_biases),
            ("item_biases", item_biases),
            ("weights", weights),
        ])
    }
}

/// A step by autodiff without limits.
pub fn gradient_step(loss: Loss, lambda: Lambda, rows: UpdatedRows, rule: UpdateRule) -> GradientStep {
    GradientStep {
        objective: Arc::new(loss),
        regularization: lambda.into(),
        clip: Clip::default(),
        rows,
        optimizer: Optimizer::new(rule),
    }
}

/// Samples of users and items.
pub fn samples_of(users: Vec<u32>, items: Vec<u32>, targets: Vec<f32>) -> Arc<Samples> {
    let samples = Samples::of_columns(vec![users, items], &Arc::default());
    Arc::new(Samples { targets, ..samples })
}

/// The CPU, without autodiff.
pub fn cpu() -> Opened {
    DeviceSpec::Cpu.open().expect("built in by default")
}

/// Every model that needs no histories. A test holds them to those that configs can name.
pub fn models(rank: usize) -> Vec<ModelConfig> {
    let init = FactorInit::Normal { std: 0.3 };
    let layers = vec![4, 2];
    let next = |model: &ModelConfig| {
        Some(match model {
            ModelConfig::Mf(_) => ModelConfig::BiasedMf(BiasedMfConfig { rank, init }),
            ModelConfig::BiasedMf(_) => ModelConfig::Nmf(NmfConfig { rank, init }),
            ModelConfig::Nmf(_) => ModelConfig::Gmf(GmfConfig { rank, init, biases: false, symmetric: false }),
            ModelConfig::Gmf(_) => {
                ModelConfig::Mlp(MlpConfig { rank, layers: layers.clone(), dropout: 0.0, init, biases: false })
            }
            ModelConfig::Mlp(_) => ModelConfig::NeuMf(NeuMfConfig {
                rank,
                mlp_rank: rank,
                layers: layers.clone(),
                dropout: 0.0,
                init,
                biases: false,
            }),
            ModelConfig::NeuMf(_) => ModelConfig::Fm(FmConfig { rank, init }),
            ModelConfig::Fm(_) => ModelConfig::Ffm(FfmConfig { rank, init }),
            ModelConfig::Ffm(_) => ModelConfig::Nfm(NfmConfig { rank, layers: layers.clone(), dropout: 0.0, init }),
            ModelConfig::Nfm(_) => {
                ModelConfig::DeepFm(DeepFmConfig { rank, layers: layers.clone(), dropout: 0.0, init })
            }
            ModelConfig::DeepFm(_) => return None,
        })
    };
    successors(Some(ModelConfig::Mf(MfConfig { rank, init })), next).collect()
}

/// Every loss. A new one does not compile until it has a place in this chain.
pub fn losses() -> Vec<Loss> {
    let next = |loss: &Loss| {
        Some(match loss {
            Loss::Squared(_) => Loss::Absolute(Absolute {}),
            Loss::Absolute(_) => Loss::Huber(Huber { delta: 0.7 }),
            Loss::Huber(_) => Loss::Quantile(Quantile { level: 0.2 }),
            Loss::Quantile(_) => Loss::Logistic(Logistic { positive_weight: 1.0 }),
            Loss::Logistic(_) => Loss::Poisson(Poisson {}),
            Loss::Poisson(_) => Loss::Glove(Glove { x_max: 3.0, alpha: 0.75 }),
            Loss::Glove(_) => return None,
        })
    };
    successors(Some(Loss::Squared(Squared {})), next).collect()
}

/// The name of a model or loss in configs.
pub fn kind(config: &impl Serialize) -> String {
    let json = serde_json::to_value(config).expect("plain data");
    json["kind"].as_str().expect("tagged by kind").to_string()
}

/// Users and items of [`samples`].
pub const NUM_USERS: usize = 5;
/// See [`NUM_USERS`].
pub const NUM_ITEMS: usize = 4;

/// Twelve of the twenty cells, each once, rated by a formula of their number.
pub fn samples(rating: impl Fn(usize) -> f64) -> Arc<Samples> {
    let cells: Vec<usize> = (0..12).map(|j| 7 * j % (NUM_USERS * NUM_ITEMS)).collect();
    samples_of(
        cells.iter().map(|cell| (cell / NUM_ITEMS) as u32).collect(),
        cells.iter().map(|cell| (cell % NUM_ITEMS) as u32).collect(),
        (0..12).map(|j| rating(j) as f32).collect(),
    )
}

/// 0.8 sin(phase + 0.7 j).
pub fn wave(phase: f64, j: usize) -> f64 {
    0.8 * (phase + 0.7 * j as f64).sin()
}

/// A model for [`samples`] with autodiff. Element j of parameter n is `wave(1 + 2.3 n, j)`; 2.4 times its absolute value
/// for nmf, and 1.5 more in biases of hidden layers, which opens most ReLUs.
pub fn sine_model(config: &ModelConfig, mean_score: f64) -> AnyModel {
    let device = cpu().device;
    let frame = Frame::pair(NUM_USERS, NUM_ITEMS);
    let start = start_of(&frame, mean_score, 1, &device);
    let non_negative = matches!(config, ModelConfig::Nmf(_));
    trainable(config.init(&start), &device, |name, n, j, old| {
        let value = f64::from(wave(1.0 + 2.3 * n as f64, j) as f32);
        match name {
            "global_mean" => old,
            _ if non_negative => (2.4 * value.abs()) as f32,
            _ if name.starts_with("hidden") && name.ends_with("bias") => (value + 1.5) as f32,
            _ => value as f32,
        }
    })
}

/// A module on `device` with autodiff whose parameters are what `value` makes of (name, number of the parameter,
/// number of the element, old value).
pub fn trainable(
    model: impl Into<AnyModel>,
    device: &Device,
    value: impl Fn(&str, usize, usize, f32) -> f32,
) -> AnyModel {
    let model = model.into();
    let changed: BTreeMap<String, HostTensor> = (0..)
        .zip(parameters::collect(&model))
        .map(|(n, (name, mut values))| {
            values.data.iter_mut().enumerate().for_each(|(j, old)| *old = value(&name, n, j, *old));
            (name, values)
        })
        .collect();
    let model = model.to_training(&device.clone().autodiff());
    parameters::restore(model, &changed).expect("the model's own parameters")
}

/// The gradient of each trained parameter by name, in `f64`.
pub fn gradients(model: &AnyModel, gradients: &Gradients) -> Vec<(String, Vec<f64>)> {
    let mut found = Vec::new();
    model.visit(Some(gradients), &mut |Visited { name, gradient, .. }| {
        found.extend(gradient.map(|gradient| (name, doubles(gradient))));
    });
    found
}

/// Reads a tensor in `f64`, in row-major order.
pub fn doubles<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data_as::<f64>().try_into_vec().expect("converted to f64")
}
