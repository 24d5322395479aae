//! The stratified solver beside LIBMF, in one process, on the same arrays, in turn.
//!
//! ```text
//! CXXFLAGS=-march=native cargo bench --bench libmf              # ratings a second, one thread and two
//! CXXFLAGS=-march=native cargo bench --bench libmf -- quality   # RMSE and time on MovieLens 1M
//! ```
//!
//! Without `CXXFLAGS` LIBMF is compiled to its 128-bit path. MovieLens 1M is taken where the program finds it
//! (`lowrank data fetch movielens-1m`, or LOWRANK_DATA) and left out elsewhere.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use lowrank::data::read::ReadOptions;
use lowrank::data::split::{Split, SplitKind, SplitSpec, assign, divide};
use lowrank::data::synthetic::Synthetic;
use lowrank::data::{Dataset, ITEM, Interactions, UNKNOWN, USER, catalog};
use lowrank::device::DeviceSpec;
use lowrank::error::Result;
use lowrank::eval::{Baseline, Predictor};
use lowrank::metric::{Metric, Metrics, Rmse, Tally};
use lowrank::model::{AnyModel, BiasedMfConfig, FactorInit, MfConfig, Start};
use lowrank::objective::{Loss, Squared};
use lowrank::random::stream;
use lowrank::solver::stratified::AdaGrad;
use lowrank::solver::{Decay, LearningRate, Regularization, RowRule, Schedule, Solver, StepNumber, Stratified};
use rand::RngExt;

const RANK: usize = 64;
const LOSS: Loss = Loss::Squared(Squared {});

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // `cargo bench -- --test` only asks whether it runs.
    let is_test = has("--test");
    let device = DeviceSpec::Auto.open()?.device;
    if has("quality") {
        return quality(&device);
    }
    let planted = |users, items, ratings| Synthetic { users, items, ratings, rank: 5, noise: 0.5, seed: 1 }.dataset();
    if is_test {
        return throughput("planted 100 x 80", &planted(100, 80, 2000)?, &device, 1);
    }
    if let Ok(dataset) = movielens_1m() {
        throughput("MovieLens 1M", &dataset, &device, 7)?;
    }
    throughput("planted 138,000 x 27,000, 10 M", &planted(138_000, 27_000, 10_000_000)?, &device, 5)
}

fn movielens_1m() -> Result<Dataset> {
    catalog::load(catalog::find("movielens-1m")?, None, &ReadOptions::default())
}

/// What LIBMF reads.
fn matrix(ratings: &Interactions) -> libmf::Matrix {
    let mut matrix = libmf::Matrix::with_capacity(ratings.len());
    for at in 0..ratings.len() {
        matrix.push(ratings.column(USER)[at] as i32, ratings.column(ITEM)[at] as i32, ratings.targets[at]);
    }
    matrix
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(work)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Settings of both programs.
#[derive(Debug, Clone, Copy)]
struct Settings {
    epochs: u64,
    rate: f64,
    lambda: f64,
    /// Ours only.
    bias_lambda: f64,
    std: f64,
    initial: f32,
    /// Epochs of the cosine over epochs trained.
    span: f64,
}

/// Seconds of the solver from ratings to a trained model, and seconds of its epochs.
fn ours(start: AnyModel, train: &Interactions, settings: Settings) -> (AnyModel, f64, f64) {
    let Settings { epochs, rate, lambda, bias_lambda, initial, span, .. } = settings;
    let lambda = Regularization::new([
        ("user_factors", lambda),
        ("item_factors", lambda),
        ("user_biases", bias_lambda),
        ("item_biases", bias_lambda),
    ]);
    let rule = RowRule::AdaGrad(AdaGrad { initial_accumulator: initial, epsilon: 1e-8 });
    let schedule = Schedule { warmup: 0.0, decay: Decay::Cosine { last: 0.0 } };
    // A cosine may span more epochs than are trained.
    let learning_rate = LearningRate { rate, schedule, epochs: (epochs as f64 * span).round() as u64 };
    let began = Instant::now();
    let mut solver = Stratified::new(LOSS, lambda, rule, learning_rate, 1);
    let mut model = start;
    let steps = solver.begin(&model, train).expect("a dot product");
    let ready = Instant::now();
    for epoch in 1..=epochs {
        for step in 0..steps {
            model = solver.step(model, train, StepNumber { epoch, step, steps }).model;
        }
    }
    let in_epochs = ready.elapsed().as_secs_f64();
    let model = solver.write_back(model);
    (model, began.elapsed().as_secs_f64(), in_epochs)
}

fn theirs(train: &libmf::Matrix, settings: Settings, threads: usize) -> (libmf::Model, f64) {
    let mut params = libmf::Model::params();
    params.factors(RANK as i32).threads(threads as i32).quiet(true).iterations(settings.epochs as i32);
    params.learning_rate(settings.rate as f32).lambda_p2(settings.lambda as f32).lambda_q2(settings.lambda as f32);
    let began = Instant::now();
    let model = params.fit(train).expect("LIBMF trains");
    (model, began.elapsed().as_secs_f64())
}

/// Interactions a second of the epochs alone: of ours measured, of LIBMF's the difference of a long and a short run.
fn throughput(name: &str, dataset: &Dataset, device: &Device, rounds: usize) -> Result<()> {
    let spec = SplitSpec { kind: SplitKind::Random, test: 0.1, validation: 0.0, non_edges: 0.0 };
    let split = divide(dataset, &assign(dataset, &spec, 42)?, false)?;
    let (train, of_libmf) = (&split.train, matrix(&split.train));
    let (short, long) = if train.len() > 5_000_000 { (1, 4) } else { (2, 22) };
    let settings = Settings {
        epochs: long - short,
        rate: 0.05,
        lambda: 0.05,
        bias_lambda: 0.01,
        std: 0.01,
        initial: 1.0,
        span: 1.0,
    };
    let rated = (train.len() as u64 * settings.epochs) as f64 / 1e6;
    println!(
        "\n{name}: million ratings a second, {} ratings, k = {RANK}, medians of {rounds} rounds in turn",
        train.len()
    );
    println!("{:>22} {:>8} {:>8} {:>8} {:>7}", "", "mf", "biased", "LIBMF", "ratio");
    let mut by_threads = Vec::new();
    for threads in [1, 2] {
        let (mut mf, mut biased, mut libmf, mut ratios) = (vec![], vec![], vec![], vec![]);
        for _ in 0..rounds {
            let init = FactorInit::Normal { std: settings.std };
            let pace = |biased: bool| {
                let start = start(biased, init, &split, device);
                rated / on_threads(threads, || ours(start, train, settings).2)
            };
            let first = pace(false);
            let second = pace(true);
            let seconds = |epochs| theirs(&of_libmf, Settings { epochs, ..settings }, threads).1;
            let other = rated / (seconds(long) - seconds(short));
            ratios.push(second / other);
            mf.push(first);
            biased.push(second);
            libmf.push(other);
        }
        let (mf, biased, libmf) = (median(mf), median(biased), median(libmf));
        by_threads.push(biased);
        let label = format!("{threads} thread(s)");
        println!("{label:>22} {mf:>8.1} {biased:>8.1} {libmf:>8.1} {:>7.2}", median(ratios));
    }
    println!("{:>22} {:>17.2}", "two threads over one", by_threads[1] / by_threads[0]);
    Ok(())
}

/// A model that starts from damped means if it has biases.
fn start(biased: bool, init: FactorInit, split: &Split, device: &Device) -> AnyModel {
    let frame = split.frame();
    let baseline = Baseline::fit(&split.train, &frame);
    let offsets = [&baseline.user_offsets[..], &baseline.item_offsets[..]];
    let start = Start { frame: &frame, mean_score: baseline.global_mean, offsets, seed: Some(1), device };
    match biased {
        true => BiasedMfConfig { rank: RANK, init }.init(&start).into(),
        false => MfConfig { rank: RANK, init }.init(&start).into(),
    }
}

const TRIALS: usize = 120;

/// Both programs' best of [`TRIALS`] random settings by validation RMSE, then the test, five times in turn.
fn quality(device: &Device) -> Result<()> {
    let dataset = movielens_1m()?;
    let spec = SplitSpec { kind: SplitKind::Random, test: 0.1, validation: 0.1, non_edges: 0.0 };
    let parts = assign(&dataset, &spec, 42)?;
    let split = divide(&dataset, &parts, false)?;
    let of_libmf = matrix(&split.train);
    let mut random = stream(1, "quality");
    let mut between = |low: f64, high: f64| (random.random_range(low.ln()..high.ln())).exp();
    let mut best: [Option<(f64, Settings)>; 2] = [None, None];
    for _ in 0..TRIALS {
        let epochs = between(6.0, 40.0).round() as u64;
        let mine = Settings {
            epochs,
            rate: between(0.01, 0.2),
            lambda: between(0.01, 0.1),
            bias_lambda: between(0.001, 0.1),
            std: between(0.003, 0.03),
            initial: between(0.1, 10.0) as f32,
            span: between(1.0, 3.0),
        };
        let other = Settings { rate: between(0.02, 0.3), lambda: between(0.01, 0.15), ..mine };
        let model = on_threads(2, || ours(biased(&split, device, mine), &split.train, mine).0);
        let found = [rmse_of_ours(&model, &split, &split.validation, device), {
            let (model, _) = theirs(&of_libmf, other, 2);
            rmse_of_theirs(&model, &split, &split.validation)
        }];
        for ((best, found), settings) in best.iter_mut().zip(found).zip([mine, other]) {
            if best.is_none_or(|(rmse, _)| found < rmse) {
                *best = Some((found, settings));
            }
        }
    }
    let [Some((mine, my_settings)), Some((other, their_settings))] = best else { return Ok(()) };
    println!("validation RMSE of the best of {TRIALS} random settings each:\n  ours  {mine:.4} {my_settings:?}");
    println!("  LIBMF {other:.4} {their_settings:?}");
    let split = divide(&dataset, &parts, true)?;
    let of_libmf = matrix(&split.train);
    let (mut ratios, mut rmse, mut seconds) = (vec![], [vec![], vec![]], [vec![], vec![]]);
    for _ in 0..5 {
        // The start with its damped means is part of our time.
        let began = Instant::now();
        let model = on_threads(2, || ours(biased(&split, device, my_settings), &split.train, my_settings).0);
        let my_seconds = began.elapsed().as_secs_f64();
        let (theirs, their_seconds) = theirs(&of_libmf, their_settings, 2);
        rmse[0].push(rmse_of_ours(&model, &split, &split.test, device));
        rmse[1].push(rmse_of_theirs(&theirs, &split, &split.test));
        seconds[0].push(my_seconds);
        seconds[1].push(their_seconds);
        ratios.push(my_seconds / their_seconds);
    }
    let [my_rmse, their_rmse] = rmse.map(median);
    let [my_seconds, their_seconds] = seconds.map(median);
    println!("test RMSE after training on the rest, medians of 5 runs in turn, two threads:");
    println!("  ours  {my_rmse:.4} in {my_seconds:.3} s\n  LIBMF {their_rmse:.4} in {their_seconds:.3} s");
    println!("  time, ours over LIBMF's: {:.2}", median(ratios));
    Ok(())
}

fn biased(split: &Split, device: &Device, settings: Settings) -> AnyModel {
    let init = FactorInit::Normal { std: settings.std };
    start(true, init, split, device)
}

fn rmse_of_ours(model: &AnyModel, split: &Split, ratings: &Interactions, device: &Device) -> f64 {
    let baseline = Baseline::fit(&split.train, &split.frame());
    let predictor = Predictor { objective: Arc::new(LOSS), clip: split.train.range(), baseline };
    let mut tally = Tally::new(&Metrics(vec![Arc::new(Rmse)]));
    predictor.evaluate(model, device, ratings, &mut tally);
    tally.scores().and_then(|scores| scores.get(Rmse.name())).unwrap_or(f64::NAN)
}

/// The same rules as for ours: limited to the range of ratings, damped means for ids that training has not seen.
fn rmse_of_theirs(model: &libmf::Model, split: &Split, ratings: &Interactions) -> f64 {
    let baseline = Baseline::fit(&split.train, &split.frame());
    let (low, high) = split.train.range().unwrap_or((f32::MIN, f32::MAX));
    let squares = (0..ratings.len()).map(|at| {
        let (user, item) = (ratings.column(USER)[at], ratings.column(ITEM)[at]);
        let prediction = if user == UNKNOWN || item == UNKNOWN {
            baseline.predict(user, item)
        } else {
            f64::from(model.predict(user as i32, item as i32))
        };
        (prediction.clamp(low.into(), high.into()) - f64::from(ratings.targets[at])).powi(2)
    });
    (squares.sum::<f64>() / ratings.len() as f64).sqrt()
}
