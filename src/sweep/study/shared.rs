//! State shared by the trials of a sweep: the plan, the data, the ended trials, and the files that show them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, SweepOptions};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::files;
use crate::run::{Settings, TrialData};
use crate::sweep::asha::Asha;
use crate::sweep::directory::SweepDirectory;
use crate::sweep::journal::{Journal, Record};
use crate::sweep::plan::{Plan, Pruning, Sampler};
use crate::sweep::report;
use crate::sweep::space::Point;

/// A running sweep.
pub(super) struct Study<'a> {
    pub(super) plan: &'a Plan,
    /// Settings of the base config.
    pub(super) base: Settings,
    pub(super) options: &'a SweepOptions<'a>,
    pub(super) device: Opened,
    /// Of each repeat.
    pub(super) data: Vec<TrialData>,
    pub(super) directory: SweepDirectory,
    /// All points, if the sampler lists them.
    pub(super) grid: Option<Vec<Point>>,
    started: Instant,
    /// Seconds of earlier calls.
    pub(super) before: f64,
    state: Mutex<State>,
    /// Signals that a trial ended, so that another may have memory.
    pub(super) ended: Condvar,
    /// Held while the files that show trials are written; the time when they were last written completely.
    shown: Mutex<Option<Instant>>,
    /// Whether an error has ended the sweep.
    pub(super) halted: AtomicBool,
}

pub(super) struct State {
    journal: Journal,
    /// Ended trials by number.
    pub(super) records: BTreeMap<usize, Record>,
    /// Estimated bytes of running trials by number.
    pub(super) running: BTreeMap<usize, u64>,
    pub(super) asha: Option<Asha>,
    pub(super) error: Option<Error>,
}

/// How often pictures are redrawn while trials run.
const REDRAW_EVERY: Duration = Duration::from_secs(30);

impl<'a> Study<'a> {
    #[expect(clippy::too_many_arguments, reason = "each is a part of the whole, and there is one call")]
    pub(super) fn new(
        plan: &'a Plan,
        base: Settings,
        options: &'a SweepOptions<'a>,
        device: Opened,
        data: Vec<TrialData>,
        directory: SweepDirectory,
        journal: Journal,
        records: Vec<Record>,
    ) -> Result<Self> {
        let mut asha = match plan.settings.pruning {
            Pruning::None => None,
            Pruning::Asha { min_epochs, reduction } => Some(Asha::new(plan.metric.clone(), min_epochs, reduction)),
        };
        if let Some(asha) = &mut asha {
            for record in &records {
                record.rungs.iter().for_each(|(&rung, &metric)| asha.reach(rung, record.trial, metric));
            }
        }
        let grid = match plan.settings.sampler {
            Sampler::Grid { points } => {
                // One more shows whether points are left out.
                let mut grid = plan.space.grid(points, plan.settings.trials + 1);
                if grid.len() > plan.settings.trials {
                    (options.note)(&format!("the grid has more points than trials = {}", plan.settings.trials));
                    grid.pop();
                }
                Some(grid)
            }
            _ => None,
        };
        let records: BTreeMap<usize, Record> = records.into_iter().map(|record| (record.trial, record)).collect();
        Ok(Self {
            plan,
            base,
            options,
            device,
            data,
            directory,
            grid,
            started: Instant::now(),
            before: records.values().map(|record| record.ended).fold(0.0, f64::max),
            state: Mutex::new(State { journal, records, running: BTreeMap::new(), asha, error: None }),
            ended: Condvar::new(),
            shown: Mutex::new(None),
            halted: AtomicBool::new(false),
        })
    }

    pub(super) fn elapsed(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A trial that panicked ends the sweep, and what it left is not used any more.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of trials that there will be.
    pub(super) fn trials(&self) -> usize {
        self.grid.as_ref().map_or(self.plan.settings.trials, Vec::len)
    }

    pub(super) fn is_told_to_stop(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed) || self.halted.load(Ordering::Relaxed)
    }

    pub(super) fn interrupted(&self) -> Error {
        Error::Interrupted { resume: format!("lowrank sweep {} --resume", self.directory.space().display()) }
    }

    pub(super) fn write_down(&self, record: Record) -> Result<()> {
        let mut state = self.state();
        state.journal.append(&record)?;
        state.running.remove(&record.trial);
        state.records.insert(record.trial, record.clone());
        drop(state);
        self.ended.notify_all();
        (self.options.watch)(&Event::Ended(&record));
        self.write_events(&record)?;
        self.show(false)
    }

    /// Writes the events of a trial for TensorBoard, once.
    pub(super) fn write_events(&self, record: &Record) -> Result<()> {
        if !self.base.report.tensorboard {
            return Ok(());
        }
        report::write_events(&self.directory.events(), record, self.plan)
    }

    /// Writes the files that show trials. Pictures take a moment, so they are drawn now and then, and at the end.
    pub(super) fn show(&self, is_end: bool) -> Result<()> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let records: Vec<Record> = self.state().records.values().cloned().collect();
        report::write_table(&self.directory.table(), &records, self.plan)?;
        if let Some(winner) = report::winner(&records, &*self.plan.metric) {
            let text = report::best(winner, self.plan, &self.directory)?;
            files::write_bytes(&self.directory.best(), text.as_bytes())?;
        }
        if is_end || shown.is_none_or(|at| at.elapsed() > REDRAW_EVERY) {
            report::write_pictures(&self.directory, &records, self.plan)?;
            *shown = Some(Instant::now());
        }
        Ok(())
    }
}
