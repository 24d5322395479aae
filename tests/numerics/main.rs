//! Numeric tests: models against PyTorch, against each other, against planted truths, and against themselves.

/// Options with some fields set: those of the crate may get more fields, and are no literals outside of it.
macro_rules! with {
    (@set $all:ident $field:ident $value:expr) => {
        $all.$field = $value
    };
    (@set $all:ident $field:ident) => {
        $all.$field = $field
    };
    ($base:expr, $($field:ident $(: $value:expr)?),+ $(,)?) => {{
        let mut all = $base;
        $(with!(@set all $field $($value)?);)+
        all
    }};
}

mod als;
mod als_systems;
mod context;
mod contract;
mod counts;
mod determinism;
mod every_method;
mod factored;
mod features;
mod golden;
mod histories;
mod inputs;
mod interruption;
mod machines;
mod matrix;
mod own_model;
mod ranking;
mod real_matrices;
mod recovery;
mod steps;
mod stratified;
mod three_fields;
mod training;
mod whole_matrix;

use std::sync::Arc;

use inputs::{Lambda, ModelConfig, NUM_ITEMS, NUM_USERS, cpu, gradient_step, samples, start_of};
use lowrank::data::batch::Samples;
use lowrank::data::{Frame, ITEM, Interactions, USER};
use lowrank::device::Opened;
use lowrank::error::Result;
use lowrank::eval::{Baseline, Evaluator, Predictor};
use lowrank::metric::{Mae, Metrics, ObjectiveLoss, Rmse, Scores};
use lowrank::model::AnyModel;
use lowrank::objective::{Loss, Squared};
use lowrank::solver::{
    Als, AlsConfig, Clip, Decay, Gibbs, GibbsConfig, GradientStep, LearningRate, MatrixMethod, MiniBatch, Optimizer,
    RowRule, Schedule, Solver, Stratified, UpdateRule, UpdatedRows, WholeMatrix,
};
use lowrank::train::{EarlyStopping, EpochReport, Observer, TrainData, Trained, Trainer};

const ADAM: UpdateRule = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };

/// The loss of most tests.
const SQUARED: Loss = Loss::Squared(Squared {});
/// λ of most tests.
const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.02, item_factors: 0.03, user_biases: 0.04, item_biases: 0.05, weights: 0.01 };

/// A solver before it has a model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    MiniBatch(Gradient),
    Stratified(RowRule),
    Als(AlsConfig),
    Gibbs(GibbsConfig),
    WholeMatrix(MatrixMethod),
}

/// Of mini-batches.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gradient {
    batch_size: usize,
    rows: UpdatedRows,
    rule: UpdateRule,
    clip: Clip,
}

/// Everything that decides a training but the model and the data.
#[derive(Debug, Clone)]
struct TrainConfig {
    epochs: u64,
    seed: u64,
    loss: Loss,
    regularization: Lambda,
    method: Method,
    learning_rate: f64,
    schedule_epochs: u64,
    schedule: Schedule,
    early_stopping: EarlyStopping,
    checkpoint_every: u64,
}

/// Batches of `batch_size` ratings, touched rows, no clipping.
fn in_batches(rule: UpdateRule, batch_size: usize) -> Method {
    Method::MiniBatch(Gradient { batch_size, rows: UpdatedRows::default(), rule, clip: Clip::default() })
}

/// Full batches, squared loss, nothing else.
fn train_config(epochs: u64, rule: UpdateRule, learning_rate: f64) -> TrainConfig {
    TrainConfig {
        epochs,
        seed: 7,
        loss: Loss::Squared(Squared {}),
        regularization: Lambda::default(),
        method: in_batches(rule, 0),
        learning_rate,
        schedule_epochs: epochs,
        schedule: Schedule { warmup: 0.0, decay: Decay::Constant },
        early_stopping: EarlyStopping::watching(Arc::new(Rmse)),
        checkpoint_every: 0,
    }
}

/// A trainer of `model`.
fn trainer_of<'a>(config: TrainConfig, model: impl Into<AnyModel>, device: Opened) -> Trainer<'a> {
    let TrainConfig { epochs, seed, loss, regularization, method, schedule, .. } = config;
    let learning_rate = LearningRate { rate: config.learning_rate, schedule, epochs: config.schedule_epochs };
    let regularization = regularization.into();
    let solver: Box<dyn Solver> = match method {
        Method::MiniBatch(Gradient { batch_size, rows, rule, clip }) => {
            let objective = Arc::new(loss);
            let step = GradientStep { objective, regularization, clip, rows, optimizer: Optimizer::new(rule) };
            Box::new(MiniBatch::new(step, batch_size, learning_rate, seed, &device.device))
        }
        Method::Stratified(rule) => Box::new(Stratified::new(loss, regularization, rule, learning_rate, seed)),
        Method::Als(als) => Box::new(Als::new(loss, regularization, als)),
        Method::Gibbs(gibbs) => Box::new(Gibbs::new(seed, gibbs)),
        Method::WholeMatrix(method) => Box::new(WholeMatrix::new(loss, regularization, method, seed)),
    };
    let TrainConfig { early_stopping, checkpoint_every, .. } = config;
    let config = with!(lowrank::train::TrainConfig::new(epochs, Rmse), early_stopping, checkpoint_every);
    Trainer::new(config, solver, model.into(), device)
}

/// [`samples`] with ratings between 1 and 5.
fn some_samples() -> Arc<Samples> {
    samples(|j| 3.0 + 2.0 * (0.5 + 1.3 * j as f64).sin())
}

/// The same as interactions.
fn some_ratings() -> Interactions {
    let samples = some_samples();
    let cells = samples.column(USER).iter().zip(samples.column(ITEM)).zip(&samples.targets);
    ratings(cells.map(|((&user, &item), &value)| (user, item, value)))
}

/// A step by gradients, on all rows and with every penalty.
fn solver(loss: Loss, rule: UpdateRule) -> GradientStep {
    gradient_step(loss, REGULARIZATION, UpdatedRows::All, rule)
}

/// A model as a run would start it.
fn fresh(config: &ModelConfig, seed: u64) -> AnyModel {
    let device = cpu().device;
    config.init(&start_of(&Frame::pair(NUM_USERS, NUM_ITEMS), 3.0, seed, &device))
}

fn ratings(cells: impl IntoIterator<Item = (u32, u32, f32)>) -> Interactions {
    let mut ratings = Interactions::default();
    cells.into_iter().for_each(|(user, item, value)| ratings.push([user, item], value, None));
    ratings
}

/// Without clipping.
fn predictor(train: &Interactions, loss: Loss, num_users: usize, num_items: usize) -> Predictor {
    let baseline = Baseline::fit(train, &Frame::pair(num_users, num_items));
    Predictor { objective: Arc::new(loss), clip: None, baseline }
}

/// The built-in metrics of what [`predictor`] predicts.
fn evaluator(train: &Interactions, loss: Loss, num_users: usize, num_items: usize) -> Evaluator {
    let metrics = Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(Rmse), Arc::new(Mae)]);
    Evaluator::new(predictor(train, loss, num_users, num_items), metrics, train, num_users, num_items)
}

/// The value of a metric that is there.
fn of(scores: &Scores, metric: &str) -> f64 {
    scores.get(metric).unwrap_or_else(|| panic!("no {metric} in {scores:?}"))
}

/// Trains on ratings whose every index the model knows.
fn fit(
    trainer: Trainer,
    train: &Interactions,
    validation: &Interactions,
    loss: Loss,
    observers: &mut [&mut dyn Observer],
) -> Result<Trained> {
    let rows = |field| {
        let all = train.column(field).iter().chain(validation.column(field));
        all.max().map_or(0, |&largest| largest as usize + 1)
    };
    let evaluator = evaluator(train, loss, rows(USER), rows(ITEM));
    trainer.fit(TrainData { train, validation, evaluator: &evaluator }, observers)
}

/// An observer that calls a function after each epoch.
struct AfterEpoch<F>(F);

impl<F: FnMut(&EpochReport) -> Result<()>> Observer for AfterEpoch<F> {
    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        (self.0)(report)
    }
}

/// Bits of every parameter, by name.
fn bits(model: &AnyModel) -> Vec<(String, Vec<u32>)> {
    let parameters = lowrank::model::parameters::collect(model);
    parameters.into_iter().map(|(name, values)| (name, values.data.iter().map(|x| x.to_bits()).collect())).collect()
}
