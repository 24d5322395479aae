//! Alternating least squares: each half of an epoch is a minimum, which autodiff and naive double loops confirm.

use lowrank::data::{Frame, ITEM, Interactions, USER};
use lowrank::error::{Error, Result};
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, BiasedMfConfig, FactorInit, GmfConfig, MfConfig, NmfConfig};
use lowrank::objective::{Absolute, Loss, Squared};
use lowrank::random;
use lowrank::solver::{Als, AlsConfig, Confidence, Feedback, Inner, Solver, StepNumber, Stepped, UpdatedRows};
use rand::RngExt;

use crate::inputs::{Lambda, ModelConfig, cpu, doubles, gradient_step, gradients, samples_of, start_of, trainable};
use crate::{ADAM, bits, ratings};

pub const SQUARED: Loss = Loss::Squared(Squared {});
pub const LAMBDA: Lambda =
    Lambda { user_factors: 0.11, item_factors: 0.07, user_biases: 0.05, item_biases: 0.03, weights: 0.0 };
/// λ for each rating, as everywhere else.
pub const EXACT: AlsConfig = AlsConfig {
    feedback: Feedback::Explicit,
    inner: Inner::Cholesky,
    count_exponent: 1.0,
    confidence: Confidence::Count,
};
pub const ALPHA: f64 = 1.5;
/// λ for each row, as in the paper.
pub const IMPLICIT: AlsConfig =
    AlsConfig { feedback: Feedback::Implicit { confidence_alpha: ALPHA }, count_exponent: 0.0, ..EXACT };

pub const fn with(config: AlsConfig, inner: Inner) -> AlsConfig {
    AlsConfig { inner, ..config }
}

pub const CG: Inner = Inner::ConjugateGradient { steps: 3 };
pub const CD: Inner = Inner::CoordinateDescent { sweeps: 3 };

pub const INIT: FactorInit = FactorInit::Normal { std: 0.3 };

pub fn mf(rank: usize) -> ModelConfig {
    ModelConfig::Mf(MfConfig { rank, init: INIT })
}

pub fn biased_mf(rank: usize) -> ModelConfig {
    ModelConfig::BiasedMf(BiasedMfConfig { rank, init: INIT })
}

pub fn nmf(rank: usize) -> ModelConfig {
    ModelConfig::Nmf(NmfConfig { rank, init: INIT })
}

/// A share of all cells, rated from 0 to 5.
pub fn random_ratings(num_users: u32, num_items: u32, share: f64) -> Interactions {
    let mut stream = random::stream(31, "als");
    let cells = (0..num_users).flat_map(|user| (0..num_items).map(move |item| (user, item)));
    let kept: Vec<_> = cells.filter(|_| stream.random_range(0.0..1.0) < share).collect();
    ratings(kept.into_iter().map(|(user, item)| (user, item, stream.random_range(0..6) as f32)))
}

pub fn start(config: &ModelConfig, num_users: usize, num_items: usize) -> AnyModel {
    let device = cpu().device;
    let model = config.init(&start_of(&Frame::pair(num_users, num_items), 2.5, 3, &device));
    trainable(model, &device, |_, _, _, value| value)
}

/// Half of an epoch, settled; with (Σ loss, Σ penalty, Σ squared residual, ratings) as the solver tells.
pub fn half(solver: &mut Als, model: AnyModel, train: &Interactions, step: u64) -> (AnyModel, [f64; 4]) {
    let Stepped { model, outcome } = solver.step(model, train, StepNumber { epoch: 1, step, steps: 2 });
    let sums = outcome.expect("a solution").sums;
    let told = doubles(sums.sums);
    let model = solver.write_back(model);
    (model, [told[0], told[1], told[2], sums.count as f64])
}

pub fn begun(config: AlsConfig, lambda: Lambda, model: &AnyModel, train: &Interactions) -> Als {
    let mut solver = Als::new(SQUARED, lambda.into(), config);
    assert_eq!(solver.begin(model, train).expect("a model for als"), 2);
    solver
}

/// The objective over all ratings by autodiff: Σ loss, Σ penalty, and the gradient of their mean by parameter.
pub fn autodiff(model: &AnyModel, train: &Interactions) -> (f64, f64, Vec<(String, Vec<f64>)>) {
    let samples = samples_of(train.column(USER).to_vec(), train.column(ITEM).to_vec(), train.targets.clone());
    let step = gradient_step(SQUARED, LAMBDA, UpdatedRows::All, ADAM);
    let (objective, sums) = step.objective(model, &samples, &cpu().device.autodiff());
    let sums = doubles(sums.sums);
    (sums[0], sums[1], gradients(model, &objective.backward()))
}

#[track_caller]
pub fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{what}: {found}, not {expected}");
}

#[test]
fn each_half_of_an_explicit_epoch_is_a_stationary_point_of_its_rows() {
    // Widths around whole lanes, and rows with more ratings than are summed at once.
    let train = random_ratings(20, 700, 0.8);
    for config in [1, 7, 15, 16, 17, 40, 64].into_iter().flat_map(|rank| [mf(rank), biased_mf(rank)]) {
        let mut model = start(&config, 20, 700);
        let mut solver = begun(EXACT, LAMBDA, &model, &train);
        for (step, side) in [(0, "user"), (1, "item")] {
            let before = autodiff(&model, &train).2;
            model = half(&mut solver, model, &train, step).0;
            let after = autodiff(&model, &train).2;
            let size = |gradients: &[(String, Vec<f64>)]| -> f64 {
                let own = gradients.iter().filter(|(name, _)| name.starts_with(side));
                own.flat_map(|(_, values)| values).map(|value| value.abs()).fold(0.0, f64::max)
            };
            let (before, after) = (size(&before), size(&after));
            assert!(after < 1e-4 * before.max(1e-2), "{config:?}, {side}: {after} of {before}");
        }
    }
}

#[test]
fn epochs_lead_to_a_stationary_point_of_the_objective_of_autodiff_and_never_uphill() {
    let train = random_ratings(30, 20, 0.5);
    let cases =
        [(mf(4), EXACT.inner), (biased_mf(4), EXACT.inner), (biased_mf(4), CG), (biased_mf(4), CD), (nmf(4), CD)];
    for (config, inner) in cases {
        let what = format!("{config:?} with {inner:?}");
        let mut model = start(&config, 30, 20);
        let mut solver = begun(with(EXACT, inner), LAMBDA, &model, &train);
        let (loss, penalty, _) = autodiff(&model, &train);
        let (first, mut last) = (loss + penalty, loss + penalty);
        for epoch in 0..1500 {
            for step in [0, 1] {
                let told;
                (model, told) = half(&mut solver, model, &train, step);
                if epoch > 20 && epoch < 1490 {
                    continue;
                }
                let (loss, penalty, _) = autodiff(&model, &train);
                assert!(loss + penalty <= last * (1.0 + 1e-6), "{what}: from {last} up to {}", loss + penalty);
                last = loss + penalty;
                match step {
                    0 => assert_eq!(told, [0.0; 4], "{what}: the ratings of an epoch count once"),
                    _ => {
                        assert_close(told[0], loss, &what);
                        assert_close(told[1], penalty, &what);
                        assert_close(told[2], loss, &what);
                        assert_eq!(told[3], train.len() as f64, "{what}");
                    }
                }
            }
        }
        assert!(last < 0.7 * first, "{what}: {last} of {first}");
        let parameters = collect(&model);
        for (name, gradient) in autodiff(&model, &train).2 {
            let (_, values) = parameters.iter().find(|(other, _)| *other == name).expect("a parameter");
            for (&value, gradient) in values.data.iter().zip(gradient) {
                // Where nmf is at its bound, the objective may fall beyond it.
                let at_bound = matches!(config, ModelConfig::Nmf(_)) && value == 0.0;
                let slope = if at_bound { gradient.min(0.0) } else { gradient };
                assert!(slope.abs() < 2e-5, "{what}: the slope of {name} at {value} is {slope}");
            }
            if matches!(config, ModelConfig::Nmf(_)) {
                assert!(values.data.iter().all(|&value| value >= 0.0) && values.data.contains(&0.0), "{what}");
            }
        }
    }
}

/// Factors of users and of items in `f64`, row by row.
pub fn factors(model: &AnyModel) -> [Vec<Vec<f64>>; 2] {
    let parameters = collect(model);
    ["user_factors", "item_factors"].map(|name| {
        let (_, values) = parameters.iter().find(|(other, _)| other == name).expect("factors");
        let rows = values.data.chunks(values.shape[1]);
        rows.map(|row| row.iter().map(|&value| f64::from(value)).collect()).collect()
    })
}

/// Loss, penalty and gradients of users and items for implicit feedback, from equation 3 of the paper: a loop over all
/// cells.
pub fn naive(model: &AnyModel, train: &Interactions) -> (f64, f64, [Vec<Vec<f64>>; 2]) {
    let [p, q] = factors(model);
    let mut rating = vec![vec![0.0; q.len()]; p.len()];
    for at in 0..train.len() {
        rating[train.column(USER)[at] as usize][train.column(ITEM)[at] as usize] = f64::from(train.targets[at]);
    }
    let (lambda_p, lambda_q) = (LAMBDA.user_factors, LAMBDA.item_factors);
    let scaled = |rows: &[Vec<f64>], factor: f64| -> Vec<Vec<f64>> {
        rows.iter().map(|row| row.iter().map(|value| factor * value).collect()).collect()
    };
    let (mut of_users, mut of_items) = (scaled(&p, 2.0 * lambda_p), scaled(&q, 2.0 * lambda_q));
    let mut loss = 0.0;
    for (user, p) in p.iter().enumerate() {
        for (item, q) in q.iter().enumerate() {
            let confidence = 1.0 + ALPHA * rating[user][item];
            let preference = if rating[user][item] > 0.0 { 1.0 } else { 0.0 };
            let residual = preference - p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>();
            loss += confidence * residual * residual;
            for factor in 0..p.len() {
                of_users[user][factor] -= 2.0 * confidence * residual * q[factor];
                of_items[item][factor] -= 2.0 * confidence * residual * p[factor];
            }
        }
    }
    let square = |rows: &[Vec<f64>]| rows.iter().flatten().map(|value| value * value).sum::<f64>();
    (loss, lambda_p * square(&p) + lambda_q * square(&q), [of_users, of_items])
}

pub fn largest(gradient: &[Vec<f64>]) -> f64 {
    gradient.iter().flatten().map(|value| value.abs()).fold(0.0, f64::max)
}

#[test]
fn each_half_of_an_implicit_epoch_is_a_stationary_point_by_a_double_loop_over_all_cells() {
    // The last users and items have no rating at all.
    let train = random_ratings(18, 600, 0.6);
    for rank in [1, 15, 16, 17, 64] {
        let mut model = start(&mf(rank), 20, 603);
        let mut solver = begun(IMPLICIT, LAMBDA, &model, &train);
        for step in [0, 1] {
            let before = largest(&naive(&model, &train).2[step as usize]);
            model = half(&mut solver, model, &train, step).0;
            let after = largest(&naive(&model, &train).2[step as usize]);
            assert!(after < 1e-4 * before.max(1.0), "rank {rank}, step {step}: {after} of {before}");
        }
        let [p, q] = factors(&model);
        assert!(p[18..].iter().chain(&q[600..]).flatten().all(|&value| value == 0.0), "nothing is known of them");
    }
}

#[test]
fn implicit_epochs_never_go_uphill_and_tell_the_sum_over_all_cells() {
    let train = random_ratings(30, 25, 0.3);
    for (config, inner) in [(mf(5), Inner::Cholesky), (mf(5), CG), (nmf(5), CD)] {
        let what = format!("{config:?} with {inner:?}");
        let mut model = start(&config, 30, 25);
        let mut solver = begun(with(IMPLICIT, inner), LAMBDA, &model, &train);
        let (loss, penalty, _) = naive(&model, &train);
        let mut last = loss + penalty;
        for _ in 0..400 {
            for step in [0, 1] {
                let told;
                (model, told) = half(&mut solver, model, &train, step);
                let (loss, penalty, _) = naive(&model, &train);
                assert!(loss + penalty <= last * (1.0 + 1e-6), "{what}: from {last} up to {}", loss + penalty);
                last = loss + penalty;
                if step == 1 {
                    assert_close(told[0], loss, &what);
                    assert_close(told[1], penalty, &what);
                    let [p, q] = factors(&model);
                    let residual = |at: usize| {
                        let (p, q) = (&p[train.column(USER)[at] as usize], &q[train.column(ITEM)[at] as usize]);
                        f64::from(train.targets[at]) - p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>()
                    };
                    assert_close(told[2], (0..train.len()).map(|at| residual(at).powi(2)).sum(), &what);
                }
            }
        }
        let [p, q] = factors(&model);
        for (rows, gradients) in [p, q].iter().zip(naive(&model, &train).2) {
            for (&value, gradient) in rows.iter().flatten().zip(gradients.into_iter().flatten()) {
                let at_bound = matches!(config, ModelConfig::Nmf(_)) && value == 0.0;
                let slope = if at_bound { gradient.min(0.0) } else { gradient };
                assert!(slope.abs() < 1e-2, "{what}: {slope} at {value}");
            }
        }
    }
}

/// With ratings four times as large, factors are exactly twice as long and biases four times as large: every operation
/// scales by a power of two.
#[test]
fn default_penalties_follow_the_scale_of_the_ratings() {
    let train = random_ratings(30, 20, 0.5);
    let device = cpu().device;
    let after = |factor: f32, bias: f32| {
        let model = biased_mf(5).init(&start_of(&Frame::pair(30, 20), 2.5, 3, &device));
        let scaled =
            |name: &str, _, _, value: f32| if name.ends_with("factors") { factor * value } else { bias * value };
        let mut model = trainable(model, &device, scaled);
        let mut train = train.clone();
        train.targets.iter_mut().for_each(|rating| *rating *= bias);
        let mut solver = Als::with_default_penalties(SQUARED, EXACT);
        solver.begin(&model, &train).expect("a model for als");
        for step in [0, 1, 0, 1] {
            model = half(&mut solver, model, &train, step).0;
        }
        collect(&model)
    };
    let (plain, large) = (after(1.0, 1.0), after(2.0, 4.0));
    for ((name, plain), (_, large)) in plain.iter().zip(&large) {
        let factor = if name.ends_with("factors") { 2.0 } else { 4.0 };
        let expected: Vec<f32> = plain.data.iter().map(|value| factor * value).collect();
        assert!(expected.iter().any(|&value| value != 0.0) && large.data == expected, "{name}");
    }
}

#[test]
fn a_planted_matrix_is_recovered_from_some_of_its_cells() {
    let mut stream = random::stream(32, "planted");
    let mut draw = |rows: usize| -> Vec<[f64; 3]> {
        (0..rows).map(|_| std::array::from_fn(|_| stream.random_range(-1.0..1.0))).collect()
    };
    let (p, q) = (draw(40), draw(30));
    let truth = |user: u32, item: u32| -> f32 {
        let (p, q) = (p[user as usize], q[item as usize]);
        p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>() as f32
    };
    let mut train = random_ratings(40, 30, 0.6);
    for at in 0..train.len() {
        let value = truth(train.column(USER)[at], train.column(ITEM)[at]);
        train.targets[at] = value;
    }
    let lambda = Lambda { user_factors: 1e-5, item_factors: 1e-5, ..Lambda::default() };
    let mut model = start(&mf(3), 40, 30);
    let mut solver = begun(EXACT, lambda, &model, &train);
    for step in 0..200 {
        model = half(&mut solver, model, &train, step % 2).0;
    }
    let [found_p, found_q] = factors(&model);
    let error = |(user, item): (u32, u32)| {
        let (p, q) = (&found_p[user as usize], &found_q[item as usize]);
        (p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>() - f64::from(truth(user, item))).abs()
    };
    let worst = (0..40).flat_map(|user| (0..30).map(move |item| (user, item))).map(error).fold(0.0, f64::max);
    assert!(worst < 5e-3, "the worst of all cells is off by {worst}");
}

#[test]
fn what_als_has_no_meaning_for_is_refused_with_the_reason() {
    let train = ratings([(0, 0, 3.0), (1, 1, -1.0)]);
    let gmf = ModelConfig::Gmf(GmfConfig { rank: 2, init: INIT, biases: false, symmetric: false });
    let refusal = |model: &ModelConfig, loss, config| {
        let begun: Result<u64> = Als::new(loss, LAMBDA.into(), config).begin(&start(model, 2, 2), &train);
        match begun {
            Err(Error::Usage(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    let absolute = Loss::Absolute(Absolute {});
    assert!(refusal(&gmf, SQUARED, EXACT).contains("the als solver supports only models whose score is a dot product"));
    assert!(refusal(&mf(2), absolute, EXACT).contains("squared loss"));
    assert!(refusal(&biased_mf(2), SQUARED, IMPLICIT).contains("without biases"));
    assert!(refusal(&nmf(2), SQUARED, EXACT).contains("coordinate descent"));
    assert!(refusal(&mf(2), SQUARED, IMPLICIT).contains("from 0 up"));
    assert!(Als::new(SQUARED, LAMBDA.into(), EXACT).begin(&start(&mf(2), 2, 2), &train).is_ok());
}

#[test]
fn a_solver_that_has_not_begun_changes_nothing() {
    let model = start(&mf(2), 2, 2);
    let solver = Als::new(SQUARED, LAMBDA.into(), EXACT);
    assert_eq!(bits(&solver.write_back(model.clone())), bits(&model));
    assert!(solver.memory().is_empty());
}
