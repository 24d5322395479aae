//! How data are divided, as set in a config.

use std::ops::Bound;

use crate::config::{Choice, Effect, Key, KeyKind, Keys, Problem, Values, absent, is};
use crate::data::read::{Edges, ReaderPart};
use crate::data::times::moment;

/// The key of the moment at which the test part begins.
pub(super) const TEST_FROM: &str = "data.split.test_from";
/// The key of the moment at which the validation part begins.
pub(super) const VALIDATION_FROM: &str = "data.split.validation_from";

/// How ratings are divided.
#[derive(Clone, Copy, PartialEq, Debug)]
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
    /// Everybody's ratings from one moment on are test, those from a moment before it on validation. All ratings of one
    /// moment are in one part, the later one. Each moment is given, in seconds since 1970, or follows from the share.
    GlobalTemporal {
        /// Where the test part begins; `None` goes by the test share.
        test_from: Option<i64>,
        /// Where the validation part begins; `None` goes by the validation share, of all ratings.
        validation_from: Option<i64>,
    },
    /// The ready-made test file is test; validation is a share of the rest.
    Files,
    /// Of each class of users (see [`class_of`](crate::data::class_of)) all ratings of the first `train_rows` users, in
    /// the order of the data, are training and those of the others test. The shares are ignored.
    FirstOfClass {
        /// Users of each class that are trained on, at least 1.
        train_rows: usize,
    },
    /// All ratings of a share of the users are test: a model that never saw these users is given a share of the ratings of
    /// each, and asked for the others (strong generalization: Marlin 2004). Validation is a share of the rest.
    NewUsers {
        /// Share of the ratings of each new user that is given, above 0 and below 1.
        given: f64,
    },
    /// All ratings of a share of the users are test, and all of another share validation: they are known by their features
    /// alone.
    ColdUsers,
    /// The same of items.
    ColdItems,
}

impl SplitKind {
    /// The name of [`Files`](Self::Files) in configs.
    pub(crate) const FILES: &str = "files";
    /// The name of [`FirstOfClass`](Self::FirstOfClass) in configs.
    const FIRST_OF_CLASS: &str = "first-of-class";
    /// The name of [`NewUsers`](Self::NewUsers) in configs.
    const NEW_USERS: &str = "new-users";
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
    /// Of a graph, how many pairs that are no edges are drawn for each edge of the validation and of the test part.
    pub non_edges: f64,
}

/// The key of [`SplitSpec::non_edges`].
const NON_EDGES: &str = "data.split.non_edges";

impl SplitSpec {
    /// The config keys of splits.
    pub fn keys() -> Keys {
        let test = || {
            let meaning = "Share of the ratings in the test part; with new-users and cold-users of the users, with cold-items of \
                           the items.";
            let key = Key::new("data.split.test", KeyKind::SHARE, meaning);
            key.default("0.1").when(absent(TEST_FROM))
        };
        let validation = "Share of the ratings (with k-fold, files and new-users, of those outside the test part) in the \
                          validation part; with cold-users and cold-items of all users or items. With leave-last-out, any \
                          value above 0 takes each user's second-newest rating.";
        let validation = || {
            Key::new("data.split.validation", KeyKind::SHARE, validation).default("0.1").when(absent(VALIDATION_FROM))
        };
        let from = |path: &str, part: &str, share: &str| {
            let meaning = format!(
                "The moment from which on ratings are {part}, instead of {share}: seconds since 1970, or a date like 2010-12-01 \
                 or 2010-12-01 08:26:00, in UTC."
            );
            Key::new(path, KeyKind::Text, &meaning)
        };
        let moments = [
            from(TEST_FROM, "the test part", "data.split.test"),
            from(VALIDATION_FROM, "the validation part, up to the test part", "data.split.validation"),
        ];
        let folds =
            Key::new("data.split.folds", KeyKind::Int(2..=u32::MAX.into()), "Number of equal parts.").default("5");
        let fold = "The part to test on, counted from 1.";
        let fold = || Key::new("data.split.fold", KeyKind::AT_LEAST_ONE, fold).default("1").effect(Effect::Pairing);
        let rows = "Rows of each class, the first in the order of the data, whose cells are all trained on; the cells \
                    of the other rows are the test part. The class of a row is its id up to the last \"/\": the folder \
                    of a file.";
        let rows = Key::new("data.split.train_rows", KeyKind::AT_LEAST_ONE, rows).default("5");
        let kind = "How ratings are divided into training, validation and test. \"temporal\" holds out each user's newest \
                    ratings, \"global-temporal\" those of all users from one moment on: nothing is trained on that comes after \
                    what is tested. Ratings of the very moment are all in the later part. \"new-users\" holds out whole \
                    users: once trained, the model takes them in by a share of their ratings, and is tested on the others. \
                    \"cold-users\" and \"cold-items\" hold out whole users or items, too, of which the model knows the features \
                    alone.";
        let given = "Share of the ratings of each new user that the model is given, drawn at random.";
        let given = Key::new("data.split.given", KeyKind::Float(Bound::Excluded(0.0), Bound::Excluded(1.0)), given);
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
                .part("global-temporal", data(Keys::new(moments).and([test(), validation()])))
                .part(SplitKind::FILES, data([validation()].into()).and(fold()))
                .part(SplitKind::FIRST_OF_CLASS, data([rows].into()))
                .part(SplitKind::NEW_USERS, data([given.default("0.8"), test(), validation()].into()))
                .part("cold-users", data([test(), validation()].into()))
                .part("cold-items", data([test(), validation()].into())),
        )
        .and(Self::non_edges_key())
        .rule(check_values)
        .exclusive("data.split.test", TEST_FROM)
        .exclusive("data.split.validation", VALIDATION_FROM)
    }

    fn non_edges_key() -> Key {
        let meaning = "Pairs of nodes that are no edge, drawn for each edge of the validation and of the test part, to be told \
                       from edges; 0 for none.";
        let key = Key::new(NON_EDGES, KeyKind::NOT_NEGATIVE, meaning).default("1.0");
        key.when(is("data.format", [Edges::NAME])).effect(Effect::Data)
    }

    /// The split set in a config.
    pub fn of(values: &Values) -> Self {
        let kind = match values.get::<String>("data.split.kind").as_str() {
            "random" => SplitKind::Random,
            "k-fold" => SplitKind::KFold { folds: values.get("data.split.folds"), fold: values.get("data.split.fold") },
            "user-stratified" => SplitKind::UserStratified,
            "leave-last-out" => SplitKind::LeaveLastOut,
            "temporal" => SplitKind::Temporal,
            "global-temporal" => {
                let from = |key| moment(&values.find::<String>(key)?);
                SplitKind::GlobalTemporal { test_from: from(TEST_FROM), validation_from: from(VALIDATION_FROM) }
            }
            SplitKind::FILES => SplitKind::Files,
            SplitKind::NEW_USERS => SplitKind::NewUsers { given: values.get("data.split.given") },
            "cold-users" => SplitKind::ColdUsers,
            "cold-items" => SplitKind::ColdItems,
            SplitKind::FIRST_OF_CLASS => SplitKind::FirstOfClass { train_rows: values.get("data.split.train_rows") },
            _ => SplitKind::None,
        };
        let share = |key| values.find(key).unwrap_or(0.0);
        let (test, validation) = (share("data.split.test"), share("data.split.validation"));
        Self { kind, test, validation, non_edges: share(NON_EDGES) }
    }

    /// The share of the ratings of each user of the test part that the model is given, if these users are new to it.
    pub fn given(&self) -> Option<f64> {
        match self.kind {
            SplitKind::NewUsers { given } => Some(given),
            _ => None,
        }
    }

    /// Why there is no validation part in a config, if there is none.
    pub fn without_validation(values: &Values) -> Option<String> {
        if values.contains(VALIDATION_FROM) {
            return None;
        }
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
    for key in [TEST_FROM, VALIDATION_FROM] {
        if let Some(text) = values.find::<String>(key).filter(|text| moment(text).is_none()) {
            let message = format!(
                "{key} must be seconds since 1970 or a date like 2010-12-01 or 2010-12-01 08:26:00, but is {text:?}"
            );
            problems.push(Problem::new([key], message));
        }
    }
    let SplitSpec { kind, test, validation, .. } = SplitSpec::of(values);
    for key in ["evaluation.candidates", "evaluation.sampled_candidates"] {
        if matches!(kind, SplitKind::NewUsers { .. }) && values.contains(key) {
            let message =
                format!("{key} ranks for users of training, but data.split.kind = \"new-users\" tests others");
            problems.push(Problem::new([key, "data.split.kind"], message));
        }
    }
    if let SplitKind::GlobalTemporal { test_from: Some(test), validation_from: Some(validation) } = kind
        && validation >= test
    {
        let message = format!("{VALIDATION_FROM} must be before {TEST_FROM}");
        problems.push(Problem::new([TEST_FROM, VALIDATION_FROM], message));
    }
    if test + validation >= 1.0 {
        let message = format!("data.split.test + data.split.validation must be below 1, but is {test} + {validation}");
        problems.push(Problem::new(["data.split.test", "data.split.validation"], message));
    }
    problems
}
