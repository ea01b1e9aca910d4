//! Waiting for a call's turn.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::pacing::{Pace, Quota};

/// The pace that all clones of a client keep together.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    pace: Arc<Mutex<Pace>>,
    beginning: Instant,
    longest_wait: Duration,
}

/// A call under way. What its answer tells is told when it ends, however it does.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    endpoint: Endpoint,
    quota: Option<Quota>,
}

impl Turns {
    pub(super) fn new(per_second: NonZeroU32, longest_wait: Duration) -> Self {
        let pace = Arc::new(Mutex::new(Pace::new(per_second)));
        Self { pace, beginning: Instant::now(), longest_wait }
    }

    /// Waits until a call may be made.
    ///
    /// # Errors
    ///
    /// How long to wait, where that is over the longest wait.
    pub(super) async fn turn(&self, endpoint: Endpoint) -> Result<Turn<'_>, Duration> {
        let patience = Instant::now() + self.longest_wait;
        loop {
            let wait = self.begin_or_wait(endpoint);
            if wait.is_zero() {
                return Ok(Turn { turns: self, endpoint, quota: None });
            }
            // Others wait too, and may take the turn: then there is a next one.
            let until = Instant::now() + wait;
            if until > patience {
                return Err(wait);
            }
            tokio::time::sleep_until(until).await;
        }
    }

    fn begin_or_wait(&self, endpoint: Endpoint) -> Duration {
        let now = self.beginning.elapsed();
        self.with(|pace| {
            let wait = pace.wait(endpoint, now);
            if wait.is_zero() {
                pace.begin(endpoint, now);
            }
            wait
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Pace) -> T) -> T {
        change(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Turn<'_> {
    pub(super) fn hear(&mut self, quota: Option<Quota>) {
        self.quota = quota;
    }

    /// What the answer told of the rate limit.
    pub(super) const fn heard(&self) -> Option<Quota> {
        self.quota
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let now = self.turns.beginning.elapsed();
        self.turns.with(|pace| pace.end(self.endpoint, now, self.quota));
    }
}
