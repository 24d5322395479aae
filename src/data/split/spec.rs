//! How data are divided, as set in a config.

use crate::config::{Choice, Effect, Key, KeyKind, Keys, Problem, Values};

/// How ratings are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitKind {
    /// Everything is training; the shares are ignored.
    None,
    /// Test and validation are drawn from all ratings.
    Random,
    /// Ratings are dealt at random into `folds` nearly equal parts, one of which is the test part. Validation is a
    /// share of the rest.
    KFold {
        /// Number of parts, at least 2.
        folds: usize,
        /// The part to test on, from 1.
        fold: usize,
    },
    /// Test and validation are drawn from each user's ratings, with shares rounded to whole ratings.
    UserStratified,
    /// Each user's newest rating is test and, if the validation share is not 0, the one before it is validation. All
    /// ratings of users with too few to leave one for training are training. Apart from that, the shares are ignored.
    LeaveLastOut,
    /// Each user's newest ratings are test, those before them validation, with shares rounded to whole ratings.
    Temporal,
    /// The ready-made test file is test; validation is a share of the rest.
    Files,
    /// Of each class of users (see [`class_of`](crate::data::class_of)) all ratings of the first `train_rows` users, in
    /// the order of the data, are training and those of the others test. The shares are ignored.
    FirstOfClass {
        /// Users of each class that are trained on, at least 1.
        train_rows: usize,
    },
}

impl SplitKind {
    /// The name of [`Files`](Self::Files) in configs.
    pub(crate) const FILES: &str = "files";
    /// The name of [`FirstOfClass`](Self::FirstOfClass) in configs.
    const FIRST_OF_CLASS: &str = "first-of-class";
}

/// How ratings are divided, and into what shares.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SplitSpec {
    /// The method.
    pub kind: SplitKind,
    /// Share of the ratings that is test, at least 0 and below 1.
    pub test: f64,
    /// Share of the ratings that is validation, at least 0 and below 1.
    pub validation: f64,
}

impl SplitSpec {
    /// The config keys of splits.
    pub fn keys() -> Keys {
        let test =
            || Key::new("data.split.test", KeyKind::SHARE, "Share of the ratings in the test part.").default("0.1");
        let validation = "Share of the ratings (with k-fold and files, of those outside the test part) in the \
                          validation part. With leave-last-out, any value above 0 takes each user's second-newest \
                          rating.";
        let validation = || Key::new("data.split.validation", KeyKind::SHARE, validation).default("0.1");
        let folds =
            Key::new("data.split.folds", KeyKind::Int(2..=u32::MAX.into()), "Number of equal parts.").default("5");
        let fold = "The part to test on, counted from 1.";
        let fold = || Key::new("data.split.fold", KeyKind::AT_LEAST_ONE, fold).default("1").effect(Effect::Pairing);
        let rows = "Rows of each class, the first in the order of the data, whose cells are all trained on; the cells \
                    of the other rows are the test part. The class of a row is its id up to the last \"/\": the folder \
                    of a file.";
        let rows = Key::new("data.split.train_rows", KeyKind::AT_LEAST_ONE, rows).default("5");
        let kind = "How ratings are divided into training, validation and test.";
        let data = |keys: Keys| keys.effect(Effect::Data);
        Keys::from(
            Choice::new("data.split.kind", kind)
                .with(|key| key.default("'random'").effect(Effect::Data))
                .part("none", [])
                .part("random", data([test(), validation()].into()))
                .part("k-fold", data([validation(), folds].into()).and(fold()))
                .part("user-stratified", data([test(), validation()].into()))
                .part("leave-last-out", data([validation()].into()))
                .part("temporal", data([test(), validation()].into()))
                .part(SplitKind::FILES, data([validation()].into()).and(fold()))
                .part(SplitKind::FIRST_OF_CLASS, data([rows].into())),
        )
        .rule(check_values)
    }

    /// The split set in a config.
    pub fn of(values: &Values) -> Self {
        let kind = match values.get::<String>("data.split.kind").as_str() {
            "random" => SplitKind::Random,
            "k-fold" => SplitKind::KFold { folds: values.get("data.split.folds"), fold: values.get("data.split.fold") },
            "user-stratified" => SplitKind::UserStratified,
            "leave-last-out" => SplitKind::LeaveLastOut,
            "temporal" => SplitKind::Temporal,
            SplitKind::FILES => SplitKind::Files,
            SplitKind::FIRST_OF_CLASS => SplitKind::FirstOfClass { train_rows: values.get("data.split.train_rows") },
            _ => SplitKind::None,
        };
        let share = |key| values.find(key).unwrap_or(0.0);
        Self { kind, test: share("data.split.test"), validation: share("data.split.validation") }
    }

    /// Why there is no validation part in a config, if there is none.
    pub fn without_validation(values: &Values) -> Option<String> {
        match values.find::<f64>("data.split.validation") {
            None => Some(format!("data.split.kind is \"{}\"", values.get::<String>("data.split.kind"))),
            Some(0.0) => Some("data.split.validation is 0".into()),
            Some(_) => None,
        }
    }
}

/// Problems with the numbers of a split.
fn check_values(values: &Values) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let (Some(fold), Some(folds)) =
        (values.find::<usize>("data.split.fold"), values.find::<usize>("data.split.folds"))
        && fold > folds
    {
        let message = format!("data.split.fold must be at most data.split.folds, which is {folds}, but is {fold}");
        problems.push(Problem::new(["data.split.fold", "data.split.folds"], message));
    }
    let SplitSpec { test, validation, .. } = SplitSpec::of(values);
    if test + validation >= 1.0 {
        let message = format!("data.split.test + data.split.validation must be below 1, but is {test} + {validation}");
        problems.push(Problem::new(["data.split.test", "data.split.validation"], message));
    }
    problems
}
