//! Truths that were planted are found again: low-rank matrices, quantiles, probabilities, rates.

use std::collections::BTreeMap;

use lowrank::data::{Frame, ITEM, Interactions, USER};
use lowrank::model::{AnyModel, BiasedMfConfig, FactorInit, MfConfig, NmfConfig};
use lowrank::objective::{Absolute, Huber, Logistic, Loss, Poisson, Quantile, Squared};
use lowrank::random;
use lowrank::solver::{Decay, GibbsConfig, Schedule};
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::inputs::{ModelConfig, cpu, start_of};
use crate::{ADAM, Method, TrainConfig, fit, predictor, ratings, train_config, trainer_of};

const SQUARED: Loss = Loss::Squared(Squared {});

/// P·Qᵀ with entries of P and Q from U(low, high).
fn planted(num_users: usize, num_items: usize, rank: usize, low: f64, high: f64) -> Vec<Vec<f64>> {
    let mut stream = random::stream(11, "planted");
    let mut factors = |rows: usize| -> Vec<Vec<f64>> {
        (0..rows).map(|_| (0..rank).map(|_| stream.random_range(low..high)).collect()).collect()
    };
    let (p, q) = (factors(num_users), factors(num_items));
    let dot = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).sum();
    p.iter().map(|p| q.iter().map(|q| dot(p, q)).collect()).collect()
}

/// The cells of a matrix in a random order, cut in two: a share to train on, and the rest.
fn divided(matrix: &[Vec<f64>], share: f64) -> (Interactions, Interactions) {
    let mut cells: Vec<(u32, u32, f32)> = (0..)
        .zip(matrix)
        .flat_map(|(user, row)| (0..).zip(row).map(move |(item, &value)| (user, item, value as f32)))
        .collect();
    cells.shuffle(&mut random::stream(12, "divide"));
    let rest = cells.split_off((cells.len() as f64 * share).round() as usize);
    (ratings(cells), ratings(rest))
}

/// Full-batch Adam whose rate falls to nothing, so that it ends at a minimum.
fn settings(epochs: u64, rate: f64, loss: Loss) -> TrainConfig {
    let schedule = Schedule { warmup: 0.0, decay: Decay::Cosine { last: 0.0 } };
    TrainConfig { schedule, loss, ..train_config(epochs, ADAM, rate) }
}

fn trained(config: &ModelConfig, matrix: &[Vec<f64>], train: &Interactions, settings: TrainConfig) -> AnyModel {
    let device = cpu();
    let mean_score = lowrank::objective::PointwiseLoss::score(&settings.loss, train.mean().expect("ratings"));
    let (num_users, num_items) = (matrix.len(), matrix[0].len());
    let frame = Frame::pair(num_users, num_items);
    let start = start_of(&frame, mean_score, 5, &device.device);
    let trainer = trainer_of(settings.clone(), config.init(&start), device.clone());
    fit(trainer, train, &Interactions::default(), settings.loss, &mut []).expect("trains").model
}

fn predictions(model: &AnyModel, matrix: &[Vec<f64>], train: &Interactions, of: &Interactions, loss: Loss) -> Vec<f32> {
    let predictor = predictor(train, loss, matrix.len(), matrix[0].len());
    predictor.predict(model, &cpu().device, of)
}

/// RMSE against the noiseless matrix.
fn distance(predictions: &[f32], matrix: &[Vec<f64>], of: &Interactions) -> f64 {
    let truth = of.column(USER).iter().zip(of.column(ITEM)).map(|(&user, &item)| matrix[user as usize][item as usize]);
    let squares: f64 = truth.zip(predictions).map(|(truth, &found)| (truth - f64::from(found)).powi(2)).sum();
    (squares / predictions.len() as f64).sqrt()
}

fn mf(rank: usize) -> ModelConfig {
    ModelConfig::Mf(MfConfig { rank, init: FactorInit::Normal { std: 0.3 } })
}

fn biased_mf(rank: usize) -> ModelConfig {
    ModelConfig::BiasedMf(BiasedMfConfig { rank, init: FactorInit::Normal { std: 0.3 } })
}

#[test]
fn planted_low_rank_matrices_are_recovered() {
    let matrix = planted(40, 30, 3, -1.0, 1.0);
    for config in [mf(3), biased_mf(3)] {
        for share in [1.0, 0.6] {
            let (train, rest) = divided(&matrix, share);
            let model = trained(&config, &matrix, &train, settings(1500, 0.05, SQUARED));
            let on = |of: &Interactions| distance(&predictions(&model, &matrix, &train, of, SQUARED), &matrix, of);
            assert!(on(&train) < 1e-3, "{config:?}, {share} of the cells: {}", on(&train));
            assert_eq!(rest.is_empty(), share == 1.0);
            if !rest.is_empty() {
                // The matrix itself has a standard deviation of about 0.58.
                assert!(on(&rest) < 5e-3, "{config:?}: held-out RMSE {}", on(&rest));
            }
        }
    }
}

/// Beneath noise, and without a penalty to choose: one draw has noise of its own, which the mean of many has not.
#[test]
fn the_mean_of_draws_is_nearer_to_the_truth_than_one_of_them() {
    let matrix = planted(60, 40, 3, -1.0, 1.0);
    let mut stream = random::stream(14, "noise");
    let noisy: Vec<Vec<f64>> =
        matrix.iter().map(|row| row.iter().map(|value| value + stream.random_range(-0.6..0.6)).collect()).collect();
    let (train, rest) = divided(&noisy, 0.6);
    let distance_of = |draws: usize| {
        let gibbs = GibbsConfig { burn_in: if draws == 1 { 24 } else { 5 }, epochs: 25, sweeps: 10, draws };
        let settings = TrainConfig { method: Method::Gibbs(gibbs), ..train_config(25, ADAM, 0.1) };
        let model = trained(&biased_mf(3 * draws), &matrix, &train, settings);
        distance(&predictions(&model, &matrix, &train, &rest, SQUARED), &matrix, &rest)
    };
    let (one, mean) = (distance_of(1), distance_of(100));
    // The noise has a standard deviation of 0.35 and the matrix one of 0.58; of 1440 cells 300 numbers are found.
    assert!(mean < 0.2, "{mean}");
    assert!(mean < 0.85 * one, "{mean} and {one}");
}

#[test]
fn full_rank_without_penalty_reproduces_the_data() {
    let mut stream = random::stream(13, "noise");
    let matrix: Vec<Vec<f64>> = (0..8).map(|_| (0..6).map(|_| stream.random_range(-2.0..2.0)).collect()).collect();
    let (train, _) = divided(&matrix, 1.0);
    let error = |rank| {
        let model = trained(&mf(rank), &matrix, &train, settings(3000, 0.05, SQUARED));
        distance(&predictions(&model, &matrix, &train, &train, SQUARED), &matrix, &train)
    };
    assert!(error(6) < 1e-3, "full rank leaves {}", error(6));
    assert!(error(2) > 0.1, "rank 2 cannot reproduce noise, yet leaves only {}", error(2));
}

#[test]
fn nmf_recovers_a_non_negative_matrix() {
    let matrix = planted(40, 30, 3, 0.0, 1.0);
    let (train, rest) = divided(&matrix, 0.6);
    let config = ModelConfig::Nmf(NmfConfig { rank: 3, init: FactorInit::Normal { std: 0.5 } });
    let model = trained(&config, &matrix, &train, settings(3000, 0.03, SQUARED));
    let found = distance(&predictions(&model, &matrix, &train, &rest, SQUARED), &matrix, &rest);
    assert!(found < 0.02, "held-out RMSE {found}");
    for (name, values) in lowrank::model::parameters::collect(&model) {
        assert!(values.data.iter().all(|&value| value >= 0.0), "{name}");
    }
}

#[test]
fn robust_losses_beat_squared_loss_where_ratings_have_outliers() {
    let matrix = planted(40, 30, 2, -1.0, 1.0);
    let (mut train, rest) = divided(&matrix, 0.7);
    // Every tenth training rating is far off, in either direction.
    for (n, value) in train.targets.iter_mut().step_by(10).enumerate() {
        *value += if n % 2 == 0 { 8.0 } else { -8.0 };
    }
    let error = |loss| {
        let model = trained(&mf(2), &matrix, &train, settings(1500, 0.05, loss));
        distance(&predictions(&model, &matrix, &train, &rest, loss), &matrix, &rest)
    };
    let squared = error(SQUARED);
    for loss in [Loss::Absolute(Absolute {}), Loss::Huber(Huber { delta: 0.1 })] {
        let robust = error(loss);
        assert!(robust < 0.2 * squared && robust < 0.1, "{loss:?}: {robust}, squared: {squared}");
    }
}

#[test]
fn quantile_levels_order_predictions_and_cover_their_share() {
    // Each cell many times with different noise: its quantiles are known.
    let mut stream = random::stream(14, "noise");
    let (num_users, num_items) = (8, 6);
    let matrix = planted(num_users, num_items, 2, -1.0, 1.0);
    let mut train = Interactions::default();
    for (user, row) in (0..).zip(&matrix) {
        for (item, truth) in (0..).zip(row) {
            for _ in 0..100 {
                train.push([user, item], (truth + stream.random_range(-1.0..1.0)) as f32, None);
            }
        }
    }
    let mut below = vec![f32::NEG_INFINITY; train.len()];
    for level in [0.1, 0.5, 0.9] {
        let loss = Loss::Quantile(Quantile { level });
        let model = trained(&biased_mf(2), &matrix, &train, settings(1000, 0.05, loss));
        let found = predictions(&model, &matrix, &train, &train, loss);
        assert!(found.iter().zip(&below).all(|(found, below)| found > below), "level {level} is not above the last");
        let covered = found.iter().zip(&train.targets).filter(|(found, value)| value <= found).count();
        let share = covered as f64 / train.len() as f64;
        assert!((share - level).abs() < 0.02, "{share} of the ratings lie below the {level}-quantile");
        below = found;
    }
}

/// Interactions drawn from each cell's truth, `times` times each.
fn drawn(matrix: &[Vec<f64>], times: usize, mut draw: impl FnMut(f64) -> f64) -> Interactions {
    let mut ratings = Interactions::default();
    for (user, row) in (0..).zip(matrix) {
        for (item, &truth) in (0..).zip(row) {
            (0..times).for_each(|_| ratings.push([user, item], draw(truth) as f32, None));
        }
    }
    ratings
}

#[test]
fn logistic_loss_gives_calibrated_probabilities() {
    let scores = planted(20, 15, 2, -1.5, 1.5);
    let sigmoid = |s: f64| 1.0 / (1.0 + (-s).exp());
    let matrix: Vec<Vec<f64>> = scores.iter().map(|row| row.iter().map(|&s| sigmoid(s)).collect()).collect();
    let mut stream = random::stream(15, "clicks");
    let train = drawn(&matrix, 200, |p| f64::from(stream.random_range(0.0..1.0) < p));
    let loss = Loss::Logistic(Logistic { positive_weight: 1.0 });
    let model = trained(&mf(2), &matrix, &train, settings(300, 0.05, loss));
    let found = predictions(&model, &matrix, &train, &train, loss);
    let error = distance(&found, &matrix, &train);
    assert!(error < 0.03, "probabilities are {error} off");
    // Among the pairs that are given about the same probability, that share is positive.
    let mut bins = BTreeMap::<u32, (f64, f64, f64)>::new();
    for (&p, &rating) in found.iter().zip(&train.targets) {
        let bin = bins.entry((p * 5.0) as u32).or_default();
        *bin = (bin.0 + 1.0, bin.1 + f64::from(p), bin.2 + f64::from(rating));
    }
    assert!(bins.len() >= 4, "{bins:?}");
    for (count, expected, observed) in bins.values() {
        assert!((expected - observed).abs() / count < 0.03, "{bins:?}");
    }
}

#[test]
fn poisson_loss_recovers_rates() {
    let logs = planted(20, 15, 2, 0.1, 1.0);
    let matrix: Vec<Vec<f64>> = logs.iter().map(|row| row.iter().map(|&s| s.exp()).collect()).collect();
    let mut stream = random::stream(16, "counts");
    let train = drawn(&matrix, 200, |rate| {
        let poisson = rand_distr::Poisson::new(rate).expect("a positive rate");
        rand_distr::Distribution::<f64>::sample(&poisson, &mut stream)
    });
    let loss = Loss::Poisson(Poisson {});
    let model = trained(&mf(2), &matrix, &train, settings(300, 0.05, loss));
    let found = predictions(&model, &matrix, &train, &train, loss);
    let spread = distance(&vec![train.mean().expect("counts") as f32; train.len()], &matrix, &train);
    let error = distance(&found, &matrix, &train);
    assert!(error < 0.1 && error < 0.15 * spread, "rates are {error} off; the mean rate is {spread} off");
}
