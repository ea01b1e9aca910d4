//! Who hears of every call.

use std::fmt;
use std::time::Duration;

use super::endpoint::Endpoint;
use super::pacing::Quota;

/// Hears of every try of every call. Must be quick: the call waits.
pub trait Watcher: Send + Sync + fmt::Debug {
    /// A try ended.
    fn tried(&self, tried: &TriedCall);
}

/// What came of one try of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriedCall {
    /// What was asked.
    pub endpoint: Endpoint,
    /// What came of it.
    pub outcome: CallOutcome,
    /// How long it took.
    pub took: Duration,
    /// What is left of the endpoint's rate limit, where SendGrid told.
    pub quota: Option<Quota>,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// SendGrid did it.
    Done,
    /// SendGrid refused it: another 4xx.
    Refused,
    /// 429.
    RateLimited,
    /// 5xx.
    Failed,
    /// No answer came.
    Unreachable,
}

impl CallOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Done, Self::Refused, Self::RateLimited, Self::Failed, Self::Unreachable];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}
