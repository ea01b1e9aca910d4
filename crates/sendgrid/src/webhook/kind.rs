//! What an event tells.

use model::{AccountStatus, Counter, EventKind};

use super::event::WebhookEvent;
use super::refusal::Refusal;

/// The kind of the event, by its name in any case of letters. SendGrid's own pages write one name as `spamreport`, `spam
/// report` and `spam_report`.
pub(super) fn of(event: &WebhookEvent<'_>) -> EventKind {
    if event.is_test() {
        return EventKind::Test;
    }
    let letter = |c: char| if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() };
    let name: String = event.event.trim().chars().map(letter).collect();
    let counter = match name.as_str() {
        "processed" => Counter::Processed,
        "dropped" | "drop" => Counter::Dropped,
        "delivered" => Counter::Delivered,
        "deferred" => Counter::Deferred,
        "bounce" => bounce(event),
        "blocked" if is_for_the_list(event) => Counter::HardBounce,
        "blocked" => Counter::Block,
        "open" if event.machine_open => Counter::MachineOpen,
        "open" => Counter::Open,
        "click" => Counter::Click,
        "spamreport" | "spam_report" => Counter::SpamReport,
        "unsubscribe" | "group_unsubscribe" => Counter::Unsubscribe,
        "group_resubscribe" => return EventKind::Resubscribe,
        "account_status_change" => {
            let status = event.bounce_type.as_deref().unwrap_or_default();
            return EventKind::AccountStatusChange(AccountStatus::parse(status));
        }
        _ => return EventKind::Unknown,
    };
    EventKind::Counted(counter)
}

/// A `bounce` is a hard bounce or a block; `type` tells them apart, but it may be missing.
///
/// A block because there is no such mailbox or domain says of the list what a hard bounce says, whatever SendGrid calls it.
/// Without a `type` the classification and then the enhanced status code speak; where nothing does, it is a block, since
/// nobody is convicted on a guess.
fn bounce(event: &WebhookEvent<'_>) -> Counter {
    let bounce_type = event.bounce_type.as_deref();
    if is(bounce_type, "bounce") {
        return Counter::HardBounce;
    }
    if is(bounce_type, "expired") {
        return Counter::Block;
    }
    if is_for_the_list(event) {
        return Counter::HardBounce;
    }
    match event.status.as_deref() {
        Some(status) if status.starts_with('5') && !is(bounce_type, "blocked") => Counter::HardBounce,
        _ => Counter::Block,
    }
}

fn is(text: Option<&str>, what: &str) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case(what))
}

/// What SendGrid counts the event as in its own statistics: what it calls a block is one there, whatever the reason.
pub(super) fn at_sendgrid(event: &WebhookEvent<'_>) -> EventKind {
    match of(event) {
        EventKind::Counted(Counter::HardBounce) if is(event.bounce_type.as_deref(), "blocked") => {
            EventKind::Counted(Counter::Block)
        }
        kind => kind,
    }
}

/// What the event is counted as besides its kind.
///
/// The classification is SendGrid's and changes over time by its own words; where it is missing or says nothing, the
/// enhanced status code (RFC 3463) speaks: `x.1.x` is about the address, `x.7.x` about policy.
pub(super) fn facet(event: &WebhookEvent<'_>) -> Option<Counter> {
    match of(event) {
        EventKind::Counted(Counter::HardBounce) => is_invalid_address(event).then_some(Counter::InvalidAddress),
        EventKind::Counted(Counter::Block) => is_for_conduct(event).then_some(Counter::ReputationBlock),
        EventKind::Counted(Counter::Deferred) => (event.attempt == Some(1)).then_some(Counter::FirstDeferral),
        _ => None,
    }
}

fn is_invalid_address(event: &WebhookEvent<'_>) -> bool {
    let is_unknown = matches!(Classification::of(event), Classification::Unknown);
    is_for_the_list(event) || (is_unknown && subject(event) == Some("1"))
}

/// Whether the mail was refused because there is no such mailbox: by the classification, and where it leaves that open, by
/// the enhanced status code and the receiving server's words.
fn is_for_the_list(event: &WebhookEvent<'_>) -> bool {
    let refusal = || Refusal::new(event.status.as_deref(), event.reason.as_deref().or(event.response.as_deref()));
    match Classification::of(event) {
        Classification::InvalidAddress => true,
        Classification::Conduct | Classification::Mailbox => false,
        Classification::Technical => refusal().is_of_no_domain(),
        Classification::Unknown => refusal().is_of_no_mailbox(),
    }
}

/// What ran out of time was deferred to the end, for whatever reason; Weir's own caps are one.
fn is_for_conduct(event: &WebhookEvent<'_>) -> bool {
    if is(event.bounce_type.as_deref(), "expired") {
        return false;
    }
    match Classification::of(event) {
        Classification::Conduct => true,
        Classification::InvalidAddress | Classification::Mailbox | Classification::Technical => false,
        Classification::Unknown => subject(event) == Some("7"),
    }
}

/// What SendGrid's class of a bounce says about whose doing it is.
enum Classification {
    /// No such mailbox.
    InvalidAddress,
    /// Reputation, content, frequency or volume.
    Conduct,
    /// A full or disabled mailbox.
    Mailbox,
    /// A technical failure; SendGrid calls so what finds no server, too.
    Technical,
    /// None, or none that says anything.
    Unknown,
}

impl Classification {
    /// Matched by its first letters in any case: the spelling differs between SendGrid's pages.
    fn of(event: &WebhookEvent<'_>) -> Self {
        let text = event.bounce_classification.as_deref().unwrap_or_default().to_ascii_lowercase();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
        match () {
            () if begins(&["invalid"]) => Self::InvalidAddress,
            () if begins(&["reputation", "content", "frequency"]) => Self::Conduct,
            () if begins(&["mailbox"]) => Self::Mailbox,
            () if begins(&["technical"]) => Self::Technical,
            () => Self::Unknown,
        }
    }
}

/// The second number of an enhanced status code: what it is about.
fn subject<'a>(event: &'a WebhookEvent<'_>) -> Option<&'a str> {
    event.status.as_deref().and_then(|status| status.split('.').nth(1))
}
