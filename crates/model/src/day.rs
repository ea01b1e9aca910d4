//! Days in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Millis, Timestamp};

/// A day in UTC, written as `2026-09-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Date))]
pub struct Day(i64);

/// A text that is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no day; write it as 2026-09-21")]
pub struct NoDay;

impl Day {
    const LENGTH: Millis = Millis::days(1);

    /// The day in which `moment` lies.
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.millis().div_euclid(Self::LENGTH.get()))
    }

    /// Its first moment.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(Self::LENGTH.get()))
    }

    /// The first moment that is no longer in it.
    pub const fn end(self) -> Timestamp {
        self.next().start()
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The day `days` days before.
    #[must_use]
    pub const fn before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days as i64))
    }

    /// The days from this one to `last`, both in it.
    pub fn to(self, last: Self) -> impl DoubleEndedIterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }

    /// The day in the calendar; `None` beyond the year 9999 and before -9999.
    pub fn date(self) -> Option<Date> {
        let start = jiff::Timestamp::from_millisecond(self.start().millis()).ok()?;
        Some(start.to_zoned(TimeZone::UTC).date())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => date.fmt(f),
            // Outside of the calendar the bare number is the honest form.
            None => write!(f, "{}d", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let date: Date = text.parse().map_err(|_| NoDay)?;
        let start = date.to_zoned(TimeZone::UTC).map_err(|_| NoDay)?;
        Ok(Self::of(Timestamp::from_millis(start.timestamp().as_millisecond())))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_utc_and_reads_back_what_it_wrote() {
        let day = Day::of(Timestamp::from_seconds(1_790_000_000));
        assert_eq!(serde_json::to_string(&day).unwrap(), "\"2026-09-21\"");
        assert_eq!(serde_json::from_str::<Day>("\"2026-09-21\"").unwrap(), day);
        assert_eq!(day.start().to_string(), "2026-09-21T00:00:00Z");
        assert_eq!(Day::of(day.end()), day.next());
        assert_eq!(Day::of(day.end() - Millis::new(1)), day);
        assert_eq!(day.next().before(1), day);
        assert_eq!(day.before(2).to(day).count(), 3);
        for text in ["", "2026-9-21", "2026-02-30", "2026-09-21T00:00:00Z junk"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_before_the_epoch_and_at_the_ends_of_time_are_days() {
        assert_eq!(Day::of(Timestamp::from_millis(-1)).end(), Timestamp::from_millis(0));
        let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        assert!(Day::of(first) < Day::of(last));
        assert!(!Day::of(last).to_string().is_empty());
    }
}
