//! What happened to one mail, as far as the fold needs to know.

use serde::{Deserialize, Serialize};

use crate::{AccountStatus, Counter, Provider, Timestamp};

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Something that is counted.
    Counted(Counter),
    /// The recipient came back to a group that it had left.
    Resubscribe,
    /// SendGrid acted against the account itself.
    AccountStatusChange(AccountStatus),
    /// SendGrid made it up to test the webhook: no mail stands behind it.
    Test,
    /// A kind that Weir does not know: kept, and counted nowhere.
    Unknown,
}

/// Sixteen bytes that stand for an event: equal for two copies of it, different for two events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u128);

/// One event of one customer's mail.
///
/// Borrowed from the record that carries it: the raw event stays in the log, so the fold keeps nothing of this but
/// counts, digests and a few ids as evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// What it tells.
    pub kind: EventKind,
    /// What it is counted as besides: a part of its kind, for example an invalid address among the hard bounces.
    pub facet: Option<Counter>,
    /// When it happened, by SendGrid's clock.
    pub at: Timestamp,
    /// When the mail that it belongs to was sent, where that is known; at most a few minutes behind `at`.
    pub sent_at: Option<Timestamp>,
    /// When SendGrid accepted the mail, where its id tells that; scheduled mail is sent later.
    pub accepted_at: Option<Timestamp>,
    /// The moment for which the mail was scheduled, where the event carries one that is plausible. It may lie up to 72
    /// hours behind `at`, where SendGrid accepted a mail and has not sent it yet; `sent_at` already heeds it otherwise.
    pub send_at: Option<Timestamp>,
    /// Whose mailbox it was.
    pub provider: Provider,
    /// The IP pool that the mail was sent through; SendGrid says so on `processed` events only.
    pub pool: Option<&'a str>,
    /// SendGrid's id of the event; empty where it gave none.
    pub id: &'a str,
    /// Stands for `id`; equal to `content` where there is none.
    pub id_digest: Digest,
    /// Stands for all that the event tells but its id, since copies have been seen to carry new ids.
    pub content_digest: Digest,
}
