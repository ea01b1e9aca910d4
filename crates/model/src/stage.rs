//! How freely a customer may send.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a customer stands on the ladder, mildest first, so that `a < b` means that `b` is stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Sends freely.
    #[default]
    Healthy,
    /// Sends freely and is looked at.
    Watch,
    /// Sends with a daily cap.
    Throttled,
    /// Sends through the quarantine pool only.
    Quarantined,
    /// Does not send until a person or time releases it.
    Suspended,
    /// Does not send again. Only ever a person's doing.
    Banned,
}

impl Stage {
    /// Every stage, mildest first.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Watch, Self::Throttled, Self::Quarantined, Self::Suspended, Self::Banned];

    /// The name in JSON, metrics and the policy file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Watch => "watch",
            Self::Throttled => "throttled",
            Self::Quarantined => "quarantined",
            Self::Suspended => "suspended",
            Self::Banned => "banned",
        }
    }

    /// How strict a stage with this daily cap is in effect: a cap at a mild stage, a pilot's, counts as being throttled.
    pub fn severity(self, daily_cap: Option<u32>) -> Self {
        let capped = if daily_cap.is_some() { Self::Throttled } else { Self::Healthy };
        if self > Self::Watch { self } else { capped.max(self) }
    }

    /// The next milder stage: a customer comes down the ladder one step at a time.
    #[must_use]
    pub const fn milder(self) -> Self {
        match self {
            Self::Healthy | Self::Watch => Self::Healthy,
            Self::Throttled => Self::Watch,
            Self::Quarantined => Self::Throttled,
            Self::Suspended => Self::Quarantined,
            Self::Banned => Self::Suspended,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a customer is in its life on the platform: an axis apart from [`Stage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Asked to join.
    Applied,
    /// Being looked at.
    Vetting,
    /// Sends a little, to show how it sends.
    Pilot,
    /// A full customer.
    #[default]
    Active,
    /// Left.
    Offboarded,
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Vetting, Self::Pilot, Self::Active, Self::Offboarded];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Vetting => "vetting",
            Self::Pilot => "pilot",
            Self::Active => "active",
            Self::Offboarded => "offboarded",
        }
    }

    /// Whether a customer in it sends mail.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Pilot | Self::Active)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
