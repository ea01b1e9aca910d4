//! What a record of the log means to the fold.

use log::{RecordKind, Stored};
use model::{Command, CustomerId, Tick};
use sendgrid::webhook::WebhookEvent;

/// A record, read.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every record is an event, and it lives on the stack for one call"
)]
pub(crate) enum Decoded<'a> {
    /// A customer's mail event.
    Event(WebhookEvent<'a>),
    /// A person's command about a customer.
    Command(Command),
    /// Time passing.
    Tick(Tick),
}

/// Reads a record; `None` for one that the fold leaves out.
pub(crate) fn decode(stored: &Stored) -> Option<Decoded<'_>> {
    let value = &stored.record.value;
    match stored.record.kind {
        RecordKind::Event => WebhookEvent::parse(value).ok().map(Decoded::Event),
        RecordKind::Command => serde_json::from_slice(value).ok().map(Decoded::Command),
        RecordKind::Tick => serde_json::from_slice(value).ok().map(Decoded::Tick),
        RecordKind::Output => None,
    }
}

/// The customer that a record is about.
pub(crate) fn customer(stored: &Stored) -> Option<CustomerId> {
    CustomerId::new(std::str::from_utf8(&stored.record.key).ok()?).ok()
}
