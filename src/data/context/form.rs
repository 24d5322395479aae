//! What a cell of a column says: one value, several, or a number; or what the moment of an interaction does.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::moment::{TimeColumn, moment};
use crate::data::times::seconds;

/// What stands between the values of a cell that a reader joined: no text has it.
pub(crate) const JOINT: char = '\u{1f}';
/// What stands before the weight of such a value.
pub(crate) const WEIGHT: char = '\u{1e}';

/// How the cells of a column are understood, if each is not a value of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellForm {
    /// Several values, with this between them; n of them weigh 1/√n.
    List(String),
    /// Several values with their weights, as `rock:0.7|pop:0.3`, with this between them; a value without one weighs 1.
    Weighted(String),
    /// A number, which is the weight of one value.
    Number(Scale),
    /// A number, whose group is the value.
    Bins(Bins),
    /// A word, whose hash is a value, one of so many.
    Hashed(u64),
    /// No cell, but the moment of the interaction.
    Time(TimeColumn, Periods),
}

/// The first second of each period, ascending; empty for a column that has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods(pub(super) Vec<i64>);

impl CellForm {
    /// Whether a cell is the weighted sum of values, rather than one of them.
    pub fn is_summed(&self) -> bool {
        matches!(self, Self::List(_) | Self::Weighted(_) | Self::Number(_))
    }

    /// Whether it is no column of a file.
    pub fn is_of_time(&self) -> bool {
        matches!(self, Self::Time(..))
    }

    /// Whether a cell is a number.
    pub(crate) fn is_of_numbers(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Bins(_))
    }

    /// The values that a word stands for in the column `name`, or a number, with their weights; one if these are not
    /// [summed](Self::is_summed).
    pub(super) fn values(&self, name: &str, word: &str, number: Option<f32>) -> Vec<(String, f32)> {
        let one = |value: String| vec![(value, 1.0)];
        match self {
            Self::List(separator) => {
                let parts = parts(word, Some(separator));
                parts.iter().map(|part| (part.to_string(), share(parts.len()))).collect()
            }
            Self::Weighted(separator) => {
                let weighted = |part: &&str| {
                    let with_weight =
                        part.rsplit_once([':', WEIGHT]).and_then(|(value, weight)| Some((value, finite(weight)?)));
                    let (value, weight) = with_weight.unwrap_or((part, 1.0));
                    (value.to_string(), weight)
                };
                let mut values: Vec<(String, f32)> = parts(word, Some(separator)).iter().map(weighted).collect();
                values.retain(|(_, weight)| *weight != 0.0);
                values
            }
            Self::Number(scale) => number.map(|number| (name.to_string(), scale.scaled(number))).into_iter().collect(),
            Self::Bins(bins) => number.and_then(|number| bins.name(number)).map_or(Vec::new(), one),
            Self::Hashed(buckets) => one(format!("#{}", bucket(word, *buckets))),
            Self::Time(..) => one(word.to_string()),
        }
    }

    /// Whether a word is the name of a value rather than what stands for one.
    pub(super) fn names(&self, word: &str) -> bool {
        match self {
            Self::Bins(bins) => bins.names.iter().any(|name| name == word),
            Self::Hashed(buckets) => word
                .strip_prefix('#')
                .and_then(|number| number.parse::<u64>().ok())
                .is_some_and(|number| number < *buckets),
            _ => false,
        }
    }

    /// The value of a column of time at a timestamp; `None` for other columns, and if the moment alone does not tell.
    pub(super) fn at(&self, timestamp: i64) -> Option<String> {
        let Self::Time(column, Periods(starts)) = self else { return None };
        let seconds = seconds(timestamp);
        match column {
            TimeColumn::Period => starts.get(place(starts, &seconds)).map(|&start| format!("from {}", moment(start))),
            column => column.value(seconds),
        }
    }
}

fn finite(text: &str) -> Option<f32> {
    fast_float2::parse::<f32, _>(text).ok().filter(|number| number.is_finite())
}

/// The same on every machine, in every version.
fn bucket(word: &str, buckets: u64) -> u64 {
    let hash = Sha256::digest(word);
    let (first, _) = hash.split_first_chunk::<8>().expect("32 bytes");
    u64::from_le_bytes(*first) % buckets
}

/// The parts of a cell, without the blanks around them, each once; without a `separator` it has one, unless a reader joined
/// several.
pub(crate) fn parts<'a>(cell: &'a str, separator: Option<&str>) -> Vec<&'a str> {
    let mut parts: Vec<&str> = Vec::new();
    let pieces = cell.split(JOINT).flat_map(|part| match separator {
        None => vec![part],
        Some(separator) => part.split(separator).collect(),
    });
    for part in pieces.map(str::trim).filter(|part| !part.is_empty()) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

/// The weight of each of several values of one cell: 1/√n.
pub(crate) fn share(count: usize) -> f32 {
    1.0 / (count as f32).sqrt()
}

/// Numbers less their mean and divided by their standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// That of these numbers.
    pub(crate) fn of(numbers: impl Iterator<Item = f32> + Clone) -> Self {
        let numbers = numbers.map(f64::from);
        let count = numbers.clone().count().max(1) as f64;
        let mean = numbers.clone().sum::<f64>() / count;
        let deviation = (numbers.map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt();
        Self { mean, deviation }
    }

    /// A number on it; 0 if all are equal.
    pub(crate) fn scaled(&self, number: f32) -> f32 {
        if self.deviation > 0.0 { ((f64::from(number) - self.mean) / self.deviation) as f32 } else { 0.0 }
    }
}

/// Groups of nearly equal size, called by their smallest and largest numbers. Equal numbers are in one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// The first number of each group, ascending.
    starts: Vec<f32>,
    /// What each is called.
    names: Vec<String>,
}

impl Bins {
    /// At most `count` groups of these numbers.
    pub(crate) fn of(numbers: impl Iterator<Item = f32>, count: usize) -> Self {
        let mut sorted: Vec<f32> = numbers.collect();
        sorted.sort_by(f32::total_cmp);
        let starts = quantiles(&sorted, count);
        let last = |bin: usize| {
            let end = starts.get(bin + 1).map_or(sorted.len(), |next| sorted.partition_point(|number| number < next));
            sorted[end - 1]
        };
        let named = |(bin, &low): (usize, &f32)| match last(bin) {
            high if high == low => low.to_string(),
            high => format!("{low} to {high}"),
        };
        let names = starts.iter().enumerate().map(named).collect();
        Self { starts, names }
    }

    /// The group of a number: one below all is in the first.
    pub(crate) fn bin(&self, number: f32) -> usize {
        place(&self.starts, &number)
    }

    /// What the group of a number is called; `None` if there are no groups.
    pub(crate) fn name(&self, number: f32) -> Option<String> {
        self.names.get(self.bin(number)).cloned()
    }

    /// What groups are called.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// The first of each of at most `count` groups of nearly equal size; equal ones are in one group.
pub(super) fn quantiles<T: PartialEq + Copy>(sorted: &[T], count: usize) -> Vec<T> {
    let mut starts: Vec<T> = (0..count).filter_map(|bin| sorted.get(bin * sorted.len() / count).copied()).collect();
    starts.dedup();
    starts
}

/// The place of a value among groups that begin with `starts`.
pub(super) fn place<T: PartialOrd>(starts: &[T], value: &T) -> usize {
    starts.partition_point(|start| start <= value).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_values_with_weights() {
        let half = 1.0 / 2.0_f32.sqrt();
        let list = |cell| CellForm::List("|".into()).values("c", cell, None);
        assert_eq!(list("a| b|a"), [("a".into(), half), ("b".into(), half)]);
        assert_eq!(list(" | "), []);
        let weighted = |cell| CellForm::Weighted(",".into()).values("c", cell, None);
        assert_eq!(weighted("a:b:0.5, c,d:0,x:nan"), [("a:b".into(), 0.5), ("c".into(), 1.0), ("x:nan".into(), 1.0)]);
        let number = CellForm::Number(Scale::of([1.0, 3.0].into_iter()));
        assert_eq!(number.values("price", "5", Some(5.0)), [("price".into(), 3.0)]);
        let bins = CellForm::Bins(Bins::of([1.0, 2.0, 5.0, 9.0].into_iter(), 2));
        let bin = |number| bins.values("price", "", Some(number));
        assert_eq!(bin(2.0), [("1 to 2".into(), 1.0)]);
        assert_eq!((bin(-7.0), bin(100.0)), (bin(1.0), bin(9.0)));
        for form in [&number, &bins] {
            assert_eq!((form.values("price", "NA", None), form.is_of_numbers()), (vec![], true));
        }
        assert_eq!(CellForm::Bins(Bins::of(std::iter::empty(), 3)).values("price", "1", Some(1.0)), []);
    }

    #[test]
    fn a_hash_stays_what_it_is() {
        let [ann, bob] = ["ann", "bob"].map(|word| CellForm::Hashed(1000).values("c", word, None));
        assert_eq!((ann, bob), (vec![("#625".into(), 1.0)], vec![("#345".into(), 1.0)]));
        assert_eq!(CellForm::Hashed(1).values("c", "ann", None), [("#0".into(), 1.0)]);
    }

    #[test]
    fn periods_begin_where_they_are_said_to() {
        let form = CellForm::Time(TimeColumn::Period, Periods(vec![0, 3_600]));
        let at = |seconds| form.at(seconds).expect("a period");
        assert_eq!([-5, 3_599].map(at), ["from 1970-01-01 00:00:00"; 2]);
        assert_eq!(at(9_999_999), "from 1970-01-01 01:00:00");
        assert_eq!(CellForm::Time(TimeColumn::Hour, Periods::default()).at(1_291_191_960_000), Some("8".into()));
        assert_eq!(CellForm::Time(TimeColumn::Gap, Periods::default()).at(3_600), None);
    }
}
