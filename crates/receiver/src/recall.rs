//! What a receiver that starts learns from the log: whose the latest mails were, and which events are durable.

use std::time::Duration;

use log::{RecordKind, Stored, Tail};
use model::CustomerId;
use sendgrid::webhook::WebhookEvent;
use tokio_util::sync::CancellationToken;

use crate::origin::Origins;
use crate::repeats::{self, Repeats};

/// How long it waits for records before it looks whether it is to end.
const WAIT: Duration = Duration::from_millis(250);

/// Reads `tail` until it has caught up, or until `shutdown`.
pub(crate) fn recall(
    tail: &mut dyn Tail,
    (origins, repeats): (&Origins, &Repeats),
    shutdown: &CancellationToken,
) -> log::Result<usize> {
    let mut events = 0;
    while !tail.caught_up() && !shutdown.is_cancelled() {
        let records = tail.next(WAIT)?;
        events += records.len();
        records.iter().for_each(|stored| learn(stored, origins, repeats));
    }
    Ok(events)
}

fn learn(stored: &Stored, origins: &Origins, repeats: &Repeats) {
    let record = &stored.record;
    if record.kind != RecordKind::Event {
        return;
    }
    let Ok(event) = WebhookEvent::parse(&record.value) else { return };
    let customer = std::str::from_utf8(&record.key).ok().and_then(|key| CustomerId::new(key).ok());
    if customer.is_none_or(|customer| customer.is_unattributed()) {
        return;
    }
    let id = event.id_digest().filter(|_| repeats::is_worth_remembering(&event, record.at));
    repeats.learn(id.as_slice());
    origins.lock().learn(event.mail_ids(), &record.key);
}
