//! A key that a config leaves to the validation part: training with each of its values, without files, and the best one.

use super::directory::RunDirectory;
use super::parts::Parts;
use super::settings::Settings;
use super::train_options::{Resume, TrainOptions};
use super::trial::TrialData;
use crate::config::Config;
use crate::error::Result;
use crate::tables;
use crate::train::{Best, EpochReport, Observer};

/// The settings with the value of the key that they leave open, if they do; a run that goes on keeps its value.
///
/// # Errors
/// Those of the data and of training.
pub(super) fn chosen(settings: &Settings, parts: &Parts, options: &mut TrainOptions) -> Result<Option<Settings>> {
    let Some((key, names)) = settings.solver.left_open(settings.values()) else { return Ok(None) };
    let with = |name: &str| Settings::of(&settings.config.with(key, name), parts);
    let begun = match &options.resume {
        Resume::New => None,
        Resume::Newest => Some(RunDirectory::newest(&settings.dir, &settings.name, options.note)?),
        Resume::Run(path) => Some(RunDirectory::open(path)?),
    };
    if let Some(directory) = begun {
        let config = Config::load(settings.config.schema(), &directory.config(), &[])?;
        return with(&config.values().get::<String>(key)).map(Some);
    }
    let data = TrialData::load(settings)?;
    let device = settings.device.open()?;
    let mut best: Option<(&str, Best)> = None;
    let mut tried = Vec::new();
    for &name in names {
        let own = with(name)?;
        let found = data.train(&own, &device, options.stop, &mut Silent)?.best;
        let Some(found) = found else { continue };
        let stopping = &own.training.early_stopping;
        let value = found.scores.get(stopping.metric.name()).unwrap_or(f64::NAN);
        tried.push(format!("{name} {}", tables::number(value)));
        if stopping.is_better(&found.scores, best.as_ref().map(|(_, best)| best)) {
            best = Some((name, found));
        }
    }
    let name = best.map_or(names[0], |(name, _)| name);
    let metric = settings.training.early_stopping.metric.label();
    (options.note)(&format!("{key} = \"{name}\", by {metric} on the validation part: {}", tried.join(", ")));
    with(name).map(Some)
}

/// Tells nobody.
struct Silent;

impl Observer for Silent {
    fn epoch(&mut self, _: &EpochReport) -> Result<()> {
        Ok(())
    }
}
