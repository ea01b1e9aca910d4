//! Who is next: tightening before relaxing, and whoever has to wait after a while.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{CustomerId, Stage};
use tokio::time::Instant;

/// The first wait after a failure; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Customers to look at; bounded by the number of customers.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeMap<CustomerId, Waiting>,
    /// The strictest first, of those whoever has waited longest.
    ready: BTreeSet<(Reverse<Stage>, Instant, CustomerId)>,
    /// By when their turn comes again.
    later: BTreeSet<(Instant, CustomerId)>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    severity: Stage,
    heard: Instant,
    due: Option<Instant>,
    tries: u32,
}

impl Queue {
    /// The customer is to be looked at now; an earlier failure is forgotten, since what should be is new.
    pub(crate) fn put(&mut self, customer: &CustomerId, severity: Stage) {
        self.take_out(customer);
        let heard = Instant::now();
        self.waiting.insert(customer.clone(), Waiting { severity, heard, due: None, tries: 0 });
        self.ready.insert((Reverse(severity), heard, customer.clone()));
    }

    /// The customer is to be looked at again, now or when it is its turn anyway.
    pub(crate) fn put_again(&mut self, customer: &CustomerId, severity: Stage) {
        if !self.waiting.contains_key(customer) {
            self.put(customer, severity);
        }
    }

    /// The strictest of those that are due, without taking it out.
    pub(crate) fn next(&mut self) -> Option<CustomerId> {
        let now = Instant::now();
        while let Some((due, _)) = self.later.first()
            && *due <= now
            && let Some((_, customer)) = self.later.pop_first()
        {
            if let Some(waiting) = self.waiting.get_mut(&customer) {
                waiting.due = None;
                self.ready.insert((Reverse(waiting.severity), waiting.heard, customer));
            }
        }
        self.ready.first().map(|(_, _, customer)| customer.clone())
    }

    /// Takes out a customer that is as it should be, or that there is nothing to do about; how long it was waiting.
    pub(crate) fn done(&mut self, customer: &CustomerId) -> Option<Duration> {
        self.take_out(customer).map(|waiting| waiting.heard.elapsed())
    }

    /// The customer's turn comes again after `wait`.
    pub(crate) fn later(&mut self, customer: &CustomerId, wait: Duration) {
        if let Some(waiting) = self.take_out(customer) {
            let due = Instant::now() + wait;
            self.later.insert((due, customer.clone()));
            self.waiting.insert(customer.clone(), Waiting { due: Some(due), ..waiting });
        }
    }

    /// The customer's turn comes again, later each time.
    pub(crate) fn again(&mut self, customer: &CustomerId) {
        if let Some(waiting) = self.waiting.get_mut(customer) {
            let wait = FIRST_WAIT.saturating_mul(1 << waiting.tries.min(16)).min(LONGEST_WAIT);
            waiting.tries += 1;
            self.later(customer, wait);
        }
    }

    /// When somebody is due next.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.ready.is_empty() { self.later.first().map(|(due, _)| *due) } else { Some(Instant::now()) }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn take_out(&mut self, customer: &CustomerId) -> Option<Waiting> {
        let waiting = self.waiting.remove(customer)?;
        match waiting.due {
            Some(due) => self.later.remove(&(due, customer.clone())),
            None => self.ready.remove(&(Reverse(waiting.severity), waiting.heard, customer.clone())),
        };
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> CustomerId {
        CustomerId::new(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_strictest_is_first_and_whoever_waits_comes_again() {
        let mut queue = Queue::default();
        queue.put(&id("mild"), Stage::Throttled);
        queue.put(&id("strict"), Stage::Suspended);
        assert_eq!(queue.next(), Some(id("strict")));
        queue.again(&id("strict"));
        assert_eq!(queue.next(), Some(id("mild")));
        assert!(queue.done(&id("mild")).is_some());
        assert_eq!((queue.next(), queue.len()), (None, 1));
        tokio::time::advance(FIRST_WAIT).await;
        assert_eq!(queue.next(), Some(id("strict")));
        queue.put_again(&id("strict"), Stage::Suspended);
        queue.again(&id("strict"));
        tokio::time::advance(FIRST_WAIT).await;
        assert_eq!(queue.next(), None, "longer each time");
        queue.put(&id("strict"), Stage::Healthy);
        assert_eq!(queue.next(), Some(id("strict")), "what should be is new");
        assert!(queue.done(&id("strict")).is_some());
        assert_eq!((queue.due(), queue.len()), (None, 0));
    }
}
