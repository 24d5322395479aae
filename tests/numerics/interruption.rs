//! A training that is broken off and goes on gives the same bits as one without a break.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use lowrank::error::{Error, Result};
use lowrank::train::{Checkpoint, Checkpoints, EpochReport, Observer, Trained, Trainer};

use crate::every_method::{DENSE, NUM_ITEMS, NUM_USERS, Told, fits, methods, model, nobody, run, settings, trainer};
use crate::inputs::{ModelConfig, cpu, kind, models};
use crate::{AfterEpoch, Method, TrainConfig, bits, trainer_of};

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
