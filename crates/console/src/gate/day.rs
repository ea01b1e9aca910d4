//! Days, by which caps are counted.

use model::{Millis, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// A day in UTC, written as its first moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct Day(Timestamp);

impl Day {
    const LENGTH: Millis = Millis::days(1);

    /// The day in which `moment` lies.
    pub(super) const fn of(moment: Timestamp) -> Self {
        let length = Self::LENGTH.get();
        Self(Timestamp::from_millis(moment.millis().div_euclid(length).saturating_mul(length)))
    }

    /// The day before.
    pub(super) fn before(self) -> Self {
        Self(self.0 - Self::LENGTH)
    }

    /// The first moment that is no longer in it.
    pub(super) fn end(self) -> Timestamp {
        self.0 + Self::LENGTH
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Timestamp::deserialize(deserializer).map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_utc_and_reads_back_what_it_wrote() {
        let day = Day::of(Timestamp::from_seconds(1_790_000_000));
        assert_eq!(serde_json::to_string(&day).unwrap(), "\"2026-09-21T00:00:00Z\"");
        assert_eq!(serde_json::from_str::<Day>("\"2026-09-21T00:00:00Z\"").unwrap(), day);
        assert_eq!(Day::of(day.end()).before(), day);
        assert_eq!(Day::of(day.end() - Millis::new(1)), day);
    }

    #[test]
    fn days_before_the_epoch_and_at_the_ends_of_time_are_days() {
        assert_eq!(Day::of(Timestamp::from_millis(-1)).end(), Timestamp::from_millis(0));
        assert!(Day::of(Timestamp::from_millis(i64::MIN)) < Day::of(Timestamp::from_millis(i64::MAX)));
    }
}
