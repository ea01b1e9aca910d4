//! What each user of the account has for itself: the parent, and every subuser.

mod scheduled;
mod suppressions;
mod tally;
mod webhooks;

pub(super) use scheduled::Scheduled;
pub(super) use suppressions::{Entry, List, Suppressions};
pub(super) use tally::{DayTally, METRICS, PROVIDER_METRICS, Tallies};
pub(super) use webhooks::{NoWebhook, Webhook, Webhooks};

/// One user's.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) webhooks: Webhooks,
    pub(super) scheduled: Scheduled,
    pub(super) suppressions: Suppressions,
    pub(super) tallies: Tallies,
}
