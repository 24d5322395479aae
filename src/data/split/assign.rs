//! The part of each interaction.

use std::collections::HashMap;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Part;
use super::cut::{Begin, by_moment};
use super::spec::{SplitKind, SplitSpec};
use crate::data::{Dataset, ITEM, Interactions, USER, Vocabulary, class_of};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::random;

/// The part of each rating of `dataset`.
///
/// Of ratings of one user at the same time, the one earlier in the file counts as older.
///
/// # Errors
/// [`Error::Usage`] if shares or folds are out of range, if the data lack timestamps, classes or a test file that the
/// kind needs, or if a requested part turns out empty.
pub fn assign(dataset: &Dataset, spec: &SplitSpec, seed: u64) -> Result<Vec<Part>> {
    let SplitSpec { kind, test, validation, .. } = *spec;
    check_shares(test, validation)?;
    let ratings = &dataset.interactions;
    let mut parts = vec![Part::Train; ratings.len()];
    let users = || {
        let users = ratings.column(USER).iter().map(|&user| user as usize);
        Groups::of_positions(dataset.users().len(), users)
    };
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
                    "split: there is no fold {fold} of {folds}; folds must be at least 2 and fold from 1 to folds"
                )));
            }
            let mut order: Vec<u32> = (0..indexable(ratings)).collect();
            // The folds do not depend on which of them is the test part.
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
        SplitKind::GlobalTemporal { test_from, validation_from } => {
            let begin = |from: Option<i64>, share| from.map_or(Begin::Share(share), Begin::At);
            parts = by_moment(times(ratings)?, begin(test_from, test), begin(validation_from, validation))?;
            check_parts(&parts, wants_test || test_from.is_some(), wants_validation || validation_from.is_some())?;
            return Ok(parts);
        }
        SplitKind::NewUsers { .. } => {
            let mut of_users = vec![Part::Train; dataset.users().len()];
            let users: Vec<u32> = (0..).take(of_users.len()).collect();
            draw(&mut of_users, &users, test, 0.0, &mut random::stream(seed, "split/new-users"));
            parts.iter_mut().zip(ratings.column(USER)).for_each(|(part, &user)| *part = of_users[user as usize]);
            draw_validation(&mut parts, validation, seed, "split/new-users/validation");
            wants_test
        }
        SplitKind::ColdUsers | SplitKind::ColdItems => {
            let (field, name) = match kind {
                SplitKind::ColdUsers => (USER, "split/cold-users"),
                _ => (ITEM, "split/cold-items"),
            };
            // Rows that nobody rates are in no part.
            let mut rows = ratings.column(field).to_vec();
            rows.sort_unstable();
            rows.dedup();
            let mut of_rows = vec![Part::Train; dataset.entity(field).ids.len()];
            draw(&mut of_rows, &rows, test, validation, &mut random::stream(seed, name));
            parts.iter_mut().zip(ratings.column(field)).for_each(|(part, &row)| *part = of_rows[row as usize]);
            wants_test
        }
        SplitKind::FirstOfClass { train_rows } => {
            let rows = first_of_class(dataset.users(), train_rows)?;
            parts.iter_mut().zip(ratings.column(USER)).for_each(|(part, &user)| *part = rows[user as usize]);
            if !rows.contains(&Part::Test) {
                return Err(Error::Usage(format!(
                    "split: no class has more than train_rows = {train_rows} rows, so the test part is empty; lower it"
                )));
            }
            check_parts(&parts, true, false)?;
            return Ok(parts);
        }
    };
    check_parts(&parts, wants_test, wants_validation)?;
    Ok(parts)
}

/// Number of ratings as an index; reading ensures that it fits.
fn indexable(ratings: &Interactions) -> u32 {
    u32::try_from(ratings.len()).expect("at most u32::MAX ratings in a dataset")
}

/// How many of `count` ratings are test and validation. At least one is left for training.
fn counts(count: usize, test: f64, validation: f64) -> (usize, usize) {
    let share = |share: f64| (share * count as f64).round() as usize;
    let test = share(test).min(count.saturating_sub(1));
    (test, share(validation).min((count - test).saturating_sub(1)))
}

/// Draws shares of `members` into test and validation: every choice of these sizes is equally likely.
///
/// One pass without memory (selection sampling: Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S).
pub(super) fn draw(parts: &mut [Part], members: &[u32], test: f64, validation: f64, random: &mut ChaCha8Rng) {
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

/// When each rating was given.
fn times(ratings: &Interactions) -> Result<&[i64]> {
    ratings.timestamps.as_deref().ok_or_else(|| {
        Error::Usage(
            "split: this kind orders ratings by time, but the data have no timestamps; add a column named \
             \"timestamp\", or choose another kind"
                .into(),
        )
    })
}

/// Passes each user's ratings to `each`, the newest last.
fn newest_last(ratings: &Interactions, mut users: Groups, mut each: impl FnMut(&[u32])) -> Result<()> {
    let timestamps = times(ratings)?;
    users.for_each_mut(|group| {
        // Stable: ties stay in file order.
        group.sort_by_key(|&rating| timestamps[rating as usize]);
        each(group);
    });
    Ok(())
}

/// Leaves the first `train` of `group` in training; the last `test` are test, those between are validation.
fn hold_out(parts: &mut [Part], group: &[u32], train: usize, test: usize) {
    for (place, &rating) in group.iter().enumerate().skip(train) {
        parts[rating as usize] = if place + test < group.len() { Part::Validation } else { Part::Test };
    }
}

fn check_shares(test: f64, validation: f64) -> Result<()> {
    for (name, share) in [("test", test), ("validation", validation)] {
        if !(0.0..1.0).contains(&share) {
            return Err(Error::Usage(format!("split: {name} = {share}; a share must be at least 0 and below 1")));
        }
    }
    if test + validation >= 1.0 {
        return Err(Error::Usage(format!(
            "split: test = {test} and validation = {validation} leave nothing to train on; their sum must be below 1"
        )));
    }
    Ok(())
}

/// Rejects a division in which a requested part is empty.
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
