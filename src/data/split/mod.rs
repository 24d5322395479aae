//! Dividing ratings into training, validation and test.
//!
//! A division depends on the order of the data and the seed, on nothing else.

mod divide;

use std::collections::HashMap;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

pub use self::divide::{HeldOut, Split, divide, held_out_rows};
use super::{Dataset, Ratings, Vocabulary, class_of};
use crate::config::{Choice, Effect, Key, KeyKind, Keys, Problem, Values};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::random;

/// What a rating is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Parameters are fitted to it.
    Train,
    /// Settings are chosen, and training is stopped, by it.
    Validation,
    /// The result is measured on it, once.
    Test,
}

/// How ratings are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitKind {
    /// Everything is training; the shares do not count.
    None,
    /// Test and validation are drawn from all ratings.
    Random,
    /// Ratings are dealt at random into `folds` nearly equal parts, and one of them is the test part.
    /// Validation is drawn from the rest, of which it is a share.
    KFold {
        /// Number of parts, at least 2.
        folds: usize,
        /// The part to test on, from 1.
        fold: usize,
    },
    /// Test and validation are drawn from each user's ratings, with shares rounded to whole ratings.
    UserStratified,
    /// Each user's newest rating is test and, where the validation share is not 0, the one before validation. Users with
    /// too few ratings for one more stay in training. Otherwise the shares do not count.
    LeaveLastOut,
    /// Each user's newest ratings are test, those before validation, with shares rounded to whole ratings.
    Temporal,
    /// The ready-made test file is test; validation is drawn from the rest, of which it is a share.
    Files,
    /// Of each class of users (see [`class_of`]) all ratings of the first `train_rows` are training and those of the
    /// others test, in the order of the data. The shares do not count.
    FirstOfClass {
        /// Users of each class that are trained on, at least 1.
        train_rows: usize,
    },
}

impl SplitKind {
    /// What configs call [`Files`](Self::Files).
    pub(super) const FILES: &str = "files";
    /// What configs call [`FirstOfClass`](Self::FirstOfClass).
    const FIRST_OF_CLASS: &str = "first-of-class";
}

/// How ratings are divided, and into what shares.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SplitSpec {
    /// The way of dividing.
    pub kind: SplitKind,
    /// Share of the ratings that is test, from 0 to below 1.
    pub test: f64,
    /// Share of the ratings that is validation, from 0 to below 1.
    pub validation: f64,
}

impl SplitSpec {
    /// The config keys of splits.
    pub fn keys() -> Keys {
        let test =
            || Key::new("data.split.test", KeyKind::SHARE, "Share of the ratings that is for the test.").default("0.1");
        let validation = "Share of the ratings (for k-fold and files, of those that are not for the test) that is for \
                          validation. With leave-last-out, anything above 0 takes each user's newest rating but one.";
        let validation = || Key::new("data.split.validation", KeyKind::SHARE, validation).default("0.1");
        let folds =
            Key::new("data.split.folds", KeyKind::Int(2..=u32::MAX.into()), "Number of equal parts.").default("5");
        let fold = "Which part, counted from 1, is the test.";
        let fold = || Key::new("data.split.fold", KeyKind::AT_LEAST_ONE, fold).default("1").effect(Effect::Pairing);
        let rows = "Rows of each class, the first in the order of the data, that are trained on with all their cells; those \
                    of the other rows are the test. The class of a row is its id up to the last \"/\": the folder of a file.";
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

    /// The split that a config asks for.
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

/// What is wrong with the numbers of a split.
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

/// The part of each rating of `dataset`.
///
/// Ratings of one user at the same time count as older the earlier they stand in the file.
///
/// # Errors
/// [`Error::Usage`] where shares or folds are out of range, where the data lack timestamps, classes or a test file that
/// the kind needs, and where a part that was asked for comes out empty.
pub fn assign(dataset: &Dataset, spec: &SplitSpec, seed: u64) -> Result<Vec<Part>> {
    let SplitSpec { kind, test, validation } = *spec;
    check_shares(test, validation)?;
    let ratings = &dataset.ratings;
    let mut parts = vec![Part::Train; ratings.len()];
    let users = || by_user(&ratings.users, dataset.users.len());
    let (wants_test, wants_validation) = (test > 0.0, validation > 0.0);
    let wants_test = match kind {
        SplitKind::None => return Ok(parts),
        SplitKind::Random => {
            let members: Vec<u32> = (0..indexable(ratings)).collect();
            draw(&mut parts, &members, test, validation, &mut random::stream(seed, "split/random"));
            wants_test
        }
        SplitKind::UserStratified => {
            let mut random = random::stream(seed, "split/user-stratified");
            for group in users().iter() {
                draw(&mut parts, group, test, validation, &mut random);
            }
            wants_test
        }
        SplitKind::KFold { folds, fold } => {
            if folds < 2 || !(1..=folds).contains(&fold) {
                return Err(Error::Usage(format!(
                    "split: there is no fold {fold} of {folds}; folds is at least 2 and fold from 1 to folds"
                )));
            }
            let mut order: Vec<u32> = (0..indexable(ratings)).collect();
            // The folds are the same whichever of them is the test part.
            order.shuffle(&mut random::stream(seed, "split/k-fold"));
            let cut = |fold: usize| (order.len() as u128 * fold as u128 / folds as u128) as usize;
            let (start, end) = (cut(fold - 1), cut(fold));
            order[start..end].iter().for_each(|&rating| parts[rating as usize] = Part::Test);
            draw_validation(&mut parts, validation, seed, &format!("split/k-fold/validation/{fold}"));
            true
        }
        SplitKind::Files => {
            let start = dataset.test_start.ok_or_else(|| {
                Error::Usage(
                    "split: kind \"files\" needs a ready-made test file; give one, or choose another kind".into(),
                )
            })?;
            parts[start..].fill(Part::Test);
            draw_validation(&mut parts, validation, seed, "split/files/validation");
            true
        }
        SplitKind::LeaveLastOut => {
            newest_last(ratings, users(), |group| {
                let held_out = 1 + usize::from(wants_validation);
                if let Some(train) = group.len().checked_sub(held_out).filter(|&train| train > 0) {
                    hold_out(&mut parts, group, train, 1);
                }
            })?;
            true
        }
        SplitKind::Temporal => {
            newest_last(ratings, users(), |group| {
                let (test, validation) = counts(group.len(), test, validation);
                hold_out(&mut parts, group, group.len() - test - validation, test);
            })?;
            wants_test
        }
        SplitKind::FirstOfClass { train_rows } => {
            let rows = first_of_class(&dataset.users, train_rows)?;
            parts.iter_mut().zip(&ratings.users).for_each(|(part, &user)| *part = rows[user as usize]);
            if !rows.contains(&Part::Test) {
                return Err(Error::Usage(format!(
                    "split: no class has more than train_rows = {train_rows} rows, so that the test part is empty; lower it"
                )));
            }
            check_parts(&parts, true, false)?;
            return Ok(parts);
        }
    };
    check_parts(&parts, wants_test, wants_validation)?;
    Ok(parts)
}

/// Positions of ratings by user, in file order.
fn by_user(users: &[u32], num_users: usize) -> Groups {
    Groups::of_positions(num_users, users.iter().map(|&user| user as usize))
}

/// Number of ratings as an index, which reading has made sure it fits.
fn indexable(ratings: &Ratings) -> u32 {
    u32::try_from(ratings.len()).expect("at most u32::MAX ratings in a dataset")
}

/// How many of `count` ratings are test and validation. At least one is left for training.
fn counts(count: usize, test: f64, validation: f64) -> (usize, usize) {
    let share = |share: f64| (share * count as f64).round() as usize;
    let test = share(test).min(count.saturating_sub(1));
    (test, share(validation).min((count - test).saturating_sub(1)))
}

/// Draws shares of `members` into test and validation: every choice of that many is equally likely.
///
/// One pass without memory (selection sampling: Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S).
fn draw(parts: &mut [Part], members: &[u32], test: f64, validation: f64, random: &mut ChaCha8Rng) {
    let (mut test, mut validation) = counts(members.len(), test, validation);
    for (passed, &rating) in members.iter().enumerate() {
        if test + validation == 0 {
            return;
        }
        let ticket = random.random_range(0..(members.len() - passed) as u64) as usize;
        if ticket < test {
            parts[rating as usize] = Part::Test;
            test -= 1;
        } else if ticket < test + validation {
            parts[rating as usize] = Part::Validation;
            validation -= 1;
        }
    }
}

/// Draws `share` of the training part into validation.
fn draw_validation(parts: &mut [Part], share: f64, seed: u64, stream: &str) {
    let members: Vec<u32> = (0..).zip(&*parts).filter(|(_, part)| **part == Part::Train).map(|(r, _)| r).collect();
    draw(parts, &members, 0.0, share, &mut random::stream(seed, stream));
}

/// The part of each user.
fn first_of_class(users: &Vocabulary, train_rows: usize) -> Result<Vec<Part>> {
    if train_rows == 0 {
        return Err(Error::Usage("split: train_rows = 0 leaves nothing to train on; give at least 1".into()));
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let part = |id| {
        let class = class_of(id).ok_or_else(|| {
            Error::Usage(format!(
                "split: kind \"first-of-class\" needs rows whose ids name a class, as files in folders do; {id:?} names \
                 none, so choose another kind"
            ))
        })?;
        let count = seen.entry(class).or_default();
        *count += 1;
        Ok(if *count <= train_rows { Part::Train } else { Part::Test })
    };
    users.ids().map(part).collect()
}

/// Hands out each user's ratings, the newest last.
fn newest_last(ratings: &Ratings, mut users: Groups, mut each: impl FnMut(&[u32])) -> Result<()> {
    let timestamps = ratings.timestamps.as_ref().ok_or_else(|| {
        Error::Usage(
            "split: this kind goes by time, and the data have no timestamps; give them a column named \"timestamp\", \
             or choose another kind"
                .into(),
        )
    })?;
    users.for_each_mut(|group| {
        // Stable: ties stay in file order.
        group.sort_by_key(|&rating| timestamps[rating as usize]);
        each(group);
    });
    Ok(())
}

/// Leaves the first `train` of `group` in training; the last `test` are test, those between validation.
fn hold_out(parts: &mut [Part], group: &[u32], train: usize, test: usize) {
    for (place, &rating) in group.iter().enumerate().skip(train) {
        parts[rating as usize] = if place + test < group.len() { Part::Validation } else { Part::Test };
    }
}

fn check_shares(test: f64, validation: f64) -> Result<()> {
    for (name, share) in [("test", test), ("validation", validation)] {
        if !(0.0..1.0).contains(&share) {
            return Err(Error::Usage(format!("split: {name} = {share}; a share is at least 0 and below 1")));
        }
    }
    if test + validation >= 1.0 {
        return Err(Error::Usage(format!(
            "split: test = {test} and validation = {validation} leave nothing to train on; together they are below 1"
        )));
    }
    Ok(())
}

/// Refuses a division in which a part that was asked for is empty.
fn check_parts(parts: &[Part], wants_test: bool, wants_validation: bool) -> Result<()> {
    let count = |wanted| parts.iter().filter(|&&part| part == wanted).count();
    let (train, validation, test) = (count(Part::Train), count(Part::Validation), count(Part::Test));
    let (empty, remedy) = if train == 0 {
        ("training", "leave more ratings to it")
    } else if wants_test && test == 0 {
        ("test", "raise its share, choose another kind, or give more ratings")
    } else if wants_validation && validation == 0 {
        ("validation", "raise its share, set it to 0, or give more ratings")
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!(
        "split: of {} ratings, {train} are training, {validation} validation and {test} test, so the {empty} part is \
         empty; {remedy}",
        parts.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::UNKNOWN;

    /// `per_user` ratings of each of `users` users, interleaved, each user's times falling in file order.
    fn dataset(users: usize, per_user: usize) -> Dataset {
        let mut dataset = Dataset::default();
        for turn in 0..per_user {
            for user in 0..users {
                let user_index = dataset.users.insert(&format!("u{user}"));
                let item = dataset.items.insert(&format!("i{}", (user + turn) % (users + per_user)));
                let time = (per_user - turn) as i64;
                dataset.ratings.push(user_index, item, turn as f32, Some(time));
            }
        }
        dataset
    }

    fn spec(kind: SplitKind, test: f64, validation: f64) -> SplitSpec {
        SplitSpec { kind, test, validation }
    }

    fn sizes(parts: &[Part]) -> [usize; 3] {
        [Part::Train, Part::Validation, Part::Test].map(|wanted| parts.iter().filter(|&&part| part == wanted).count())
    }

    fn usage(result: Result<Vec<Part>>) -> String {
        match result.unwrap_err() {
            Error::Usage(message) => message,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn random_shares_are_exact_and_depend_on_the_seed() {
        let data = dataset(20, 50);
        let of = |seed| assign(&data, &spec(SplitKind::Random, 0.1, 0.25), seed).unwrap();
        assert_eq!(sizes(&of(1)), [650, 250, 100]);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn random_draws_every_rating_equally_often() {
        let data = dataset(1, 10);
        let mut drawn = [0; 10];
        for seed in 0..2000 {
            let parts = assign(&data, &spec(SplitKind::Random, 0.3, 0.2), seed).unwrap();
            (0..10).for_each(|rating| drawn[rating] += usize::from(parts[rating] == Part::Test));
        }
        // 600 are expected, with a standard deviation of 20.
        assert!(drawn.iter().all(|count| (500..700).contains(count)), "{drawn:?}");
    }

    #[test]
    fn folds_cover_everything_once() {
        let data = dataset(1, 103);
        let mut tested = vec![0; 103];
        for fold in 1..=5 {
            let parts = assign(&data, &spec(SplitKind::KFold { folds: 5, fold }, 0.0, 0.25), 7).unwrap();
            let [_, validation, test] = sizes(&parts);
            assert!((20..=21).contains(&test) && (20..=21).contains(&validation));
            (0..103).for_each(|rating| tested[rating] += usize::from(parts[rating] == Part::Test));
        }
        assert!(tested.iter().all(|&count| count == 1));
        for (folds, fold) in [(5, 0), (5, 6), (1, 1)] {
            let message = usage(assign(&data, &spec(SplitKind::KFold { folds, fold }, 0.0, 0.0), 7));
            assert!(message.contains(&format!("no fold {fold} of {folds}")));
        }
    }

    #[test]
    fn stratified_gives_every_user_the_same_shares() {
        let data = dataset(7, 10);
        let parts = assign(&data, &spec(SplitKind::UserStratified, 0.2, 0.1), 3).unwrap();
        for group in by_user(&data.ratings.users, 7).iter() {
            let parts: Vec<Part> = group.iter().map(|&rating| parts[rating as usize]).collect();
            assert_eq!(sizes(&parts), [7, 1, 2]);
        }
    }

    #[test]
    fn the_newest_are_held_out() {
        // Times fall in file order, so the first ratings of the file are the newest.
        let data = dataset(3, 5);
        let parts = assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.1), 0).unwrap();
        let expected = [[Part::Test; 3], [Part::Validation; 3], [Part::Train; 3], [Part::Train; 3], [Part::Train; 3]];
        assert_eq!(parts, expected.concat());
        let parts = assign(&data, &spec(SplitKind::Temporal, 0.4, 0.2), 0).unwrap();
        let expected = [[Part::Test; 3], [Part::Test; 3], [Part::Validation; 3], [Part::Train; 3], [Part::Train; 3]];
        assert_eq!(parts, expected.concat());
    }

    #[test]
    fn ties_in_time_go_by_file_order() {
        let mut data = dataset(1, 4);
        data.ratings.timestamps = Some(vec![5; 4]);
        let parts = assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.1), 0).unwrap();
        assert_eq!(parts, [Part::Train, Part::Train, Part::Validation, Part::Test]);
    }

    #[test]
    fn users_with_few_ratings_stay_in_training() {
        let mut data = dataset(2, 2);
        let one = assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.0), 0).unwrap();
        assert_eq!(sizes(&one), [2, 0, 2]);
        let message = usage(assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.1), 0));
        assert!(message.contains("of 4 ratings, 4 are training, 0 validation and 0 test, so the test part is empty"));
        data.ratings.timestamps = None;
        let message = usage(assign(&data, &spec(SplitKind::Temporal, 0.1, 0.0), 0));
        assert!(message.contains("no timestamps; give them a column"));
    }

    #[test]
    fn files_are_taken_as_they_are() {
        let mut data = dataset(4, 10);
        assert!(usage(assign(&data, &spec(SplitKind::Files, 0.0, 0.0), 0)).contains("needs a ready-made test file"));
        data.test_start = Some(30);
        let parts = assign(&data, &spec(SplitKind::Files, 0.0, 0.1), 0).unwrap();
        assert_eq!(sizes(&parts), [27, 3, 10]);
        assert!(parts[30..].iter().all(|&part| part == Part::Test));
    }

    /// A cell for each pair of these users and items: what row and column make, ten times the row and the column.
    fn cells(users: &[&str], items: &[&str]) -> Dataset {
        let mut dataset = Dataset::default();
        for (row, user) in users.iter().enumerate() {
            for (column, item) in items.iter().enumerate() {
                let (user, item) = (dataset.users.insert(user), dataset.items.insert(item));
                dataset.ratings.push(user, item, (10 * row + column) as f32, None);
            }
        }
        dataset
    }

    #[test]
    fn the_first_of_each_class_are_trained_on_and_the_others_come_back() {
        let mut data = cells(&["a/1", "b/1", "a/2", "a/3", "b/2", "c/1"], &["x", "y"]);
        // An item that no training row has.
        let (user, item) = (data.users.index("a/3").unwrap(), data.items.insert("z"));
        data.ratings.push(user, item, 99.0, None);
        let parts = assign(&data, &spec(SplitKind::FirstOfClass { train_rows: 1 }, 0.0, 0.0), 0).unwrap();
        let split = divide(&data, &parts, false).unwrap();
        assert_eq!(split.users.ids().collect::<Vec<_>>(), ["a/1", "b/1", "c/1"]);
        assert_eq!(split.train.values, [0.0, 1.0, 10.0, 11.0, 50.0, 51.0]);
        assert_eq!(split.test.len(), 7);
        assert_eq!(
            held_out_rows(&data, &parts, &split),
            HeldOut {
                ids: ["a/2", "a/3", "b/2"].map(String::from).to_vec(),
                cells: vec![vec![(0, 20.0), (1, 21.0)], vec![(0, 30.0), (1, 31.0)], vec![(0, 40.0), (1, 41.0)]],
            }
        );
        let two = assign(&data, &spec(SplitKind::FirstOfClass { train_rows: 2 }, 0.0, 0.0), 0).unwrap();
        assert_eq!(sizes(&two), [10, 0, 3]);
    }

    #[test]
    fn users_with_a_row_are_not_held_out() {
        let data = cells(&["a", "b"], &["x", "y"]);
        let parts = [Part::Test, Part::Train, Part::Test, Part::Test];
        let split = divide(&data, &parts, false).unwrap();
        let expected = HeldOut { ids: vec!["b".into()], cells: vec![vec![(0, 11.0)]] };
        assert_eq!(held_out_rows(&data, &parts, &split), expected);
    }

    #[test]
    fn classes_have_to_be_there_and_large_enough() {
        let first = |data: &Dataset, train_rows| {
            usage(assign(data, &spec(SplitKind::FirstOfClass { train_rows }, 0.0, 0.0), 0))
        };
        let classes = cells(&["a/1", "a/2", "b/1"], &["x"]);
        assert!(first(&classes, 2).contains("more than train_rows = 2 rows, so that the test part is empty"));
        assert!(first(&classes, 0).contains("train_rows = 0"));
        assert!(first(&cells(&["a/1", "7"], &["x"]), 1).contains("\"7\" names none"));
    }

    #[test]
    fn shares_out_of_range_and_empty_parts_are_refused() {
        let data = dataset(1, 4);
        for (test, validation) in [(-0.1, 0.0), (1.0, 0.0), (0.0, f64::NAN), (0.5, 0.5)] {
            assert!(assign(&data, &spec(SplitKind::Random, test, validation), 0).is_err(), "{test} {validation}");
        }
        let message = usage(assign(&data, &spec(SplitKind::Random, 0.01, 0.5), 0));
        assert!(message.contains("2 validation and 0 test, so the test part is empty"), "{message}");
        assert_eq!(sizes(&assign(&data, &spec(SplitKind::None, 0.5, 0.1), 0).unwrap()), [4, 0, 0]);
    }

    #[test]
    fn only_ids_of_training_are_known() {
        let mut data = Dataset::default();
        for (user, item, value) in [("a", "x", 1.0), ("b", "y", 2.0), ("c", "y", 3.0), ("b", "z", 4.0), ("a", "z", 5.0)]
        {
            let (user, item) = (data.users.insert(user), data.items.insert(item));
            data.ratings.push(user, item, value, Some(value as i64));
        }
        data.titles = Some(["X", "Y", "Z"].map(String::from).to_vec());
        let parts = [Part::Test, Part::Validation, Part::Train, Part::Train, Part::Test];
        let split = divide(&data, &parts, false).unwrap();
        assert_eq!(split.users.ids().collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(split.items.ids().collect::<Vec<_>>(), ["y", "z"]);
        assert_eq!(split.titles, Some(vec!["Y".to_string(), "Z".to_string()]));
        assert_eq!((split.train.users, split.train.items), (vec![0, 1], vec![0, 1]));
        assert_eq!((split.validation.users, split.validation.items), (vec![1], vec![0]));
        assert_eq!((split.test.users, split.test.items), (vec![UNKNOWN; 2], vec![UNKNOWN, 1]));
        assert_eq!(split.test.timestamps, Some(vec![1, 5]));

        let refit = divide(&data, &parts, true).unwrap();
        assert_eq!(refit.train.values, [2.0, 3.0, 4.0]);
        assert_eq!(refit.users.ids().collect::<Vec<_>>(), ["b", "c"]);
        assert!(refit.validation.is_empty());
        assert!(divide(&data, &[Part::Test; 5], true).is_err());
        assert!(divide(&data, &[Part::Train; 4], true).is_err());
    }
}
