//! Ratings of the same item by the same user, in one file; with columns of a context, in the same context.

use std::cmp::Ordering;
use std::path::Path;

use super::reader::Reader;
use crate::data::{Dataset, ITEM, Interactions, UNKNOWN, USER};
use crate::error::{Error, Location};
use crate::linalg::Groups;

/// What becomes of a second rating of the same item by the same user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// The last in file order counts; it takes the place of the first.
    #[default]
    Last,
    /// The mean counts, with the timestamp of the last and in the place of the first.
    Mean,
    /// The sum counts, in the same way: the lines are parts of one amount.
    Sum,
    /// How many there are counts, in the same way, and their values do not: the lines are events.
    Count,
    /// The data are refused.
    Error,
    /// Both stay: each is an event of its own, or a request.
    Keep,
}

impl Duplicates {
    /// The words of `data.duplicates`.
    pub(super) const WORDS: [&str; 6] = ["last", "mean", "sum", "count", "keep", "error"];

    /// What a word of `data.duplicates` asks for.
    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "mean" => Self::Mean,
            "sum" => Self::Sum,
            "count" => Self::Count,
            "keep" => Self::Keep,
            "error" => Self::Error,
            _ => Self::Last,
        }
    }
}

/// Repeated ratings that cannot be merged.
pub(super) enum Refused {
    /// They are not to be; so many, the first of which repeats the rating at this position.
    Repeated { count: u64, first: usize },
    /// The sum that belongs at this position is not finite.
    TooLarge(usize),
}

/// For each rating from `start` on a number that it shares with those of the same user, item and context, below the number of
/// that user's ratings; `None` without a context. `groups` has the ratings of each user.
fn cells_in_context(ratings: &Interactions, start: usize, groups: &Groups) -> Option<Vec<u32>> {
    let columns = &ratings.columns[ITEM.0..];
    if columns.len() == 1 {
        return None;
    }
    let value = |column: &[u32], rating: u32| column[start + rating as usize];
    let order = |one: &u32, other: &u32| {
        let mut orders = columns.iter().map(|column| value(column, *one).cmp(&value(column, *other)));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    let mut cells = vec![0; ratings.len() - start];
    let mut sorted: Vec<u32> = Vec::new();
    for group in groups.iter() {
        sorted.clear();
        sorted.extend(group);
        sorted.sort_unstable_by(order);
        let equal = sorted.chunk_by(|one, other| order(one, other).is_eq());
        (0..).zip(equal).for_each(|(number, equal)| equal.iter().for_each(|&rating| cells[rating as usize] = number));
    }
    Some(cells)
}

/// Merges the ratings from `start` on that name the same user and item, and the same context, and says so if there are any.
pub(super) fn merge(duplicates: Duplicates, start: usize, dataset: &mut Dataset) -> Result<Option<String>, Refused> {
    /// What is known of an item within one user's ratings.
    #[derive(Clone, Copy)]
    struct Repeats {
        first: u32,
        count: u32,
        sum: f64,
    }
    const UNSEEN: Repeats = Repeats { first: UNKNOWN, count: 0, sum: 0.0 };

    if duplicates == Duplicates::Keep {
        return Ok(None);
    }
    let (num_users, num_items) = (dataset.users().len(), dataset.items().len());
    let ratings = &mut dataset.interactions;
    let groups = Groups::of_positions(num_users, ratings.column(USER)[start..].iter().map(|&user| user as usize));
    let apart = cells_in_context(ratings, start, &groups);
    let cell = |ratings: &Interactions, rating: usize| match &apart {
        Some(cells) => cells[rating - start] as usize,
        None => ratings.column(ITEM)[rating] as usize,
    };
    let most = groups.iter().map(<[u32]>::len).max().unwrap_or_default();
    let mut seen = vec![UNSEEN; if apart.is_some() { most } else { num_items }];
    let mut merged = 0;
    // Whose repetition comes first in the file: its position, and that of what it repeats.
    let mut earliest: Option<(usize, usize)> = None;
    let all_one = ratings.targets[start..].iter().all(|&value| value == 1.0);
    if duplicates == Duplicates::Count {
        ratings.targets[start..].fill(1.0);
    }
    for group in groups.iter() {
        for rating in group.iter().map(|&rating| start + rating as usize) {
            let item = &mut seen[cell(ratings, rating)];
            item.count += 1;
            item.sum += f64::from(ratings.targets[rating]);
            if item.count == 1 {
                item.first = rating as u32;
                continue;
            }
            let first = item.first as usize;
            ratings.targets[first] = match duplicates {
                Duplicates::Mean => (item.sum / f64::from(item.count)) as f32,
                Duplicates::Sum | Duplicates::Count => item.sum as f32,
                Duplicates::Last | Duplicates::Error | Duplicates::Keep => ratings.targets[rating],
            };
            if !ratings.targets[first].is_finite() {
                return Err(Refused::TooLarge(first));
            }
            if let Some(timestamps) = &mut ratings.timestamps {
                timestamps[first] = timestamps[rating];
            }
            if earliest.is_none_or(|(repeat, _)| rating < repeat) {
                earliest = Some((rating, first));
            }
            merged += 1;
            // Marks the rating for removal; its group is known already.
            ratings.columns[USER.0][rating] = UNKNOWN;
        }
        for &rating in group {
            seen[cell(ratings, start + rating as usize)] = UNSEEN;
        }
    }
    let Some((_, first)) = earliest else { return Ok(None) };
    if duplicates == Duplicates::Error {
        return Err(Refused::Repeated { count: merged, first });
    }
    let kept: Vec<bool> = ratings.column(USER)[start..].iter().map(|&user| user != UNKNOWN).collect();
    ratings.retain_from(start, &kept);
    let how = match duplicates {
        Duplicates::Mean => "the mean counts",
        Duplicates::Sum => "the sum counts",
        Duplicates::Count if all_one => "how often they do counts",
        Duplicates::Count => "how often they do counts, instead of their ratings",
        _ if all_one => "the last counts; data.duplicates = \"count\" makes their number the rating",
        _ => "the last counts",
    };
    let what = if merged == 1 { "rating repeated" } else { "ratings repeated" };
    let before = if apart.is_some() { "before in the same context" } else { "before" };
    Ok(Some(format!("{merged} {what} a user and item rated {before}: {how}")))
}

impl Refused {
    /// The error about the file at `path`, which `reader` has added to `dataset`.
    pub fn error(self, path: &Path, reader: &dyn Reader, dataset: &Dataset) -> Error {
        let (Self::Repeated { first, .. } | Self::TooLarge(first)) = self;
        let ratings = &dataset.interactions;
        let user = dataset.users().id(ratings.column(USER)[first] as usize);
        let item = dataset.items().id(ratings.column(ITEM)[first] as usize);
        // A pipe cannot be read again; then the line stays unknown.
        let lines = reader.lines_of(path, user, item).unwrap_or_default();
        let (line, message) = match self {
            Self::TooLarge(_) => (
                0,
                format!(
                    "the sum of the ratings of user {user:?} of item {item:?} is too large; set duplicates to \"mean\""
                ),
            ),
            Self::Repeated { count, .. } => {
                let (line, before) = match lines[..] {
                    [before, line, ..] => (line, format!(", first rated in line {before}")),
                    _ => (0, String::new()),
                };
                let what = if count == 1 { "rating repeats" } else { "ratings repeat" };
                let message = format!(
                    "{count} {what} a user and item rated before, the first by user {user:?} of item {item:?}{before}; set \
                     duplicates to \"last\" or \"mean\" to merge them"
                );
                (line, message)
            }
        };
        Error::Data { location: Location::at(path, line, 0), message }
    }
}
