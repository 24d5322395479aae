//! Which trial comes next, and with what values.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use super::event::Event;
use super::shared::{State, Study};
use super::trial::{Progress, Trial};
use crate::error::{Error, Result};
use crate::run::Settings;
use crate::sweep::journal::{Record, Status};
use crate::sweep::plan::Sampler;
use crate::sweep::space::Point;
use crate::sweep::{report, tpe};

impl Study<'_> {
    /// The next trial, once there is memory for it; `None` if none is left or none may begin.
    pub(super) fn next(&self) -> Result<Option<Trial>> {
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
                // Also checks now and then whether to stop.
                let waited = self.ended.wait_timeout(state, Duration::from_millis(100));
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
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
    /// highest rung with at least `enough` trials, followed by the trials that did not reach it, and then by those that
    /// failed.
    fn ranked<'r>(&self, records: impl Iterator<Item = &'r Record>, enough: usize) -> Vec<&'r Record> {
        // The end of training is the highest rung.
        let end = |record: &Record| (record.status == Status::Finished).then_some((u64::MAX, record.metric?));
        let rungs = |record: &'r Record| record.rungs.iter().map(|(&rung, &value)| (rung, value)).chain(end(record));
        let records: Vec<&Record> = records.collect();
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        records.iter().flat_map(|record| rungs(record)).for_each(|(rung, _)| *counts.entry(rung).or_default() += 1);
        let level = counts.iter().rev().find(|(_, count)| **count >= enough.max(2)).map_or(u64::MAX, |(rung, _)| *rung);
        // The highest rung of each, but not beyond that rung.
        let place = |record: &'r Record| rungs(record).rfind(|(rung, _)| *rung <= level);
        let mut placed: Vec<_> = records.into_iter().map(|record| (place(record), record)).collect();
        placed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some((a, x)), Some((b, y))) => b.cmp(a).then_with(|| report::best_first(&*self.plan.metric, *x, *y)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        placed.into_iter().map(|(_, record)| record).collect()
    }
}
