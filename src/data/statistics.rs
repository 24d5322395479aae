//! A data set at a glance.

use std::fmt;

use serde::Serialize;

use super::{Dataset, ITEM, Interactions, USER};
use crate::tables::{columns, grouped};

/// Most distinct values for which each has its own bar.
const MOST_BARS: usize = 20;
/// Bins of equal width if there are more.
const BINS: usize = 10;
/// Length of the longest bar, in columns.
const BAR_WIDTH: usize = 40;
/// Items with fewer ratings than this are hard to recommend.
const FEW: u64 = 5;
/// Shares of the items for which [`Statistics::long_tail`] is given.
const HEADS: [f64; 5] = [0.01, 0.05, 0.10, 0.20, 0.50];

/// A summary of a [`Dataset`], test ratings included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Number of ratings.
    pub ratings: usize,
    /// Number of ratings from a ready-made test file.
    pub test_ratings: usize,
    /// Share of the users × items cells that are rated, from 0 to 1.
    pub density: f64,
    /// Mean rating; 0 without ratings.
    pub mean: f64,
    /// Standard deviation of the ratings (of the population, not of a sample); 0 without ratings.
    pub std: f64,
    /// Smallest rating; 0 without ratings.
    pub min: f32,
    /// Largest rating; 0 without ratings.
    pub max: f32,
    /// The distribution of the ratings.
    pub histogram: Vec<Bar>,
    /// Number of ratings per user.
    pub per_user: Spread,
    /// Number of ratings per item.
    pub per_item: Spread,
    /// How the ratings concentrate on popular items.
    pub long_tail: Vec<Head>,
    /// Number of items with fewer than five ratings.
    pub rare_items: usize,
    /// First and last timestamp, if there are any.
    pub timestamps: Option<(i64, i64)>,
}

/// One bar of a histogram: ratings from `from` up to but excluding `to`. The last bar includes `to`, and if every value
/// has its own bar, `from` and `to` are that value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bar {
    /// Lower end.
    pub from: f32,
    /// Upper end.
    pub to: f32,
    /// Number of ratings.
    pub count: u64,
}

/// The distribution of a count over users or items.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    /// Smallest.
    pub min: u64,
    /// Median; the mean of the middle two if the number is even.
    pub median: f64,
    /// Mean.
    pub mean: f64,
    /// Largest.
    pub max: u64,
}

/// The most popular items and their share of the ratings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Head {
    /// Share of the items, from 0 to 1, the most popular first; rounded up to whole items.
    pub items: f64,
    /// Share of the ratings that these items have, from 0 to 1.
    pub ratings: f64,
}

impl Statistics {
    /// The statistics of `dataset`.
    pub fn of(dataset: &Dataset) -> Self {
        let ratings = &dataset.interactions;
        let (users, items, count) = (dataset.users().len(), dataset.items().len(), ratings.len());
        let mean = ratings.mean().unwrap_or(0.0);
        let squares: f64 = ratings.targets.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
        let (min, max) = ratings.range().unwrap_or((0.0, 0.0));
        let per_user = sorted_counts(ratings.column(USER), users);
        let per_item = sorted_counts(ratings.column(ITEM), items);
        let timestamps = ratings
            .timestamps
            .as_ref()
            .and_then(|timestamps| Some((timestamps.iter().copied().min()?, timestamps.iter().copied().max()?)));
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let long_tail = HEADS.map(|head| {
            let top = (head * items as f64).ceil() as usize;
            let held: u64 = per_item.iter().rev().take(top).sum();
            Head { items: head, ratings: share(held as f64, count as f64) }
        });
        Self {
            users,
            items,
            ratings: count,
            test_ratings: dataset.test_start.map_or(0, |start| count - start),
            density: share(count as f64, users as f64 * items as f64),
            mean,
            std: share(squares, count as f64).sqrt(),
            min,
            max,
            histogram: histogram(ratings),
            per_user: Spread::of(&per_user),
            per_item: Spread::of(&per_item),
            long_tail: long_tail.to_vec(),
            rare_items: per_item.iter().take_while(|&&count| count < FEW).count(),
            timestamps,
        }
    }
}

impl Spread {
    /// The spread of counts in ascending order.
    fn of(sorted: &[u64]) -> Self {
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return Self::default() };
        let middle = |place: usize| sorted[place / 2] as f64;
        Self {
            min,
            median: 0.5 * (middle(sorted.len() - 1) + middle(sorted.len())),
            mean: sorted.iter().sum::<u64>() as f64 / sorted.len() as f64,
            max,
        }
    }
}

/// How often each index below `length` occurs, in ascending order of the counts.
fn sorted_counts(indices: &[u32], length: usize) -> Vec<u64> {
    let mut counts = vec![0; length];
    indices.iter().for_each(|&index| counts[index as usize] += 1);
    counts.sort_unstable();
    counts
}

fn histogram(ratings: &Interactions) -> Vec<Bar> {
    let Some((min, max)) = ratings.range() else { return Vec::new() };
    let mut bars: Vec<Bar> = Vec::new();
    for &value in &ratings.targets {
        match bars.binary_search_by(|bar| bar.from.partial_cmp(&value).expect("ratings are finite")) {
            Ok(place) => bars[place].count += 1,
            Err(_) if bars.len() == MOST_BARS => return bins(ratings, f64::from(min), f64::from(max)),
            Err(place) => bars.insert(place, Bar { from: value, to: value, count: 1 }),
        }
    }
    bars
}

fn bins(ratings: &Interactions, min: f64, max: f64) -> Vec<Bar> {
    let edge = |bin: usize| (min + (max - min) * bin as f64 / BINS as f64) as f32;
    let mut bars: Vec<Bar> = (0..BINS).map(|bin| Bar { from: edge(bin), to: edge(bin + 1), count: 0 }).collect();
    for &value in &ratings.targets {
        let bin = ((f64::from(value) - min) / (max - min) * BINS as f64) as usize;
        bars[bin.min(BINS - 1)].count += 1;
    }
    bars
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |cells: &[&str]| cells.iter().map(|cell| cell.to_string()).collect::<Vec<_>>();
        let count = |number: usize| grouped(number as u64);
        let of_test = match self.test_ratings {
            0 => String::new(),
            ratings => format!("of them {} from the test file", count(ratings)),
        };
        let mut facts = vec![
            row(&["users", &count(self.users), ""]),
            row(&["items", &count(self.items), ""]),
            row(&["ratings", &count(self.ratings), &of_test]),
            row(&["density", &format!("{:.3} %", 100.0 * self.density), ""]),
        ];
        if let Some((first, last)) = self.timestamps {
            facts.push(row(&["time", &moment(first), &format!("to {}", moment(last))]));
        }
        f.write_str(&columns(&facts, &[false, true, false]))?;
        writeln!(f, "\nrating    mean {:.4}   std {:.4}   min {}   max {}", self.mean, self.std, self.min, self.max)?;
        let most = self.histogram.iter().map(|bar| bar.count).max().unwrap_or(0);
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let bars = self.histogram.iter().map(|bar| {
            let drawn = format!("{:<BAR_WIDTH$}", blocks(bar.count as f64 / most as f64));
            let share = percent(bar.count as f64 / self.ratings as f64);
            row(&["", &bar.label(), &drawn, &grouped(bar.count), &share])
        });
        f.write_str(&columns(&bars.collect::<Vec<_>>(), &[false, true, false, true, true]))?;
        let mut spreads = vec![row(&["ratings per", "min", "median", "mean", "max"])];
        for (name, spread) in [("  user", &self.per_user), ("  item", &self.per_item)] {
            let Spread { min, median, mean, max } = *spread;
            spreads.push(row(&[name, &grouped(min), &median.to_string(), &format!("{mean:.1}"), &grouped(max)]));
        }
        write!(f, "\n{}", columns(&spreads, &[false, true, true, true, true]))?;
        let heads = self.long_tail.iter().map(|head| {
            let drawn = format!("{:<BAR_WIDTH$}", blocks(head.ratings));
            let items = format!("top {:.0} %", 100.0 * head.items);
            row(&["", &items, &drawn, &format!("{} of the ratings", percent(head.ratings))])
        });
        let heads = columns(&heads.collect::<Vec<_>>(), &[false, true, false, true]);
        write!(f, "\npopular items hold\n{heads}")?;
        writeln!(f, "{} items have fewer than {FEW} ratings", grouped(self.rare_items as u64))
    }
}

impl Bar {
    fn label(&self) -> String {
        if self.from == self.to { self.from.to_string() } else { format!("{:.2} to {:.2}", self.from, self.to) }
    }
}

/// A bar for `share` of the full width, in eighths of a column.
fn blocks(share: f64) -> String {
    let eighths = (share * (8 * BAR_WIDTH) as f64).round() as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + rest
}

/// A timestamp, as a day if it looks like seconds since 1970.
fn moment(timestamp: i64) -> String {
    // From 1973 to 2128: smaller and larger numbers count something else.
    if !(100_000_000..5_000_000_000).contains(&timestamp) {
        return timestamp.to_string();
    }
    // Days since 0000-03-01, so that leap days end a year (Hinnant, "chrono-compatible low-level date algorithms").
    let days = timestamp / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Vocabulary;

    fn dataset(values: &[f32]) -> Dataset {
        let mut dataset = Dataset::default();
        *dataset.pair_mut().users = Vocabulary::numbered(3);
        *dataset.pair_mut().items = Vocabulary::numbered(4);
        for (rating, &value) in values.iter().enumerate() {
            // Item 0 gets half of the ratings.
            let item = if rating % 2 == 0 { 0 } else { 1 + (rating / 2 % 3) as u32 };
            dataset.interactions.push([(rating % 3) as u32, item], value, Some(978_300_760 + rating as i64 * 86_400));
        }
        dataset
    }

    #[test]
    fn counted_by_hand() {
        let statistics = Statistics::of(&dataset(&[1.0, 2.0, 2.0, 3.0, 4.0, 2.0, 1.0, 1.0]));
        assert_eq!((statistics.users, statistics.items, statistics.ratings), (3, 4, 8));
        assert_eq!((statistics.density, statistics.mean, statistics.std), (8.0 / 12.0, 2.0, 1.0));
        assert_eq!((statistics.min, statistics.max), (1.0, 4.0));
        let bars = [(1.0, 3), (2.0, 3), (3.0, 1), (4.0, 1)].map(|(value, count)| Bar { from: value, to: value, count });
        assert_eq!(statistics.histogram, bars);
        assert_eq!(statistics.per_user, Spread { min: 2, median: 3.0, mean: 8.0 / 3.0, max: 3 });
        assert_eq!(statistics.per_item, Spread { min: 1, median: 1.5, mean: 2.0, max: 4 });
        assert_eq!(statistics.long_tail[0], Head { items: 0.01, ratings: 0.5 });
        assert_eq!(statistics.long_tail[4], Head { items: 0.5, ratings: 0.75 });
        assert_eq!(statistics.rare_items, 4);
        assert_eq!(statistics.timestamps, Some((978_300_760, 978_300_760 + 7 * 86_400)));
    }

    #[test]
    fn many_values_share_bins() {
        let values: Vec<f32> = (0..=100).map(|value| value as f32).collect();
        let histogram = Statistics::of(&dataset(&values)).histogram;
        assert_eq!(histogram.len(), 10);
        assert_eq!(histogram[0], Bar { from: 0.0, to: 10.0, count: 10 });
        assert_eq!(histogram[9], Bar { from: 90.0, to: 100.0, count: 11 });
    }

    #[test]
    fn nothing_is_no_trouble() {
        let statistics = Statistics::of(&Dataset::default());
        assert_eq!((statistics.density, statistics.mean, statistics.std), (0.0, 0.0, 0.0));
        assert!(statistics.to_string().contains("ratings        0\n"), "{statistics}");
    }

    #[test]
    fn the_report_for_people() {
        let report = Statistics::of(&dataset(&[1.0, 2.0, 2.0, 3.0, 4.0, 2.0, 1.0, 1.0])).to_string();
        assert!(report.contains("time     2000-12-31  to 2001-01-07"), "{report}");
        assert!(report.contains(&format!("  1  {}  3  37.5 %", "█".repeat(BAR_WIDTH))), "{report}");
        assert!(report.contains(&format!("  top 50 %  {:<40}  75.0 % of the ratings", "█".repeat(30))), "{report}");
    }

    #[test]
    fn numbers_of_any_size_stand_apart() {
        let mut statistics = Statistics::of(&dataset(&[1e30, -1e30, 0.0]));
        statistics.users = usize::MAX;
        statistics.per_item = Spread { min: 0, median: 1e18, mean: 1e19, max: u64::MAX };
        let report = statistics.to_string();
        let line = |start: &str| report.lines().find(|line| line.trim_start().starts_with(start)).expect(start);
        assert_eq!(line("users").split_whitespace().collect::<Vec<_>>(), ["users", "18,446,744,073,709,551,615"]);
        let item = ["item", "0", "1000000000000000000", "10000000000000000000.0", "18,446,744,073,709,551,615"];
        assert_eq!(line("item ").split_whitespace().collect::<Vec<_>>(), item);
    }

    #[test]
    fn numbers_and_days() {
        assert_eq!(blocks(1.0 / 320.0), "▏");
        for (timestamp, day) in
            [(951_782_400, "2000-02-29"), (978_307_199, "2000-12-31"), (4_102_444_800, "2100-01-01")]
        {
            assert_eq!(moment(timestamp), day);
        }
        assert_eq!(moment(1997), "1997");
    }
}
