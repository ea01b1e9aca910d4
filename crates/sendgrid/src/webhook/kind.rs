//! What an event tells.

use model::{Counter, EventKind};

use super::event::WebhookEvent;

/// The kind of the event, by its name in any case of letters.
pub(super) fn of(event: &WebhookEvent<'_>) -> EventKind {
    let counter = match event.event.to_ascii_lowercase().as_str() {
        "processed" => Counter::Processed,
        "dropped" | "drop" => Counter::Dropped,
        "delivered" => Counter::Delivered,
        "deferred" => Counter::Deferred,
        "bounce" => bounce(event),
        "blocked" => Counter::Block,
        "open" if event.machine_open => Counter::MachineOpen,
        "open" => Counter::Open,
        "click" => Counter::Click,
        "spamreport" => Counter::SpamReport,
        "unsubscribe" | "group_unsubscribe" => Counter::Unsubscribe,
        "group_resubscribe" => return EventKind::Resubscribe,
        "account_status_change" => return EventKind::AccountStatusChange,
        _ => return EventKind::Unknown,
    };
    EventKind::Counted(counter)
}

/// A `bounce` is a hard bounce or a block; `type` tells them apart, but it may be missing.
///
/// Without it the classification and then the enhanced status code speak; where nothing does, it is a block, since nobody
/// is convicted on a guess.
fn bounce(event: &WebhookEvent<'_>) -> Counter {
    let is = |text: Option<&str>, what: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(what));
    let bounce_type = event.bounce_type.as_deref();
    if is(bounce_type, "bounce") {
        return Counter::HardBounce;
    }
    if is(bounce_type, "blocked") || is(bounce_type, "expired") {
        return Counter::Block;
    }
    if is(event.bounce_classification.as_deref(), "invalid address") {
        return Counter::HardBounce;
    }
    match event.status.as_deref() {
        Some(status) if status.starts_with('5') => Counter::HardBounce,
        _ => Counter::Block,
    }
}
