//! What a customer may send.

use model::{InForce, PoolName, Sending, Stage, Timestamp};

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
        let limit = Limit::of(in_force.sending(), in_force.daily_cap);
        Self { pool: in_force.pool, stage: in_force.stage, limit }
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
    /// What `sending` allows; `daily_cap` is only told.
    pub(super) const fn of(sending: Sending, daily_cap: Option<u32>) -> Self {
        match sending {
            // Weir is not told to whom a mail goes, so it can't let test mails through.
            Sending::None | Sending::Test => Self::Stopped { daily_cap },
            Sending::Capped(cap) => Self::Daily(cap),
            Sending::Free => Self::None,
        }
    }

    /// What it lets the customer send.
    pub(super) const fn sending(self) -> Sending {
        match self {
            Self::None => Sending::Free,
            Self::Daily(cap) => Sending::Capped(cap),
            Self::Stopped { .. } => Sending::None,
        }
    }

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
