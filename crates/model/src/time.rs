//! Moments and spans. No clock: a moment is always handed in.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(i64);

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `ms` milliseconds.
    pub const fn new(ms: i64) -> Self {
        Self(ms)
    }

    /// A span of `seconds` seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// A span of `minutes` minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// A span of `hours` hours.
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }

    /// A span of `days` days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self::hours(days.saturating_mul(24))
    }

    /// The span in milliseconds.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A text that is no span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no span of time; write a whole number and a unit, for example \"500ms\", \"30s\", \"90m\", \"24h\" or \"3d\""
)]
pub struct NoSpan;

impl std::str::FromStr for Millis {
    type Err = NoSpan;

    /// A whole number and a unit, with or without a space between: `ms`, `s`, `m`, `h` or `d`.
    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let number: i64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or(NoSpan)?;
        match unit.trim_start() {
            "ms" => Ok(Self::new(number)),
            "s" => Ok(Self::seconds(number)),
            "m" => Ok(Self::minutes(number)),
            "h" => Ok(Self::hours(number)),
            "d" => Ok(Self::days(number)),
            _ => Err(NoSpan),
        }
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A moment: milliseconds since the Unix epoch, shown and written as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// The moment `seconds` seconds after the epoch, held at the ends of the range.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// How long after `earlier` this is; negative where it is before.
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

/// A text that is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no moment; write it as RFC 3339 has it, for example \"2025-02-23T08:40:10Z\"")]
pub struct NoMoment;

impl std::str::FromStr for Timestamp {
    type Err = NoMoment;

    /// As RFC 3339 has it.
    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| NoMoment)?;
        Ok(Self(moment.as_millisecond()))
    }
}

impl Add<Millis> for Timestamp {
    type Output = Self;

    fn add(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Self;

    fn sub(self, span: Millis) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.fmt(f),
            // Outside the calendar's range (years -9999 to 9999) the bare number is the honest form.
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(moment.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_what_it_wrote() {
        let moment = Timestamp::from_seconds(1_740_300_010);
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, "\"2025-02-23T08:40:10Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
    }

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!("90m".parse(), Ok(Millis::minutes(90)));
        assert_eq!("500ms".parse(), Ok(Millis::new(500)));
        for text in ["", "90", "m", "1.5h", "6 hours", "-3d"] {
            assert_eq!(text.parse::<Millis>(), Err(NoSpan), "{text}");
        }
    }

    #[test]
    fn arithmetic_at_the_ends_of_the_range_saturates() {
        let end = Timestamp::from_seconds(i64::MAX);
        assert_eq!(end + Millis::days(1), end);
        assert_eq!(end.since(Timestamp::from_millis(i64::MIN)), Millis::new(i64::MAX));
    }
}
