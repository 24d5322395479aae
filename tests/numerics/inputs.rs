//! What several tests start from: every model, every loss, ratings, and parameters read in `f64`.

use std::collections::BTreeMap;
use std::iter::successors;

use burn::module::{ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use lowrank::data::batch::Samples;
use lowrank::device::{DeviceSpec, Opened};
use lowrank::loss::{Absolute, Huber, Logistic, Loss, Poisson, Quantile, Squared};
use lowrank::model::parameters::{self, Path, Values};
use lowrank::model::{
    AnyModel, BiasedMfConfig, FactorInit, Factorization, GmfConfig, MfConfig, MlpConfig, ModelConfig, NeuMfConfig,
    NmfConfig, Start,
};
use serde::Serialize;

/// The CPU, without autodiff.
pub fn cpu() -> Opened {
    DeviceSpec::Cpu.open().expect("built in by default")
}

/// Every model. A new one does not compile until it has a place in this chain.
pub fn models(rank: usize) -> Vec<ModelConfig> {
    let init = FactorInit::Normal { std: 0.3 };
    let layers = vec![4, 2];
    let next = |model: &ModelConfig| {
        Some(match model {
            ModelConfig::Mf(_) => ModelConfig::BiasedMf(BiasedMfConfig { rank, init }),
            ModelConfig::BiasedMf(_) => ModelConfig::Nmf(NmfConfig { rank, init }),
            ModelConfig::Nmf(_) => ModelConfig::Gmf(GmfConfig { rank, init, biases: false }),
            ModelConfig::Gmf(_) => ModelConfig::Mlp(MlpConfig { rank, layers: layers.clone(), init, biases: false }),
            ModelConfig::Mlp(_) => {
                ModelConfig::NeuMf(NeuMfConfig { rank, layers: layers.clone(), init, biases: false })
            }
            ModelConfig::NeuMf(_) => return None,
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
            Loss::Quantile(_) => Loss::Logistic(Logistic {}),
            Loss::Logistic(_) => Loss::Poisson(Poisson {}),
            Loss::Poisson(_) => return None,
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
pub fn samples(rating: impl Fn(usize) -> f64) -> Samples {
    let cells: Vec<usize> = (0..12).map(|j| 7 * j % (NUM_USERS * NUM_ITEMS)).collect();
    Samples {
        users: cells.iter().map(|cell| (cell / NUM_ITEMS) as u32).collect(),
        items: cells.iter().map(|cell| (cell % NUM_ITEMS) as u32).collect(),
        ratings: (0..12).map(|j| rating(j) as f32).collect(),
    }
}

/// 0.8 sin(phase + 0.7 j).
pub fn wave(phase: f64, j: usize) -> f64 {
    0.8 * (phase + 0.7 * j as f64).sin()
}

/// A model for [`samples`] with autodiff. Element j of parameter n is `wave(1 + 2.3 n, j)`; 2.4 times its absolute value
/// for nmf, and 1.5 more in biases of hidden layers, which opens most ReLUs.
pub fn sine_model(config: &ModelConfig, mean_score: f64) -> AnyModel {
    let device = cpu().device;
    let start = Start {
        num_users: NUM_USERS,
        num_items: NUM_ITEMS,
        mean_score,
        user_offsets: &[],
        item_offsets: &[],
        seed: 1,
        device: &device,
    };
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
pub fn trainable<M: Factorization>(model: M, device: &Device, value: impl Fn(&str, usize, usize, f32) -> f32) -> M {
    let changed: BTreeMap<String, Values> = (0..)
        .zip(parameters::collect(&model))
        .map(|(n, (name, mut values))| {
            values.data.iter_mut().enumerate().for_each(|(j, old)| *old = value(&name, n, j, *old));
            (name, values)
        })
        .collect();
    let model = model.to_device(&device.clone().autodiff()).train();
    parameters::restore(model, &changed).expect("the model's own parameters")
}

/// The gradient of each trained parameter by name, in `f64`.
pub fn gradients<M: Factorization>(model: &M, gradients: &Gradients) -> Vec<(String, Vec<f64>)> {
    struct Visitor<'a> {
        path: Path,
        gradients: &'a Gradients,
        found: Vec<(String, Vec<f64>)>,
    }
    impl ModuleVisitor for Visitor<'_> {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = param.val().grad(self.gradients) {
                self.found.push((self.path.name(), doubles(gradient)));
            }
        }
    }
    let mut visitor = Visitor { path: Path::default(), gradients, found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}

/// Reads a tensor in `f64`, in row-major order.
pub fn doubles<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data_as::<f64>().try_into_vec().expect("converted to f64")
}
