//! Gradients against central differences in `f64`: every model × loss × regularization, and a model and an objective of
//! another crate; every trained number.
//!
//! A test program of its own, because the float type is a setting of the device for the whole process.

#[path = "numerics/inputs.rs"]
mod inputs;
#[path = "numerics/three_fields.rs"]
mod three_fields;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use burn::tensor::activation::softplus;
use burn::tensor::{Device, DeviceConfig, FloatDType, Tensor, TensorData};
use inputs::{
    Lambda, ModelConfig, NUM_ITEMS, cpu, doubles, gradient_step, gradients, kind, losses, models, samples, sine_model,
};
use lowrank::data::batch::{Batch, Samples};
use lowrank::data::{ITEM, Interactions, UNKNOWN};
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, Use, Visited};
use lowrank::objective::{Draw, Loss, Objective, PointwiseLoss, Squared};
use lowrank::solver::{GradientStep, Regularization, UpdateRule, UpdatedRows};
use three_fields::{all, interactions, scores_by_loops, sine_sequence};

/// The CPU with autodiff and in `f64`: set up by whichever test comes first, before its first tensor.
static DEVICE: LazyLock<Device> = LazyLock::new(|| {
    let mut device = cpu().device;
    device.configure(DeviceConfig::default().float_dtype(FloatDType::F64)).expect("before the first tensor");
    device.autodiff()
});

/// Distance of the two points of a difference from the middle.
const STEP: f64 = 1e-5;

const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.02, item_factors: 0.03, user_biases: 0.04, item_biases: 0.05, weights: 0.01 };

/// The model with one number of one parameter moved by some distance.
fn nudged(model: &AnyModel, name: &str, element: usize, distance: f64) -> AnyModel {
    model.clone().map(None, &mut |Visited { name: own, rows, .. }| {
        if own != name {
            return rows;
        }
        let (shape, device) = (rows.dims(), rows.device());
        let mut values = doubles(rows);
        values[element] += distance;
        Tensor::from_data(TensorData::new(values, shape), &device)
    })
}

/// Interactions that the loss accepts.
fn ratings(loss: &Loss) -> Arc<Samples> {
    samples(|j| {
        let wave = (0.5 + 1.3 * j as f64).sin();
        match loss {
            Loss::Logistic(_) => 0.5 + 0.5 * wave,
            Loss::Poisson(_) => (3 * j % 5) as f64,
            Loss::Glove(_) => (1 + 3 * j % 5) as f64,
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
        Loss::Squared(_) | Loss::Logistic(_) | Loss::Poisson(_) | Loss::Glove(_) => &[],
    };
    for kink in kinks {
        assert!(residuals.iter().all(|residual| (residual - kink).abs() > 1e-3), "{what}: {residuals:?}");
        assert!(residuals.iter().any(|residual| residual < kink), "{what}: {residuals:?}");
        assert!(residuals.iter().any(|residual| residual > kink), "{what}: {residuals:?}");
    }
}

/// The objective as its documentation states it, by loops over the interactions; `losses` is the sum of theirs.
fn objective_by_loops(model: &AnyModel, losses: f64, lambda: &Regularization, samples: &Samples) -> f64 {
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let mut sum = losses;
    for table in model.tables() {
        let (width, values) = (table.rows.dims()[1], doubles(table.rows.val()));
        let of_row = |row: &u32| lambda.of(table.group()) * squares(&values[*row as usize * width..][..width]);
        for of in table.uses() {
            sum += match *of {
                Use::Field(field) => {
                    samples.column(field).iter().filter(|&&row| row != UNKNOWN).map(of_row).sum::<f64>()
                }
                Use::Bag(field, bag) => {
                    let members = |&owner: &u32| samples.bags[bag.0].of_row(owner).0;
                    samples.column(field).iter().flat_map(members).map(of_row).sum()
                }
            };
        }
    }
    let weights: f64 = model.layers().iter().map(|layer| squares(&doubles(layer.weight.val()))).sum();
    sum / samples.len() as f64 + lambda.of_weights() * weights
}

/// Holds the objective's value to `expected`, and each number of its gradient, which is returned, to the difference of
/// its values on both sides.
fn assert_differentiated(
    what: &str,
    solver: &GradientStep,
    model: &AnyModel,
    samples: &Arc<Samples>,
    expected: f64,
) -> Vec<(String, Vec<f64>)> {
    let (objective, _) = solver.objective(model, samples, &DEVICE);
    let value = doubles(objective.clone())[0];
    // λ/|B| reaches the device in single precision.
    assert!((value - expected).abs() <= 1e-7 * expected.abs(), "{what}: {value} instead of {expected}");

    let at = |name: &str, element: usize, distance: f64| {
        let model = nudged(model, name, element, distance);
        doubles(solver.objective(&model, samples, &DEVICE).0)[0]
    };
    let gradients = gradients(model, &objective.backward());
    for (name, gradient) in &gradients {
        for (element, found) in gradient.iter().enumerate() {
            let difference = (at(name, element, STEP) - at(name, element, -STEP)) / (2.0 * STEP);
            let error = (found - difference).abs();
            assert!(error <= 1e-8 + 1e-7 * difference.abs(), "{what}: {name}[{element}]: {found} is not {difference}");
        }
    }
    gradients
}

#[test]
fn every_gradient_is_the_central_difference_of_the_objective() {
    let device = &*DEVICE;
    let mut compared = BTreeMap::<String, (usize, f64)>::new();
    for config in models(3) {
        for loss in losses() {
            for regularization in [Lambda::default(), REGULARIZATION] {
                let what = format!("{} with {} and {regularization:?}", kind(&config), kind(&loss));
                let model = sine_model(&config, 0.4);
                let samples = ratings(&loss);
                let solver = gradient_step(loss, regularization, UpdatedRows::All, UpdateRule::Sgd { momentum: 0.0 });

                let scores = model.forward(&samples.to_device(device));
                assert_eq!(scores.dtype(), FloatDType::F64.into(), "{what}");
                let scores = doubles(scores);
                assert_away_from_kinks(&loss, &scores, &samples.targets, &what);

                let losses = scores.iter().zip(&samples.targets);
                let losses = losses.map(|(score, &target)| loss.value(*score, f64::from(target))).sum();
                let expected = objective_by_loops(&model, losses, &regularization.into(), &samples);
                for (name, gradient) in assert_differentiated(&what, &solver, &model, &samples, expected) {
                    let (count, largest) = compared.entry(format!("{} {name}", kind(&config))).or_default();
                    *count += gradient.len();
                    *largest = gradient.iter().fold(*largest, |largest, g| largest.max(g.abs()));
                }
            }
        }
    }
    // Each trained number of each model, under each loss, with and without penalty.
    let expected: usize = models(3).iter().map(|config| count(&sine_model(config, 0.4)) - frozen(config)).sum();
    assert_eq!(compared.values().map(|(count, _)| count).sum::<usize>(), 2 * losses().len() * expected, "{compared:?}");
    assert!(compared.values().all(|(_, largest)| *largest > 0.01), "a gradient is always zero: {compared:?}");
}

/// −log σ(difference) of an interaction's own score and that of each of two other items, as another crate would write
/// it.
#[derive(Debug)]
struct Pairwise;

impl Objective for Pairwise {
    fn draw(&self, train: &Interactions, positions: &[u64], _: &Draw) -> Samples {
        let mut samples = Samples::gather(train, positions);
        let items = |&own: &u32| (0..3).map(move |other| (own + other) % NUM_ITEMS as u32);
        samples.columns[ITEM.0] = samples.column(ITEM).iter().flat_map(items).collect();
        Samples { draws: 3, ..samples }
    }

    fn loss(&self, scores: Tensor<2>, _: &Batch) -> Tensor<1> {
        let positions = scores.dims()[0];
        let (own, others) = (scores.clone().slice([0..positions, 0..1]), scores.slice([0..positions, 1..3]));
        softplus(others - own, 1.0).sum_dim(1).squeeze_dim(1)
    }
}

#[test]
fn gradients_of_three_fields_are_central_differences() {
    let device = &*DEVICE;
    let squared = Loss::Squared(Squared {});
    let penalty = [("user_factors", 0.02), ("item_factors", 0.03), ("tag_factors", 0.04), ("item_biases", 0.05)];
    let model = sine_sequence(3);
    let train = interactions(|j| 1.5 + 6.0 * (0.5 + 1.3 * j as f64).sin());
    let plain = all(&train);
    let weights = (0..train.len()).map(|at| 0.25 + at as f32).collect();
    let weighted = Arc::new(Samples { weights: Some(weights), ..(*plain).clone() });
    let draw = Draw { seed: 1, epoch: 1, scorer: &|_| Vec::new(), unseen: None };
    let drawn = Arc::new(Pairwise.draw(&train, &(0..train.len() as u64).collect::<Vec<_>>(), &draw));

    let pointwise = |scores: &[f64], samples: &Samples| -> f64 {
        let loss = |at: usize| squared.value(scores[at], f64::from(samples.targets[at]));
        let weight = |at: usize| samples.weights.as_ref().map_or(1.0, |weights| f64::from(weights[at]));
        (0..samples.len()).map(|at| weight(at) * loss(at)).sum()
    };
    let pairwise = |scores: &[f64], _: &Samples| -> f64 {
        scores.chunks(3).flat_map(|scores| [1, 2].map(|other| (scores[other] - scores[0]).exp().ln_1p())).sum()
    };
    /// An objective with samples for it, and its sum over them by loops.
    type Case<'a> = (&'a str, Arc<dyn Objective>, &'a Arc<Samples>, &'a dyn Fn(&[f64], &Samples) -> f64);
    let cases: [Case; 3] = [
        ("squared", Arc::new(squared), &plain, &pointwise),
        ("weighted", Arc::new(squared), &weighted, &pointwise),
        ("pairwise", Arc::new(Pairwise), &drawn, &pairwise),
    ];
    for (what, objective, samples, losses) in cases {
        let scores = model.forward(&samples.to_device(device));
        assert_eq!(scores.dtype(), FloatDType::F64.into(), "{what}");
        let (scores, expected) = (doubles(scores), scores_by_loops(&model, samples));
        assert_eq!(scores.len(), expected.len(), "{what}");
        for (score, expected) in scores.iter().zip(&expected) {
            // Weights of a bag are in single precision on both sides.
            assert!((score - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {score} is not {expected}");
        }
        for regularization in [Regularization::default(), Regularization::new(penalty)] {
            let expected = objective_by_loops(&model, losses(&expected, samples), &regularization, samples);
            let step = gradient_step(squared, Lambda::default(), UpdatedRows::All, UpdateRule::Sgd { momentum: 0.0 });
            let solver = GradientStep { objective: objective.clone(), regularization, ..step };
            let gradients = assert_differentiated(what, &solver, &model, samples, expected);
            assert_eq!(gradients.iter().map(|(_, gradient)| gradient.len()).sum::<usize>(), count(&model), "{what}");
            for (name, gradient) in gradients {
                // The shift is the same in every difference of scores.
                let is_flat = what == "pairwise" && name == "shift";
                assert_eq!(gradient.iter().all(|g| g.abs() < 1e-9), is_flat, "{what}: {name} has {gradient:?}");
            }
        }
    }
}

/// Numbers of a model.
fn count(model: &AnyModel) -> usize {
    collect(model).iter().map(|(_, values)| values.data.len()).sum()
}

/// Numbers of a model that are not trained: the offset μ of all but the two plain products.
fn frozen(config: &ModelConfig) -> usize {
    match config {
        ModelConfig::Mf(_) | ModelConfig::Nmf(_) => 0,
        ModelConfig::BiasedMf(_)
        | ModelConfig::Gmf(_)
        | ModelConfig::Mlp(_)
        | ModelConfig::NeuMf(_)
        | ModelConfig::Fm(_)
        | ModelConfig::Ffm(_)
        | ModelConfig::Nfm(_)
        | ModelConfig::DeepFm(_) => 1,
    }
}
