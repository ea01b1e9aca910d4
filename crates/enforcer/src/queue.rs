//! Who is next: tightening before relaxing, and whoever failed after a while.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{CustomerId, Stage};
use tokio::time::Instant;

/// The first wait after a failure; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Customers to look at; bounded by the number of customers.
#[derive(Debug, Default)]
pub(crate) struct Queue(BTreeMap<CustomerId, Waiting>);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    stage: Stage,
    heard: Instant,
    due: Instant,
    failures: u32,
}

impl Queue {
    /// The customer is to be looked at now; an earlier failure is forgotten, since what should be is new.
    pub(crate) fn put(&mut self, customer: &CustomerId, stage: Stage) {
        let now = Instant::now();
        self.0.insert(customer.clone(), Waiting { stage, heard: now, due: now, failures: 0 });
    }

    /// The customer is to be looked at again, now or when it is its turn anyway.
    pub(crate) fn put_again(&mut self, customer: &CustomerId, stage: Stage) {
        if !self.0.contains_key(customer) {
            self.put(customer, stage);
        }
    }

    /// The strictest of those that are due, without taking it out.
    pub(crate) fn next(&self) -> Option<CustomerId> {
        let now = Instant::now();
        let due = self.0.iter().filter(|(_, waiting)| waiting.due <= now);
        due.max_by_key(|(_, waiting)| (waiting.stage, std::cmp::Reverse(waiting.heard))).map(|(id, _)| id.clone())
    }

    /// Takes out a customer that is as it should be; how long that took.
    pub(crate) fn done(&mut self, customer: &CustomerId) -> Option<Duration> {
        self.0.remove(customer).map(|waiting| waiting.heard.elapsed())
    }

    /// The customer's turn comes again later.
    pub(crate) fn failed(&mut self, customer: &CustomerId) {
        if let Some(waiting) = self.0.get_mut(customer) {
            let wait = FIRST_WAIT.saturating_mul(1 << waiting.failures.min(16)).min(LONGEST_WAIT);
            waiting.due = Instant::now() + wait;
            waiting.failures += 1;
        }
    }

    /// When somebody is due next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.values().map(|waiting| waiting.due).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
