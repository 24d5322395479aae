//! The space file: a base config, what is searched, and how. Read with positions, and checked before the first trial.

mod assemble;
mod checks;
mod parser;
mod ranges;
mod requirement;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use toml::Value;

use self::parser::{Parser, Written};
use self::requirement::requirement;
pub use self::settings::{Pruning, Sampler, SweepSettings, space_file};
use super::space::{Point, Requirement, Space};
use crate::config::{Config, Effect, Override, Reader, Schema, Values, in_toml, with_absolute_paths};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::run::Parts;
use crate::{files, random};

/// A checked space file.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How to search.
    pub settings: SweepSettings,
    /// What is searched.
    pub space: Space,
    /// The metric that compares trials.
    pub metric: Arc<dyn Metric>,
    /// Config keys of each training of a trial; a trial's metric is the mean. At least one training, possibly without
    /// keys.
    pub repeats: Vec<Vec<(String, Value)>>,
    /// The parts that configs can name.
    pub parts: Parts,
    /// Of the space file.
    own: Arc<Schema>,
    /// The values of the space file itself, to compare with those of another sweep.
    values: Values,
    base: Config,
    base_text: String,
    base_path: PathBuf,
    /// Of `[set]`, with the requirement for each to apply.
    fixed: Vec<(Override, Requirement)>,
}

/// Sections that are not in [`space_file`].
const SECTIONS: [&str; 3] = ["repeat", "set", "space"];
/// Combinations checked before the first trial.
const PROBES: usize = 300;

impl Plan {
    /// Reads a space file for configs of `parts`. Each of `overrides` is `key=VALUE` of the space file; `set.KEY=VALUE`
    /// sets a key of the base config.
    ///
    /// # Errors
    /// [`Error::Io`] if the file or the base config cannot be read, [`Error::Config`] with all problems.
    pub fn load(parts: &Parts, path: &Path, overrides: &[String]) -> Result<Self> {
        Self::parse(parts, &files::read_text(path)?, path, overrides)
    }

    /// [`load`](Self::load) of a `text` in memory.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn parse(parts: &Parts, text: &str, path: &Path, overrides: &[String]) -> Result<Self> {
        let (schema, own_schema) = (&parts.schema(), space_file(&parts.metrics));
        let of_line = |text: &String| Override::of_command_line(text);
        let (of_base, own): (Vec<_>, Vec<_>) = overrides.iter().partition(|text| text.trim_start().starts_with("set."));
        let own: Vec<_> = own.into_iter().map(of_line).collect();
        let mut reader = Reader::new(&own_schema);
        let sections = reader.read_file(text, &SECTIONS);
        own.iter().enumerate().for_each(|(position, setting)| reader.read_override(position, &setting.text));
        let Some(sections) = sections else { return Err(reader.into_error(path, &own)) };
        let values = reader.resolve(path);
        let mut parser = Parser {
            text,
            path,
            schema,
            metrics: &parts.metrics,
            own_schema: &own_schema,
            own: reader,
            config: Reader::new(schema),
        };
        let mut fixed = parser.fixed(sections.get("set"));
        fixed.extend(
            of_base
                .into_iter()
                .map(|text| Override { text: text.trim_start().trim_start_matches("set.").into(), ..of_line(text) }),
        );
        let repeat = parser.repeat(sections.get("repeat"));
        let written = parser.space(sections.get("space"));
        let settings = SweepSettings::of(&values);
        let base = match parser.base(&settings, &fixed) {
            Ok(base) => base,
            Err(Error::Config(of_base)) => {
                parser.check_keys(&written, &repeat, &fixed, settings.metric.as_deref());
                let mut problems = parser.problems(&own);
                problems.extend(of_base);
                return Err(Error::Config(problems));
            }
            Err(error) => return Err(error),
        };
        let name = settings.metric.clone().unwrap_or_else(|| base.config.values().get("train.early_stopping.metric"));
        parser.check_keys(&written, &repeat, &fixed, Some(&name));
        parser.check_validation(&base.config);
        let space = parser.assemble(written, &base.config);
        let problems = parser.problems(&own);
        if !problems.is_empty() {
            return Err(Error::Config(problems));
        }
        let choices = |path: &str| space.choices(path);
        let fixed = fixed.into_iter().map(|setting| {
            let rule =
                schema.find(setting.key()).map_or(Requirement::ALWAYS, |key| requirement(&key, &choices, &base.config));
            (setting, rule)
        });
        let fixed = fixed.collect();
        let missing = || Error::Usage(format!("there is no metric {name:?}"));
        let plan = Self {
            settings,
            metric: parts.metrics.find(&name).ok_or_else(missing)?,
            parts: parts.clone(),
            own: own_schema,
            repeats: product(&repeat),
            values,
            fixed,
            base: base.config,
            base_text: base.text,
            base_path: base.path,
            space,
        };
        plan.probe(path)?;
        Ok(plan)
    }

    /// The base config with `[set]`.
    pub fn base(&self) -> &Config {
        &self.base
    }

    /// The base config as it was read, with paths that are the same from anywhere.
    pub fn base_text(&self) -> String {
        let folder = self.base_path.parent().unwrap_or(Path::new(""));
        with_absolute_paths(self.base.schema(), &self.base_text, folder)
    }

    /// The space file with all defaults filled in and `--set` applied, for a base config at `base`.
    pub fn to_toml(&self, base: &str) -> String {
        let mut values = self.values.clone();
        values.insert("base", base);
        let mut text = format!("# Written by lowrank sweep.\n{}", self.own.to_toml(&values));
        let quoted = |key: &str| format!("\"{key}\"");
        text += "\n[set]\n";
        let set: BTreeMap<_, _> =
            self.fixed.iter().filter_map(|(set, _)| Some((set.key(), self.base.values().value(set.key())?))).collect();
        text.extend(set.iter().map(|(key, value)| format!("{} = {}\n", quoted(key), in_toml(value))));
        text += "\n[repeat]\n";
        let keys = self.repeats[0].iter().map(|(key, _)| key);
        for (at, key) in keys.enumerate() {
            let mut values: Vec<Value> = Vec::new();
            for (_, value) in self.repeats.iter().map(|repeat| &repeat[at]) {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            text += &format!("{} = {}\n", quoted(key), Value::Array(values));
        }
        text += "\n[space]\n";
        for key in self.space.keys() {
            let alternatives = self.space.dimensions.iter().filter(|dimension| dimension.key == key).map(|dimension| {
                let when: Vec<_> = dimension
                    .when
                    .iter()
                    .map(|c| format!("{} = {}", quoted(&c.key), Value::Array(c.values.clone())))
                    .collect();
                let when = if when.is_empty() { String::new() } else { format!(", when = {{ {} }}", when.join(", ")) };
                format!("{{ {}{when} }}", dimension.domain)
            });
            text += &match &alternatives.collect::<Vec<_>>()[..] {
                [one] => format!("{} = {one}\n", quoted(key)),
                several => format!("{} = [{}]\n", quoted(key), several.join(", ")),
            };
        }
        text.extend(
            self.space.ties.iter().map(|(key, source)| format!("{} = {{ same_as = {source:?} }}\n", quoted(key))),
        );
        text
    }

    /// The config of one training of a trial; `more` takes precedence.
    ///
    /// # Errors
    /// [`Error::Config`] if these values are incompatible.
    pub fn config(&self, point: &Point, repeat: usize, more: &[(&str, Value)]) -> Result<Config> {
        let mut overrides: Vec<Override> = self
            .fixed
            .iter()
            .filter(|(_, rule)| self.space.holds(rule, point))
            .map(|(setting, _)| setting.clone())
            .collect();
        let metric = [("train.early_stopping.metric".to_string(), Value::from(self.metric.name()))];
        let sampled = self.space.settings(point);
        let settings = metric.iter().chain(&self.repeats[repeat]).chain(&sampled);
        let settings =
            settings.map(|(key, value)| (key.as_str(), value)).chain(more.iter().map(|(key, value)| (*key, value)));
        overrides.extend(settings.map(|(key, value)| Override {
            text: format!("{key}={}", in_toml(value)),
            place: format!("{key} = {}", in_toml(value)),
        }));
        Config::parse_with(self.base.schema(), &self.base_text, &self.base_path, &overrides)
    }

    /// The first points that the sampler tries, without those that depend on earlier trials.
    pub fn first_points(&self, most: usize) -> Vec<Point> {
        match self.settings.sampler {
            Sampler::Grid { points } => self.space.grid(points, most.min(self.settings.trials)),
            Sampler::Random => (1..=most.min(self.settings.trials)).map(|trial| self.random_point(trial)).collect(),
            Sampler::Tpe { startup, .. } => {
                (1..=most.min(self.settings.trials).min(startup.max(1))).map(|trial| self.random_point(trial)).collect()
            }
        }
    }

    /// The point of trial number `trial`, drawn independently of all others.
    pub fn random_point(&self, trial: usize) -> Point {
        self.space.draw(&mut self.stream(trial))
    }

    /// The random numbers of trial number `trial`.
    pub fn stream(&self, trial: usize) -> ChaCha8Rng {
        random::stream(self.settings.seed, &format!("sweep/trial/{trial}"))
    }

    /// Rejects combinations that cannot be trained, checking all if there are few, otherwise some at random.
    fn probe(&self, path: &Path) -> Result<()> {
        let mut points = self.space.grid(1, PROBES + 1);
        if points.len() > PROBES {
            points.clear();
        }
        let mut random = random::stream(self.settings.seed, "sweep/probe");
        points.extend((0..PROBES / 3).map(|_| self.space.draw(&mut random)));
        let mut problems: Vec<String> = Vec::new();
        let mut known: Vec<String> = Vec::new();
        for (point, repeat) in
            points.iter().map(|point| (point, 0)).chain((1..self.repeats.len()).map(|at| (&points[0], at)))
        {
            let Err(error) = self.config(point, repeat, &[]) else { continue };
            let message = error.to_string();
            // Many combinations break the same rule, with other numbers in the message.
            let rule: String = message.chars().filter(|c| !c.is_ascii_digit()).collect();
            if !known.contains(&rule) {
                known.push(rule);
                let choices: Vec<_> = (self.space.dimensions.iter().zip(point))
                    .filter(|(dimension, value)| dimension.domain.choices().is_some() && value.is_some())
                    .map(|(dimension, value)| format!("{} = {}", dimension.key, in_toml(value.as_ref().expect("some"))))
                    .collect();
                let what =
                    if choices.is_empty() { "a trial".into() } else { format!("a trial with {}", choices.join(", ")) };
                problems.push(format!("{}: {what} is not possible: {message}", path.display()));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Config(problems)) }
    }

    /// Everything that determines the trials: by name, as text.
    pub fn identity(&self) -> BTreeMap<String, String> {
        let schema = &self.own;
        let decides = |key: &str| schema.find(key).is_some_and(|key| key.effect == Effect::Result);
        let own = self.values.iter().filter(|(key, _)| decides(key));
        let mut identity: BTreeMap<String, String> =
            own.map(|(key, value)| (key.to_string(), in_toml(value))).collect();
        identity.insert("metric".into(), self.metric.name().into());
        let base = self.base.deciding(&[Effect::Pairing, Effect::Data, Effect::Input, Effect::Result]);
        identity.extend(base.map(|(key, value)| (format!("base {key}"), in_toml(value))));
        for dimension in &self.space.dimensions {
            let when: Vec<_> = dimension.when.iter().map(|c| format!("{}: {:?}", c.key, c.values)).collect();
            let text = identity.entry(format!("space {}", dimension.key)).or_default();
            *text += &format!("{} when {when:?};", dimension.domain);
        }
        identity.extend(self.space.ties.iter().map(|(key, source)| (format!("space {key}"), source.to_string())));
        identity.insert("repeat".into(), format!("{:?}", self.repeats));
        identity
    }
}

/// Every combination of the repeated keys' values.
fn product(repeat: &[Written<Vec<Value>>]) -> Vec<Vec<(String, Value)>> {
    repeat.iter().fold(vec![Vec::new()], |combinations, written| {
        let extend = |combination: &Vec<_>| {
            let with = |value: &Value| {
                combination.iter().cloned().chain([(written.key.path.clone(), value.clone())]).collect()
            };
            written.what.iter().map(with).collect::<Vec<Vec<_>>>()
        };
        combinations.iter().flat_map(extend).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str =
        "data.dataset = 'synthetic'\nmodel.kind = 'biased-mf'\nsolver.momentum = 0.5\nsolver.kind = 'sgd'\n";

    /// A plan with [`BASE`] as its base config.
    fn parse(text: &str, overrides: &[&str]) -> Result<Plan> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("base.toml"), BASE).expect("written");
        let overrides: Vec<_> = overrides.iter().map(|text| text.to_string()).collect();
        Plan::parse(&Parts::built_in(), text, &folder.path().join("s.toml"), &overrides).map_err(|error| match error {
            Error::Config(problems) => {
                let prefix = format!("{}/", folder.path().display());
                Error::Config(problems.into_iter().map(|problem| problem.replace(&prefix, "")).collect())
            }
            error => error,
        })
    }

    #[track_caller]
    fn good(text: &str, overrides: &[&str]) -> Plan {
        parse(text, overrides).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[track_caller]
    fn problems(text: &str, overrides: &[&str]) -> Vec<String> {
        match parse(text, overrides) {
            Err(Error::Config(problems)) => problems,
            other => panic!("expected problems, got {other:?}"),
        }
    }

    const GOOD: &str = "\
base = 'base.toml'
trials = 7
sampler = { kind = 'random' }
[set]
train.epochs = 3
[repeat]
seed = [1, 2]
data.split.kind = ['random', 'user-stratified']
[space]
model.rank = { int = [4, 64], log = true }
'solver.kind' = { choice = ['sgd', 'adam'] }
solver.momentum = { uniform = [0, 0.9] }
solver.beta2 = { uniform = [0.9, 0.999] }
solver.learning_rate = [
    { log_uniform = [1e-4, 1e-2], when = { solver.kind = 'adam' } },
    { log_uniform = [1e-2, 1], when = { 'solver.kind' = ['sgd'] } },
]
solver.regularization = { user_factors = { log_uniform = [1e-3, 1] }, item_factors = { same_as = 'solver.regularization.user_factors' } }
";

    #[test]
    fn a_good_file_makes_configs_of_every_key() {
        let plan = good(GOOD, &["trials=9", "set.train.refit=true"]);
        assert_eq!((plan.settings.trials, plan.settings.name.as_str()), (9, "s"));
        assert_eq!((plan.settings.sampler, plan.metric.name()), (Sampler::Random, "rmse"));
        assert_eq!(plan.repeats.len(), 4);
        for trial in 1..=20 {
            let point = plan.random_point(trial);
            let config = plan.config(&point, 3, &[]).expect("valid");
            let values = config.values();
            assert!(values.get::<u64>("seed") == 2 && values.is("data.split.kind", "user-stratified"));
            assert_eq!((values.get::<u64>("train.epochs"), values.get::<bool>("train.refit")), (3, true));
            let penalties =
                ["user", "item"].map(|of| values.get::<f64>(&format!("solver.regularization.{of}_factors")));
            assert_eq!(penalties[0], penalties[1]);
            let is_sgd = values.is("solver.kind", "sgd");
            assert_eq!((values.contains("solver.momentum"), values.contains("solver.beta2")), (is_sgd, !is_sgd));
            assert_eq!(values.get::<f64>("solver.learning_rate") >= 1e-2, is_sgd);
            let searched: BTreeMap<_, _> = plan.space.settings(&point).into_iter().collect();
            let expected = values.iter().filter(|(key, _)| plan.space.keys().contains(key));
            assert!(expected.into_iter().all(|(key, value)| searched[key] == *value), "{searched:?}");
        }
    }

    #[test]
    fn keys_follow_the_schemas_conditions_through_choices_and_defaults() {
        let text = "base = 'base.toml'\n[space]\nsolver.kind = { choice = ['sgd', 'adam', 'stratified'] }\n\
                    solver.batch_size = { int = [16, 64] }\nsolver.beta2 = { uniform = [0.9, 0.99] }\n\
                    solver.initial_accumulator = { uniform = [0, 2] }\n";
        let searched = |plan: &Plan, kind: &str| {
            let points = (1..60).map(|trial| plan.random_point(trial));
            let point = points.into_iter().find(|point| point[0] == Some(kind.into())).expect("every kind is drawn");
            plan.config(&point, 0, &[]).expect("valid");
            plan.space.settings(&point).into_iter().map(|(key, _)| key).skip(1).collect::<Vec<_>>()
        };
        let plan = good(text, &[]);
        assert_eq!(searched(&plan, "sgd"), ["solver.batch_size"]);
        assert_eq!(searched(&plan, "adam"), ["solver.batch_size", "solver.beta2"]);
        // Its rule is not searched, and is adagrad by default.
        assert_eq!(searched(&plan, "stratified"), ["solver.initial_accumulator"]);
        let plan = good(&format!("{text}solver.rule = {{ choice = ['adam', 'adagrad'] }}\n"), &[]);
        let of_rule = searched(&plan, "stratified");
        let either = [["solver.rule", "solver.beta2"], ["solver.rule", "solver.initial_accumulator"]];
        assert!(either.iter().any(|keys| of_rule == *keys), "{of_rule:?}");
        assert_eq!(searched(&plan, "sgd"), ["solver.batch_size"]);
    }

    #[test]
    fn a_set_key_that_a_choice_makes_meaningless_is_left_out() {
        let text =
            "base = 'base.toml'\n[set]\nsolver.momentum = 0.7\n[space]\nsolver.kind = { choice = ['sgd', 'adam'] }";
        let plan = good(text, &[]);
        let momentum = |kind: &str| {
            let config = plan.config(&vec![Some(kind.into())], 0, &[]).expect("valid");
            config.values().find::<f64>("solver.momentum")
        };
        assert_eq!((momentum("sgd"), momentum("adam")), (Some(0.7), None));
    }

    #[test]
    fn a_written_plan_is_the_same_plan() {
        for (text, overrides) in [
            (GOOD, &[][..]),
            (GOOD, &["sampler.kind=grid", "set.train.epochs=9", "pruning.kind=none", "metric=mae", "max_minutes=3"]),
            (
                "base = 'base.toml'\n[space]\nmodel = { kind = { choice = ['mlp', 'mf'] }, layers = { choice = [[8], [8, 4]] } }",
                &[],
            ),
        ] {
            let plan = good(text, overrides);
            let written = plan.to_toml("base.toml");
            let again = good(&written, &[]);
            // Each lies in a folder of its own.
            let settings = |plan: &Plan| SweepSettings { base: None, ..plan.settings.clone() };
            assert_eq!((again.identity(), settings(&again)), (plan.identity(), settings(&plan)));
            assert_eq!(again.to_toml("base.toml"), written);
            assert_eq!(
                (1..9).map(|trial| again.random_point(trial)).collect::<Vec<_>>(),
                (1..9).map(|trial| plan.random_point(trial)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_decides_trials_is_part_of_their_identity_and_the_rest_is_not() {
        let plan = good(GOOD, &[]);
        for free in
            ["trials=99", "parallel=4", "max_minutes=1", "max_memory=2", "refit=false", "set.train.threads=1", "name=x"]
        {
            assert_eq!(good(GOOD, &[free]).identity(), plan.identity(), "{free}");
        }
        for decisive in [
            "seed=3",
            "metric=mae",
            "sampler.kind=tpe",
            "pruning.min_epochs=2",
            "set.model.init_std=1",
            "set.solver.beta1=0.5",
        ] {
            let overrides: &[&str] =
                if decisive.contains("beta1") { &[decisive, "set.solver.kind=adam"] } else { &[decisive] };
            let text = if decisive.contains("beta1") {
                "base = 'base.toml'\n[space]\nmodel.rank = { int = [1, 2] }"
            } else {
                GOOD
            };
            assert_ne!(good(text, overrides).identity(), good(text, &[]).identity(), "{decisive}");
        }
        let other = GOOD.replace("[4, 64]", "[4, 65]");
        assert_ne!(good(&other, &[]).identity(), plan.identity());
    }

    #[test]
    fn all_problems_come_at_once_with_their_places() {
        let text = "\
base = 'base.toml'
trails = 7
seed = -1
sampler = { kind = 'random', startup = 3 }
[set]
train.epochs = 'ten'
solver.momentum = 0.5
[repeat]
model.rank = [1, 2]
seed = 3
[space]
model.rnk = { int = [4, 64] }
model.rank = { int = [0, 64] }
model.init_std = { uniform = [0.1, 0.01] }
solver.learning_rate = { log_uniform = [-1, 1] }
solver.batch_size = { uniform = [1, 2] }
solver.beta1 = { uniform = [0.1, 0.9] }
solver.momentum = { uniform = [0, 0.9] }
solver.clip_norm = 3
solver.clip_value = { log_unifrm = [1, 2] }
solver.schedule.warmup = { log_uniform = [0, 2] }
solver.schedule.kind = { choice = ['constant', 'cosin'] }
solver.schedule.final = { uniform = [0, 1], log = true }
solver.rows = { choice = ['all', 'all'] }
solver.regularization = { user_factors = { int = [0, 1] }, item_factors = { same_as = 'user_factors' } }
train.epochs = { int = [1, 10], step = 0 }
train.threads = { int = [1, 2] }
seed = { int = [1, 9] }
data.split.validation = { uniform = [0.1, 0.2] }
";
        let found = problems(text, &["parallel=0", "set.solver.lr=1"]).join("\n");
        for expected in [
            "s.toml:2:1: unknown key \"trails\"; did you mean \"trials\"?",
            "s.toml:3:8: seed must be at least 0, but is -1",
            "s.toml:4:30: sampler.startup applies only with sampler.kind = \"tpe\", but it is \"random\"",
            "s.toml:6:16: train.epochs must be an integer, but is a string (\"ten\")",
            "s.toml:9:7: model.rank is not repeated: only seed and keys of [data] are",
            "s.toml:10:8: seed must be a list of values",
            "s.toml:12:7: unknown key \"rnk\" in [model]; did you mean \"rank\"?",
            "s.toml:13:23: model.rank must be from 1 to 4096, but is 0",
            "s.toml:14:30: model.init_std: uniform must be [low, high] with low below high",
            "s.toml:15:41: solver.learning_rate must be above 0 and at most 1000, but is -1",
            "s.toml:16:33: solver.batch_size must be an integer at least 0, so uniform does not fit; use { int =",
            "s.toml:19:20: solver.clip_norm must have a range, as in { log_uniform = [1e-4, 1e-2] }; a fixed value",
            "s.toml:20:23: unknown word \"log_unifrm\" for solver.clip_value; did you mean \"log_uniform\"?",
            "s.toml:21:42: solver.schedule.warmup: log_uniform needs ends above 0, but is from 0",
            "s.toml:22:48: solver.schedule.kind must be one of \"constant\", \"step\", \"exponential\" or \"cosine\", but is \"cosin\"",
            "s.toml:23:45: solver.schedule.final: log applies only with int",
            "s.toml:24:34: solver.rows: \"all\" is repeated",
            "s.toml:25:50: solver.regularization.user_factors must be a number at least 0, so int does not fit",
            "s.toml:26:40: train.epochs: step must be at least 1",
            "s.toml:18:8: solver.momentum is searched and set to a value; remove one",
            "s.toml:27:7: train.threads cannot be searched",
            "s.toml:28:1: seed cannot be searched",
            "s.toml:29:12: data.split.validation cannot be searched",
            "--set parallel=0: parallel must be from 1 to 4096, but is 0",
            "--set set.solver.lr=1: unknown key \"lr\" in [solver]",
        ] {
            assert!(found.contains(expected), "no {expected:?} in\n{found}");
        }
        assert_eq!(found.lines().count(), 25, "{found}");
    }

    #[test]
    fn what_cannot_be_searched_is_refused_with_the_reason() {
        for (space, expected) in [
            ("seed = { int = [1, 9] }", "s.toml:3:1: seed cannot be searched: the best seed is luck"),
            (
                "data.split.validation = { uniform = [0.1, 0.2] }",
                "data.split.validation cannot be searched: trials are compared on",
            ),
            ("train.threads = { int = [1, 2] }", "train.threads cannot be searched: it does not affect how good"),
            ("report.every = { int = [1, 2] }", "report.every cannot be searched: it does not affect how good"),
            ("train.early_stopping.metric = { choice = ['mae'] }", "trials are compared by it; set metric"),
            (
                "solver.beta1 = { uniform = [0.1, 0.9] }",
                "s.toml:3:8: solver.beta1 applies only with solver.kind = \"adam\" or \"adamw\" or solver.rule = \"adam\", which neither",
            ),
            (
                "solver.kind = { choice = ['sgd'] }\nsolver.beta1 = { uniform = [0.1, 0.9] }",
                "s.toml:4:8: solver.beta1 applies only with",
            ),
            ("model.rank = { int = [1, 9], when = { solver.kind = 'sgd' } }", "when: solver.kind is not searched"),
            (
                "model.rank = { int = [1, 9] }\nmodel.init_std = { uniform = [0, 1], when = { model.rank = 3 } }",
                "model.rank is searched, but not by choice",
            ),
            (
                "model.kind = { choice = ['mf', 'nmf'] }\nmodel.rank = { int = [1, 9], when = { model.kind = 'gmf' } }",
                "not all of these are among the choices",
            ),
            (
                "model.rank = [{ int = [1, 2] }, { int = [3, 4] }]",
                "model.rank has several ranges that can hold at once",
            ),
            (
                "model.rank = { same_as = 'solver.batch_size' }",
                "model.rank: \"solver.batch_size\" is not a searched key",
            ),
            (
                "model.rank = { int = [1, 9] }\nsolver.batch_size = { same_as = 'model.rank' }\nsolver.clip_norm = { same_as = 'model.rank' }",
                "solver.clip_norm cannot be the same as model.rank: it must be a number above 0",
            ),
            (
                "solver.kind = { choice = ['sgd', 'adam'], when = { model.kind = 'mf' } }\nmodel.kind = { choice = ['mf', 'nmf'], when = { solver.kind = 'sgd' } }",
                "depends on itself through when",
            ),
        ] {
            let found = problems(&format!("base = 'base.toml'\n[space]\n{space}\n"), &[]);
            assert!(found.len() == 1 && found[0].contains(expected), "{space}\n{found:?}");
        }
        let text = |rest: &str| format!("base = 'base.toml'\nmetric = 'loss'\n{rest}");
        let of_loss = problems(&text("[space]\nloss.kind = { choice = ['squared', 'absolute'] }"), &[]);
        assert!(of_loss[0].contains("values of different losses are not comparable"), "{of_loss:?}");
        let both = problems(&text("[set]\nmodel.rank = 3\n[space]\nmodel.rank = { int = [1, 2] }"), &[]);
        assert_eq!(both, ["s.toml:6:7: model.rank is searched and set to a value; remove one"]);
        let both =
            problems(&text("[set]\nseed = 3\n[repeat]\nseed = [1]\n[space]\nmodel.rank = { int = [1, 2] }"), &[]);
        assert_eq!(both, ["s.toml:6:1: seed is repeated and set to a value; remove one"]);
    }

    #[test]
    fn combinations_that_cannot_be_trained_are_refused_before_the_first_trial() {
        let text = "base = 'base.toml'\n[space]\nmodel = { kind = { choice = ['mf', 'gmf'] }, init = { choice = ['matched', 'normal'] } }";
        let found = problems(text, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        let start = "s.toml: a trial with model.kind = \"gmf\", model.init = \"matched\" is not possible: ";
        assert!(found[0].starts_with(start) && found[0].contains("supports only mf and nmf"), "{found:?}");
        let remedy = text.replace("'normal'] }", "'normal'], when = { model.kind = 'mf' } }");
        good(&remedy, &[]);
    }

    #[test]
    fn a_base_config_is_needed_and_has_to_leave_a_validation_part() {
        assert_eq!(
            problems("[space]\nmodel.rank = { int = [1, 2] }", &[]),
            ["s.toml:1:1: base is missing: set it to the config to start from, as in base = \"my.toml\""]
        );
        assert!(matches!(parse("base = 'none.toml'\n[space]\n", &[]), Err(Error::Io { .. })));
        let found = problems("base = 'base.toml'", &["set.data.split.validation=0"]).join("\n");
        assert!(found.contains("has no validation part") && found.contains("[space] is missing"), "{found}");
        assert!(problems("base = 'base.toml'\n[space", &[])[0].starts_with("s.toml:2:"));
    }

    #[test]
    fn every_key_of_the_space_file_has_a_field() {
        for sampler in ["random", "tpe", "grid"] {
            for pruning in ["none", "asha"] {
                good(
                    GOOD,
                    &[
                        &format!("sampler.kind={sampler}"),
                        &format!("pruning.kind={pruning}"),
                        "max_memory=1",
                        "max_minutes=1",
                    ],
                );
            }
        }
    }
}
