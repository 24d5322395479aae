//! The stratified solver against autodiff.

use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, HostTensor};
use lowrank::objective::{Absolute, Glove, Huber, Logistic, Loss, Squared};
use lowrank::solver::stratified::{AdaGrad, Adam};
use lowrank::solver::{GradientStep, LearningRate, RowRule, Solver, StepNumber, Stratified, UpdateRule, UpdatedRows};

use crate::inputs::{Lambda, ModelConfig, cpu, gradient_step, gradients, kind, models, samples_of, sine_model};
use crate::{ADAM, ratings};

const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.11, item_factors: 0.07, user_biases: 0.05, item_biases: 0.03, weights: 0.0 };

/// Models whose score is a dot product, of a rank that fills no vector and one that fills some.
fn dot_products() -> Vec<ModelConfig> {
    let all = [3, 20, 64, 70].into_iter().flat_map(models);
    all.filter(|config| ["mf", "biased-mf", "nmf"].contains(&kind(config).as_str())).collect()
}

const LOSSES: [Loss; 5] = [
    Loss::Squared(Squared {}),
    Loss::Absolute(Absolute {}),
    Loss::Huber(Huber { delta: 0.7 }),
    Loss::Logistic(Logistic { positive_weight: 1.0 }),
    Loss::Glove(Glove { x_max: 2.0, alpha: 0.75 }),
];

fn autodiff(loss: Loss, rule: UpdateRule) -> GradientStep {
    gradient_step(loss, REGULARIZATION, UpdatedRows::Touched, rule)
}

/// Epochs of the stratified solver on one rating, in a model with more rows.
fn stratified(model: AnyModel, loss: Loss, rule: RowRule, rating: (u32, u32, f32), epochs: u64, rate: f64) -> AnyModel {
    let train = ratings([rating]);
    let mut solver = Stratified::new(loss, REGULARIZATION.into(), rule, LearningRate::constant(rate), 1);
    let mut model = model;
    let steps = solver.begin(&model, &train).expect("a dot product");
    for epoch in 1..=epochs {
        for step in 0..steps {
            model = solver.step(model, &train, StepNumber { epoch, step, steps }).model;
        }
    }
    solver.write_back(model)
}

#[track_caller]
fn assert_close(found: &AnyModel, expected: &[(String, HostTensor)], what: &str) {
    for ((name, found), (_, expected)) in collect(found).into_iter().zip(expected) {
        for (at, (found, expected)) in found.data.iter().zip(&expected.data).enumerate() {
            let error = (found - expected).abs();
            assert!(error <= 1e-5 * expected.abs().max(1.0), "{what}: {name}[{at}] is {found}, not {expected}");
        }
    }
}

#[test]
fn one_step_of_adagrad_is_that_of_the_gradients_of_autodiff() {
    let (initial, rate) = (0.3, 0.2);
    let (user, item, rating) = (2, 1, 0.9);
    for config in dot_products() {
        for loss in LOSSES {
            let what = format!("{config:?} with {loss:?}");
            let start = sine_model(&config, 0.25);
            let device = cpu().device.autodiff();
            let samples = samples_of(vec![user], vec![item], vec![rating]);
            let (objective, _) = autodiff(loss, ADAM).objective(&start, &samples, &device);
            let gradients = gradients(&start, &objective.backward());
            let mut expected = collect(&start);
            for (name, values) in &mut expected {
                let Some((_, gradient)) = gradients.iter().find(|gradient| gradient.0 == *name) else { continue };
                let width = values.shape[1];
                for (row, gradient) in values.data.chunks_mut(width).zip(gradient.chunks(width)) {
                    let sum = initial + gradient.iter().map(|g| g * g).sum::<f64>() / width as f64;
                    for (value, gradient) in row.iter_mut().zip(gradient) {
                        *value -= (rate * gradient / sum.sqrt()) as f32;
                        if kind(&config) == "nmf" {
                            *value = value.max(0.0);
                        }
                    }
                }
            }
            let rule = RowRule::AdaGrad(AdaGrad { initial_accumulator: initial as f32, epsilon: 1e-8 });
            let found = stratified(start.clone(), loss, rule, (user, item, rating), 1, rate);
            assert_ne!(collect(&found), collect(&start), "{what}");
            assert_close(&found, &expected, &what);
        }
    }
}

#[test]
fn ten_steps_of_adam_are_those_of_autodiff() {
    let rule = RowRule::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    for config in dot_products() {
        for loss in LOSSES {
            let start = sine_model(&config, 0.25);
            let device = cpu().device.autodiff();
            let samples = samples_of(vec![2], vec![1], vec![0.9]);
            let mut by_autodiff = autodiff(loss, ADAM);
            let mut expected = start.clone();
            for _ in 0..10 {
                expected = by_autodiff.step(expected, &samples, &device, 0.01, false).0;
            }
            let found = stratified(start, loss, rule, (2, 1, 0.9), 10, 0.01);
            assert_close(&found, &collect(&expected), &format!("{config:?} with {loss:?}"));
        }
    }
}
