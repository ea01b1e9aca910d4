//! Events that are durable already. A copy of one is acknowledged like the first and not appended again, so that a captured
//! POST, sent over and over, fills no disk while it is remembered.
//!
//! The fold recognises copies too, and for longer. Only events that name their customer are remembered: a copy of another may come
//! by a source that does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Digest, Millis, Timestamp};
use sendgrid::webhook::WebhookEvent;

use crate::recent::Recent;

/// How many events are remembered. One takes some 50 bytes, so this is about 25 MB.
const KEPT: usize = 500_000;
/// How old an event may be that is remembered: all that is signed within the default tolerance. The fold counts what is up to 72 hours
/// old; of what is older, and of what is ahead of the clock, it may count a later copy.
const OLDEST: Millis = Millis::hours(26);

/// The latest durable events.
#[derive(Debug)]
pub(crate) struct Repeats(Mutex<Recent<Digest, ()>>);

impl Default for Repeats {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(KEPT)))
    }
}

impl Repeats {
    /// Whether an event with this id is durable.
    pub(crate) fn knows(&self, id: &Digest) -> bool {
        self.lock().get(id).is_some()
    }

    /// Remembers that the events with these ids are durable.
    pub(crate) fn learn(&self, ids: &[Digest]) {
        let mut known = self.lock();
        ids.iter().for_each(|id| known.insert(*id, ()));
    }

    fn lock(&self) -> MutexGuard<'_, Recent<Digest, ()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether copies of `event`, which comes at `now`, may be told by its id.
pub(crate) fn is_worth_remembering(event: &WebhookEvent<'_>, now: Timestamp) -> bool {
    let age = now.since(event.timestamp);
    (Millis::new(0)..=OLDEST).contains(&age)
}
