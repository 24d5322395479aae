//! Gradients against central differences in `f64`: every model × loss × regularization, every trained number.
//!
//! A test program of its own, because the float type is a setting of the device for the whole process.

#[path = "numerics/inputs.rs"]
mod inputs;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DeviceConfig, FloatDType, Tensor, TensorData};
use inputs::{cpu, doubles, gradients, kind, losses, models, samples, sine_model};
use lowrank::data::batch::Samples;
use lowrank::loss::{Loss, PointwiseLoss};
use lowrank::model::parameters::Path;
use lowrank::model::{AnyModel, Factorization, ModelConfig};
use lowrank::solver::{Clip, GradientStep, Optimizer, Regularization, Rows, Rule};

/// Distance of the two points of a difference from the middle.
const STEP: f64 = 1e-5;

const REGULARIZATION: Regularization =
    Regularization { user_factors: 0.02, item_factors: 0.03, user_biases: 0.04, item_biases: 0.05, weights: 0.01 };

/// One number of one parameter, moved by some distance.
struct Nudge<'a> {
    path: Path,
    name: &'a str,
    element: usize,
    distance: f64,
}

impl ModuleMapper for Nudge<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.name() != self.name {
            return param;
        }
        param.map(|tensor| {
            let (shape, device) = (tensor.dims(), tensor.device());
            let mut values = doubles(tensor);
            values[self.element] += self.distance;
            Tensor::from_data(TensorData::new(values, shape), &device).require_grad()
        })
    }
}

fn nudged(model: &AnyModel, name: &str, element: usize, distance: f64) -> AnyModel {
    model.clone().map(&mut Nudge { path: Path::default(), name, element, distance })
}

/// Ratings that the loss accepts.
fn ratings(loss: &Loss) -> Samples {
    samples(|j| {
        let wave = (0.5 + 1.3 * j as f64).sin();
        match loss {
            Loss::Logistic(_) => 0.5 + 0.5 * wave,
            Loss::Poisson(_) => (3 * j % 5) as f64,
            _ => 1.5 + 6.0 * wave,
        }
    })
}

/// A difference quotient across a kink is no derivative: scores keep away from kinks, and lie on both sides of them.
fn assert_away_from_kinks(loss: &Loss, scores: &[f64], ratings: &[f32], what: &str) {
    let residuals: Vec<f64> = scores.iter().zip(ratings).map(|(score, &rating)| f64::from(rating) - score).collect();
    let kinks: &[f64] = match loss {
        Loss::Absolute(_) | Loss::Quantile(_) => &[0.0],
        Loss::Huber(huber) => &[-huber.delta, huber.delta],
        Loss::Squared(_) | Loss::Logistic(_) | Loss::Poisson(_) => &[],
    };
    for kink in kinks {
        assert!(residuals.iter().all(|residual| (residual - kink).abs() > 1e-3), "{what}: {residuals:?}");
        assert!(residuals.iter().any(|residual| residual < kink), "{what}: {residuals:?}");
        assert!(residuals.iter().any(|residual| residual > kink), "{what}: {residuals:?}");
    }
}

/// The objective as its documentation states it, by loops over the ratings.
fn objective_by_loops(
    model: &AnyModel,
    scores: &[f64],
    loss: &Loss,
    lambda: &Regularization,
    samples: &Samples,
) -> f64 {
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let mut sum = 0.0;
    for (at, score) in scores.iter().enumerate() {
        sum += loss.value(*score, f64::from(samples.ratings[at]));
        for table in model.tables() {
            let width = table.rows.dims()[1];
            let row = samples.indices(table.group().column)[at] as usize;
            sum += lambda.of(table.group()) * squares(&doubles(table.rows.val())[row * width..][..width]);
        }
    }
    let weights: f64 = model.layers().iter().map(|layer| squares(&doubles(layer.weight.val()))).sum();
    sum / samples.len() as f64 + lambda.weights * weights
}

#[test]
fn every_gradient_is_the_central_difference_of_the_objective() {
    let mut device = cpu().device;
    device.configure(DeviceConfig::default().float_dtype(FloatDType::F64)).expect("before the first tensor");
    let device = device.autodiff();
    let mut compared = BTreeMap::<String, (usize, f64)>::new();
    for config in models(3) {
        for loss in losses() {
            for regularization in [Regularization::default(), REGULARIZATION] {
                let what = format!("{} with {} and {regularization:?}", kind(&config), kind(&loss));
                let model = sine_model(&config, 0.4);
                let samples = ratings(&loss);
                let optimizer = Optimizer::new(Rule::Sgd { momentum: 0.0 });
                let solver = GradientStep { loss, regularization, clip: Clip::default(), rows: Rows::All, optimizer };

                let scores = model.forward(&samples.to_device(&device));
                assert_eq!(scores.dtype(), FloatDType::F64.into(), "{what}");
                let scores = doubles(scores);
                assert_away_from_kinks(&loss, &scores, &samples.ratings, &what);

                let (objective, _) = solver.objective(&model, &samples, &device);
                let value = doubles(objective.clone())[0];
                let expected = objective_by_loops(&model, &scores, &loss, &regularization, &samples);
                // λ/|B| reaches the device in single precision.
                assert!((value - expected).abs() <= 1e-7 * expected.abs(), "{what}: {value} instead of {expected}");

                let at = |name: &str, element: usize, distance: f64| {
                    let model = nudged(&model, name, element, distance);
                    doubles(solver.objective(&model, &samples, &device).0)[0]
                };
                for (name, gradient) in gradients(&model, &objective.backward()) {
                    for (element, found) in gradient.iter().enumerate() {
                        let difference = (at(&name, element, STEP) - at(&name, element, -STEP)) / (2.0 * STEP);
                        let error = (found - difference).abs();
                        assert!(
                            error <= 1e-8 + 1e-7 * difference.abs(),
                            "{what}: {name}[{element}]: {found} is not {difference}"
                        );
                    }
                    let (count, largest) = compared.entry(format!("{} {name}", kind(&config))).or_default();
                    *count += gradient.len();
                    *largest = gradient.iter().fold(*largest, |largest, g| largest.max(g.abs()));
                }
            }
        }
    }
    // Each trained number of each model, under each loss, with and without penalty.
    let expected: usize = models(3).iter().map(|config| sine_model(config, 0.4).num_params() - frozen(config)).sum();
    assert_eq!(compared.values().map(|(count, _)| count).sum::<usize>(), 2 * losses().len() * expected, "{compared:?}");
    assert!(compared.values().all(|(_, largest)| *largest > 0.01), "a gradient is always zero: {compared:?}");
}

/// Numbers of a model that are not trained: the offset μ of all but the two plain products.
fn frozen(config: &ModelConfig) -> usize {
    match config {
        ModelConfig::Mf(_) | ModelConfig::Nmf(_) => 0,
        ModelConfig::BiasedMf(_) | ModelConfig::Gmf(_) | ModelConfig::Mlp(_) | ModelConfig::NeuMf(_) => 1,
    }
}
