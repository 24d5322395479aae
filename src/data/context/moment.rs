//! Columns made of the moment of an interaction.

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::config::choice;

choice! {
    /// A column made of timestamps, in UTC.
    pub enum TimeColumn {
        /// Of the day, 0 to 23.
        Hour = "hour",
        /// Monday to Sunday.
        Weekday = "weekday",
        /// The date, 2010-12-01.
        Day = "day",
        /// January to December.
        Month = "month",
        /// 2010.
        Year = "year",
        /// One of several stretches of time with nearly as many interactions each, called by its first moment.
        Period = "period",
        /// How long ago the same user's interaction before this one was, in steps.
        Gap = "gap",
    }
}

/// Gaps below these seconds, and what they are called; the last one has no end.
const GAPS: [(i64, &str); 6] = [
    (60, "under a minute"),
    (3_600, "under an hour"),
    (86_400, "under a day"),
    (7 * 86_400, "under a week"),
    (30 * 86_400, "under 30 days"),
    (i64::MAX, "30 days or more"),
];

/// The gap of an interaction before which its user has none.
pub(super) const FIRST: &str = "first";

/// What a gap of so many seconds is called.
pub(super) fn gap(seconds: i64) -> &'static str {
    let (_, name) = GAPS.iter().find(|(end, _)| seconds < *end).unwrap_or(&GAPS[GAPS.len() - 1]);
    name
}

/// What a moment is called.
pub(super) fn moment(seconds: i64) -> String {
    date(seconds).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn date(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a count of seconds below that of the year 5138")
}

impl TimeColumn {
    /// The value at a moment; `None` if the moment alone does not tell.
    pub(super) fn value(self, seconds: i64) -> Option<String> {
        let date = date(seconds);
        Some(match self {
            Self::Hour => date.hour().to_string(),
            Self::Weekday => date.format("%A").to_string(),
            Self::Day => date.format("%Y-%m-%d").to_string(),
            Self::Month => date.format("%B").to_string(),
            Self::Year => date.year().to_string(),
            Self::Period | Self::Gap => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::times::{is_fine, seconds};

    #[test]
    fn a_moment_has_an_hour_and_a_day() {
        // 2010-12-01 08:26:00, a Wednesday.
        let all = [TimeColumn::Hour, TimeColumn::Weekday, TimeColumn::Day, TimeColumn::Month, TimeColumn::Year];
        let of = |seconds| all.map(|column| column.value(seconds).expect("told by the moment"));
        assert_eq!(of(1_291_191_960), ["8", "Wednesday", "2010-12-01", "December", "2010"]);
        assert_eq!(of(-1), ["23", "Wednesday", "1969-12-31", "December", "1969"]);
        assert_eq!(TimeColumn::Gap.value(5), None);
        assert_eq!(moment(1_291_191_960), "2010-12-01 08:26:00");
    }

    #[test]
    fn finer_counts_are_told_by_their_size() {
        for factor in [1, 1_000, 1_000_000, 1_000_000_000] {
            assert_eq!(seconds(1_291_191_960 * factor), 1_291_191_960);
            assert_eq!(is_fine(1_291_191_960 * factor), factor > 1);
        }
        assert_eq!(seconds(i64::MIN).signum(), -1);
        let _ = moment(seconds(i64::MAX));
    }

    #[test]
    fn gaps_have_steps() {
        assert_eq!(
            [0, 59, 60, 86_399, 86_400, i64::MAX].map(gap),
            ["under a minute", "under a minute", "under an hour", "under a day", "under a week", "30 days or more"]
        );
    }
}
