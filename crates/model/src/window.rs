//! The spans of time over which events are counted, and the buckets that they are made of.

use serde::{Deserialize, Serialize};

use crate::{Millis, Timestamp};

/// A rolling window that ends at the last tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Window {
    /// The last hour.
    #[serde(rename = "1h")]
    Hour,
    /// The last 24 hours.
    #[serde(rename = "24h")]
    Day,
    /// The last 7 days.
    #[serde(rename = "7d")]
    Week,
    /// The last 30 days.
    #[serde(rename = "30d")]
    Month,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name in JSON and in the policy file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// How far back the window reaches.
    pub const fn span(self) -> Millis {
        match self {
            Self::Hour => Millis::hours(1),
            Self::Day => Millis::days(1),
            Self::Week => Millis::days(7),
            Self::Month => Millis::days(30),
        }
    }

    /// The buckets that the window sums.
    pub const fn grain(self) -> Grain {
        match self {
            Self::Hour => Grain::FiveMinutes,
            Self::Day => Grain::Hour,
            Self::Week | Self::Month => Grain::Day,
        }
    }

    /// The first bucket of the window that ends at `now`: the one that holds the moment one span ago, so that the window
    /// is never too short and at most one bucket too long.
    pub const fn first_bucket(self, now: Timestamp) -> Bucket {
        Bucket::of(self.grain(), Timestamp::from_millis(now.millis().saturating_sub(self.span().get())))
    }
}

/// How wide a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Grain {
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// A day, by UTC.
    #[serde(rename = "1d")]
    Day,
}

impl Grain {
    /// Every grain, finest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// The width of a bucket.
    pub const fn width(self) -> Millis {
        match self {
            Self::FiveMinutes => Millis::minutes(5),
            Self::Hour => Millis::hours(1),
            Self::Day => Millis::days(1),
        }
    }

    /// How many buckets the longest window made of them reaches over, with the one that is filling.
    pub const fn reach(self) -> u32 {
        match self {
            Self::FiveMinutes => 13,
            Self::Hour => 25,
            Self::Day => 31,
        }
    }

    /// How many buckets are kept: besides, those of an hour ahead, which a sender's clock may have begun already.
    pub const fn kept(self) -> u32 {
        match self {
            Self::FiveMinutes => self.reach() + 12,
            Self::Hour | Self::Day => self.reach() + 1,
        }
    }
}

/// A bucket's number among those of its grain, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u32))]
#[serde(transparent)]
pub struct Bucket(u32);

impl Bucket {
    /// The bucket numbered `number`.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The bucket that holds `at`; moments before the epoch fall into the first, those too far ahead into the last.
    pub const fn of(grain: Grain, at: Timestamp) -> Self {
        let number = at.millis().div_euclid(grain.width().get());
        if number < 0 {
            return Self(0);
        }
        if number > u32::MAX as i64 {
            return Self(u32::MAX);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above; const fn")]
        Self(number as u32)
    }

    /// The moment at which it begins, as a bucket of `grain`.
    pub const fn start(self, grain: Grain) -> Timestamp {
        Timestamp::from_millis((self.0 as i64).saturating_mul(grain.width().get()))
    }

    /// The bucket's number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The bucket `count` before this one; the first has none before it.
    #[must_use]
    pub const fn back(self, count: u32) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// The bucket behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_covers_the_longest_window() {
        let now = Timestamp::from_seconds(1_740_300_010);
        for window in Window::ALL {
            let grain = window.grain();
            let reach = Bucket::of(grain, now).get() - window.first_bucket(now).get() + 1;
            assert!(reach <= grain.reach(), "{window:?} needs {reach} buckets");
        }
    }

    #[test]
    fn moments_beyond_the_calendar_have_a_bucket() {
        assert_eq!(Bucket::of(Grain::Hour, Timestamp::from_millis(-1)), Bucket::new(0));
        assert_eq!(Bucket::of(Grain::Hour, Timestamp::from_millis(i64::MAX)), Bucket::new(u32::MAX));
    }
}
