//! Runs side by side: the settings that differ, and how much better one is than another.
//!
//! Runs that differ only in `seed` and `data.split.fold` are one group. Groups are compared on the pairs of their runs
//! with the same seed and fold, so that the difficulty of a fold or split, shared by all, cancels. The interval is a
//! percentile bootstrap over the pairs (Efron & Tibshirani 1993, chapter 13): 95 % of the means of pairs drawn with
//! replacement. Few pairs make it too narrow, and folds that share training ratings are not quite independent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::RngExt;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use toml::Value;

use super::directory::RunDirectory;
use super::summary::Summary;
use crate::config::{Config, Effect, Schema};
use crate::error::{Error, Result};
use crate::metric::{Metric, ObjectiveLoss, Scores};
use crate::random;

/// Effects of the keys that distinguish groups of runs.
const OF_GROUP: [Effect; 4] = [Effect::Refit, Effect::Data, Effect::Input, Effect::Result];
/// Resamples of the bootstrap.
const RESAMPLES: usize = 10_000;

/// The ratings that a run is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HeldOutPart {
    /// The test part.
    Test,
    /// The validation part.
    Validation,
}

/// One finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its directory.
    pub path: PathBuf,
    /// Its config.
    config: Config,
    /// Its result.
    pub summary: Summary,
}

impl Run {
    /// Reads a run directory.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not a run directory or not finished, and those of its files.
    pub fn read(schema: &Arc<Schema>, path: &Path) -> Result<Self> {
        let directory = RunDirectory::open(path)?;
        let summary = Summary::read(&directory.finished(directory.summary())?)?;
        let config = Config::load(schema, &directory.config(), &[])?;
        Ok(Self { path: path.to_path_buf(), config, summary })
    }

    fn scores(&self, part: HeldOutPart) -> Option<&Scores> {
        match part {
            HeldOutPart::Test => self.summary.test.as_ref(),
            HeldOutPart::Validation => self.summary.validation.as_ref(),
        }
    }

    /// What distinguishes it from the other runs of its group: seed and fold.
    fn pairing(&self) -> Vec<(&str, &Value)> {
        self.config.values_with(&[Effect::Pairing]).collect()
    }

    /// Everything else that affects its result.
    fn group(&self) -> BTreeMap<&str, &Value> {
        self.config.values_with(&OF_GROUP).collect()
    }
}

/// Runs that differ only in seed and fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// `A`, `B`, …
    pub name: String,
    /// Their directories.
    pub runs: Vec<PathBuf>,
    /// Name and mean over the runs of each metric that is compared.
    pub means: Vec<(String, f64)>,
    /// Sample standard deviation of the first metric; none for a single run.
    pub deviation: Option<f64>,
    /// Epoch that was kept.
    pub best_epoch: f64,
    /// Seconds of training.
    pub seconds: f64,
}

/// `{"name": …, "runs": …, "<first metric>": …, "<first metric>_deviation": …, "<metric>": …, "best_epoch": …, …}`.
impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("runs", &self.runs)?;
        for (at, (metric, mean)) in self.means.iter().enumerate() {
            map.serialize_entry(metric, mean)?;
            if at == 0 {
                map.serialize_entry(&format!("{metric}_deviation"), &self.deviation)?;
            }
        }
        map.serialize_entry("best_epoch", &self.best_epoch)?;
        map.serialize_entry("seconds", &self.seconds)?;
        map.end()
    }
}

/// A setting that is not the same in all groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The config key.
    pub key: String,
    /// Its value in each group, in TOML; none if it does not apply.
    pub values: Vec<Option<String>>,
}

/// How a group compares with the first one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paired {
    /// The other group.
    pub group: String,
    /// Name of the metric.
    pub metric: String,
    /// Pairs with the same seed and fold.
    pub pairs: usize,
    /// Mean of (other − first); for an error, the other is better below 0.
    pub difference: f64,
    /// Bounds of the 95 % interval of that mean; none for a single pair.
    pub interval: Option<(f64, f64)>,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The part that the metrics are computed on.
    pub part: HeldOutPart,
    /// In the order given.
    pub groups: Vec<Group>,
    /// In the order of the config's keys.
    pub differences: Vec<Difference>,
    /// Each group but the first, compared with the first.
    pub paired: Vec<Paired>,
    /// Reasons to doubt the comparison.
    pub doubts: Vec<String>,
}

/// Compares runs on their test part, or on the validation part if not all of them have a test part, by each metric that
/// all of them have. The training objective is not among them: it may differ between runs.
///
/// # Errors
/// [`Error::Usage`] if a run is given twice or has neither part, or if there is no such metric.
pub fn compare(runs: &[Run]) -> Result<Comparison> {
    for (at, run) in runs.iter().enumerate() {
        let same = |other: &&Run| std::fs::canonicalize(&other.path).ok() == std::fs::canonicalize(&run.path).ok();
        if runs[..at].iter().any(|other| same(&other)) {
            return Err(Error::Usage(format!("{}: is given twice", run.path.display())));
        }
    }
    let has = |part: HeldOutPart| runs.iter().all(|run| run.scores(part).is_some());
    let part = if has(HeldOutPart::Test) { HeldOutPart::Test } else { HeldOutPart::Validation };
    if let Some(run) = runs.iter().find(|run| run.scores(part).is_none()) {
        let message = "has no test part, and not all runs have a validation part; there is nothing to compare by";
        return Err(Error::Usage(format!("{}: {message}", run.path.display())));
    }
    let score = |run: &Run, metric: &str| run.scores(part).and_then(|scores| scores.get(metric));
    let names = runs[0].scores(part).into_iter().flat_map(|scores| &scores.values);
    let is_compared = |name: &&str| *name != ObjectiveLoss.name() && runs.iter().all(|run| score(run, name).is_some());
    let metrics: Vec<&str> = names.map(|(name, _)| name.as_str()).filter(is_compared).collect();
    if metrics.is_empty() {
        return Err(Error::Usage(
            "there is no metric that all of these runs have; name them in evaluation.metrics".into(),
        ));
    }
    let score = |run: &Run, metric: &str| score(run, metric).expect("checked above");
    let mut groups: Vec<Vec<&Run>> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|group| group[0].group() == run.group()) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let name = |at: usize| -> String {
        let letter = char::from(b'A' + (at % 26) as u8);
        if at < 26 { letter.to_string() } else { format!("{letter}{}", at / 26) }
    };
    let summarized = groups.iter().enumerate().map(|(at, group)| {
        let values = |value: &dyn Fn(&Run) -> f64| group.iter().map(|run| value(run)).collect::<Vec<_>>();
        let of_metric = |metric: &str| values(&|run| score(run, metric));
        Group {
            name: name(at),
            runs: group.iter().map(|run| run.path.clone()).collect(),
            means: metrics.iter().map(|metric| (metric.to_string(), mean(&of_metric(metric)))).collect(),
            deviation: deviation(&of_metric(metrics[0])),
            best_epoch: mean(&values(&|run| run.summary.best_epoch as f64)),
            seconds: mean(&values(&|run| run.summary.seconds_training)),
        }
    });
    let of_groups: Vec<BTreeMap<&str, &Value>> = groups.iter().map(|group| group[0].group()).collect();
    let mut keys: Vec<&str> = of_groups.iter().flat_map(|values| values.keys().copied()).collect();
    let schema = runs[0].config.schema();
    // In the order of the schema.
    keys.sort_by_key(|key| (schema.place(key), *key));
    keys.dedup();
    keys.retain(|key| of_groups.iter().any(|values| values.get(key) != of_groups[0].get(key)));
    let text = |key: &str| of_groups.iter().map(|values| values.get(key).map(ToString::to_string)).collect();
    let differences: Vec<Difference> =
        keys.iter().map(|key| Difference { key: key.to_string(), values: text(key) }).collect();
    let mut doubts = Vec::new();
    let is_of_data = |key: &&str| schema.find(key).is_some_and(|key| key.effect == Effect::Data);
    if keys.iter().any(is_of_data) {
        doubts.push("these runs had different data or splits, so their metrics may not be comparable".into());
    }
    for (at, group) in groups.iter().enumerate() {
        let is_repeated = |run: &&&Run| group.iter().filter(|other| other.pairing() == run.pairing()).count() > 1;
        if group.iter().any(|run| is_repeated(&run)) {
            doubts.push(format!("{} has several runs with the same seed and fold; pairs take the first", name(at)));
        }
    }
    let mut paired = Vec::new();
    for (at, group) in groups.iter().enumerate().skip(1) {
        let partner = |run: &&Run| groups[0].iter().find(|first| first.pairing() == run.pairing()).copied();
        let mut seen = Vec::new();
        let mut pairs: Vec<(&Run, &Run)> = Vec::new();
        for run in group {
            if let Some(first) = partner(run).filter(|_| !seen.contains(&run.pairing())) {
                seen.push(run.pairing());
                pairs.push((first, run));
            }
        }
        if pairs.is_empty() {
            doubts.push(format!("A and {} share no seed and fold, so there are no pairs", name(at)));
            continue;
        }
        for metric in &metrics {
            let differences: Vec<f64> =
                pairs.iter().map(|(first, other)| score(other, metric) - score(first, metric)).collect();
            paired.push(Paired {
                group: name(at),
                metric: metric.to_string(),
                pairs: differences.len(),
                difference: mean(&differences),
                interval: interval(&differences),
            });
        }
    }
    Ok(Comparison { part, groups: summarized.collect(), differences, paired, doubts })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The percentile bootstrap interval of a mean; the same each time.
fn interval(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let mut random = random::stream(0, "compare/bootstrap");
    let mut resample = || {
        let draws = (0..values.len()).map(|_| values[random.random_range(0..values.len() as u64) as usize]);
        draws.sum::<f64>() / values.len() as f64
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
    Some((at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_large_sample_is_that_of_the_normal_distribution() {
        // Evenly spread over 0 to 1: mean 0.5, standard deviation 1/√12.
        let values: Vec<f64> = (0..400).map(|i| (f64::from(i) + 0.5) / 400.0).collect();
        let (low, high) = interval(&values).expect("an interval");
        let half = 1.96 / 12f64.sqrt() / 20.0;
        assert!((low - (0.5 - half)).abs() < 0.15 * half && (high - (0.5 + half)).abs() < 0.15 * half, "{low} {high}");
        assert_eq!(interval(&values), Some((low, high)), "the same each time");
    }

    #[test]
    fn of_few_values_the_interval_stays_within_them() {
        assert_eq!(interval(&[0.25, 0.25, 0.25]), Some((0.25, 0.25)));
        assert_eq!(interval(&[0.0, 1.0]), Some((0.0, 1.0)));
        assert_eq!(interval(&[0.5]), None);
        assert_eq!(deviation(&[1.0, 3.0]), Some(2f64.sqrt()));
        assert_eq!(deviation(&[1.0]), None);
    }
}
