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
