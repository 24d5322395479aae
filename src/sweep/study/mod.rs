//! Running a sweep: trials side by side, each recorded when it ends, and the winner trained and tested at the end.

mod event;
mod proposal;
mod resume;
mod shared;
mod trial;
mod winner;

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
    let header = Header::new(plan.identity(), data.iter().map(|data| data.fingerprint.clone()).collect());
    let (directory, journal, records) = open(plan, &base, options, &header)?;
    let study = Study::new(plan, base, options, device, data, directory, journal, records)?;
    study.run()?;
    study.conclude()
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
                    if let Err(error) = self.work(pool) {
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
