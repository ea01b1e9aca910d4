//! Recognises copies of events that are durable already.
//!
//! The receiver acknowledges a copy without appending it, so that a captured POST that is replayed does not fill the disk. The fold
//! deduplicates too, and for longer; this memory only spares the log. It holds only events that name their customer: a copy of
//! any other event may come from a source that does name one.

use std::sync::{PoisonError, RwLock};

use model::{Digest, Millis, Timestamp};
use sendgrid::webhook::WebhookEvent;

use crate::bounded_map::BoundedMap;

/// How many events are remembered. One takes about 50 bytes, so this is about 25 MB.
const KEPT: usize = 500_000;
/// The oldest event that is remembered. The default signature tolerance accepts nothing older. The fold counts events up to 72 hours
/// old and none from the future; of the others it may still count a later copy, so their copies must reach it.
const OLDEST: Millis = Millis::hours(26);

/// The newest durable events, by id.
#[derive(Debug)]
pub(crate) struct KnownEvents(RwLock<BoundedMap<Digest, ()>>);

impl Default for KnownEvents {
    fn default() -> Self {
        Self(RwLock::new(BoundedMap::new(KEPT)))
    }
}

impl KnownEvents {
    /// Whether an event with this id is durable.
    pub(crate) fn contains(&self, id: &Digest) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).is_some()
    }

    /// Records that the events with these ids are durable.
    pub(crate) fn insert(&self, ids: &[Digest]) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ids.iter().for_each(|id| known.insert(*id, ()));
    }
}

/// Whether a later copy of `event`, which was received at `now`, can be dropped.
pub(crate) fn can_be_deduplicated(event: &WebhookEvent<'_>, now: Timestamp) -> bool {
    let age = now.since(event.timestamp);
    (Millis::new(0)..=OLDEST).contains(&age)
}
