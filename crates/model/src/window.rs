//! The spans of time over which events are counted.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// A rolling window that ends at the last tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
}
