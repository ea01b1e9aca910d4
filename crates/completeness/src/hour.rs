//! Hours in UTC.

use model::{Day, Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// An hour in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hour(i64);

impl Hour {
    /// How long it is.
    pub const LENGTH: Millis = Millis::hours(1);

    /// The hour in which `moment` lies.
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.millis().div_euclid(Self::LENGTH.get()))
    }

    /// Its first moment.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(Self::LENGTH.get()))
    }

    /// The hour `hours` hours later; before, where that is negative.
    #[must_use]
    pub const fn plus(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours))
    }

    /// The hours of a day.
    pub fn of_day(day: Day) -> impl Iterator<Item = Self> {
        let first = Self::of(day.start());
        (0..24).map(move |hour| first.plus(hour))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_twenty_four_hours() {
        let day = Day::of(Timestamp::from_seconds(1_790_000_000));
        let hours: Vec<_> = Hour::of_day(day).collect();
        assert_eq!((hours.len(), hours[0].start(), hours[23].plus(1).start()), (24, day.start(), day.end()));
        assert_eq!(Hour::of(hours[7].start() + Millis::new(3_599_999)), hours[7]);
        assert_eq!(Hour::of(Timestamp::from_millis(-1)).plus(1), Hour::of(Timestamp::from_millis(0)));
    }
}
