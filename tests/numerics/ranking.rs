//! Ranking objectives: the steps of every solver against the gradients of autodiff.

use std::sync::Arc;

use lowrank::data::batch::Samples;
use lowrank::data::{ITEM, Interactions};
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, HostTensor};
use lowrank::objective::ranking::{Bpr, Ranking, SampledLogistic, SampledSoftmax, Warp, rank_weight};
use lowrank::objective::{NegativeSampler, Negatives};
use lowrank::solver::stratified::{AdaGrad, Adam};
use lowrank::solver::{
    GradientStep, LearningRate, MiniBatch, Optimizer, RowRule, Solver, StepNumber, StratifiedRanking, UpdateRule,
    UpdatedRows,
};

use crate::inputs::{Lambda, NUM_ITEMS, cpu, gradient_step, gradients, kind, models, samples_of, sine_model};
use crate::{ADAM, ratings};

const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.11, item_factors: 0.07, user_biases: 0.05, item_biases: 0.03, weights: 0.0 };
/// The only interaction: every other item is a candidate.
const INTERACTION: (u32, u32, f32) = (2, 1, 1.0);
/// So far below every score that WARP's first candidate is found to score too much.
const MARGIN: f32 = 1000.0;

/// Every objective, with as many candidates as there are other items.
fn objectives() -> Vec<Ranking> {
    let negatives = Negatives { count: NUM_ITEMS - 1, sampler: NegativeSampler::Uniform };
    let by_popularity = Negatives { sampler: NegativeSampler::Popularity { exponent: 0.5 }, ..negatives };
    vec![
        Ranking::new(Bpr, negatives),
        Ranking::new(Bpr, by_popularity),
        Ranking::new(SampledSoftmax, negatives),
        Ranking::new(SampledLogistic, negatives),
        Ranking::new(Warp { margin: MARGIN }, negatives),
    ]
}

/// The samples that an objective may draw for the interaction.
fn possible(objective: &Ranking, weight: f32) -> Vec<Arc<Samples>> {
    let (user, own, target) = INTERACTION;
    let others: Vec<u32> = (0..NUM_ITEMS as u32).filter(|&item| item != own).collect();
    let of = |candidates: &[u32], weight: f32| {
        let plain = samples_of(vec![user], vec![own], vec![target]);
        let mut samples = Samples { draws: 1 + candidates.len(), weights: Some(vec![weight]), ..(*plain).clone() };
        samples.columns[ITEM.0].extend(candidates);
        Arc::new(samples)
    };
    match objective.loss().margin() {
        None => vec![of(&others, weight)],
        Some(_) => others.iter().map(|&other| of(&[other], weight * rank_weight(others.len(), 1))).collect(),
    }
}

fn autodiff(objective: &Arc<Ranking>) -> GradientStep {
    let loss = lowrank::objective::Loss::Squared(lowrank::objective::Squared {});
    GradientStep { objective: objective.clone(), ..gradient_step(loss, REGULARIZATION, UpdatedRows::Touched, ADAM) }
}

fn train(weight: f32) -> Interactions {
    Interactions { weights: Some(vec![weight]), ..ratings([INTERACTION]) }
}

fn trained(solver: &mut dyn Solver, model: AnyModel, train: &Interactions, epochs: u64) -> AnyModel {
    let steps = solver.begin(&model, train).expect("a model that it trains");
    let mut model = model;
    for epoch in 1..=epochs {
        for step in 0..steps {
            model = solver.step(model, train, StepNumber { epoch, step, steps }).model;
        }
    }
    solver.write_back(model)
}

fn is_close(found: &[(String, HostTensor)], expected: &[(String, HostTensor)]) -> bool {
    let numbers =
        |of: &[(String, HostTensor)]| of.iter().flat_map(|(_, values)| values.data.clone()).collect::<Vec<_>>();
    let close = |(found, expected): (&f32, &f32)| (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
    numbers(found).iter().zip(&numbers(expected)).all(close)
}

#[test]
fn a_stratified_step_of_adagrad_is_that_of_the_gradients_of_autodiff() {
    let (initial, rate, weight) = (0.3, 0.2, 0.8);
    let dot_products = [3, 20, 64, 70].into_iter().flat_map(models);
    for config in dot_products.filter(|config| ["mf", "biased-mf", "nmf"].contains(&kind(config).as_str())) {
        for objective in objectives().into_iter().map(Arc::new) {
            let start = sine_model(&config, 0.25);
            let after = |samples: &Arc<Samples>| {
                let device = cpu().device.autodiff();
                let (sum, _) = autodiff(&objective).objective(&start, samples, &device);
                let gradients = gradients(&start, &sum.backward());
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
                expected
            };
            let rule = RowRule::AdaGrad(AdaGrad { initial_accumulator: initial as f32, epsilon: 1e-8 });
            let rate = LearningRate::constant(rate);
            let mut solver = StratifiedRanking::new(objective.clone(), REGULARIZATION.into(), rule, rate, 1);
            let found = collect(&trained(&mut solver, start.clone(), &train(weight), 1));
            assert!(!is_close(&found, &collect(&start)), "{config:?} {objective:?}");
            let possible = possible(&objective, weight);
            assert!(possible.iter().any(|samples| is_close(&found, &after(samples))), "{config:?} {objective:?}");
        }
    }
}

/// Ten steps by autodiff on all candidates.
fn ten_steps(objective: &Arc<Ranking>, rule: UpdateRule, model: &AnyModel, rate: f64) -> Vec<(String, HostTensor)> {
    let mut by_autodiff = GradientStep { optimizer: Optimizer::new(rule), ..autodiff(objective) };
    let (device, samples) = (cpu().device.autodiff(), &possible(objective, 0.8)[0]);
    let step = |model, _| by_autodiff.step(model, samples, &device, rate, false).0;
    collect(&(0..10).fold(model.clone(), step))
}

#[test]
fn ten_mini_batches_are_steps_of_autodiff_on_all_candidates() {
    // Adam would make steps of what should cancel, such as the slopes of a bias that all scores share.
    let (rule, rate) = (UpdateRule::Sgd { momentum: 0.0 }, 0.1);
    for config in [3, 20].into_iter().flat_map(models) {
        for objective in objectives().into_iter().filter(|objective| objective.loss().margin().is_none()).map(Arc::new)
        {
            let start = sine_model(&config, 0.25);
            let step = GradientStep { optimizer: Optimizer::new(rule), ..autodiff(&objective) };
            let mut solver = MiniBatch::new(step, 4, LearningRate::constant(rate), 1, &cpu().device);
            let found = trained(&mut solver, start.clone(), &train(0.8), 10);
            let expected = ten_steps(&objective, rule, &start, rate);
            assert!(is_close(&collect(&found), &expected), "{config:?} {objective:?}");
        }
    }
}

#[test]
fn ten_stratified_steps_of_adam_are_those_of_autodiff_on_all_candidates() {
    let rule = RowRule::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    let dot_products = [3, 20, 64].into_iter().flat_map(models);
    for config in dot_products.filter(|config| ["mf", "biased-mf", "nmf"].contains(&kind(config).as_str())) {
        for objective in objectives().into_iter().filter(|objective| objective.loss().margin().is_none()).map(Arc::new)
        {
            let start = sine_model(&config, 0.25);
            let (lambda, rate) = (REGULARIZATION.into(), LearningRate::constant(0.01));
            let mut solver = StratifiedRanking::new(objective.clone(), lambda, rule, rate, 1);
            let found = trained(&mut solver, start.clone(), &train(0.8), 10);
            assert!(is_close(&collect(&found), &ten_steps(&objective, ADAM, &start, 0.01)), "{config:?} {objective:?}");
        }
    }
}

#[test]
fn what_is_not_above_0_is_no_positive() {
    let start = sine_model(&models(20)[1], 0.25);
    let train = Interactions { weights: Some(vec![0.8]), ..ratings([(2, 1, 0.0)]) };
    for objective in objectives().into_iter().map(Arc::new) {
        let rate = LearningRate::constant(0.1);
        let step = GradientStep {
            optimizer: Optimizer::new(UpdateRule::Sgd { momentum: 0.0 }),
            regularization: Lambda::default().into(),
            ..autodiff(&objective)
        };
        let rule = RowRule::AdaGrad(AdaGrad { initial_accumulator: 0.3, epsilon: 1e-8 });
        let solvers: [Box<dyn Solver>; 2] = [
            Box::new(MiniBatch::new(step, 4, rate, 1, &cpu().device)),
            Box::new(StratifiedRanking::new(objective.clone(), Lambda::default().into(), rule, rate, 1)),
        ];
        for mut solver in solvers {
            let found = trained(&mut *solver, start.clone(), &train, 2);
            assert!(is_close(&collect(&found), &collect(&start)), "{objective:?}");
        }
    }
}

#[test]
fn mini_batches_take_the_first_candidate_that_scores_too_much() {
    let objective = Arc::new(Ranking::new(
        Warp { margin: MARGIN },
        Negatives { count: NUM_ITEMS - 1, sampler: NegativeSampler::Uniform },
    ));
    let start = sine_model(&models(3)[1], 0.25);
    let device = cpu().device.autodiff();
    let rate = LearningRate::constant(0.01);
    let mut solver = MiniBatch::new(autodiff(&objective), 4, rate, 1, &cpu().device);
    let found = collect(&trained(&mut solver, start.clone(), &train(0.8), 1));
    let after =
        |samples: &Arc<Samples>| collect(&autodiff(&objective).step(start.clone(), samples, &device, 0.01, false).0);
    assert!(possible(&objective, 0.8).iter().any(|samples| is_close(&found, &after(samples))));
}
