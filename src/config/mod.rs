//! Files of keys: the settings of a run, in one TOML file and `--set` overrides, checked before anything starts.
//!
//! The keys are declared by the parts of the program that read them, as [`Keys`], and combined into a [`Schema`], which
//! a [`Config`] carries. Layers: built-in defaults < file < overrides. All problems are reported at once, each with its
//! place and remedy.

pub(crate) mod choice;
mod explain;
mod json_schema;
mod key;
mod keys;
mod parse;
mod paths;
mod schema;
mod values;
mod when;
pub(crate) mod words;

use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::files;

pub(crate) use choice::choice;
pub(crate) use explain::explain;
pub(crate) use json_schema::json_schema;
pub use key::{DefaultValue, Effect, Key, KeyKind, Otherwise};
pub use keys::{Choice, Keys, Problem};
pub use parse::Override;
pub(crate) use parse::Reader;
pub(crate) use paths::{absolute, from_here, with_absolute_paths};
pub use schema::Schema;
pub(crate) use schema::in_toml;
pub use values::{FromValue, Values};
pub use when::{Is, When, absent, given, is};

/// A resolved config: every key that applies has its value.
#[derive(Debug, Clone)]
pub struct Config {
    schema: Arc<Schema>,
    values: Values,
}

impl Config {
    /// Reads the file at `path`; each of `overrides` is `key.path=VALUE`, and the last one of a key wins.
    ///
    /// VALUE is TOML; a word that is not TOML is a string. Keys of the file that do not apply because an override makes
    /// another choice (`solver.kind=sgd`, `data.path=x.csv`) are ignored.
    ///
    /// # Errors
    /// [`Error::Io`](crate::error::Error::Io) if the file cannot be read, [`Error::Config`](crate::error::Error::Config)
    /// with all problems of the file and the overrides.
    pub fn load(schema: &Arc<Schema>, path: &Path, overrides: &[String]) -> Result<Self> {
        Self::parse(schema, &files::read_text(path)?, path, overrides)
    }

    /// [`load`](Self::load) of a `text` in memory; `path` names it in messages and gives the run its name.
    ///
    /// # Errors
    /// [`Error::Config`](crate::error::Error::Config) with all problems.
    pub fn parse(schema: &Arc<Schema>, text: &str, path: &Path, overrides: &[String]) -> Result<Self> {
        let overrides: Vec<_> = overrides.iter().map(|text| Override::of_command_line(text)).collect();
        Self::parse_with(schema, text, path, &overrides)
    }

    /// [`parse`](Self::parse) with overrides from anywhere.
    ///
    /// # Errors
    /// [`Error::Config`](crate::error::Error::Config) with all problems.
    pub fn parse_with(schema: &Arc<Schema>, text: &str, path: &Path, overrides: &[Override]) -> Result<Self> {
        let values = parse::resolve(schema, text, path, overrides)?;
        Ok(Self { schema: Arc::clone(schema), values })
    }

    /// The keys that exist.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The value of every key that applies, by path.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Values of the keys whose effect is one of `effects`, by path.
    pub fn values_with(&self, effects: &[Effect]) -> impl Iterator<Item = (&str, &toml::Value)> {
        let has_effect = |path: &str| self.schema.find(path).is_some_and(|key| effects.contains(&key.effect));
        self.values.iter().filter(move |(path, _)| has_effect(path))
    }

    /// Values that decide the result, by path; `effects` are those of their keys. Where data lie decides nothing: their
    /// content does, and a hash tells whether it is the same.
    pub fn deciding(&self, effects: &[Effect]) -> impl Iterator<Item = (&str, &toml::Value)> {
        let is_path = |path: &str| self.schema.find(path).is_some_and(|key| key.kind == KeyKind::Path);
        self.values_with(effects).filter(move |(path, _)| !is_path(path))
    }

    /// The same config with another value of a key on which no other depends.
    pub(crate) fn with(&self, path: &str, value: impl Into<toml::Value>) -> Self {
        let mut config = self.clone();
        config.values.insert(path, value);
        config
    }

    /// The config as a file that resolves to this config again, with nothing left to a default.
    pub fn to_toml(&self) -> String {
        format!("# Resolved by lowrank: every key that applies, with its value.\n{}", self.schema.to_toml(&self.values))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use toml::Value;

    use super::*;
    use crate::error::Error;
    use crate::run::Parts;

    fn parse(text: &str, overrides: &[&str]) -> Result<Config> {
        let overrides: Vec<_> = overrides.iter().map(|&text| text.to_owned()).collect();
        Config::parse(&Parts::built_in().schema(), text, Path::new("configs/x.toml"), &overrides)
    }

    #[track_caller]
    fn good(text: &str, overrides: &[&str]) -> Config {
        parse(text, overrides).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[track_caller]
    fn problems(text: &str, overrides: &[&str]) -> Vec<String> {
        match parse(text, overrides) {
            Err(Error::Config(problems)) => problems,
            other => panic!("expected problems, got {other:?}"),
        }
    }

    /// Enough of a config to be valid, in one line.
    const DATA: &str = "data.dataset = 'a'\n";

    /// The values of some keys, as TOML; empty for keys that do not apply.
    fn shown(config: &Config, keys: &[&str]) -> String {
        let values = keys.iter().map(|key| config.values().value(key).map_or(String::new(), in_toml));
        values.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn defaults_fill_what_the_file_leaves_out() {
        let config = good(DATA, &[]);
        for (keys, expected) in [
            (&["name", "seed", "data.dataset"][..], "\"x\" 42 \"a\""),
            (&["data.format", "data.skip_lines"], " "),
            (&["data.split.kind", "data.split.test"], "\"random\" 0.1"),
            (&["model.kind", "model.init_std", "model.layers"], "\"biased-mf\" 0.003 "),
            (&["solver.beta1", "solver.momentum"], "0.9 "),
            (&["solver.regularization.user_biases", "solver.regularization.item_factors"], "0.02 0.08"),
        ] {
            assert_eq!(shown(&config, keys), expected);
        }
    }

    #[test]
    fn the_start_of_factors_follows_the_model() {
        for (kind, init) in [("mf", "matched"), ("nmf", "matched"), ("gmf", "normal")] {
            let text = format!("{DATA}model.kind = '{kind}'");
            assert!(good(&text, &[]).values().is("model.init", init), "{kind}");
            assert!(good(&text, &["model.init=uniform"]).values().is("model.init", "uniform"));
        }
    }

    #[test]
    fn defaults_follow_the_solver() {
        for (settings, epochs, penalty, rate) in [
            (&["solver.kind=adam"][..], "30", "0.08", "0.001"),
            (&["solver.kind=stratified"], "30", "0.08", "0.05"),
            (&["solver.kind=stratified", "solver.rule=adam"], "30", "0.08", "0.001"),
            (&["solver.kind=svd", "model.kind=mf"], "1", "", ""),
            (&["solver.kind=hals", "model.kind=nmf"], "200", "0.0", ""),
            (&["solver.kind=multiplicative", "model.kind=nmf"], "20", "0.0", ""),
        ] {
            let keys = ["train.epochs", "solver.regularization.item_factors", "solver.learning_rate"];
            assert_eq!(shown(&good(DATA, settings), &keys), [epochs, penalty, rate].join(" "), "{settings:?}");
        }
        let als = good(DATA, &["solver.kind=als", "model.kind=mf", "solver.feedback=implicit"]);
        let keys = ["solver.inner", "solver.inner_steps", "solver.regularization.count_exponent", "evaluation.clip"];
        assert_eq!(shown(&als, &keys), "\"conjugate-gradient\" 3 0.5 false");
    }

    #[test]
    fn models_of_counts_bring_their_solver() {
        for kind in ["popularity", "item-knn", "ease"] {
            let config = good(DATA, &[&format!("model.kind={kind}")]);
            let keys = ["solver.kind", "train.epochs", "evaluation.clip", "train.early_stopping.metric", "model.rank"];
            assert_eq!(shown(&config, &keys), format!("\"{kind}\" 1 false \"ndcg@10\" "));
        }
        let slim = good(DATA, &["model.kind=item-knn", "solver.kind=slim"]);
        assert_eq!(shown(&slim, &["model.neighbours", "solver.l1", "evaluation.clip"]), "200 1.0 false");
        for (weighting, shrinkage) in [("cosine", "10.0"), ("tf-idf", "100.0"), ("bm25", "")] {
            let config = good(DATA, &["model.kind=item-knn", &format!("solver.weighting={weighting}")]);
            assert_eq!(shown(&config, &["solver.shrinkage"]), shrinkage);
        }
    }

    #[test]
    fn a_run_is_named_after_its_file() {
        for (path, name) in [("a/b.c.toml", "b.c"), ("my run!.toml", "my-run-"), (".toml", "toml"), ("..", "run")] {
            assert_eq!(
                Config::parse(&Parts::built_in().schema(), DATA, Path::new(path), &[])
                    .expect("valid")
                    .values()
                    .get::<String>("name"),
                name
            );
        }
    }

    #[test]
    fn sections_inline_tables_and_dotted_keys_are_equal() {
        let section = good("[data]\ndataset = 'a'\n[data.split]\nkind = 'k-fold'\nfolds = 3", &[]);
        let same = |text| assert_eq!(good(text, &[]).values(), section.values());
        same("[data]\ndataset = 'a'\nsplit = { kind = 'k-fold', folds = 3 }");
        same("data.dataset = 'a'\ndata.split.kind = 'k-fold'\ndata.split.folds = 3");
    }

    /// Calls `look` with the resolved config of every pair of choices, for every source of data.
    fn for_every_pair_of_choices(mut look: impl FnMut(&Config)) {
        let schema = Parts::built_in().schema();
        let choices: Vec<String> = schema
            .keys()
            .iter()
            .flat_map(|key| match &key.kind {
                KeyKind::Choice(words) => words.iter().map(|word| format!("{}={word}", key.path)).collect(),
                _ => Vec::new(),
            })
            .collect();
        let optional = "solver.clip_norm = 1\nsolver.clip_value = 1\ndata.binarize = 3\ntrain.max_memory = 9\nevaluation.relevant_from = 4\n\
                        evaluation.metrics = ['rmse', 'ndcg@10']\n";
        let drawn = "evaluation.sampled_candidates = 9\n";
        let of_features = |noun: &str, of: &str| {
            format!(
                "data.{noun}_features = {{ path = '{noun}s', delimiter = ',', columns = ['{noun}', '-'], categories = ['{of}a'], \
                 lists = ['{of}b'], separator = ';', numbers = ['{of}c'], years = ['{of}d'] }}\n"
            )
        };
        for text in [
            format!("{optional}{drawn}data.dataset = 'a'"),
            format!("{optional}data.dataset = 'synthetic'"),
            format!(
                "{optional}evaluation.candidates = 'd'\ndata.path = 'a'\ndata.test_path = 'b'\ndata.split.kind = 'files'\ndata.delimiter = ','\n\
                 data.columns = ['user', 'item', 'rating']\n\
                 data.titles = {{ path = 'c', delimiter = '|', columns = ['item', 'title'] }}"
            ),
            "data.path = 'a'\ndata.test_path = 'b'\ndata.split.kind = 'files'\ndata.format = 'documents'\n\
             data.documents.max_terms = 9\ndata.documents.extra_stop_words = ['a']\ndata.extension = 'md'"
                .into(),
            "data.path = 'a'\ndata.test_path = 'b'\ndata.split.kind = 'files'\ndata.format = 'dense'\n\
             data.class_column = 1\ndata.missing = ['', '99']"
                .into(),
            "data.path = 'a'\ndata.time_format = '%Y'\ndata.split = { kind = 'global-temporal', test_from = '2010-02-03', \
             validation_from = '7' }"
                .into(),
            "data.path = 'a'\ndata.format = 'numpy'\ndata.array = 'x'".into(),
            format!("data.path = 'a'\n{}{}", of_features("user", "of_"), of_features("item", "")),
            // Choices that need each other.
            "data.dataset = 'a'\nmodel.kind = 'mf'\nsolver.kind = 'als'\nsolver.feedback = 'implicit'".into(),
            "data.dataset = 'a'\nmodel.kind = 'mf'\nsolver.kind = 'svd'\nsolver.oversampling = 5".into(),
            "data.dataset = 'a'\nmodel.kind = 'nmf'\nsolver.kind = 'multiplicative'".into(),
            "data.path = 'a'\ndata.format = 'delimited'\nmodel.kind = 'fm'\ndata.context = ['day', 'tags', 'rates', 'price', 'word']\n\
             data.context_columns = { lists = ['tags'], weighted = ['rates'], numbers = ['price'], hashed = ['word'], times = ['hour'] }"
                .into(),
            "data.path = 'a'\ndata.format = 'libsvm'\ndata.field_starts = [0, 5]".into(),
            "data.dataset = 'a'\nmodel.kind = 'neumf'\nmodel.mlp_rank = 9\nmodel.dropout = 0.5\nmodel.start_from = ['r']".into(),
            "data.dataset = 'a'\nmodel.kind = 'svdpp'\nmodel.asymmetric = true".into(),
            "data.dataset = 'a'\nmodel.kind = 'svdpp'\nsolver.kind = 'gibbs'\nsolver.burn_in = 1\nsolver.fold_in_penalty = 1.0".into(),
            "data.path = 'a'\ndata.format = 'co-occurrences'\ndata.co_occurrences.max_words = 9".into(),
            "data.path = 'a'\ndata.format = 'purchases'\ndata.exclude = ['x']\nsegments.count = 3\nsegments.communities = 4".into(),
            "data.path = 'a'\ndata.format = 'edges'\nmodel.kind = 'gmf'\nmodel.symmetric = true".into(),
            "data.dataset = 'a'\nmodel.kind = 'item-knn'".into(),
            "data.dataset = 'a'\nmodel.kind = 'ease'\nsolver.regularization.item_weights = 9".into(),
        ] {
            for (position, first) in choices.iter().enumerate() {
                for second in &choices[position..] {
                    match parse(&text, &[first, second]) {
                        Ok(config) => look(&config),
                        // Choices that exclude each other; the message is about one of them.
                        Err(problem) => {
                            let key = |choice: &str| choice.split('=').next().expect("a key").to_owned();
                            let problem = problem.to_string();
                            assert!(
                                problem.contains(&key(first)) || problem.contains(&key(second)),
                                "{text} {first} {second}: {problem}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_pair_of_choices_can_be_read_and_every_key_takes_part_somewhere() {
        let mut seen = BTreeSet::new();
        for_every_pair_of_choices(|config| {
            // Panics if a part reads a key that does not apply, or as another type.
            crate::run::Settings::of(config, &Parts::built_in()).expect("settings");
            seen.extend(config.values().iter().map(|(path, _)| path.to_owned()));
        });
        // Each feature and each column of the context has a λ for its factors and one for its biases.
        let features = ["a", "b", "c", "d"].map(|name| [name.to_string(), format!("of_{name}")]);
        let others =
            features.as_flattened().iter().map(String::as_str).chain(["day", "tags", "rates", "price", "word", "hour"]);
        for group in others.flat_map(|name| ["factors", "biases"].map(|kind| format!("{name}_{kind}"))) {
            assert!(seen.remove(&format!("solver.regularization.{group}")), "{group}");
        }
        let of_pairs = |key: &Key| ["user", "item"].map(|entity| key.path.replace("<entity>", entity));
        let all: BTreeSet<String> = Parts::built_in().schema().keys().iter().flat_map(of_pairs).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn a_written_config_resolves_to_itself_for_every_pair_of_choices() {
        for_every_pair_of_choices(|config| {
            let text = config.to_toml();
            let again = Config::parse(&Parts::built_in().schema(), &text, Path::new("other.toml"), &[])
                .expect("what was written is valid");
            assert_eq!(again.values(), config.values());
            assert_eq!(again.to_toml(), text);
        });
    }

    #[test]
    fn hard_text_and_numbers_survive_being_written() {
        let text = r#"
            name = "größe"
            seed = 9223372036854775807
            solver.learning_rate = 1.1e-30
            solver.clip_norm = 3e38
            data.path = "C:\\a \"b\" 'c'\n\u0007.csv"
            data.delimiter = "\t"
        "#;
        let config = good(text, &[]);
        assert!(config.values().is("data.delimiter", "\t"));
        assert_eq!(config.values().get::<f64>("solver.learning_rate"), 1.1e-30);
        assert_eq!(good(&config.to_toml(), &[]).values(), config.values());
    }

    #[test]
    fn paths_are_seen_from_where_they_are_written() {
        let text = "data = { path = 'r.csv', titles = { path = '../t.csv' } }\nrun.dir = 'out'";
        let here = std::env::current_dir().expect("a current folder");
        let path = |config: &Config, key: &str| config.values().find::<std::path::PathBuf>(key);
        let config = good(text, &[]);
        assert_eq!(path(&config, "data.path"), Some(here.join("configs/r.csv")));
        assert_eq!(path(&config, "data.titles.path"), Some(here.join("configs/../t.csv")));
        assert_eq!(path(&config, "run.dir"), Some("out".into()));
        assert_eq!(path(&good(text, &["data.path=r.csv"]), "data.path"), Some(here.join("r.csv")));
    }

    #[test]
    fn a_written_config_shows_every_key_in_its_section() {
        let text = good("[data]\npath = '/d/r.csv'\nsplit = { kind = 'none' }\n[solver]\nkind = 'sgd'", &[]).to_toml();
        let expected = "# Resolved by lowrank: every key that applies, with its value.\n\
                        name = \"x\"\nseed = 42\n\n\
                        [data]\npath = \"/d/r.csv\"\nformat = \"auto\"\nheader = \"auto\"\nskip_lines = 0\nbad_lines = \"error\"\n\
                        duplicates = \"last\"\nmin_user_ratings = 1\nmin_item_ratings = 1\ncache = true\n\n\
                        [data.split]\nkind = \"none\"\n\n[model]\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("momentum = 0.9\n") && !text.contains("beta1"));
    }

    #[test]
    fn overrides_are_toml_or_words_and_the_last_one_wins() {
        let config = good(
            &format!("{DATA}[solver]\nlearning_rate = 0.5"),
            &[
                "solver.learning_rate=0.1",
                "solver.learning_rate = 2e-1",
                "solver.kind=sgd",
                "data.path=/a/b.csv",
                "data.delimiter= ",
                "data.columns=[\"user\", \"item\"]",
                "data.split={kind = \"temporal\", test = 0.3}",
                "data.split.test=0.25",
                "run.dir=\"/tmp/x\"",
                "name=2024",
                "train.refit=true",
            ],
        );
        for (key, value) in [
            ("solver.learning_rate", Value::from(0.2)),
            ("solver.kind", "sgd".into()),
            ("name", "2024".into()),
            ("train.refit", true.into()),
            ("data.path", "/a/b.csv".into()),
            ("data.delimiter", " ".into()),
            ("data.split.kind", "temporal".into()),
            ("data.split.test", 0.25.into()),
            ("data.columns", Value::Array(vec!["user".into(), "item".into()])),
            ("run.dir", "/tmp/x".into()),
        ] {
            assert_eq!(config.values().value(key), Some(&value));
        }
    }

    #[test]
    fn an_override_takes_the_meaning_of_keys_of_the_file_but_not_of_overrides() {
        let text = format!("{DATA}solver.kind = 'adam'\nsolver.beta1 = 0.8\n");
        let config = good(&text, &["solver.kind=sgd"]);
        assert_eq!(shown(&config, &["solver.beta1", "solver.momentum"]), " 0.9");
        assert_eq!(
            problems(&text, &["solver.beta2=0.9", "solver.kind=sgd"]),
            ["--set solver.beta2=0.9: solver.beta2 applies only with solver.kind = \"adam\" or \"adamw\" or \
              solver.rule = \"adam\", but it is \"sgd\"; remove it or set solver.kind"]
        );
        let of_file = "data = { path = 'a', columns = ['user'], titles = { path = 'c', delimiter = ',' } }";
        let data = good(of_file, &["data.dataset=b"]);
        assert_eq!(shown(&data, &["data.dataset", "data.path", "data.columns", "data.titles.path"]), "\"b\"   ");
    }

    #[test]
    fn a_key_without_meaning_is_a_problem_unless_an_override_gives_it_one() {
        let text = format!("{DATA}[solver]\nkind = 'adam'\nmomentum = 0.5\n");
        let expected = "configs/x.toml:4:1: solver.momentum applies only with solver.kind = \"sgd\", \
                        but it is \"adam\"; remove it or set solver.kind";
        assert_eq!(problems(&text, &[]), [expected]);
        assert_eq!(problems(&text, &["solver.kind=adagrad"]), [expected]);
        assert_eq!(shown(&good(&text, &["solver.kind=sgd"]), &["solver.momentum"]), "0.5");
    }

    #[test]
    fn all_problems_come_at_once_with_their_places() {
        let text = "\
seed = 99999999999999999999
[data]
dataset = 'a'
split = 'random'
[model]
kind  = 'bised-mf'
layers = [8]
rank = 'ten'
\"solver.kind\" = 'sgd'
[solvr]
momentum = 0.1
[solver]
learning_rate = -0.1
weight_deacy = 0.1
epochs = 3
colour = 1
[solver.shedule]
factor = 3
";
        let overrides =
            ["solver.lr=1", "modell.rank=3", "solver.kind.x=2", "run.dir", "=1", "model.rank=[1,", "solver.momentum=1"];
        let expected = "\
configs/x.toml:1:8: seed is a number too large to be read
configs/x.toml:4:9: data.split is a section, not a value; its keys are non_edges, kind, folds, fold, test_from, test, validation_from, validation, train_rows, given
configs/x.toml:6:9: model.kind must be one of \"mf\", \"biased-mf\", \"nmf\", \"gmf\", \"mlp\", \"neumf\", \
\"svdpp\", \"fm\", \"ffm\", \"nfm\", \"deepfm\", \"popularity\", \"item-knn\" or \"ease\", but is \"bised-mf\"; did you mean \"biased-mf\"?
configs/x.toml:8:8: model.rank must be an integer, but is a string (\"ten\")
configs/x.toml:9:1: unknown key \"solver.kind\": within quotes a dot separates nothing
configs/x.toml:10:2: unknown section [solvr]; did you mean [solver]?
configs/x.toml:13:17: solver.learning_rate must be above 0 and at most 1000, but is -0.1
configs/x.toml:14:1: unknown key \"weight_deacy\" in [solver]; did you mean \"weight_decay\"?
configs/x.toml:15:1: unknown key \"epochs\" in [solver]; did you mean \"train.epochs\"?
configs/x.toml:16:1: unknown key \"colour\" in [solver]; `lowrank config explain solver` lists all
configs/x.toml:17:9: unknown section [solver.shedule]; did you mean [solver.schedule]?
--set solver.lr=1: unknown key \"lr\" in [solver]; `lowrank config explain solver` lists all
--set modell.rank=3: unknown section [modell]; did you mean [model]?
--set solver.kind.x=2: solver.kind must be one of \"adam\", \"adamw\", \"sgd\", \"adagrad\", \"stratified\", \"als\", \"gibbs\", \"svd\", \"hals\", \"multiplicative\", \"popularity\", \"item-knn\", \"slim\" or \"ease\", but is a table
--set run.dir: must be a key and its value, as in solver.learning_rate=0.01
--set =1: must be a key and its value, as in solver.learning_rate=0.01
--set model.rank=[1,: model.rank must be an integer, but is a string (\"[1,\")
--set solver.momentum=1: solver.momentum must be at least 0 and below 1, but is 1";
        assert_eq!(problems(text, &overrides).join("\n"), expected);
    }

    #[test]
    fn a_penalty_of_an_entity_that_the_data_lack_is_a_problem_at_its_line() {
        let text = format!("{DATA}[solver.regularization]\nusr_factors = 0.1\nuser_factors = 0.2\n");
        assert_eq!(
            problems(&text, &["solver.regularization.word_biases=1"]),
            [
                "configs/x.toml:3:1: solver.regularization.usr_factors: the data have no entity \"usr\", but user and item; \
                 did you mean \"user\"?",
                "--set solver.regularization.word_biases=1: solver.regularization.word_biases: the data have no entity \
                 \"word\", but user and item",
            ]
        );
        let misspelled = problems(DATA, &["solver.regularization.user_factor=1"]);
        assert!(misspelled[0].ends_with("did you mean \"user_factors\"?"), "{misspelled:?}");
    }

    #[test]
    fn a_problem_is_one_line_whatever_it_quotes() {
        let text = "\"a\\nb\" = 1\n[\"c\\nd\"]\n[model]\nkind = \"e\\nf\"\nrank = \"g\\nh\"\n";
        let found = problems(text, &["i\nj=1", "data.split.kind=k\nl"]);
        assert!(found.len() >= 6 && found.iter().all(|line| !line.contains('\n')), "{found:?}");
    }

    #[test]
    fn columns_count_characters() {
        let found = problems("data = { dataset = 'äöü', colums = 1 }", &[]);
        assert!(found[0].starts_with("configs/x.toml:1:27: unknown key \"colums\" in [data]"), "{found:?}");
    }

    #[test]
    fn broken_syntax_is_reported_line_by_line_and_nothing_is_concluded_from_it() {
        assert_eq!(
            problems("[solver]\nkind = sgd\nkind = 'adam'\n", &["solver.momentum=0.5", "seed=-1"]),
            [
                "configs/x.toml:2:8: string values must be quoted, expected literal string",
                "configs/x.toml:3:1: duplicate key",
                "--set seed=-1: seed must be at least 0, but is -1",
            ]
        );
        for text in ["[solver", "a b = 1", "x = 'abc\ny = 2", "= 1", "\u{1}", "x = [1, 2", "[[", "x = 1 y = 2"] {
            assert!(problems(text, &[])[0].starts_with("configs/x.toml:1:"), "{text}");
        }
    }

    #[test]
    fn keys_that_contradict_each_other_are_reported_at_the_later_one() {
        for (text, expected) in [
            ("", "configs/x.toml: no data: set data.dataset, "),
            ("[data]\npath = 'a'\ndataset = 'b'", "configs/x.toml:3:1: data.dataset and data.path exclude each other"),
            ("data = { path = 'a', split = { kind = 'files' } }", "configs/x.toml:1:32: data.split.kind = \"files\" "),
            (
                "data.dataset = 'a'\ndata.split = { kind = 'k-fold', fold = 6 }",
                "configs/x.toml:2:33: data.split.fold must be at most data.split.folds, which is 5, but is 6",
            ),
            (
                "data.dataset = 'a'\ndata.split = { validation = 0.4, test = 0.6 }",
                "configs/x.toml:2:34: data.split.test + data.split.validation must be below 1, but is 0.6 + 0.4",
            ),
            (
                "data.dataset = 'a'\ntrain.refit = true\ndata.split.validation = 0",
                "configs/x.toml:3:12: train.refit needs a validation part, but data.split.validation is 0",
            ),
            (
                "data.dataset = 'a'\ndata.split.kind = 'none'\ntrain.early_stopping.patience = 1",
                "configs/x.toml:3:22: train.early_stopping.patience needs a validation part, but \
                 data.split.kind is \"none\"",
            ),
            (
                "data.dataset = 'a'\nsolver.kind = 'als'\nloss.kind = 'huber'",
                "configs/x.toml:3:6: solver.kind = \"als\" supports only squared loss, but loss.kind is \
                 \"huber\"; use \"squared\"",
            ),
            (
                "data.dataset = 'a'\nmodel.kind = 'nmf'\nsolver.kind = 'svd'",
                "configs/x.toml:3:8: solver.kind = \"svd\" supports only mf and, with column means subtracted, \
                 biased-mf, but",
            ),
            (
                "data.dataset = 'a'\nsolver.kind = 'hals'\nmodel.kind = 'mf'",
                "configs/x.toml:3:7: solver.kind = \"hals\" supports only nmf, whose factors are at least 0, but \
                 model.kind is \"mf\"",
            ),
            (
                "data.dataset = 'a'\nsolver = { kind = 'als', feedback = 'implicit' }",
                "configs/x.toml:2:26: solver.feedback = \"implicit\" supports only models without biases, but model.kind is \
                 \"biased-mf\"; use \"mf\"",
            ),
            (
                "data.dataset = 'a'\nsolver = { kind = 'als', inner = 'cholesky' }\nmodel.kind = 'nmf'",
                "configs/x.toml:3:7: solver.inner = \"cholesky\" knows no bounds, but the factors of nmf are at least 0; \
                 use \"coordinate-descent\"",
            ),
            (
                "data.dataset = 'a'\nmodel.kind = 'ease'\nsolver.kind = 'als'",
                "configs/x.toml:3:8: model.kind = \"ease\" is found by solver.kind = \"ease\" alone, but solver.kind is \"als\"",
            ),
            (
                "data.dataset = 'a'\nsolver.kind = 'item-knn'",
                "configs/x.toml:2:8: solver.kind = \"item-knn\" finds only item-knn, but model.kind is \"biased-mf\"; use \
                 \"als\" or \"adam\"",
            ),
            (
                "data.dataset = 'a'\nmodel = { init = 'uniform', init_low = 1 }",
                "configs/x.toml:2:29: model.init_low must be below model.init_high, but they are 1 and 1",
            ),
        ] {
            let found = problems(text, &[]);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{text}\n{found:?}");
        }
        assert_eq!(problems(DATA, &["data.split.test=0.95"])[0].split(": ").next(), Some("--set data.split.test=0.95"));
    }

    #[test]
    fn a_mistake_has_no_echo() {
        for text in [
            "data.dataset = 'a'\nsolver.kind = 'sgdd'\nsolver.momentum = 0.5",
            "data.dataset = 'a'\nsolver.knd = 'sgd'\nsolver.momentum = 0.5",
            "data.dataset = 'a'\nsolvr.kind = 'sgd'\nsolver.momentum = 0.5",
            "data.dataset = 'a'\ndata.split = 'none'\ntrain.refit = true",
            "data.pth = 'a'\ndata.titles.path = 'b'\ndata.titles.delimiter = ','",
            "data.dataset = 'a'\ndata.titles.path = 'b'\ndata.titles.delimiter = ','",
            "data.path = 3\ndata.titles.path = 'b'\ndata.titles.delimiter = ','",
        ] {
            assert_eq!(problems(text, &[]).len(), 1, "{text}: {:?}", problems(text, &[]));
        }
    }

    #[test]
    fn a_file_is_loaded_and_a_missing_one_is_an_io_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("first.toml");
        assert!(matches!(Config::load(&Parts::built_in().schema(), &path, &[]), Err(Error::Io { .. })));
        std::fs::write(&path, "\u{feff}[data]\r\ndataset = 'a'\r\n").expect("written");
        assert_eq!(
            Config::load(&Parts::built_in().schema(), &path, &["seed=7".into()])
                .expect("valid")
                .values()
                .get::<u64>("seed"),
            7
        );
    }
}
