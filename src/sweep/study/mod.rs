//! Running a sweep: trials side by side, each recorded when it ends, and the winner trained and tested at the end.

mod event;
mod proposal;
mod resume;
mod shared;
mod trial;
mod winner;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;

pub use self::event::{Event, SweepOptions};
use self::resume::open;
use self::shared::Study;
pub use self::winner::Swept;
use super::journal::{Header, Record};
use super::plan::Plan;
use crate::device::DeviceSpec;
use crate::error::{Error, Result};
use crate::random;
use crate::run::{Settings, TrialData};

/// Searches, and trains and tests the winner.
///
/// # Errors
/// Those of data, device, files and of resuming; [`Error::Interrupted`]; [`Error::Failed`] if no trial finished. A
/// trial that diverges, or whose values are incompatible, is recorded as failed and does not stop the sweep.
pub fn sweep(plan: &Plan, options: &SweepOptions) -> Result<Swept> {
    let base = Settings::of(plan.base(), &plan.parts)?;
    let device = base.device.open()?;
    if base.device == DeviceSpec::Auto {
        (options.note)(&format!("device auto: using {}", device.spec));
    }
    let first = plan.space.draw(&mut random::stream(plan.settings.seed, "sweep/probe"));
    let mut data = Vec::new();
    for repeat in 0..plan.repeats.len() {
        let loaded = TrialData::load(&Settings::of(&plan.config(&first, repeat, &[])?, &plan.parts)?)?;
        loaded.notes.iter().filter(|_| repeat == 0).for_each(|note| (options.note)(note));
        data.push(loaded);
    }
    (options.loaded)();
    if options.stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted { resume: "the same command".into() });
    }
    let header = Header::new(plan.identity(), data.iter().map(|data| data.fingerprint.clone()).collect());
    let (directory, journal, records) = open(plan, &base, options, &header)?;
    let study = Study::new(plan, base, options, device, data, directory, journal, records)?;
    study.run()?;
    study.conclude()
}

/// The error of a trial that panicked.
fn panicked(cause: &(dyn Any + Send)) -> Error {
    let text = cause.downcast_ref::<&str>().copied().or(cause.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("no reason given");
    Error::Failed(format!("a trial panicked, which is a mistake of the program or of a part of your own: {text}"))
}

impl Study<'_> {
    /// Runs all remaining trials.
    fn run(&self) -> Result<()> {
        let records: Vec<Record> = self.state().records.values().cloned().collect();
        (self.options.watch)(&Event::Began {
            directory: &self.directory,
            records: &records,
            trials: self.trials(),
            elapsed: self.before,
        });
        records.iter().try_for_each(|record| self.write_events(record))?;
        let cores = match self.base.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let slots = self.plan.settings.parallel.min(self.trials()).max(1);
        let threads = (cores / slots).max(1);
        let pools: Vec<_> = (0..slots)
            .map(|_| rayon::ThreadPoolBuilder::new().num_threads(threads).build())
            .collect::<Result<_, _>>()
            .map_err(|e| Error::Failed(format!("cannot start {threads} threads: {e}")))?;
        std::thread::scope(|scope| {
            for pool in &pools {
                scope.spawn(move || {
                    // The others would wait forever for the memory of a trial that panicked.
                    let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.work(pool)));
                    if let Err(error) = outcome.unwrap_or_else(|cause| Err(panicked(&*cause))) {
                        self.halted.store(true, Ordering::Relaxed);
                        self.state().error.get_or_insert(error);
                        self.ended.notify_all();
                    }
                });
            }
        });
        if let Some(error) = self.state().error.take() {
            return Err(error);
        }
        self.show(true)?;
        if self.options.stop.load(Ordering::Relaxed) {
            return Err(self.interrupted());
        }
        Ok(())
    }

    /// One trial after the other.
    fn work(&self, pool: &rayon::ThreadPool) -> Result<()> {
        while let Some(trial) = self.next()? {
            let Some(record) = pool.install(|| self.train(&trial))? else { return Ok(()) };
            self.write_down(record)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::metric::{Direction, Metric, Pair};
    use crate::run::{Parts, Resume};

    #[derive(Debug)]
    struct Fragile;

    impl Metric for Fragile {
        fn name(&self) -> &str {
            "fragile"
        }

        fn direction(&self) -> Direction {
            Direction::Smaller
        }

        fn of_pair(&self, _: &Pair) -> Option<f64> {
            panic!("a mistake of my own")
        }
    }

    #[test]
    fn a_trial_that_panics_ends_the_sweep_and_leaves_nobody_waiting() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let space = folder.path().join("s.toml");
        let base = format!(
            "data = {{ dataset = 'synthetic', synthetic = {{ users = 50, items = 30, ratings = 500 }} }}\n\
             evaluation.metrics = ['rmse', 'fragile']\nrun.dir = '{}'\ntrain = {{ epochs = 1, device = 'cpu' }}\n",
            folder.path().display()
        );
        std::fs::write(folder.path().join("base.toml"), base).expect("a config");
        let text = "base = 'base.toml'\ntrials = 6\nparallel = 3\n[space]\nmodel.rank = { int = [4, 5] }\n";
        let parts = Parts::built_in().metric(Fragile);
        let plan = |overrides: &[String]| Plan::parse(&parts, text, &space, overrides).expect("a plan");
        let settings = Settings::of(plan(&[]).base(), &parts).expect("settings");
        let device = settings.device.open().expect("a device").device;
        let bytes = TrialData::load(&settings).expect("data").memory(&settings, &device).expect("an estimate");
        // Memory for one at a time, so that the others wait.
        let plan = plan(&[format!("max_memory={}", 1.2 * bytes as f64 / 1e9)]);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let options = SweepOptions {
                resume: Resume::New,
                stop: &AtomicBool::new(false),
                loaded: &|| {},
                command_line: String::new(),
                note: &|_| {},
                watch: &|_| {},
            };
            let _ = sender.send(sweep(&plan, &options).map(|_| ()));
        });
        let outcome = receiver.recv_timeout(Duration::from_secs(60)).expect("it ends");
        let message = outcome.expect_err("a panic").to_string();
        assert!(message.contains("a trial panicked") && message.contains("a mistake of my own"), "{message}");
    }
}
