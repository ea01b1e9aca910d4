//! What a customer may send.

use model::{InForce, PoolName, Stage, Timestamp};

/// What a customer may send, by where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) pool: Option<PoolName>,
    pub(super) stage: Stage,
    pub(super) limit: Limit,
}

impl Allowance {
    /// What the enforcer has let through.
    pub(super) fn of(in_force: InForce) -> Self {
        let InForce { stage, daily_cap, pool, .. } = in_force;
        let limit = match stage {
            Stage::Suspended | Stage::Banned => Limit::Stopped { daily_cap },
            _ => daily_cap.map_or(Limit::None, Limit::Daily),
        };
        Self { pool, stage, limit }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// As much as it likes.
    None,
    /// So many mails a day.
    Daily(u32),
    /// Nothing at all, whatever its cap.
    Stopped { daily_cap: Option<u32> },
}

impl Limit {
    pub(super) const fn daily_cap(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Daily(cap) => Some(cap),
            Self::Stopped { daily_cap } => daily_cap,
        }
    }
}

/// What was granted of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) granted: u32,
    pub(super) allowance: Allowance,
    /// Mails left of today's cap; `None` where there is no cap.
    pub(super) remaining: Option<u32>,
    /// When a new day's cap begins, where one does.
    pub(super) resets_at: Option<Timestamp>,
}

impl Admitted {
    /// Where no day's cap is counted.
    pub(super) const fn uncounted(granted: u32, allowance: Allowance, remaining: Option<u32>) -> Self {
        Self { granted, allowance, remaining, resets_at: None }
    }
}
