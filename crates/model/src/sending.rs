//! What a customer may send: one value out of phase, stage and cap.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Phase, Stage};

/// What a customer may send. The fold computes it; enforcer and gate obey it, and derive nothing of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sending {
    /// Nothing.
    None,
    /// Only mail to addresses that the customer has verified.
    Test,
    /// So many mails a day; at least 1.
    Capped(u32),
    /// Everything.
    #[default]
    Free,
}

impl Sending {
    /// The strictest of what the phase, the stage and the daily cap allow. A cap of 0 allows nothing.
    pub const fn of(phase: Phase, stage: Stage, daily_cap: Option<u32>) -> Self {
        let stops = matches!(stage, Stage::Suspended | Stage::Banned) || !phase.sends();
        match daily_cap {
            Some(0) => Self::None,
            _ if stops => Self::None,
            Some(cap) => Self::Capped(cap),
            None => Self::Free,
        }
    }

    /// Whether no mail to the customer's own recipients may leave.
    pub const fn is_stopped(self) -> bool {
        matches!(self, Self::None | Self::Test)
    }

    /// Mails a day; `None` where no number limits them.
    pub const fn daily_cap(self) -> Option<u32> {
        match self {
            Self::Capped(cap) => Some(cap),
            Self::None | Self::Test | Self::Free => None,
        }
    }

    /// The mildest stage that restrains as much: modes are set and strictness is compared by stage.
    pub const fn severity(self) -> Stage {
        match self {
            Self::None | Self::Test => Stage::Suspended,
            Self::Capped(_) => Stage::Throttled,
            Self::Free => Stage::Healthy,
        }
    }
}

impl fmt::Display for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nothing"),
            Self::Test => f.write_str("test mails only"),
            Self::Capped(cap) => write!(f, "at most {cap} mails a day"),
            Self::Free => f.write_str("everything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_or_a_stage_that_does_not_send_stops_all_mail() {
        let expected = |phase: Phase, stage, cap: Option<u32>| match cap {
            Some(0) => Sending::None,
            _ if !phase.sends() || stage >= Stage::Suspended => Sending::None,
            cap => cap.map_or(Sending::Free, Sending::Capped),
        };
        let places = Stage::ALL.into_iter().flat_map(|stage| Phase::ALL.map(|phase| (phase, stage)));
        for (phase, stage) in places {
            for cap in [None, Some(0), Some(7)] {
                assert_eq!(Sending::of(phase, stage, cap), expected(phase, stage, cap), "{phase} {stage} {cap:?}");
            }
        }
    }

    #[test]
    fn it_reads_as_json_shows_it() {
        for (sending, json) in [
            (Sending::None, r#""none""#),
            (Sending::Test, r#""test""#),
            (Sending::Capped(500), r#"{"capped":500}"#),
            (Sending::Free, r#""free""#),
        ] {
            assert_eq!(serde_json::to_string(&sending).unwrap(), json);
            assert_eq!(serde_json::from_str::<Sending>(json).unwrap(), sending);
        }
    }
}
