//! Fills a starting receiver's memory from the newest events of the log.

use std::time::Duration;

use log::{RecordKind, Stored, Tail};
use model::CustomerId;
use sendgrid::webhook::WebhookEvent;
use tokio_util::sync::CancellationToken;

use crate::duplicates::{self, KnownEvents};
use crate::origin::Origins;

/// How long one read waits for records, and so how soon `shutdown` is noticed.
const WAIT: Duration = Duration::from_millis(250);

/// Reads `tail` until it has caught up or `shutdown` is cancelled. Returns the number of records.
pub(crate) fn preload(
    tail: &mut dyn Tail,
    origins: &Origins,
    known: &KnownEvents,
    shutdown: &CancellationToken,
) -> log::Result<usize> {
    let mut read = 0;
    while !tail.caught_up() && !shutdown.is_cancelled() {
        let records = tail.next(WAIT)?;
        read += records.len();
        records.iter().for_each(|stored| learn(stored, origins, known));
    }
    Ok(read)
}

fn learn(stored: &Stored, origins: &Origins, known: &KnownEvents) {
    let record = &stored.record;
    if record.kind != RecordKind::Event {
        return;
    }
    let Ok(event) = WebhookEvent::parse(&record.value) else { return };
    let customer = std::str::from_utf8(&record.key).ok().and_then(|key| CustomerId::new(key).ok());
    if customer.is_none_or(|customer| customer.is_unattributed()) {
        return;
    }
    let id = event.id_digest().filter(|_| duplicates::can_be_deduplicated(&event, record.at));
    known.insert(id.as_slice());
    origins.lock().learn(event.mail_ids(), &record.key);
}
