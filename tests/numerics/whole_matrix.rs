//! SVD and NMF inside the trainer: the same as the library's own functions, and zeros that are data or missing.

use lowrank::data::{Frame, Interactions};
use lowrank::error::Error;
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, BiasedMfConfig, FactorInit, HostTensor, MfConfig, NmfConfig};
use lowrank::objective::{Absolute, Loss, Squared};
use lowrank::solver::{MatrixMethod, NmfStart, nmf, svd};
use lowrank::train::{EpochReport, Trained};

use crate::inputs::{Lambda, ModelConfig, cpu, start_of};
use crate::{ADAM, AfterEpoch, Method, TrainConfig, fit, of, ratings, train_config, trainer_of};

const ROWS: usize = 12;
const COLUMNS: usize = 9;
const RANK: usize = 3;
/// Of the model, whatever the data.
const GLOBAL_MEAN: f64 = 3.0;
const SQUARED: Loss = Loss::Squared(Squared {});
const NO_PENALTY: Lambda =
    Lambda { user_factors: 0.0, item_factors: 0.0, user_biases: 0.0, item_biases: 0.0, weights: 0.0 };
const EXACT: MatrixMethod =
    MatrixMethod::Svd { method: svd::Method::Exact, oversampling: None, power_iterations: 9, tolerance: 1e-6 };

/// Two cells of three, each positive.
fn cells() -> Interactions {
    let places = (0..ROWS as u32).flat_map(|row| (0..COLUMNS as u32).map(move |column| (row, column)));
    let kept = places.filter(|(row, column)| (row * 5 + column * 2) % 3 != 0);
    ratings(kept.map(|(row, column)| (row, column, 1.0 + ((row * 7 + column * column * 3) % 11) as f32)))
}

fn init() -> FactorInit {
    FactorInit::Normal { std: 0.3 }
}

fn start(config: &ModelConfig, num_users: usize, num_items: usize) -> AnyModel {
    let device = cpu().device;
    config.init(&start_of(&Frame::pair(num_users, num_items), GLOBAL_MEAN, 1, &device))
}

fn train(config: &ModelConfig, method: MatrixMethod, regularization: Lambda, epochs: u64) -> (Trained, Vec<f64>) {
    let start = start(config, ROWS, COLUMNS);
    let settings = TrainConfig {
        seed: 42,
        regularization,
        method: Method::WholeMatrix(method),
        ..train_config(epochs, ADAM, 0.001)
    };
    let mut objectives = Vec::new();
    let mut log = AfterEpoch(|report: &EpochReport| {
        objectives.push(of(report.train, "objective"));
        Ok(())
    });
    let trained = fit(trainer_of(settings, start, cpu()), &cells(), &Interactions::default(), SQUARED, &mut [&mut log]);
    (trained.expect("trains"), objectives)
}

fn parameter(model: &AnyModel, name: &str) -> HostTensor {
    collect(model).into_iter().find(|(of, _)| of == name).expect("a parameter").1
}

fn assert_close(found: &[f32], expected: impl IntoIterator<Item = f32>, what: &str) {
    let expected: Vec<f32> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{what}: {found} for {expected}");
    }
}

#[test]
fn an_svd_run_holds_scaled_left_and_right_singular_vectors_after_one_epoch() {
    let matrix = cells().to_matrix(ROWS, COLUMNS).expect("a matrix");
    let expected = svd::svd(&matrix, &with!(svd::SvdConfig::new(RANK), method: svd::Method::Exact));
    let expected = expected.expect("decomposed");
    let (trained, objectives) = train(&ModelConfig::Mf(MfConfig { rank: RANK, init: init() }), EXACT, NO_PENALTY, 30);
    assert_eq!(objectives.len(), 1, "another epoch would change nothing");
    let explained: f64 = expected.singular_values.iter().map(|value| value * value).sum();
    let mean = (expected.norm_squared - explained) / (ROWS * COLUMNS) as f64;
    assert!((objectives[0] / mean - 1.0).abs() < 1e-5, "{} for {mean}", objectives[0]);
    let scales = expected.singular_values.iter().map(|&value| value as f32).cycle();
    let left = expected.left.values().iter().zip(scales).map(|(value, scale)| value * scale);
    assert_close(&parameter(&trained.model, "user_factors").data, left, "U σ");
    assert_close(&parameter(&trained.model, "item_factors").data, expected.right.values().iter().copied(), "V");
}

#[test]
fn with_biases_an_svd_run_subtracts_the_mean_of_each_column_zeros_included() {
    let matrix = cells().to_matrix(ROWS, COLUMNS).expect("a matrix");
    let (trained, _) = train(&ModelConfig::BiasedMf(BiasedMfConfig { rank: RANK, init: init() }), EXACT, NO_PENALTY, 1);
    let expected = matrix.column_means().into_iter().map(|mean| (mean - GLOBAL_MEAN) as f32);
    assert_close(&parameter(&trained.model, "item_biases").data, expected, "means");
    assert!(parameter(&trained.model, "user_biases").data.iter().all(|&bias| bias == 0.0));
    let rows = parameter(&trained.model, "user_factors").data;
    for component in 0..RANK {
        let sum: f32 = rows.iter().skip(component).step_by(RANK).sum();
        assert!(sum.abs() < 1e-3, "principal components have mean 0, not {sum}");
    }
}

fn hals(zeros: nmf::Zeros, start: NmfStart) -> MatrixMethod {
    let (solver, divergence) = (nmf::NmfMethod::Hals, nmf::Divergence::Frobenius);
    MatrixMethod::Nmf { solver, divergence, zeros, start, user_l1: 0.02, item_l1: 0.03, tolerance: 0.0 }
}

#[test]
fn epochs_of_hals_are_the_iterations_of_the_library() {
    const EPOCHS: usize = 7;
    let regularization = Lambda { user_factors: 0.01, item_factors: 0.04, ..NO_PENALTY };
    let matrix = cells().to_matrix(ROWS, COLUMNS).expect("a matrix");
    for zeros in [nmf::Zeros::Data, nmf::Zeros::Missing] {
        let problem = nmf::NmfObjective {
            zeros,
            w: nmf::Penalty { l1: 0.01, l2: 0.01 },
            h: nmf::Penalty { l1: 0.015, l2: 0.04 },
            ..nmf::NmfObjective::default()
        };
        let config = with!(nmf::NmfOptions::new(RANK), problem, start: nmf::NmfInit::Nndsvd, max_iterations: EPOCHS, tolerance: 0.0, seed: 42);
        let expected = nmf::nmf(&matrix, &config).expect("factorized");
        let model = ModelConfig::Nmf(NmfConfig { rank: RANK, init: init() });
        let (trained, objectives) = train(&model, hals(zeros, NmfStart::Nndsvd), regularization, EPOCHS as u64);
        assert_eq!(parameter(&trained.model, "user_factors").data, expected.w.values());
        assert_eq!(parameter(&trained.model, "item_factors").data, expected.h.transposed().values());
        let count = match zeros {
            nmf::Zeros::Data => ROWS * COLUMNS,
            nmf::Zeros::Missing => cells().len(),
        };
        let mean = 2.0 * expected.objective / count as f64;
        assert!((objectives[EPOCHS - 1] / mean - 1.0).abs() < 1e-5, "{} for {mean}", objectives[EPOCHS - 1]);
    }
}

/// Products along the way are rounded; what is left after they cancel must not be.
#[test]
fn the_loss_of_a_nearly_exact_fit_is_a_small_positive_number() {
    let cells = (0..40).flat_map(|row| (0..30).map(move |column| (row, column)));
    let exact = ratings(cells.map(|(row, column)| (row, column, ((row % 7 + 1) * (column % 5 + 1)) as f32)));
    let config = ModelConfig::Nmf(NmfConfig { rank: 2, init: init() });
    let start = start(&config, 40, 30);
    let MatrixMethod::Nmf { solver, divergence, zeros, start: begin, .. } = hals(nmf::Zeros::Data, NmfStart::Model)
    else {
        unreachable!()
    };
    let method =
        MatrixMethod::Nmf { solver, divergence, zeros, start: begin, user_l1: 0.0, item_l1: 0.0, tolerance: 0.0 };
    let settings = TrainConfig { method: Method::WholeMatrix(method), ..train_config(100, ADAM, 0.001) };
    let mut losses = Vec::new();
    let mut log = AfterEpoch(|report: &EpochReport| {
        losses.push((of(report.train, "loss"), of(report.train, "rmse")));
        Ok(())
    });
    let trained = fit(trainer_of(settings, start, cpu()), &exact, &Interactions::default(), SQUARED, &mut [&mut log]);
    trained.expect("trains");
    assert!(losses.iter().all(|(loss, rmse)| *loss >= 0.0 && rmse.is_finite()), "{losses:?}");
    assert!(losses[99].0 < 1e-6, "{:?}", losses[99]);
}

#[test]
fn an_nmf_run_ends_when_it_has_converged() {
    let nmf = ModelConfig::Nmf(NmfConfig { rank: RANK, init: init() });
    let MatrixMethod::Nmf { solver, divergence, zeros, start, .. } = hals(nmf::Zeros::Data, NmfStart::Nndsvda) else {
        unreachable!()
    };
    let method = MatrixMethod::Nmf { solver, divergence, zeros, start, user_l1: 0.0, item_l1: 0.0, tolerance: 1e-4 };
    let (trained, objectives) = train(&nmf, method, NO_PENALTY, 5000);
    assert!(objectives.len() < 5000 && trained.progress.stopped);
    assert!(objectives.is_sorted_by(|a, b| *b <= a * (1.0 + 1e-6)), "the objective never rises");
}

#[test]
fn whole_matrix_solvers_refuse_what_they_have_no_meaning_for() {
    let refused = |config: ModelConfig, method, loss| {
        let start = start(&config, ROWS, COLUMNS);
        let settings = TrainConfig { loss, method: Method::WholeMatrix(method), ..train_config(30, ADAM, 0.001) };
        let trained = fit(trainer_of(settings, start, cpu()), &cells(), &Interactions::default(), loss, &mut []);
        match trained {
            Err(Error::Usage(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    let (mf, nmf) = (MfConfig { rank: RANK, init: init() }, NmfConfig { rank: RANK, init: init() });
    let hals = hals(nmf::Zeros::Data, NmfStart::Model);
    assert!(refused(ModelConfig::Nmf(nmf.clone()), EXACT, SQUARED).contains("both signs"));
    assert!(refused(ModelConfig::Mf(mf.clone()), hals, SQUARED).contains("nmf"));
    assert!(refused(ModelConfig::Nmf(nmf), hals, Loss::Absolute(Absolute {})).contains("squared loss"));
    let too_large = ModelConfig::Mf(MfConfig { rank: COLUMNS + 1, ..mf });
    assert!(refused(too_large, EXACT, SQUARED).contains("rank 10 of a 12 × 9 matrix"));
}
