//! Moments that divide the ratings of all users alike.

use super::Part;
use super::spec::{TEST_FROM, VALIDATION_FROM};
use crate::error::{Error, Result};

/// Where a part begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin {
    /// At a moment, in seconds since 1970.
    At(i64),
    /// So that it has this share of all ratings, or more if several are of the moment of the cut; with 0 there is none.
    Share(f64),
}

/// The part of each rating by its time: test ratings are from one moment on, validation ratings from one before it.
///
/// # Errors
/// [`Error::Usage`] if nothing is from a given moment on, or if the two moments are in the wrong order.
pub(super) fn by_moment(times: &[i64], test: Begin, validation: Begin) -> Result<Vec<Part>> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let test = moment(&sorted, sorted.len(), test);
    let before = test.map_or(sorted.len(), |test| sorted.partition_point(|&time| time < test));
    if let (Some(test), Some((first, last))) = (test, sorted.first().zip(sorted.last()))
        && before == sorted.len()
    {
        debug_assert!(test > *last);
        return Err(Error::Usage(format!(
            "split: no rating is from {TEST_FROM} on; their times go from {first} to {last}"
        )));
    }
    if let (Begin::At(validation), Some(test)) = (validation, test)
        && validation >= test
    {
        return Err(Error::Usage(format!(
            "split: {VALIDATION_FROM} must be before the test part, which begins at {test}, but is {validation}"
        )));
    }
    let validation = moment(&sorted, before, validation);
    let is_from = |time: i64, begin: Option<i64>| begin.is_some_and(|begin| time >= begin);
    let part = |&time: &i64| {
        if is_from(time, test) {
            Part::Test
        } else if is_from(time, validation) {
            Part::Validation
        } else {
            Part::Train
        }
    };
    Ok(times.iter().map(part).collect())
}

/// The moment at which the last part of the first `end` of all times begins, if there is one.
fn moment(sorted: &[i64], end: usize, begin: Begin) -> Option<i64> {
    match begin {
        Begin::At(moment) => Some(moment),
        Begin::Share(share) => {
            let count = (share * sorted.len() as f64).round() as usize;
            // At least one is left, if it is not of the same moment.
            let count = count.min(end.saturating_sub(1));
            (count > 0).then(|| sorted[end - count])
        }
    }
}
