//! How many calls an endpoint takes before it answers 429.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

/// Calls that each endpoint (method and path, whatever the names in it) takes in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many.
    pub calls: u32,
    /// In how long.
    pub per: Duration,
}

impl Default for Budget {
    /// 600 a minute: SendGrid publishes no numbers but these, and these for few of its calls only.
    fn default() -> Self {
        Self { calls: 600, per: Duration::from_secs(60) }
    }
}

/// What is left of each endpoint's budget. There are as many as the router has routes.
#[derive(Debug, Default)]
pub(super) struct Budgets(BTreeMap<String, Spending>);

#[derive(Clone, Copy, Debug)]
struct Spending {
    used: u32,
    resets: Instant,
}

/// What an answer says of the endpoint's budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    limit: u32,
    left: u32,
    resets_in: Duration,
    /// Whether the call is over the budget.
    pub(super) exceeded: bool,
}

impl Budgets {
    /// Takes one call off the endpoint's budget.
    pub(super) fn spend(&mut self, endpoint: &str, budget: Budget) -> Allowance {
        let now = Instant::now();
        let fresh = Spending { used: 0, resets: now + budget.per };
        let spending = self.0.entry(endpoint.to_owned()).or_insert(fresh);
        if spending.resets <= now {
            *spending = fresh;
        }
        let exceeded = spending.used >= budget.calls;
        spending.used = spending.used.saturating_add(1);
        Allowance {
            limit: budget.calls,
            left: budget.calls.saturating_sub(spending.used),
            resets_in: spending.resets.duration_since(now),
            exceeded,
        }
    }
}

impl Allowance {
    /// Says it in the headers. The reset is a moment in Unix seconds, not a number of seconds to wait.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Rounded up, so that whoever waits for it finds the budget fresh.
        let resets = (now + self.resets_in).as_secs() + 1;
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.left));
        headers.insert("x-ratelimit-reset", HeaderValue::from(resets));
    }
}
