//! Moments as files and people write them, in seconds since 1970-01-01 00:00 UTC.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{FixedOffset, NaiveDate, NaiveTime};

/// The moment that a text names: a number of seconds since 1970, of which a fraction is cut off, or a date with the year
/// first and, if there is one, a time, as in ISO 8601: `2010-12-01`, `2010-12-01 08:26:00`, `2010-12-01T08:26:00.5+02:00`.
/// Without an offset it is in UTC.
pub(crate) fn moment(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    if let Ok(seconds) = fast_float2::parse::<f64, _>(text) {
        return (seconds.abs() < i64::MAX as f64).then_some(seconds as i64);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let between = date.as_bytes()[4];
    let date = match between {
        b'-' => NaiveDate::parse_from_str(date, "%Y-%m-%d"),
        b'/' => NaiveDate::parse_from_str(date, "%Y/%m/%d"),
        _ => return None,
    };
    let midnight = date.ok()?.and_time(NaiveTime::MIN).and_utc().timestamp();
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len()));
    let offset = match offset.trim() {
        "" | "Z" | "z" | "UTC" => 0,
        // Databases leave out the minutes.
        hours if hours.len() == 3 => format!("{hours}:00").parse::<FixedOffset>().ok()?.local_minus_utc(),
        offset => offset.parse::<FixedOffset>().ok()?.local_minus_utc(),
    };
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|format| NaiveTime::parse_from_str(time, format).ok())?;
    Some(midnight + i64::from(time.signed_duration_since(NaiveTime::MIN).num_seconds() as i32 - offset))
}

/// Counts since 1970 from which on seconds would be of the year 5138: they are of finer units.
const SECONDS: u64 = 100_000_000_000;

/// Whether a timestamp counts milliseconds, or what is finer, rather than seconds.
pub(crate) fn is_fine(timestamp: i64) -> bool {
    timestamp.unsigned_abs() >= SECONDS
}

/// The seconds since 1970 of a timestamp, which counts seconds, milliseconds, microseconds or nanoseconds.
pub(crate) fn seconds(timestamp: i64) -> i64 {
    let mut seconds = timestamp;
    while is_fine(seconds) {
        seconds = seconds.div_euclid(1000);
    }
    seconds
}

/// How a file writes moments, in the conversions of `strftime`: `%d.%m.%Y %H:%M`.
#[derive(Debug, Clone)]
pub(crate) struct TimeFormat(Vec<Item<'static>>);

impl TimeFormat {
    /// The format; `None` if it has a conversion that there is not.
    pub fn of(text: &str) -> Option<Self> {
        StrftimeItems::new(text).parse_to_owned().ok().map(Self)
    }

    /// The moment that a text names: midnight if it has no time, UTC if it has no offset.
    pub fn moment(&self, text: &str) -> Option<i64> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.0.iter()).ok()?;
        if parsed.offset().is_some() {
            return Some(parsed.to_datetime().ok()?.timestamp());
        }
        let time = parsed.to_naive_datetime_with_offset(0);
        let time = time.or_else(|_| parsed.to_naive_date().map(|date| date.and_time(NaiveTime::MIN)));
        Some(time.ok()?.and_utc().timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        for (text, expected) in [
            ("1291191960", 1_291_191_960),
            ("-5", -5),
            ("978300760.9", 978_300_760),
            ("2010-12-01", 1_291_161_600),
            ("2010/12/01", 1_291_161_600),
            ("2010-12-01 08:26:00", 1_291_191_960),
            ("2010-12-01 08:26", 1_291_191_960),
            ("2010-12-01T08:26:00Z", 1_291_191_960),
            ("2010-12-01T08:26:00.999Z", 1_291_191_960),
            ("2010-12-01 08:26:00 UTC", 1_291_191_960),
            ("2010-12-01T10:26:00+02:00", 1_291_191_960),
            ("2010-12-01 10:26:00.5+0200", 1_291_191_960),
            ("2010-12-01 07:26:00-01", 1_291_191_960),
            ("2010-12-01 08:26:00+00:00", 1_291_191_960),
            ("1969-12-31 23:59:59", -1),
            ("2000-02-29", 951_782_400),
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        for none in [
            "",
            "soon",
            "12/1/2010 8:26",
            "01-12-2010",
            "2010-13-01",
            "2010-02-30",
            "2010-12-01x",
            "2010-12-01 25:00",
            "nan",
            "1e30",
            "2010-12-01T",
            "ä2010-12-0",
        ] {
            assert_eq!(moment(none), None, "{none}");
        }
    }

    #[test]
    fn a_format_of_one_s_own() {
        for (format, text, expected) in [
            ("%m/%d/%Y %H:%M", "12/1/2010 8:26", Some(1_291_191_960)),
            ("%d.%m.%Y", "1.12.2010", Some(1_291_161_600)),
            ("%Y%m%d", "20101201", Some(1_291_161_600)),
            ("%d %b %Y %I:%M:%S %p", "01 Dec 2010 08:26:00 AM", Some(1_291_191_960)),
            ("%Y-%m-%d %H:%M %z", "2010-12-01 10:26 +0200", Some(1_291_191_960)),
            ("%m %d, %Y", "12 1, 2010", Some(1_291_161_600)),
            ("%s", "1291191960", Some(1_291_191_960)),
            ("%m/%d/%Y", "13/1/2010", None),
            ("%m/%d", "12/1", None),
            ("%Y", "2010-12", None),
        ] {
            let format = TimeFormat::of(format).expect("a format");
            assert_eq!(format.moment(text), expected, "{text}");
        }
        assert!(TimeFormat::of("%Y-%Q!").is_none());
    }
}
