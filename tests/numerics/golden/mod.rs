//! Agreement with PyTorch. The constants are what `python tests/scripts/reference.py` prints (torch 2.15.0, `f64`);
//! inputs are sines on both sides.

mod deep;
mod dot_products;
mod losses;
mod model;
mod neural;

use std::sync::Arc;

use burn::tensor::Tensor;
use lowrank::data::batch::Samples;
use lowrank::data::{Frame, ITEM, USER};
use lowrank::device::to_vec;
use lowrank::model::{AnyModel, FactorInit, MfConfig};
use lowrank::objective::{Loss, PointwiseLoss};
use lowrank::solver::{Clip, GradientStep, UpdateRule, UpdatedRows};

use self::deep::DEEP;
use self::dot_products::{DOT_PRODUCTS, TOUCHED, TOY};
use self::losses::LOSSES;
use self::model::GoldenModel;
use self::neural::NEURAL;
use crate::inputs::{
    Lambda, cpu, gradient_step, gradients, kind, losses, models, samples_of, sine_model, start_of, trainable, wave,
};
use crate::{ADAM, REGULARIZATION, SQUARED, some_samples};

/// Largest accepted difference, relative to the expected number (or to the norm of the vector it is part of).
const TOLERANCE: f64 = 1e-5;

/// In the order of [`models`]. Of two columns, factorization machines are the product with biases.
fn golden_models() -> impl Iterator<Item = GoldenModel> {
    let golden = [&DOT_PRODUCTS, &NEURAL].into_iter().flatten().copied();
    let product = DOT_PRODUCTS.iter().find(|golden| golden.name == "biased-mf").copied();
    let machines = ["fm", "ffm"].into_iter().filter_map(move |name| Some(GoldenModel { name, ..product? }));
    golden.chain(machines).chain(DEEP)
}

/// Update rule, learning rate and limits of a curve.
fn rule(name: &str) -> (UpdateRule, f64, Clip) {
    let sgd = UpdateRule::Sgd { momentum: 0.0 };
    let none = Clip::default();
    match name {
        "adam" => (ADAM, 0.05, none),
        "adamw" => (UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 }, 0.05, none),
        "sgd" => (sgd, 0.02, none),
        "momentum" => (UpdateRule::Sgd { momentum: 0.9 }, 0.02, none),
        "adagrad" => (UpdateRule::AdaGrad { epsilon: 1e-10 }, 0.1, none),
        "clip-value" => (sgd, 0.1, Clip { value: Some(0.05), norm: None }),
        "clip-norm" => (sgd, 0.1, Clip { value: None, norm: Some(0.3) }),
        "clip-both" => (sgd, 0.1, Clip { value: Some(0.05), norm: Some(0.15) }),
        _ => panic!("the reference has a rule {name:?} that this test does not know"),
    }
}

fn solver(rule: UpdateRule, clip: Clip, regularization: Lambda) -> GradientStep {
    GradientStep { clip, ..gradient_step(SQUARED, regularization, UpdatedRows::All, rule) }
}

#[track_caller]
fn assert_close(what: &str, found: &[f64], expected: &[f64], size: impl Fn(f64) -> f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let limit = TOLERANCE * size(*expected);
        assert!((found - expected).abs() <= limit, "{what}, number {at}: {found}, but PyTorch has {expected}");
    }
}

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The objective before each of ten steps, and after the last.
fn curve(mut model: AnyModel, samples: &Arc<Samples>, mut solver: GradientStep, rate: f64) -> Vec<f64> {
    let device = cpu().device.autodiff();
    let objective =
        |solver: &GradientStep, model: &AnyModel| f64::from(to_vec(solver.objective(model, samples, &device).0)[0]);
    let mut losses = Vec::new();
    for _ in 0..10 {
        losses.push(objective(&solver, &model));
        model = solver.step(model, samples, &device, rate, false).0;
    }
    losses.push(objective(&solver, &model));
    losses
}

#[test]
fn steps_on_touched_rows_have_sparse_adams_curve() {
    let all = some_samples();
    let device = cpu().device.autodiff();
    for (name, expected) in TOUCHED {
        let config = models(3).into_iter().find(|config| kind(config) == name).expect("a model");
        let mut model = sine_model(&config, 3.25);
        let mut solver = GradientStep { rows: UpdatedRows::Touched, ..solver(ADAM, Clip::default(), REGULARIZATION) };
        let objective =
            |solver: &GradientStep, model: &_| f64::from(to_vec(solver.objective(model, &all, &device).0)[0]);
        let mut found = vec![objective(&solver, &model)];
        for step in 0..10 {
            let pick = |column: &[u32]| (0..3).map(|j| column[(3 * step + j) % 12]).collect();
            let ratings = (0..3).map(|j| all.targets[(3 * step + j) % 12]).collect();
            let batch = samples_of(pick(all.column(USER)), pick(all.column(ITEM)), ratings);
            model = solver.step(model, &batch, &device, 0.05, false).0;
            found.push(objective(&solver, &model));
        }
        assert_close(name, &found, &expected, |expected| expected);
    }
}

#[test]
fn the_toy_example_has_pytorchs_losses() {
    let device = cpu().device;
    let frame = Frame::pair(4, 2);
    let start = start_of(&frame, 0.0, 1, &device);
    let model = MfConfig { rank: 2, init: FactorInit::Normal { std: 1.0 } }.init(&start);
    let model = trainable(model, &device, |_, n, j, _| wave(1.0 + 2.3 * n as f64, j) as f32);
    let matrix = samples_of(
        vec![0, 0, 1, 1, 2, 2, 3, 3],
        vec![0, 1, 0, 1, 0, 1, 0, 1],
        vec![5.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0],
    );
    let losses = curve(model, &matrix, solver(ADAM, Clip::default(), Lambda::default()), 0.01);
    assert_close("toy", &losses[..10], &TOY, f64::abs);
}

#[test]
fn losses_and_their_gradients_are_pytorchs() {
    let device = cpu().device.autodiff();
    let scores: Vec<f32> = (0..8).map(|j| (2.0 * (0.3 + 0.9 * f64::from(j)).sin()) as f32).collect();
    assert_eq!(losses().iter().map(kind).collect::<Vec<_>>(), LOSSES.each_ref().map(|golden| golden.name));
    for (loss, golden) in losses().iter().zip(&LOSSES) {
        let ratings: Vec<f32> = (0..8)
            .map(|j| {
                let wave = (1.0 + 1.7 * f64::from(j)).sin();
                let rating = match loss {
                    Loss::Logistic(_) => 0.5 + 0.5 * wave,
                    Loss::Poisson(_) => f64::from(3 * j % 5),
                    Loss::Glove(_) => f64::from(1 + 3 * j % 5),
                    _ => 2.5 * wave,
                };
                rating as f32
            })
            .collect();
        let score = Tensor::<1>::from_floats(scores.as_slice(), &device).require_grad();
        let values = loss.forward(score.clone(), Tensor::from_floats(ratings.as_slice(), &device));
        let gradient = score.grad(&values.clone().sum().backward()).expect("a tracked tensor");
        assert_close(golden.name, &f64s(&to_vec(values)), &golden.values, |x| x.abs().max(0.1));
        assert_close(golden.name, &f64s(&to_vec(gradient)), &golden.gradients, |x| x.abs().max(0.1));
    }
}

#[test]
fn scores_objectives_and_gradients_are_pytorchs() {
    let device = cpu().device.autodiff();
    let samples = some_samples();
    assert_eq!(
        models(3).iter().map(kind).collect::<Vec<_>>(),
        golden_models().map(|golden| golden.name).collect::<Vec<_>>()
    );
    for (config, golden) in models(3).iter().zip(golden_models()) {
        let model = sine_model(config, 3.25);
        let scores = f64s(&to_vec(model.forward(&samples.to_device(&device))));
        assert_close(&format!("scores of {}", golden.name), &scores, &golden.scores, |x| x.abs().max(0.1));

        let solver = solver(ADAM, Clip::default(), REGULARIZATION);
        let (objective, _) = solver.objective(&model, &samples, &device);
        let found = gradients(&model, &objective.backward());
        let value = f64::from(to_vec(objective)[0]);
        assert_close(&format!("objective of {}", golden.name), &[value], &[golden.objective], f64::abs);

        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, golden.gradients.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{}", golden.name);
        for ((name, gradient), (_, expected)) in found.iter().zip(golden.gradients) {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let projection = (0..).zip(gradient).map(|(j, g)| g * (1.0 + f64::from(j)).sin()).sum();
            let what = format!("gradient of {name} in {}", golden.name);
            assert_close(&what, &[norm, projection], expected, |_| expected[0]);
        }
    }
}

#[test]
fn ten_steps_of_every_rule_are_pytorchs() {
    for (config, golden) in models(3).iter().zip(golden_models()) {
        assert_eq!(golden.curves.len(), 8, "{}", golden.name);
        for (name, expected) in golden.curves {
            let (rule, rate, clip) = rule(name);
            let found = curve(sine_model(config, 3.25), &some_samples(), solver(rule, clip, REGULARIZATION), rate);
            assert_close(&format!("{name} on {}", golden.name), &found, expected, f64::abs);
        }
    }
}
