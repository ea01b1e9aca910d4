//! How many calls an endpoint takes before it answers 429, and whether its client obeys.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderValue};

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
#[derive(Clone, Debug, Default)]
pub(super) struct Budgets {
    spending: BTreeMap<String, Spending>,
    overruns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Spending {
    used: u32,
    resets: Instant,
    told: Option<Told>,
    /// Whether the client has had an answer, which says what is left.
    is_heard: bool,
}

/// A 429 that was answered.
#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    /// The reset that it told.
    until: Instant,
}

/// What an answer says of the endpoint's budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    limit: u32,
    left: u32,
    resets: Instant,
    /// Whether the call is over the budget.
    pub(super) exceeded: bool,
}

impl Budgets {
    /// Whoever sends several calls at a time has some under way when a 429 comes: those are no fault of its.
    const UNDER_WAY: Duration = Duration::from_millis(50);

    /// Takes one call off the endpoint's budget.
    pub(super) fn spend(&mut self, endpoint: &str, budget: Budget, arrived: Instant) -> Allowance {
        let now = Instant::now();
        let fresh = Spending { used: 0, resets: now + budget.per, told: None, is_heard: false };
        let spending = self.spending.entry(endpoint.to_owned()).or_insert(fresh);
        if spending.resets <= now {
            *spending = Spending { told: spending.told, is_heard: spending.is_heard, ..fresh };
        }
        let exceeded = spending.used >= budget.calls;
        spending.used = spending.used.saturating_add(1);
        if (exceeded && spending.is_heard) || spending.told.is_some_and(|told| told.forbids(arrived)) {
            self.overruns += 1;
        }
        let left = budget.calls.saturating_sub(spending.used);
        Allowance { limit: budget.calls, left, resets: spending.resets, exceeded }
    }

    /// Notes that the endpoint answers 429, and with which reset: the budget's, or one `at_least` so far ahead.
    pub(super) fn tell(&mut self, endpoint: &str, allowance: &mut Allowance, at_least: Duration) {
        let now = Instant::now();
        allowance.left = 0;
        allowance.resets = allowance.resets.max(now + at_least);
        if let Some(spending) = self.spending.get_mut(endpoint) {
            let (wall, reset) = allowance.reset();
            let until = now + Duration::from_secs(reset).saturating_sub(wall);
            spending.told = Some(Told { at: now + Self::UNDER_WAY, until });
        }
    }

    /// Notes that the client was answered, and so told what is left.
    pub(super) fn answer(&mut self, endpoint: &str) {
        self.spending.get_mut(endpoint).into_iter().for_each(|spending| spending.is_heard = true);
    }

    /// The next calls are another client's.
    pub(super) fn forget_what_was_told(&mut self) {
        for spending in self.spending.values_mut() {
            spending.told = None;
            spending.is_heard = false;
        }
    }

    pub(super) const fn overruns(&self) -> u64 {
        self.overruns
    }
}

impl Told {
    fn forbids(&self, arrived: Instant) -> bool {
        self.at < arrived && arrived < self.until
    }
}

impl Allowance {
    /// The time and the reset, since the epoch. The reset is rounded up to a second, so that whoever waits for it finds the
    /// budget fresh.
    fn reset(self) -> (Duration, u64) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (wall, (wall + self.resets.saturating_duration_since(Instant::now())).as_secs() + 1)
    }

    /// Says it in the headers. The reset is a moment in Unix seconds, not a number of seconds to wait.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.left));
        headers.insert("x-ratelimit-reset", HeaderValue::from(self.reset().1));
    }
}
