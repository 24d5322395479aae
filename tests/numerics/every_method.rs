//! Every way to train, with everything switched on, on random ratings.

use std::collections::HashSet;
use std::sync::Arc;

use lowrank::data::{Frame, Interactions};
use lowrank::error::Result;
use lowrank::metric::Rmse;
use lowrank::model::AnyModel;
use lowrank::random;
use lowrank::solver::stratified::{AdaGrad, Adam};
use lowrank::solver::{
    AlsConfig, Clip, Confidence, Decay, Feedback, GibbsConfig, Inner, MatrixMethod, NmfStart, RowRule, Schedule,
    UpdateRule, UpdatedRows, nmf, svd,
};
use lowrank::train::{EarlyStopping, EpochReport, Observer, Trained, Trainer};
use rand::RngExt;

use crate::inputs::{ModelConfig, cpu, kind, start_of};
use crate::{
    ADAM, AfterEpoch, Gradient, Method, REGULARIZATION, SQUARED, TrainConfig, fit, of, train_config, trainer_of,
};

/// Random ratings from 1 to 5, of each pair at most one.
pub fn random_ratings(name: &str, count: usize, num_users: usize, num_items: usize) -> Interactions {
    let mut stream = random::stream(21, name);
    let mut ratings = Interactions::default();
    let mut seen = HashSet::new();
    while ratings.len() < count {
        let (user, item) = (stream.random_range(0..num_users), stream.random_range(0..num_items));
        if !seen.insert((user, item)) {
            continue;
        }
        ratings.push([user as u32, item as u32], stream.random_range(1.0..5.0) as f32, None);
    }
    ratings
}

pub const NUM_USERS: usize = 30;
pub const NUM_ITEMS: usize = 20;

pub const fn adam(rows: UpdatedRows, batch_size: usize) -> Method {
    let clip = Clip { value: Some(0.5), norm: Some(1.0) };
    Method::MiniBatch(Gradient { batch_size, rows, rule: ADAM, clip })
}

pub const DENSE: Method = adam(UpdatedRows::All, 64);
pub const SPARSE: Method = adam(UpdatedRows::Touched, 64);
pub const STRATIFIED: Method =
    Method::Stratified(RowRule::AdaGrad(AdaGrad { initial_accumulator: 0.5, epsilon: 1e-8 }));
pub const STRATIFIED_ADAM: Method = Method::Stratified(RowRule::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }));

const fn als(feedback: Feedback, inner: Inner) -> Method {
    Method::Als(AlsConfig { feedback, inner, count_exponent: 0.5, confidence: Confidence::Count })
}

pub const IMPLICIT: Feedback = Feedback::Implicit { confidence_alpha: 2.0 };
pub const CG: Inner = Inner::ConjugateGradient { steps: 2 };
pub const ALS: Method = als(Feedback::Explicit, Inner::Cholesky);
pub const ALS_CG: Method = als(Feedback::Explicit, CG);
pub const ALS_CD: Method = als(Feedback::Explicit, Inner::CoordinateDescent { sweeps: 2 });
pub const IMPLICIT_ALS: Method = als(IMPLICIT, Inner::Cholesky);
pub const IMPLICIT_ALS_CG: Method = als(IMPLICIT, CG);
pub const EVERY_ALS: [Method; 5] = [ALS, ALS_CG, ALS_CD, IMPLICIT_ALS, IMPLICIT_ALS_CG];

pub const SVD: Method = Method::WholeMatrix(MatrixMethod::Svd {
    method: svd::Method::Randomized,
    oversampling: None,
    power_iterations: 5,
    tolerance: 0.0,
});

const fn nmf(solver: nmf::NmfMethod, divergence: nmf::Divergence, zeros: nmf::Zeros, start: NmfStart) -> Method {
    let (user_l1, item_l1, tolerance) = (0.01, 0.02, 0.0);
    Method::WholeMatrix(MatrixMethod::Nmf { solver, divergence, zeros, start, user_l1, item_l1, tolerance })
}

pub const HALS: Method = nmf(nmf::NmfMethod::Hals, nmf::Divergence::Frobenius, nmf::Zeros::Data, NmfStart::Nndsvd);
pub const MASKED_HALS: Method =
    nmf(nmf::NmfMethod::Hals, nmf::Divergence::Frobenius, nmf::Zeros::Missing, NmfStart::Model);
pub const MULTIPLICATIVE: Method =
    nmf(nmf::NmfMethod::Multiplicative, nmf::Divergence::KullbackLeibler, nmf::Zeros::Data, NmfStart::Nndsvda);
pub const EVERY_NMF: [Method; 3] = [HALS, MASKED_HALS, MULTIPLICATIVE];

/// Its first six draws are not kept, and of six more two.
pub const GIBBS: Method = Method::Gibbs(GibbsConfig { burn_in: 2, epochs: 4, sweeps: 3, draws: 2 });

/// Five batches an epoch, the last one smaller, and everything switched on.
pub fn settings(method: Method, seed: u64) -> TrainConfig {
    TrainConfig {
        method,
        seed,
        regularization: REGULARIZATION,
        schedule: Schedule { warmup: 1.5, decay: Decay::Cosine { last: 0.1 } },
        early_stopping: with!(EarlyStopping::watching(Arc::new(Rmse)), patience: 3),
        ..train_config(4, ADAM, 0.03)
    }
}

pub fn model(config: &ModelConfig, seed: u64, num_users: usize, num_items: usize) -> AnyModel {
    let device = cpu().device;
    config.init(&start_of(&Frame::pair(num_users, num_items), 3.0, seed, &device))
}

pub fn trainer<'a>(config: &ModelConfig, method: Method, seed: u64) -> Trainer<'a> {
    trainer_of(settings(method, seed), model(config, seed, NUM_USERS, NUM_ITEMS), cpu())
}

/// What an epoch told its observers, times excepted.
pub type Told = (u64, u64, u64, Option<f64>, f64, f64, f64, Option<f64>, bool, Vec<(String, f64)>);

pub fn run(trainer: Trainer, told: &mut Vec<Told>, others: &mut dyn Observer) -> Result<Trained> {
    let mut log = AfterEpoch(|report: &EpochReport| {
        told.push((
            report.epoch,
            report.step,
            report.ratings_seen,
            report.learning_rate,
            of(report.train, "loss"),
            of(report.train, "objective"),
            of(report.train, "rmse"),
            report.validation.map(|scores| of(scores, "rmse")),
            report.is_best,
            report.gradient_norms.clone(),
        ));
        Ok(())
    });
    let train = random_ratings("train", 300, NUM_USERS, NUM_ITEMS);
    let validation = random_ratings("validation", 50, NUM_USERS, NUM_ITEMS);
    fit(trainer, &train, &validation, SQUARED, &mut [&mut log, others])
}

/// Neither watches nor stops.
pub fn nobody() -> impl Observer {
    AfterEpoch(|_: &EpochReport| Ok(()))
}

pub fn methods() -> Vec<Method> {
    let adamw = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
    let momentum = UpdateRule::Sgd { momentum: 0.9 };
    let rules = [ADAM, adamw, UpdateRule::Sgd { momentum: 0.0 }, momentum, UpdateRule::AdaGrad { epsilon: 1e-10 }];
    let batches = |rule, rows| match DENSE {
        Method::MiniBatch(gradient) => Method::MiniBatch(Gradient { rule, rows, ..gradient }),
        other => other,
    };
    let sparse = batches(momentum, UpdatedRows::Touched);
    rules
        .map(|rule| batches(rule, UpdatedRows::All))
        .into_iter()
        .chain([SPARSE, sparse, STRATIFIED, STRATIFIED_ADAM])
        .chain(EVERY_ALS)
        .chain(EVERY_NMF)
        .chain([GIBBS])
        .collect()
}

/// Whether the method can train the model.
pub fn fits(method: Method, config: &ModelConfig) -> bool {
    let models: &[&str] = match method {
        Method::MiniBatch(_) => return true,
        Method::Gibbs(_) => &["mf", "biased-mf", "fm"],
        Method::Stratified(_) | ALS_CD => &["mf", "biased-mf", "nmf"],
        Method::Als(AlsConfig { feedback: Feedback::Explicit, .. }) => &["mf", "biased-mf"],
        Method::Als(_) => &["mf"],
        Method::WholeMatrix(MatrixMethod::Svd { .. }) => &["mf", "biased-mf"],
        Method::WholeMatrix(MatrixMethod::Nmf { .. }) => &["nmf"],
    };
    models.contains(&kind(config).as_str())
}
