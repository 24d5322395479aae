//! Experiments whose results are published: the config, how it is run, and what ours and others reached.

use std::path::Path;

use super::summary::Summary;
use crate::metric::{Metric, Rmse};

/// An experiment.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    /// Its name, that of its config in `configs`.
    pub name: &'static str,
    /// What is measured, and on what.
    pub about: &'static str,
    /// The config.
    pub config: &'static str,
    /// Keys that name files of a data set, and these files; empty if the config names a data set that can be fetched.
    pub files: &'static [(&'static str, &'static str)],
    /// Experiments that are run first, whose models this one starts from.
    pub starts_from: &'static [&'static str],
    /// Settings of each run, over which the mean is taken.
    pub runs: &'static [&'static [&'static str]],
    /// What is compared.
    pub metrics: &'static [Measured],
    /// What others reached, a number for each metric, and where that is published.
    pub others: &'static [(&'static [f64], &'static str)],
}

/// What is measured on the test part.
#[derive(Debug, Clone, Copy)]
pub enum Measured {
    /// The error of predicted ratings.
    Ratings,
    /// A metric of ranked lists of all items.
    Lists(&'static str),
    /// The same of rankings among given candidates.
    Among(&'static str),
}

impl Measured {
    /// Its name for people.
    pub fn name(self) -> String {
        match self {
            Self::Ratings => Rmse.name().into(),
            Self::Lists(name) => name.into(),
            Self::Among(name) => format!("{name} (given)"),
        }
    }

    /// Its value in a result.
    pub fn of(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::Ratings => summary.test.as_ref()?.get(Rmse.name()),
            Self::Lists(name) => summary.test.as_ref()?.get(name),
            Self::Among(name) => summary.test_among_candidates.as_ref()?.model.get(name),
        }
    }
}

/// The folder of the files of an experiment among data sets.
pub const NCF: &str = "ncf-movielens-1m";

const NCF_FILES: &[(&str, &str)] = &[
    ("data.path", "ml-1m.train.rating"),
    ("data.test_path", "ml-1m.test.rating"),
    ("evaluation.candidates", "ml-1m.test.negative"),
];
const NCF_METRICS: &[Measured] = &[
    Measured::Among("hit-rate@10"),
    Measured::Among("ndcg@10"),
    Measured::Lists("hit-rate@10"),
    Measured::Lists("ndcg@10"),
];
const RMSE: &[Measured] = &[Measured::Ratings];
const ONCE: &[&[&str]] = &[&[]];
const FOLDS: &[&[&str]] = &[
    &["data.split.fold=1"],
    &["data.split.fold=2"],
    &["data.split.fold=3"],
    &["data.split.fold=4"],
    &["data.split.fold=5"],
];
const ABOUT_NCF: &str = "leave one out, among the 99 given items and among all (He et al. 2017)";
const ABOUT_FOLDS: &str = "RMSE, mean of the official folds u1 to u5";

macro_rules! protocol {
    ($name:literal, $about:expr, $files:expr, $runs:expr, $metrics:expr, $others:expr) => {
        Protocol {
            name: $name,
            about: $about,
            config: include_str!(concat!("../../configs/", $name, ".toml")),
            files: $files,
            starts_from: &[],
            runs: $runs,
            metrics: $metrics,
            others: $others,
        }
    };
}

/// All experiments.
pub const PROTOCOLS: &[Protocol] = &[
    protocol!(
        "ncf-movielens-1m/popularity",
        ABOUT_NCF,
        NCF_FILES,
        ONCE,
        NCF_METRICS,
        &[(
            &[0.4535, 0.2543],
            "Rendle et al. 2020, \"Neural Collaborative Filtering vs. Matrix Factorization Revisited\"",
        )]
    ),
    protocol!(
        "ncf-movielens-1m/ials",
        ABOUT_NCF,
        NCF_FILES,
        ONCE,
        NCF_METRICS,
        &[
            (&[0.7310, 0.4521], "irspack, examples/1-vs-100-negative.ipynb: rank 192, 40 trials"),
            (&[0.7111, 0.4383], "iALS of Dacrema et al., in Rendle et al. 2020"),
        ]
    ),
    protocol!(
        "ncf-movielens-1m/mf",
        ABOUT_NCF,
        NCF_FILES,
        ONCE,
        NCF_METRICS,
        &[
            (&[0.7294, 0.4523], "Rendle et al. 2020: dot product, rank 192"),
            (&[0.7093, 0.4349], "NeuMF of Dacrema et al., in Rendle et al. 2020"),
        ]
    ),
    protocol!("ncf-movielens-1m/gmf", ABOUT_NCF, NCF_FILES, ONCE, NCF_METRICS, &[]),
    protocol!("ncf-movielens-1m/mlp", ABOUT_NCF, NCF_FILES, ONCE, NCF_METRICS, &[]),
    Protocol {
        starts_from: &["ncf-movielens-1m/gmf", "ncf-movielens-1m/mlp"],
        ..protocol!(
            "ncf-movielens-1m/neumf",
            ABOUT_NCF,
            NCF_FILES,
            ONCE,
            NCF_METRICS,
            &[
                (&[0.730, 0.447], "He et al. 2017, \"Neural Collaborative Filtering\""),
                (&[0.7093, 0.4349], "NeuMF of Dacrema et al., in Rendle et al. 2020"),
            ]
        )
    },
    protocol!(
        "ncf-movielens-1m/ease",
        ABOUT_NCF,
        NCF_FILES,
        ONCE,
        NCF_METRICS,
        &[(&[0.7162, 0.4468], "SLIM, in Rendle et al. 2020",)]
    ),
    protocol!("movielens-100k/mf", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!("movielens-100k/biased-mf", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!("movielens-100k/nmf", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!("movielens-100k/gmf", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!("movielens-100k/neumf", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!("movielens-100k/mlp", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!(
        "movielens-100k/gibbs",
        ABOUT_FOLDS,
        &[],
        FOLDS,
        RMSE,
        &[(&[0.8976], "myFM (Ohtsuki 2020), ids only: measured by benches/peers/myfm_gibbs.py")]
    ),
    protocol!("movielens-100k/svdpp", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!("movielens-100k/features", ABOUT_FOLDS, &[], FOLDS, RMSE, &[]),
    protocol!(
        "movielens-1m/biased-mf",
        "RMSE, a random tenth",
        &[],
        ONCE,
        RMSE,
        &[(&[0.829], "CF-NADE (Zheng et al. 2016)"), (&[0.832], "GC-MC (van den Berg et al. 2017)"),]
    ),
    protocol!("movielens-1m/als", "RMSE, a random tenth", &[], ONCE, RMSE, &[]),
    protocol!(
        "movielens-1m/gibbs",
        "RMSE, a random tenth",
        &[],
        ONCE,
        RMSE,
        &[(&[0.831], "I-AutoRec (Sedhain et al. 2015)"), (&[0.829], "CF-NADE (Zheng et al. 2016)")]
    ),
];

impl Protocol {
    /// The experiment of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROTOCOLS.iter().find(|protocol| protocol.name == name)
    }

    /// The settings that name its files in a folder.
    pub fn paths(&self, folder: &Path) -> Vec<String> {
        let setting = |(key, file): &(&str, &str)| format!("{key}={}", folder.join(file).display());
        self.files.iter().map(setting).collect()
    }
}
