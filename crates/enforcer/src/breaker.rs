//! The circuit breaker: where every call fails, the next ones are not made.

use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// Each time it opens again it stays open for twice as long, at most so many times the first wait.
const LONGEST: u32 = 32;

/// Closed at first.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// How long it stays open at first.
    first: Duration,
    failures: u32,
    opened: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    pub(crate) const fn new(first: Duration) -> Self {
        Self { first, failures: 0, opened: 0, open_until: None }
    }

    /// Until when no call is made; `None` where one may be. Once the time is over, one failure opens it again.
    pub(crate) fn open_until(&self, now: Instant) -> Option<Instant> {
        self.open_until.filter(|until| *until > now)
    }

    /// A call succeeded; whether that closed it.
    pub(crate) fn succeeded(&mut self) -> bool {
        let was_open = self.open_until.is_some();
        *self = Self::new(self.first);
        was_open
    }

    /// A call failed in a way that has nothing to do with its customer; whether that opened it.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let opens = self.failures >= FAILURES && self.open_until(now).is_none();
        if opens {
            let wait = self.first.saturating_mul((1 << self.opened.min(16)).min(LONGEST));
            self.open_until = Some(now + wait);
            self.opened += 1;
        }
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(10);

    #[test]
    fn it_opens_after_failures_in_a_row_and_for_longer_each_time() {
        let (mut breaker, start) = (Breaker::new(FIRST), Instant::now());
        for _ in 1..FAILURES {
            assert!(!breaker.failed(start));
        }
        assert!(breaker.failed(start));
        assert_eq!(breaker.open_until(start), Some(start + FIRST));
        let later = start + FIRST;
        assert_eq!(breaker.open_until(later), None, "one may try");
        assert!(breaker.failed(later));
        assert_eq!(breaker.open_until(later), Some(later + FIRST * 2));
        assert!(breaker.succeeded());
        assert_eq!(breaker.open_until(later), None);
        assert!(!breaker.failed(later), "it begins anew");
    }

    #[test]
    fn failures_with_successes_between_do_not_open_it() {
        let (mut breaker, now) = (Breaker::new(FIRST), Instant::now());
        for _ in 0..10 * FAILURES {
            assert!(!breaker.failed(now));
            breaker.succeeded();
        }
    }
}
