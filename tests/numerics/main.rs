//! Numeric tests: models against PyTorch, against each other, against planted truths, and against themselves.

mod als;
mod contract;
mod determinism;
mod golden;
mod inputs;
mod matrix;
mod real_matrices;
mod recovery;
mod stratified;
mod whole_matrix;

use lowrank::data::Ratings;
use lowrank::error::Result;
use lowrank::eval::{Baseline, Predictor};
use lowrank::loss::{Loss, Squared};
use lowrank::metric::Metric;
use lowrank::model::Factorization;
use lowrank::solver::{Decay, Gradient, Method, Regularization, Rule, Schedule};
use lowrank::train::{EarlyStopping, EpochReport, Observer, TrainConfig, TrainData, Trained, Trainer};

const ADAM: Rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };

/// Batches of `batch_size` ratings, all rows, no clipping.
fn in_batches(rule: Rule, batch_size: usize) -> Method {
    Method::MiniBatch(Gradient { batch_size, rule, ..Gradient::default() })
}

/// Full batches, squared loss, nothing else.
fn train_config(epochs: u64, rule: Rule, learning_rate: f64) -> TrainConfig {
    TrainConfig {
        epochs,
        seed: 7,
        loss: Loss::Squared(Squared {}),
        regularization: Regularization::default(),
        method: in_batches(rule, 0),
        learning_rate,
        schedule_epochs: epochs,
        schedule: Schedule { warmup: 0.0, decay: Decay::Constant },
        early_stopping: EarlyStopping { metric: Metric::Rmse, patience: 0, min_delta: 0.0 },
        checkpoint_every: 0,
    }
}

fn ratings(cells: impl IntoIterator<Item = (u32, u32, f32)>) -> Ratings {
    let mut ratings = Ratings::default();
    cells.into_iter().for_each(|(user, item, value)| ratings.push(user, item, value, None));
    ratings
}

/// Without clipping.
fn predictor(train: &Ratings, loss: Loss, num_users: usize, num_items: usize) -> Predictor {
    Predictor { loss, clip: None, baseline: Baseline::fit(train, num_users, num_items) }
}

/// Trains on ratings whose every index the model knows.
fn fit<M: Factorization>(
    trainer: Trainer<M>,
    train: &Ratings,
    validation: &Ratings,
    loss: Loss,
    observers: &mut [&mut dyn Observer],
) -> Result<Trained<M>> {
    let rows = |train: &[u32], validation: &[u32]| {
        train.iter().chain(validation).max().map_or(0, |&largest| largest as usize + 1)
    };
    let (num_users, num_items) = (rows(&train.users, &validation.users), rows(&train.items, &validation.items));
    let predictor = predictor(train, loss, num_users, num_items);
    trainer.fit(TrainData { train, validation, predictor: &predictor }, observers)
}

/// An observer that calls a function after each epoch.
struct AfterEpoch<F>(F);

impl<F: FnMut(&EpochReport) -> Result<()>> Observer for AfterEpoch<F> {
    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        (self.0)(report)
    }
}

/// Bits of every parameter, by name.
fn bits<M: Factorization>(model: &M) -> Vec<(String, Vec<u32>)> {
    let parameters = lowrank::model::parameters::collect(model);
    parameters.into_iter().map(|(name, values)| (name, values.data.iter().map(|x| x.to_bits()).collect())).collect()
}
