//! Running a sweep: trials side by side, each written down when it ends, and the winner trained and tested at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use toml::Value;

use super::asha::Asha;
use super::directory::SweepDirectory;
use super::journal::{Header, Journal, Record, Status, Training};
use super::plan::{Plan, Pruning, Sampler};
use super::report;
use super::space::Point;
use super::tpe;
use crate::device::{DeviceSpec, Opened};
use crate::error::{Error, Result};
use crate::run::{self, Resume, RunDirectory, Settings, Summary, TrainOptions, TrialData};
use crate::train::{EpochReport, Observer};
use crate::{files, random};

/// What a sweep is given beside its plan.
pub struct SweepOptions<'a> {
    /// Where to go on from.
    pub resume: Resume,
    /// Becomes true when the sweep should end; trials that are running then are not written down.
    pub stop: &'a AtomicBool,
    /// For `environment.json` of the winner's run.
    pub command_line: String,
    /// Told things that the user should know.
    pub note: &'a (dyn Fn(&str) + Sync),
    /// Told what happens.
    pub watch: &'a (dyn Fn(&Event) + Sync),
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Trials are about to begin; these were there already.
    Began {
        /// Where everything is kept.
        directory: &'a SweepDirectory,
        /// Trials of earlier calls.
        records: &'a [Record],
        /// Most trials.
        trials: usize,
        /// Seconds that the sweep has taken so far.
        elapsed: f64,
    },
    /// A trial began.
    Trial {
        /// Its number.
        trial: usize,
        /// Its values.
        settings: &'a [(String, Value)],
        /// Epochs it may take, of all its trainings.
        epochs: u64,
    },
    /// An epoch of a trial is done.
    Epoch {
        /// Its number.
        trial: usize,
        /// Epochs that lie behind it, of all its trainings.
        epoch: u64,
        /// Its metric if it ended now.
        metric: f64,
    },
    /// A trial ended.
    Ended(&'a Record),
    /// All trials are done; the winner is being trained.
    Winner,
}

/// A sweep that is done.
pub struct Swept {
    /// Where everything is kept.
    pub directory: SweepDirectory,
    /// All trials by number.
    pub records: Vec<Record>,
    /// The best trial.
    pub winner: Record,
    /// The winner's run of each repeat, with its test; empty where the plan wants none.
    pub tested: Vec<(PathBuf, Summary)>,
}

/// Searches, and trains and tests the winner.
///
/// # Errors
/// Those of data, device, files and of resuming; [`Error::Interrupted`]; [`Error::Failed`] where no trial finished. A
/// trial that diverges, or whose values do not go together, is written down as failed and stops nothing.
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

/// A new directory, or the one to go on in with the trials it has.
fn open(
    plan: &Plan,
    base: &Settings,
    options: &SweepOptions,
    header: &Header,
) -> Result<(SweepDirectory, Journal, Vec<Record>)> {
    let (parent, name) = (&base.dir, format!("{}-sweep", plan.settings.name));
    let path = match &options.resume {
        Resume::New => RunDirectory::create(parent, &name)?.path().to_path_buf(),
        Resume::Newest => match RunDirectory::newest(parent, &name) {
            Ok(directory) => directory.path().to_path_buf(),
            Err(_) => {
                return Err(Error::Usage(format!(
                    "there is no sweep {name}-<n> in {} to resume; sweep without --resume first",
                    parent.display()
                )));
            }
        },
        Resume::Run(path) => path.clone(),
    };
    let directory = SweepDirectory::at(path);
    // The journal comes last: what was killed before that has no trial to go on from, and just begins again.
    if !directory.journal().is_file() {
        files::write_bytes(&directory.base(), plan.base_text().as_bytes())?;
        files::write_bytes(&directory.space(), plan.to_toml("base.toml").as_bytes())?;
        let journal = Journal::create(&directory.journal(), header)?;
        return Ok((directory, journal, Vec::new()));
    }
    let (journal, began, records) = Journal::resume(&directory.journal())?;
    let names = began.sweep.keys().chain(header.sweep.keys().filter(|name| !began.sweep.contains_key(*name)));
    let differing: Vec<_> = names.filter(|name| began.sweep.get(*name) != header.sweep.get(*name)).cloned().collect();
    let refuse = |what: String| Err(Error::Usage(format!("{}: {what}", directory.path().display())));
    if !differing.is_empty() {
        return refuse(format!(
            "cannot resume with another {}; resume with the sweep's own space.toml, or sweep without --resume",
            differing.join(", ")
        ));
    }
    if began.data_sha256 != header.data_sha256 {
        return refuse("the data changed since this sweep began, so its trials do not compare; sweep anew".into());
    }
    Ok((directory, journal, records))
}

struct Study<'a> {
    plan: &'a Plan,
    /// Of the base config.
    base: Settings,
    options: &'a SweepOptions<'a>,
    device: Opened,
    /// Of each repeat.
    data: Vec<TrialData>,
    directory: SweepDirectory,
    /// All points where the sampler has a list of them.
    grid: Option<Vec<Point>>,
    started: Instant,
    /// Seconds of earlier calls.
    before: f64,
    state: Mutex<State>,
    /// A trial ended, so that another may have memory.
    ended: Condvar,
    /// Held while the files that show trials are written; when they were last written whole.
    shown: Mutex<Option<Instant>>,
    /// Something went wrong that ends the sweep.
    halted: AtomicBool,
}

struct State {
    journal: Journal,
    /// Ended trials by number.
    records: BTreeMap<usize, Record>,
    /// Estimated bytes of running trials by number.
    running: BTreeMap<usize, u64>,
    asha: Option<Asha>,
    error: Option<Error>,
}

/// A trial that is about to run.
struct Trial {
    number: usize,
    point: Point,
    /// Of each repeat.
    configs: Vec<Settings>,
    began: f64,
}

/// How often pictures are drawn again while trials run.
const REDRAW_EVERY: Duration = Duration::from_secs(30);

impl<'a> Study<'a> {
    #[expect(clippy::too_many_arguments, reason = "each is a part of the whole, and there is one call")]
    fn new(
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
                // One more tells whether something is left out.
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

    fn elapsed(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a trial that panics ends the program")
    }

    /// Number of trials that there will be.
    fn trials(&self) -> usize {
        self.grid.as_ref().map_or(self.plan.settings.trials, Vec::len)
    }

    fn is_told_to_stop(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed) || self.halted.load(Ordering::Relaxed)
    }

    /// Runs all trials that are left.
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

    fn interrupted(&self) -> Error {
        Error::Interrupted { resume: format!("lowrank sweep {} --resume", self.directory.space().display()) }
    }

    /// One trial after the other.
    fn work(&self, pool: &rayon::ThreadPool) -> Result<()> {
        while let Some(trial) = self.next()? {
            let Some(record) = pool.install(|| self.train(&trial))? else { return Ok(()) };
            self.write_down(record)?;
        }
        Ok(())
    }

    fn write_down(&self, record: Record) -> Result<()> {
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

    /// The next trial, once there is memory for it; nothing where none is left or none may begin.
    fn next(&self) -> Result<Option<Trial>> {
        let mut state = self.state();
        loop {
            let most = self.plan.settings.max_minutes.map_or(f64::INFINITY, |minutes| 60.0 * minutes);
            if self.is_told_to_stop() || self.elapsed() >= most {
                return Ok(None);
            }
            let is_taken = |number: &usize| state.records.contains_key(number) || state.running.contains_key(number);
            let Some(number) = (1..=self.trials()).find(|number| !is_taken(number)) else { return Ok(None) };
            let point = self.propose(number, &state);
            let began = self.elapsed();
            let configs: Result<Vec<Settings>> = (0..self.plan.repeats.len())
                .map(|repeat| Settings::of(&self.plan.config(&point, repeat, &[])?, &self.plan.parts))
                .collect();
            let fits = configs.and_then(|configs| {
                let pairs = configs.iter().zip(&self.data);
                let bytes = pairs.map(|(settings, data)| data.memory(settings, &self.device.device));
                let bytes = bytes.collect::<Result<Vec<u64>>>()?.into_iter().max().unwrap_or_default();
                match self.plan.settings.max_memory {
                    Some(most) if bytes as f64 > most * 1e9 => Err(Error::Usage(format!(
                        "needs about {:.2} GB, more than max_memory = {most}",
                        bytes as f64 / 1e9
                    ))),
                    _ => Ok((configs, bytes)),
                }
            });
            let (configs, bytes) = match fits {
                Ok(fits) => fits,
                Err(error) => {
                    drop(state);
                    let trial = Trial { number, point, configs: Vec::new(), began };
                    self.write_down(self.record(&trial, Status::Failed, Progress::default(), Some(error.to_string())))?;
                    state = self.state();
                    continue;
                }
            };
            let used: u64 = state.running.values().sum();
            if self.plan.settings.max_memory.is_some_and(|most| (used + bytes) as f64 > most * 1e9) {
                // Also looks now and then whether it is told to stop.
                let waited = self.ended.wait_timeout(state, Duration::from_millis(100));
                state = waited.expect("a trial that panics ends the program").0;
                continue;
            }
            state.running.insert(number, bytes);
            drop(state);
            let epochs = configs.iter().map(|settings| settings.training.epochs).sum();
            let settings = self.plan.space.settings(&point);
            (self.options.watch)(&Event::Trial { trial: number, settings: &settings, epochs });
            return Ok(Some(Trial { number, point, configs, began }));
        }
    }

    fn propose(&self, number: usize, state: &State) -> Point {
        if let Some(grid) = &self.grid {
            return grid[number - 1].clone();
        }
        let space = &self.plan.space;
        let Sampler::Tpe { startup, candidates } = self.plan.settings.sampler else {
            return self.plan.random_point(number);
        };
        let ranked = self.ranked(state.records.values(), startup);
        if ranked.len() < startup.max(2) {
            return self.plan.random_point(number);
        }
        let points: Vec<Point> = ranked.iter().filter_map(|record| space.point_of(&record.settings)).collect();
        tpe::propose(space, &points.iter().collect::<Vec<_>>(), candidates, &mut self.plan.stream(number))
    }

    /// Trials from the best to the worst. Metrics compare only at the same number of epochs: the order is that at the
    /// highest rung with at least `enough` trials; then come those that did not reach it, and last those that failed.
    fn ranked<'r>(&self, records: impl Iterator<Item = &'r Record>, enough: usize) -> Vec<&'r Record> {
        // The end of training is the highest rung.
        let end = |record: &Record| (record.status == Status::Finished).then_some((u64::MAX, record.metric?));
        let rungs = |record: &'r Record| record.rungs.iter().map(|(&rung, &value)| (rung, value)).chain(end(record));
        let records: Vec<&Record> = records.collect();
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        records.iter().flat_map(|record| rungs(record)).for_each(|(rung, _)| *counts.entry(rung).or_default() += 1);
        let level = counts.iter().rev().find(|(_, count)| **count >= enough.max(2)).map_or(u64::MAX, |(rung, _)| *rung);
        // Where each got, but not beyond that rung.
        let place = |record: &'r Record| rungs(record).rfind(|(rung, _)| *rung <= level);
        let mut placed: Vec<_> = records.into_iter().map(|record| (place(record), record)).collect();
        placed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some((a, x)), Some((b, y))) => b.cmp(a).then_with(|| report::best_first(&*self.plan.metric, *x, *y)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        placed.into_iter().map(|(_, record)| record).collect()
    }

    /// Trains a trial. Nothing where the sweep is told to stop.
    fn train(&self, trial: &Trial) -> Result<Option<Record>> {
        let mut progress = Progress::default();
        let mut behind = 0;
        for (settings, data) in trial.configs.iter().zip(&self.data) {
            let stop = AtomicBool::new(false);
            let mut watcher =
                Watcher { study: self, trial, behind, progress: &mut progress, stop: &stop, pruned: false };
            watcher.progress.trainings.push(Training::default());
            let outcome = data.train(settings, &self.device, &stop, &mut watcher);
            let pruned = watcher.pruned;
            match outcome {
                Ok(_) => {}
                Err(Error::Interrupted { .. }) if pruned => {
                    return Ok(Some(self.record(trial, Status::Pruned, progress, None)));
                }
                Err(Error::Interrupted { .. }) => return Ok(None),
                Err(error @ (Error::Diverged { .. } | Error::Usage(_))) => {
                    let message = error.to_string().lines().next().unwrap_or_default().to_string();
                    return Ok(Some(self.record(trial, Status::Failed, progress, Some(message))));
                }
                Err(error) => return Err(error),
            }
            // A training that ended early would not change any more: it counts at the rungs that it would have reached.
            let ahead = behind + settings.training.epochs;
            let goes_on = self.climb(trial.number, &mut progress, ahead);
            let is_last = progress.trainings.len() == trial.configs.len();
            if !goes_on && !is_last {
                return Ok(Some(self.record(trial, Status::Pruned, progress, None)));
            }
            behind = ahead;
        }
        Ok(Some(self.record(trial, Status::Finished, progress, None)))
    }

    /// Reaches the rungs up to `epochs`; says whether the trial may go on.
    fn climb(&self, trial: usize, progress: &mut Progress, epochs: u64) -> bool {
        let mut state = self.state();
        let Some(asha) = &mut state.asha else { return true };
        let mut goes_on = true;
        for rung in asha.rungs(progress.climbed, epochs) {
            let metric = progress.metric();
            asha.reach(rung, trial, metric);
            progress.rungs.insert(rung, metric);
            goes_on &= asha.goes_on(rung, trial);
        }
        progress.climbed = epochs;
        goes_on
    }

    fn record(&self, trial: &Trial, status: Status, progress: Progress, message: Option<String>) -> Record {
        let json = |value: &Value| serde_json::to_value(value).expect("plain data");
        let settings = self.plan.space.settings(&trial.point);
        let trainings: Vec<Training> = progress.trainings.iter().filter(|t| !t.curve.is_empty()).cloned().collect();
        Record {
            trial: trial.number,
            status,
            metric: (status != Status::Failed).then(|| progress.metric()),
            settings: settings.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
            trainings,
            rungs: progress.rungs,
            began: trial.began,
            ended: self.elapsed(),
            message,
        }
    }

    /// What TensorBoard reads of a trial, once.
    fn write_events(&self, record: &Record) -> Result<()> {
        if !self.base.report.tensorboard {
            return Ok(());
        }
        report::write_events(&self.directory.events(), record, self.plan)
    }

    /// Writes the files that show trials. Pictures take a moment, so that they are drawn now and then, and at the end.
    fn show(&self, is_end: bool) -> Result<()> {
        let mut shown = self.shown.lock().expect("a trial that panics ends the program");
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

    /// Trains and tests the winner, unless that is done already.
    fn conclude(self) -> Result<Swept> {
        let records: Vec<Record> = self.state().records.values().cloned().collect();
        let Some(winner) = report::winner(&records, &*self.plan.metric).cloned() else {
            let failed = records.iter().find_map(|record| record.message.as_deref());
            return Err(Error::Failed(match failed {
                Some(message) => format!("none of {} trials finished; the first that failed: {message}", records.len()),
                None => format!("none of {} trials finished", records.len()),
            }));
        };
        let mut tested = Vec::new();
        for repeat in (0..self.plan.repeats.len()).filter(|_| self.plan.settings.refit) {
            if repeat == 0 {
                (self.options.watch)(&Event::Winner);
            }
            tested.push(self.test(&winner, repeat)?);
        }
        Ok(Swept { directory: self.directory, records, winner, tested })
    }

    /// The winner's run of a repeat, which a resumed sweep finds again.
    fn test(&self, winner: &Record, repeat: usize) -> Result<(PathBuf, Summary)> {
        const NAME: &str = "best";
        let folder = self.directory.path().to_string_lossy().into_owned();
        let more = [("name", Value::from(NAME)), ("run.dir", folder.into()), ("train.refit", true.into())];
        let point = self.plan.space.point_of(&winner.settings).expect("a trial of this space");
        let config = self.plan.config(&point, repeat, &more)?;
        let mut resume = Resume::New;
        for number in 1.. {
            let path = self.directory.path().join(format!("{NAME}-{number}"));
            if !path.is_dir() {
                break;
            }
            let run = RunDirectory::open(&path).ok().filter(|run| run.environment().is_file());
            let Some(run) = run else {
                // Killed before it could even be resumed.
                std::fs::remove_dir_all(&path).map_err(|e| Error::io("remove", &path, e))?;
                continue;
            };
            if files::read_text(&run.config())? == config.to_toml() {
                if run.summary().is_file() {
                    return Ok((path, read_summary(&run.summary())?));
                }
                resume = Resume::Run(path);
                break;
            }
        }
        let finished = run::train(
            &config,
            &self.plan.parts,
            TrainOptions {
                resume,
                stop: self.options.stop,
                command_line: self.options.command_line.clone(),
                // What there is to say about the data and the device was said before the first trial.
                note: &mut |_| {},
                observer: &|_| None,
            },
        );
        let finished = finished.map_err(|error| match error {
            Error::Interrupted { .. } => self.interrupted(),
            error => error,
        })?;
        let reached = finished.summary.validation.as_ref().and_then(|scores| scores.get(self.plan.metric.name()));
        let expected = winner.trainings[repeat].best;
        if reached != Some(expected) {
            (self.options.note)(&format!(
                "the winner's run reached {} = {reached:?} on the validation part, but its trial {expected:?}: \
                 this device does not compute the same twice",
                self.plan.metric.name(),
            ));
        }
        Ok((finished.directory.path().to_path_buf(), finished.summary))
    }
}

fn read_summary(path: &Path) -> Result<Summary> {
    serde_json::from_str(&files::read_text(path)?).map_err(|e| Error::data(path, format!("is not a summary: {e}")))
}

/// How far a trial is.
#[derive(Debug, Default)]
struct Progress {
    trainings: Vec<Training>,
    rungs: BTreeMap<u64, f64>,
    /// Epochs up to which rungs have been reached.
    climbed: u64,
}

impl Progress {
    /// The mean of what each training that began has reached.
    fn metric(&self) -> f64 {
        let begun = self.trainings.iter().filter(|training| !training.curve.is_empty());
        let (sum, count) = begun.fold((0.0, 0), |(sum, count), training| (sum + training.best, count + 1));
        sum / f64::from(count)
    }
}

/// Follows one training of a trial, and stops it where others are better.
struct Watcher<'a> {
    study: &'a Study<'a>,
    trial: &'a Trial,
    /// Epochs of the trainings before.
    behind: u64,
    progress: &'a mut Progress,
    stop: &'a AtomicBool,
    pruned: bool,
}

impl Observer for Watcher<'_> {
    fn batch(&mut self, _: u64, _: u64, _: u64) {
        if self.study.is_told_to_stop() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        let name = self.study.plan.metric.name();
        let Some(value) = report.validation.and_then(|scores| scores.get(name)) else {
            return Err(Error::Usage(format!("the validation part gives no {name}; compare trials by another metric")));
        };
        if !value.is_finite() {
            return Err(Error::Usage(format!("the validation {name} of epoch {} is not finite", report.epoch)));
        }
        let training = self.progress.trainings.last_mut().expect("pushed before it began");
        training.curve.push(value);
        if report.is_best {
            (training.best, training.best_epoch) = (value, report.epoch);
        }
        let epoch = self.behind + report.epoch;
        (self.study.options.watch)(&Event::Epoch { trial: self.trial.number, epoch, metric: self.progress.metric() });
        // The last epoch is judged with the whole training.
        if !report.is_last && !self.study.climb(self.trial.number, self.progress, epoch) {
            self.pruned = true;
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
