//! The same seed gives the same bits: again, on any number of threads, and after an interruption.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lowrank::data::{Frame, Interactions};
use lowrank::error::{Error, Result};
use lowrank::metric::Rmse;
use lowrank::model::AnyModel;
use lowrank::objective::{Loss, Squared};
use lowrank::random;
use lowrank::solver::stratified::{AdaGrad, Adam};
use lowrank::solver::{
    AlsConfig, Clip, Decay, Feedback, Inner, MatrixMethod, NmfStart, RowRule, Rows, Rule, Schedule, nmf, svd,
};
use lowrank::train::{Checkpoint, Checkpoints, EarlyStopping, EpochReport, Observer, Trained, Trainer};
use rand::RngExt;

use crate::inputs::{Lambda, ModelConfig, cpu, kind, models, start_of};
use crate::{ADAM, AfterEpoch, Gradient, Method, TrainConfig, bits, fit, of, train_config, trainer_of};

const SQUARED: Loss = Loss::Squared(Squared {});

const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.02, item_factors: 0.03, user_biases: 0.04, item_biases: 0.05, weights: 0.01 };

/// Random ratings from 1 to 5, of each pair at most one.
fn random_ratings(name: &str, count: usize, num_users: usize, num_items: usize) -> Interactions {
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

const NUM_USERS: usize = 30;
const NUM_ITEMS: usize = 20;

const fn adam(rows: Rows, batch_size: usize) -> Method {
    let clip = Clip { value: Some(0.5), norm: Some(1.0) };
    Method::MiniBatch(Gradient { batch_size, rows, rule: ADAM, clip })
}

const DENSE: Method = adam(Rows::All, 64);
const SPARSE: Method = adam(Rows::Touched, 64);
const STRATIFIED: Method = Method::Stratified(RowRule::AdaGrad(AdaGrad { initial_accumulator: 0.5, epsilon: 1e-8 }));
const STRATIFIED_ADAM: Method = Method::Stratified(RowRule::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }));

const fn als(feedback: Feedback, inner: Inner) -> Method {
    Method::Als(AlsConfig { feedback, inner, count_exponent: 0.5 })
}

const IMPLICIT: Feedback = Feedback::Implicit { confidence_alpha: 2.0 };
const CG: Inner = Inner::ConjugateGradient { steps: 2 };
const ALS: Method = als(Feedback::Explicit, Inner::Cholesky);
const ALS_CG: Method = als(Feedback::Explicit, CG);
const ALS_CD: Method = als(Feedback::Explicit, Inner::CoordinateDescent { sweeps: 2 });
const IMPLICIT_ALS: Method = als(IMPLICIT, Inner::Cholesky);
const IMPLICIT_ALS_CG: Method = als(IMPLICIT, CG);
const EVERY_ALS: [Method; 5] = [ALS, ALS_CG, ALS_CD, IMPLICIT_ALS, IMPLICIT_ALS_CG];

const SVD: Method = Method::WholeMatrix(MatrixMethod::Svd {
    method: svd::Method::Randomized,
    oversampling: None,
    power_iterations: 5,
    tolerance: 0.0,
});

const fn nmf(solver: nmf::Solver, divergence: nmf::Divergence, zeros: nmf::Zeros, start: NmfStart) -> Method {
    let (user_l1, item_l1, tolerance) = (0.01, 0.02, 0.0);
    Method::WholeMatrix(MatrixMethod::Nmf { solver, divergence, zeros, start, user_l1, item_l1, tolerance })
}

const HALS: Method = nmf(nmf::Solver::Hals, nmf::Divergence::Frobenius, nmf::Zeros::Data, NmfStart::Nndsvd);
const MASKED_HALS: Method = nmf(nmf::Solver::Hals, nmf::Divergence::Frobenius, nmf::Zeros::Missing, NmfStart::Model);
const MULTIPLICATIVE: Method =
    nmf(nmf::Solver::Multiplicative, nmf::Divergence::KullbackLeibler, nmf::Zeros::Data, NmfStart::Nndsvda);
const EVERY_NMF: [Method; 3] = [HALS, MASKED_HALS, MULTIPLICATIVE];

/// Five batches an epoch, the last one smaller, and everything switched on.
fn settings(method: Method, seed: u64) -> TrainConfig {
    TrainConfig {
        method,
        seed,
        regularization: REGULARIZATION,
        schedule: Schedule { warmup: 1.5, decay: Decay::Cosine { last: 0.1 } },
        early_stopping: EarlyStopping { patience: 3, ..EarlyStopping::watching(Arc::new(Rmse)) },
        ..train_config(4, ADAM, 0.03)
    }
}

fn model(config: &ModelConfig, seed: u64, num_users: usize, num_items: usize) -> AnyModel {
    let device = cpu().device;
    config.init(&start_of(&Frame::pair(num_users, num_items), 3.0, seed, &device))
}

fn trainer<'a>(config: &ModelConfig, method: Method, seed: u64) -> Trainer<'a> {
    trainer_of(settings(method, seed), model(config, seed, NUM_USERS, NUM_ITEMS), cpu())
}

/// What an epoch told its observers, times excepted.
type Told = (u64, u64, u64, Option<f64>, f64, f64, f64, Option<f64>, bool, Vec<(String, f64)>);

fn run(trainer: Trainer, told: &mut Vec<Told>, others: &mut dyn Observer) -> Result<Trained> {
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
fn nobody() -> impl Observer {
    AfterEpoch(|_: &EpochReport| Ok(()))
}

fn methods() -> Vec<Method> {
    let adamw = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
    let momentum = Rule::Sgd { momentum: 0.9 };
    let rules = [ADAM, adamw, Rule::Sgd { momentum: 0.0 }, momentum, Rule::AdaGrad { epsilon: 1e-10 }];
    let batches = |rule, rows| match DENSE {
        Method::MiniBatch(gradient) => Method::MiniBatch(Gradient { rule, rows, ..gradient }),
        other => other,
    };
    let sparse = batches(momentum, Rows::Touched);
    rules
        .map(|rule| batches(rule, Rows::All))
        .into_iter()
        .chain([SPARSE, sparse, STRATIFIED, STRATIFIED_ADAM])
        .chain(EVERY_ALS)
        .chain(EVERY_NMF)
        .collect()
}

/// Whether the method can train the model.
fn fits(method: Method, config: &ModelConfig) -> bool {
    let models: &[&str] = match method {
        Method::MiniBatch(_) => return true,
        Method::Stratified(_) | ALS_CD => &["mf", "biased-mf", "nmf"],
        Method::Als(AlsConfig { feedback: Feedback::Explicit, .. }) => &["mf", "biased-mf"],
        Method::Als(_) => &["mf"],
        Method::WholeMatrix(MatrixMethod::Svd { .. }) => &["mf", "biased-mf"],
        Method::WholeMatrix(MatrixMethod::Nmf { .. }) => &["nmf"],
    };
    models.contains(&kind(config).as_str())
}

#[test]
fn a_seed_decides_every_bit() {
    for config in models(4) {
        let trained = |seed| {
            let mut told = Vec::new();
            let trained = run(trainer(&config, DENSE, seed), &mut told, &mut nobody()).expect("trains");
            (bits(&trained.model), told)
        };
        let first = trained(1);
        assert!(first == trained(1), "{} differs from itself", kind(&config));
        assert!(first.0 != trained(2).0, "{} does not depend on the seed", kind(&config));
        assert!(first.1.len() > 1, "{}", kind(&config));
    }
}

#[test]
fn the_seed_of_the_order_matters_by_itself() {
    let config = &models(4)[0];
    let trained = |order_seed| {
        let start = model(config, 1, NUM_USERS, NUM_ITEMS);
        let trainer = trainer_of(settings(DENSE, order_seed), start, cpu());
        bits(&run(trainer, &mut Vec::new(), &mut nobody()).expect("trains").model)
    };
    assert_eq!(trained(1), trained(1));
    assert_ne!(trained(1), trained(2));
}

/// The result of `work` on pools of 1 to 4 threads, which have to be the same.
fn on_any_number_of_threads<T: PartialEq + Send>(what: &str, work: impl Fn() -> T + Sync) -> T {
    let [one, two, three, four] = [1, 2, 3, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            work()
        })
    });
    assert!(two == one, "{what}: 2 threads differ from 1");
    assert!(three == one, "{what}: 3 threads differ from 1");
    assert!(four == one, "{what}: 4 threads differ from 1");
    one
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let others = EVERY_ALS.into_iter().chain(EVERY_NMF).chain([SVD]);
    for method in [DENSE, SPARSE, STRATIFIED, STRATIFIED_ADAM].into_iter().chain(others) {
        for config in models(4).into_iter().filter(|config| fits(method, config)) {
            on_any_number_of_threads(&kind(&config), || {
                let mut told = Vec::new();
                let trained = run(trainer(&config, method, 1), &mut told, &mut nobody()).expect("trains");
                (bits(&trained.model), told)
            });
        }
    }
}

/// burn's CPU backend cuts sums over 4 Mi values or more by the number of threads: here batch × rank and users × rank
/// are both above that, in the forward pass, the penalty, the gradients and their joint norm.
#[test]
fn the_number_of_threads_changes_no_bit_of_huge_batches() {
    const COUNT: usize = 70_000;
    let train = random_ratings("huge", COUNT, COUNT, 500);
    let chosen = models(64).into_iter().filter(|config| ["biased-mf", "neumf"].contains(&kind(config).as_str()));
    for (config, rows) in chosen.flat_map(|config| [(config.clone(), Rows::All), (config, Rows::Touched)]) {
        let method = adam(rows, 0);
        let start = model(&config, 1, COUNT, 500);
        let settings = TrainConfig { epochs: 2, ..settings(method, 1) };
        let (trained, objectives) = on_any_number_of_threads(&kind(&config), || {
            let mut objectives = Vec::new();
            let mut log = AfterEpoch(|report: &EpochReport| {
                objectives.push((
                    of(report.train, "objective"),
                    report.gradient_norms.clone(),
                    report.parameter_norms.clone(),
                ));
                Ok(())
            });
            let trainer = trainer_of(settings.clone(), start.clone(), cpu());
            let trained = fit(trainer, &train, &Interactions::default(), SQUARED, &mut [&mut log]).expect("trains");
            (bits(&trained.model), objectives)
        });
        assert_ne!(trained, bits(&start), "{} was not trained", kind(&config));
        assert!(objectives[1].0 < objectives[0].0, "{}", kind(&config));
    }
}

/// Gram matrices over more rows than are summed at once.
#[test]
fn the_number_of_threads_changes_no_bit_of_implicit_als_on_many_rows() {
    let train = random_ratings("many rows", 20_000, 5000, 3000);
    let config = models(4).remove(0);
    let start = model(&config, 1, 5000, 3000);
    let trained = on_any_number_of_threads("implicit als", || {
        let trainer = trainer_of(settings(IMPLICIT_ALS_CG, 1), start.clone(), cpu());
        bits(&fit(trainer, &train, &Interactions::default(), SQUARED, &mut []).expect("trains").model)
    });
    assert_ne!(trained, bits(&start));
}

fn checkpoints(folder: &Path) -> Checkpoints {
    Checkpoints::create(folder).expect("created")
}

/// The last checkpoint without its times.
fn last(checkpoints: &Checkpoints) -> Checkpoint {
    let mut checkpoint = Checkpoint::read(&checkpoints.last()).expect("written");
    checkpoint.progress.seconds = 0.0;
    checkpoint
}

/// Trains without a break, then again with one made by `break_off`, which must fail, and a resume; both must agree.
fn assert_same_after_a_break(
    what: &str,
    config: &ModelConfig,
    method: Method,
    every: u64,
    resumes_at: (u64, u64),
    break_off: impl Fn(Trainer, &mut Vec<Told>) -> Result<Trained>,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [whole, broken] = ["whole", "broken"].map(|name| checkpoints(&folder.path().join(name)));
    let trainer = |checkpoints: &Checkpoints| {
        let settings = TrainConfig { checkpoint_every: every, ..settings(method, 1) };
        trainer_of(settings, model(config, 1, NUM_USERS, NUM_ITEMS), cpu()).with_checkpoints(checkpoints.clone())
    };
    let mut expected = Vec::new();
    let uninterrupted = run(trainer(&whole), &mut expected, &mut nobody()).expect("trains");
    assert_eq!(expected.len(), 4, "{what} should train all its epochs");

    let mut told = Vec::new();
    assert!(break_off(trainer(&broken), &mut told).is_err(), "{what} was not broken off");
    let at = last(&broken).progress;
    assert_eq!((at.epoch, at.batch), resumes_at, "{what}");
    told.truncate(at.epoch as usize);
    let resumed = trainer(&broken).resume().expect("a good checkpoint");
    assert_eq!(resumed.epochs_done(), at.epoch);
    let resumed = run(resumed, &mut told, &mut nobody()).expect("trains on");
    assert!(bits(&resumed.model) == bits(&uninterrupted.model), "{what}: another model");
    assert!(last(&broken) == last(&whole), "{what}: another checkpoint");
    assert_eq!(told, expected, "{what}: observers were told something else");
}

fn every_method_on_some_models() -> Vec<(String, ModelConfig, Method)> {
    let names = ["mf", "biased-mf", "nmf", "neumf"];
    let models = models(4).into_iter().filter(|config| names.contains(&kind(config).as_str()));
    models
        .flat_map(|config| {
            let methods = methods().into_iter().filter(|&method| fits(method, &config)).collect::<Vec<_>>();
            methods
                .into_iter()
                .map(move |method| (format!("{} with {method:?}", kind(&config)), config.clone(), method))
        })
        .collect()
}

#[test]
fn an_interruption_in_the_middle_of_an_epoch_changes_no_bit() {
    /// Asks for a stop after so many steps of the third epoch.
    struct Interrupt<'a>(&'a AtomicBool, u64);
    impl Observer for Interrupt<'_> {
        fn batch(&mut self, epoch: u64, done: u64, total: u64) {
            assert!(total > self.1);
            self.0.store((epoch, done) == (3, self.1), Ordering::Relaxed);
        }
        fn epoch(&mut self, _report: &EpochReport) -> Result<()> {
            Ok(())
        }
    }
    for (what, config, method) in every_method_on_some_models() {
        // An epoch has one step.
        if matches!(method, Method::WholeMatrix(_)) {
            continue;
        }
        // An epoch of als has two steps.
        let done = if matches!(method, Method::Als(_)) { 1 } else { 2 };
        assert_same_after_a_break(&what, &config, method, 0, (2, done), |trainer, told| {
            let stop = AtomicBool::new(false);
            let outcome = run(trainer.with_stop(&stop), told, &mut Interrupt(&stop, done));
            assert!(matches!(outcome, Err(Error::Interrupted { .. })), "{what}");
            outcome
        });
    }
}

#[test]
fn a_run_that_dies_goes_on_from_the_checkpoint_of_its_last_epoch() {
    for (what, config, rule) in every_method_on_some_models() {
        assert_same_after_a_break(&what, &config, rule, 1, (2, 0), |trainer, told| {
            let mut death = AfterEpoch(|report: &EpochReport| match report.epoch {
                3 => Err(Error::Failed("the disk is full".into())),
                _ => Ok(()),
            });
            run(trainer, told, &mut death)
        });
    }
}

#[test]
fn without_a_checkpoint_a_resume_starts_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let resumed =
        trainer(&models(4)[0], DENSE, 1).with_checkpoints(checkpoints(folder.path())).resume().expect("empty");
    assert_eq!(resumed.epochs_done(), 0);
    let resumed = run(resumed, &mut Vec::new(), &mut nobody()).expect("trains");
    let fresh = run(trainer(&models(4)[0], DENSE, 1), &mut Vec::new(), &mut nobody()).expect("trains");
    assert_eq!(bits(&resumed.model), bits(&fresh.model));
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused_by_path() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoints = checkpoints(folder.path());
    let (mf, biased_mf) = (models(4).remove(0), models(4).remove(1));
    run(trainer(&mf, DENSE, 1).with_checkpoints(checkpoints.clone()), &mut Vec::new(), &mut nobody()).expect("trains");

    let refusal = |config: &ModelConfig| {
        let error =
            trainer(config, DENSE, 1).with_checkpoints(checkpoints.clone()).resume().map(|_| ()).expect_err("refused");
        assert!(matches!(error, Error::ModelFile { .. }), "{error}");
        error.to_string()
    };
    for other in [&biased_mf, &models(5)[0]] {
        let message = refusal(other);
        let path = checkpoints.last().display().to_string();
        assert!(message.starts_with(&path) && message.contains("another model"), "{message}");
    }
    trainer(&mf, DENSE, 1).with_checkpoints(checkpoints.clone()).resume().expect("its own checkpoint");
    for path in [checkpoints.best(), checkpoints.last()] {
        let bytes = std::fs::read(&path).expect("written");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("truncated");
        let message = refusal(&mf);
        assert!(message.starts_with(&path.display().to_string()) && message.contains("damaged"), "{message}");
    }
}
