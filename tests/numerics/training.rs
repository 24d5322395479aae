//! What the trainer promises: to observers, about the epoch that counts, and when it has to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lowrank::data::{Frame, Interactions};
use lowrank::error::Error;
use lowrank::metric::Rmse;
use lowrank::model::parameters::collect;
use lowrank::model::{FactorInit, MfConfig};
use lowrank::solver::{Decay, Schedule, UpdateRule};
use lowrank::train::{Checkpoint, Checkpoints, EarlyStopping, Observer, TrainData};

use crate::inputs::{ModelConfig, NUM_ITEMS, NUM_USERS, cpu, kind, models, sine_model, start_of};
use crate::{
    ADAM, AfterEpoch, REGULARIZATION, SQUARED, TrainConfig, bits, evaluator, fit, fresh, in_batches, of, ratings,
    some_ratings, train_config, trainer_of,
};

#[test]
fn observers_see_every_batch_and_epoch_in_order_with_the_scheduled_rate() {
    #[derive(Default)]
    struct Log {
        batches: Vec<(u64, u64, u64)>,
        epochs: Vec<(u64, u64, u64, u64)>,
        rates: Vec<f64>,
        objectives: Vec<(f64, f64)>,
    }
    impl Observer for Log {
        fn batch(&mut self, epoch: u64, done: u64, total: u64) {
            self.batches.push((epoch, done, total));
        }
        fn epoch(&mut self, report: &lowrank::train::EpochReport) -> lowrank::error::Result<()> {
            self.epochs.push((report.epoch, report.epochs, report.step, report.ratings_seen));
            self.rates.push(report.learning_rate.expect("Adam has one"));
            self.objectives.push((of(report.train, "loss"), of(report.train, "objective")));
            assert_eq!((report.parameters)().len(), report.parameter_norms.len());
            assert!(!report.gradient_norms.is_empty());
            Ok(())
        }
    }
    let (mut first, mut second) = (Log::default(), Log::default());
    let mut settings = train_config(3, ADAM, 0.1);
    settings.method = in_batches(ADAM, 5);
    settings.regularization = REGULARIZATION;
    settings.schedule = Schedule { warmup: 0.0, decay: Decay::Exponential { factor: 0.5 } };
    let trainer = trainer_of(settings, fresh(&models(3)[1], 1), cpu());
    fit(trainer, &some_ratings(), &Interactions::default(), SQUARED, &mut [&mut first, &mut second]).expect("trains");
    for log in [first, second] {
        let expected: Vec<_> = (1..=3).flat_map(|epoch| (1..=3).map(move |batch| (epoch, batch, 3))).collect();
        assert_eq!(log.batches, expected);
        assert_eq!(log.epochs, [(1, 3, 3, 12), (2, 3, 6, 24), (3, 3, 9, 36)]);
        assert_eq!(log.rates, [0.1, 0.05, 0.025]);
        assert!(log.objectives.iter().all(|(loss, objective)| loss < objective), "{:?}", log.objectives);
    }
}

#[test]
fn early_stopping_returns_the_best_epochs_model() {
    // Every training rating is 5, every held-out one 2: the way from 0 to 5 passes the best epoch.
    let cells =
        |value: f32| ratings((0..NUM_USERS as u32).flat_map(|u| (0..NUM_ITEMS as u32).map(move |i| (u, i, value))));
    let (train, validation) = (cells(5.0), cells(2.0));
    for config in models(3) {
        let device = cpu();
        let frame = Frame::pair(NUM_USERS, NUM_ITEMS);
        let start = start_of(&frame, 0.0, 3, &device.device);
        let mut settings = train_config(1000, ADAM, 0.05);
        settings.early_stopping = with!(EarlyStopping::watching(Arc::new(Rmse)), patience: 4);
        let mut history = Vec::new();
        let mut observer = AfterEpoch(|report: &lowrank::train::EpochReport| {
            history.push(((report.parameters)(), of(report.validation.expect("held out"), "rmse"), report.is_best));
            Ok(())
        });
        let trainer = trainer_of(settings, config.init(&start), device.clone());
        let trained = fit(trainer, &train, &validation, SQUARED, &mut [&mut observer]).expect("trains");
        let best = trained.progress.best.expect("held-out ratings").epoch;
        let lowest = (1..).zip(&history).reduce(|a, b| if b.1.1 < a.1.1 { b } else { a }).expect("an epoch").0;
        assert_eq!(best, lowest, "{}", kind(&config));
        assert!(trained.progress.stopped && best > 1, "{}", kind(&config));
        assert_eq!(history.len() as u64, best + 4, "{}", kind(&config));
        assert!(history[best as usize - 1].2);
        assert_eq!(collect(&trained.model), history[best as usize - 1].0, "{}", kind(&config));
        assert_ne!(collect(&trained.model), history.last().expect("an epoch").0, "{}", kind(&config));
    }
}

#[test]
fn no_epochs_return_the_start_and_no_ratings_are_an_error() {
    for config in models(3) {
        let start = fresh(&config, 1);
        let trainer = |epochs| trainer_of(train_config(epochs, ADAM, 0.1), start.clone(), cpu());
        let none = Interactions::default();
        let trained = fit(trainer(0), &some_ratings(), &none, SQUARED, &mut []).expect("nothing to do");
        assert_eq!(bits(&trained.model), bits(&start));
        let moved = fit(trainer(1), &some_ratings(), &none, SQUARED, &mut []).expect("one step");
        assert_ne!(bits(&moved.model), bits(&start));
        let evaluator = evaluator(&none, SQUARED, NUM_USERS, NUM_ITEMS);
        let data = TrainData { train: &none, validation: &none, evaluator: &evaluator };
        assert!(matches!(trainer(1).fit(data, &mut []), Err(Error::Usage(_))));
    }
}

#[test]
fn a_rate_that_is_far_too_high_is_reported_as_divergence() {
    for config in models(3) {
        let rule = UpdateRule::Sgd { momentum: 0.0 };
        let settings = TrainConfig { method: in_batches(rule, 4), ..train_config(50, rule, 1e30) };
        let trainer = trainer_of(settings, sine_model(&config, 3.25).valid(), cpu());
        let error = fit(trainer, &some_ratings(), &Interactions::default(), SQUARED, &mut [])
            .map(|_| ())
            .expect_err("diverges");
        assert!(matches!(error, Error::Diverged { .. }), "{}: {error}", kind(&config));
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("learning_rate"), "{error}");
    }
}

#[test]
fn a_stop_is_obeyed_in_full_batch_training_too() {
    let stop = AtomicBool::new(false);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoints = Checkpoints::create(folder.path()).expect("created");
    let model = fresh(&ModelConfig::Mf(MfConfig { rank: 2, init: FactorInit::Normal { std: 0.1 } }), 1);
    let trainer =
        trainer_of(train_config(5, ADAM, 0.1), model, cpu()).with_checkpoints(checkpoints.clone()).with_stop(&stop);
    let mut observer = AfterEpoch(|report: &lowrank::train::EpochReport| {
        stop.store(report.epoch == 2, Ordering::Relaxed);
        Ok(())
    });
    let outcome = fit(trainer, &some_ratings(), &Interactions::default(), SQUARED, &mut [&mut observer]);
    assert!(matches!(outcome, Err(Error::Interrupted { .. })));
    assert_eq!(Checkpoint::read(&checkpoints.last()).expect("written").progress.epoch, 2);
}
