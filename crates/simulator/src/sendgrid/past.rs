//! Earlier states, for reads that are late.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshot::Snapshot;

/// States that were, each with the moment until which it was so; the youngest comes last.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(VecDeque<(Instant, Arc<Snapshot>)>);

impl Past {
    /// States that lasted no longer are not kept: mail that takes credits makes thousands a second.
    const FINEST: Duration = Duration::from_millis(5);

    /// Keeps `state`, which ends now, and forgets what is older than `longest`.
    pub(super) fn keep(&mut self, state: &Arc<Snapshot>, now: Instant, longest: Duration) {
        while self.0.front().is_some_and(|(until, _)| longest < now.duration_since(*until)) {
            self.0.pop_front();
        }
        let fleeting = self.0.back().is_some_and(|(until, _)| now.duration_since(*until) < Self::FINEST);
        if !longest.is_zero() && !fleeting {
            self.0.push_back((now, Arc::clone(state)));
        }
    }

    /// The state as it was `age` before `now`; none where it was as it is.
    pub(super) fn at(&self, now: Instant, age: Duration) -> Option<&Arc<Snapshot>> {
        let moment = now.checked_sub(age)?;
        self.0.iter().find(|(until, _)| moment < *until).map(|(_, state)| state)
    }
}
