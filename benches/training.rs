//! Time of one optimizer step, of evaluation and of batching. Sizes stand in the benchmark's name; seeds are fixed; data
//! are made outside the timed part.
//!
//! `cargo bench` for all, `cargo bench -- step` for some.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lowrank::Parts;
use lowrank::data::batch::{EpochOrder, Samples};
use lowrank::data::{EntityFrame, Field, Frame, Interactions};
use lowrank::device::{DeviceSpec, Opened, to_vec};
use lowrank::eval::{Baseline, Evaluator, Predictor};
use lowrank::metric::{Mae, Metrics, ObjectiveLoss, Rmse, Tally};
use lowrank::model::{AnyModel, BiasedMfConfig, FactorInit, FmConfig, MfConfig, NeuMfConfig, Start};
use lowrank::objective::{Logistic, Loss, Squared};
use lowrank::random::stream;
use lowrank::solver::{
    Clip, GradientStep, LearningRate, MiniBatch, Optimizer, Regularization, Solver, StepNumber, UpdateRule, UpdatedRows,
};
use rand::RngExt;

const LOSS: Loss = Loss::Squared(Squared {});
/// Users × items, with the number of ratings a step.
const SHAPES: [(usize, usize, usize); 4] =
    [(943, 1682, 1024), (6040, 3706, 1024), (6040, 3706, 8192), (138_000, 27_000, 65_536)];
const RANK: usize = 64;
/// The same, with a factor by which the tables are larger than what the ratings are about.
const GROWTH: [(usize, usize, usize, usize); 4] =
    [(6040, 3706, 8192, 1), (6040, 3706, 8192, 10), (13_800, 2700, 65_536, 1), (13_800, 2700, 65_536, 10)];
/// By the number in the benchmark's name.
const KINDS: [&str; 3] = ["mf", "biased-mf", "neumf"];

fn main() {
    divan::main();
}

fn ratings(users: usize, items: usize, count: usize) -> Interactions {
    let mut random = stream(1, "bench");
    let mut ratings = Interactions::default();
    for _ in 0..count {
        let (user, item) = (random.random_range(0..users as u32), random.random_range(0..items as u32));
        ratings.push([user, item], random.random_range(1..=5) as f32, None);
    }
    ratings
}

fn model(kind: &str, users: usize, items: usize, opened: &Opened) -> AnyModel {
    let (rank, init) = (RANK, FactorInit::Normal { std: 0.1 });
    let frame = Frame::pair(users, items);
    let start = Start { frame: &frame, mean_score: 3.5, offsets: [&[], &[]], seed: Some(1), device: &opened.device };
    match kind {
        "mf" => MfConfig { rank, init }.init(&start).into(),
        "biased-mf" => BiasedMfConfig { rank, init }.init(&start).into(),
        _ => NeuMfConfig { rank, mlp_rank: rank, layers: vec![64, 32, 16], dropout: 0.0, init, biases: true }
            .init(&start)
            .into(),
    }
}

/// One Adam step with a penalty; all rows of the tables updated.
#[divan::bench(args = SHAPES, consts = [0, 1, 2], sample_count = 10, sample_size = 1)]
fn step_all<const KIND: usize>(bencher: Bencher, (users, items, batch): (usize, usize, usize)) {
    step(bencher, KINDS[KIND], (users, items, batch, 1), UpdatedRows::All);
}

/// The same with only the rows updated that the batch touches.
#[divan::bench(args = SHAPES, consts = [0, 1, 2], sample_count = 10, sample_size = 1)]
fn step_touched<const KIND: usize>(bencher: Bencher, (users, items, batch): (usize, usize, usize)) {
    step(bencher, KINDS[KIND], (users, items, batch, 1), UpdatedRows::Touched);
}

/// The same ratings with tables that are once and ten times as large: as many rows are touched, spread over them.
#[divan::bench(args = GROWTH, consts = [1, 2], sample_count = 10, sample_size = 1)]
fn step_grown<const KIND: usize>(bencher: Bencher, shape: (usize, usize, usize, usize)) {
    step(bencher, KINDS[KIND], shape, UpdatedRows::Touched);
}

fn step(bencher: Bencher, kind: &str, (users, items, batch, growth): (usize, usize, usize, usize), rows: UpdatedRows) {
    let opened = DeviceSpec::Auto.open().expect("a device");
    let mut samples = Samples::gather(&ratings(users, items, batch), &(0..batch as u64).collect::<Vec<_>>());
    let (users, items) = (users * growth, items * growth);
    // Anywhere in a stretch of its own: rows at equal distances would crowd into some of the cache's sets.
    let growth = growth as u32;
    let grown = |index: u32| index * growth + (index.wrapping_mul(2_654_435_769) >> 8) % growth;
    samples.columns.iter_mut().flatten().for_each(|index| *index = grown(*index));
    let samples = Arc::new(samples);
    let mut solver = GradientStep {
        objective: Arc::new(LOSS),
        regularization: Regularization::new([("user_factors", 0.05), ("item_factors", 0.05)]),
        clip: Clip::default(),
        rows,
        optimizer: Optimizer::new(UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }),
    };
    let device = opened.device.clone().autodiff();
    let mut held = Some(model(kind, users, items, &opened).to_training(&device));
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        let (model, sums, _) = solver.step(held.take().expect("put back"), &samples, &device, 0.005, false);
        held = Some(model);
        to_vec(sums.sums)
    });
}

/// Rows of each field of frappe's log, with its number of training rows; and ten fields of 100,000 rows each.
const LOGS: [([usize; 10], usize); 2] = [([957, 4082, 7, 7, 2, 3, 2, 9, 80, 233], 69_266), ([100_000; 10], 10_000_000)];

/// An epoch of a factorization machine of rank 32 with Adam in batches of 512, as `solver.kind = "adam"` trains it.
#[divan::bench(args = [0, 1], sample_count = 9, sample_size = 1)]
fn epoch_of_machine(bencher: Bencher, log: usize) {
    let (sizes, count) = LOGS[log];
    let opened = DeviceSpec::Auto.open().expect("a device");
    let (frame, train) = clicks(&sizes, count);
    let mut solver = MiniBatch::new(machine_step(), BATCH, LearningRate::constant(0.004), 1, &opened.device);
    let mut held = Some(machine(&frame, &opened).to_training(&opened.device));
    let steps = solver.begin(held.as_ref().expect("made"), &train).expect("begun");
    let mut epoch = 0;
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        epoch += 1;
        for step in 0..steps {
            let stepped = solver.step(held.take().expect("put back"), &train, StepNumber { epoch, step, steps });
            held = Some(stepped.model);
        }
    });
}

/// The same on frappe's shape by autodiff, which every other model is trained by.
#[divan::bench(sample_count = 9, sample_size = 1)]
fn epoch_of_machine_by_autodiff(bencher: Bencher) {
    let (sizes, count) = LOGS[0];
    let opened = DeviceSpec::Auto.open().expect("a device");
    let (frame, train) = clicks(&sizes, count);
    let device = opened.device.clone().autodiff();
    let mut solver = machine_step();
    let mut held = Some(machine(&frame, &opened).to_training(&opened.device));
    let mut epoch = 0;
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        epoch += 1;
        let order = EpochOrder::new(count, 1, epoch);
        for start in (0..count).step_by(BATCH) {
            let positions = order.positions(start..(start + BATCH).min(count));
            let samples = Arc::new(Samples::gather(&train, &positions));
            held = Some(solver.step(held.take().expect("put back"), &samples, &device, 0.004, false).0);
        }
    });
}

const BATCH: usize = 512;

/// Clicks with `sizes.len()` fields: small numbers are frequent, as popular items are.
fn clicks(sizes: &[usize], count: usize) -> (Frame, Interactions) {
    let mut random = stream(1, "bench/clicks");
    let mut frame = Frame::pair(sizes[0], sizes[1]);
    for (at, &rows) in sizes.iter().enumerate().skip(2) {
        frame.entities.push(EntityFrame::new(&format!("field_{at}"), rows));
        frame.fields.push(Field::new(&format!("field_{at}"), at));
    }
    let mut train = Interactions::of_fields(sizes.len()).like(count);
    for (column, &rows) in train.columns.iter_mut().zip(sizes) {
        column.extend((0..count).map(|_| (random.random::<f64>().powi(2) * rows as f64) as u32));
    }
    train.targets.extend((0..count).map(|_| f32::from(u8::from(random.random_bool(1.0 / 3.0)))));
    (frame, train)
}

fn machine(frame: &Frame, opened: &Opened) -> AnyModel {
    let start = Start { frame, mean_score: -0.7, offsets: [&[], &[]], seed: Some(1), device: &opened.device };
    FmConfig { rank: 32, init: FactorInit::Normal { std: 0.014 } }.init(&start).into()
}

fn machine_step() -> GradientStep {
    GradientStep {
        objective: Arc::new(Loss::Logistic(Logistic { positive_weight: 1.0 })),
        regularization: Regularization::new([("user_factors", 0.009), ("item_factors", 0.009)]),
        clip: Clip::default(),
        rows: UpdatedRows::Touched,
        optimizer: Optimizer::new(UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }),
    }
}

/// Metrics of a million pairs.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn evaluate_million(bencher: Bencher) {
    let opened = DeviceSpec::Auto.open().expect("a device");
    let (users, items, count) = (6040, 3706, 1_000_000);
    let model = model("biased-mf", users, items, &opened);
    let ratings = ratings(users, items, count);
    let baseline = Baseline::fit(&ratings, &Frame::pair(users, items));
    let predictor = Predictor { objective: Arc::new(LOSS), clip: Some((1.0, 5.0)), baseline };
    let metrics = Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(Rmse), Arc::new(Mae)]);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let mut tally = Tally::new(&metrics);
        black_box(predictor.evaluate(&model, &opened.device, &ratings, &mut tally));
        tally.scores()
    });
}

/// Shuffling and gathering the batches of one epoch over a million ratings.
/// NDCG@10 over all items but those of training, of users with one test item each.
#[divan::bench(sample_count = 7, sample_size = 1)]
fn ranking_full(bencher: Bencher) {
    let opened = DeviceSpec::Auto.open().expect("a device");
    let (users, items, count) = (6040, 3706, 994_169);
    let model = model("mf", users, items, &opened);
    let train = ratings(users, items, count);
    let mut random = stream(2, "bench");
    let mut test = Interactions::default();
    (0..users as u32).for_each(|user| test.push([user, random.random_range(0..items as u32)], 1.0, None));
    let baseline = Baseline::constant(0.0, &Frame::pair(users, items));
    let predictor = Predictor { objective: Arc::new(LOSS), clip: None, baseline };
    let ndcg = Parts::built_in().metrics.find("ndcg@10").expect("built in").clone();
    let evaluator = Evaluator::new(predictor, Metrics(vec![ndcg]), &train, users, items);
    bencher.counter(ItemsCount::new(users)).bench_local(|| evaluator.evaluate(&model, &opened.device, &test).scores);
}

#[divan::bench(args = [1024, 8192, 65_536], sample_count = 5, sample_size = 1)]
fn batching_million(bencher: Bencher, batch: usize) {
    let ratings = ratings(6040, 3706, 1_000_000);
    bencher.counter(ItemsCount::new(ratings.len())).bench_local(|| {
        let order = EpochOrder::new(ratings.len(), 1, 1);
        for start in (0..ratings.len()).step_by(batch) {
            let positions = order.positions(start..(start + batch).min(ratings.len()));
            black_box(Samples::gather(&ratings, &positions));
        }
    });
}
