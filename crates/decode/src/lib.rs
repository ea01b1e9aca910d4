//! What a record of the log means to the fold.
//!
//! In one place for all who fold the log: the scorer as it is written, backtests and explanations later. If they read a record
//! differently, they would decide differently.

mod reject;

use std::sync::Arc;

pub use reject::{ReadAgain, RejectSource, Rewrite, read_again};

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Stored, Topic};
use model::{Act, Command, CustomerId, PolicyChange, PolicyInForce, Tick, Timestamp};
use policy::Policy;
use sendgrid::webhook::WebhookEvent;

/// A record, read.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every record is an event, and it lives on the stack for one call"
)]
pub enum Decoded<'a> {
    /// A customer's mail event.
    Event(CustomerId, WebhookEvent<'a>),
    /// A person's command about a customer.
    Command(CustomerId, Command),
    /// Time passing.
    Tick(Tick),
    /// The policy in force from here on, and who put it there.
    Policy(Arc<Policy>, PolicyInForce),
    /// Nothing that the fold knows. The receiver and the API let no such record in; a foreign producer may.
    Unreadable(&'static str),
}

/// Reads a record. A function of the record alone, so that every reading of the log is the same.
pub fn decode(stored: &Stored) -> Decoded<'_> {
    let record = &stored.record;
    match record.kind {
        RecordKind::Event => match (customer(&record.key), WebhookEvent::parse(&record.value)) {
            (Some(customer), Ok(event)) => Decoded::Event(customer, event),
            (None, _) => Decoded::Unreadable("its key is no customer id"),
            (_, Err(_)) => Decoded::Unreadable("its value is no event"),
        },
        RecordKind::Command => match (customer(&record.key), serde_json::from_slice(&record.value)) {
            (Some(customer), Ok(command)) => Decoded::Command(customer, command),
            _ => Decoded::Unreadable("it is no command about a customer"),
        },
        RecordKind::Tick => {
            serde_json::from_slice(&record.value).map_or(Decoded::Unreadable("it is no tick"), Decoded::Tick)
        }
        RecordKind::Policy => match policy(record) {
            Some((policy, in_force)) => Decoded::Policy(policy, in_force),
            None => Decoded::Unreadable("it is no policy that this version reads"),
        },
        RecordKind::Output => Decoded::Unreadable("an output stands among the input"),
    }
}

/// The record that puts a policy file's text in force in the partition that it is appended to.
pub fn policy_record(at: Timestamp, change: &PolicyChange, text: String) -> Record {
    let headers = change.headers().map(|(name, value)| (Box::from(name), Bytes::from(value.to_owned())));
    Record { kind: RecordKind::Policy, at, key: Bytes::new(), headers: headers.collect(), value: text.into() }
}

/// The record that tells what a person did.
///
/// # Errors
///
/// Where the act is no JSON; none is known.
pub fn act(act: &Act) -> Result<Append, serde_json::Error> {
    let (key, value) = (act.key().into(), serde_json::to_vec(act)?.into());
    let record = Record { kind: RecordKind::Command, at: act.at, key, headers: Arc::new([]), value };
    Ok(Append { topic: Topic::Enforcement, route: Route::ByKey, record })
}

/// In front of the digest of a policy that was replaced, in the key of the record that keeps its text.
const REPLACED: &str = "replaced-policy:";

/// The record that keeps the text of a policy which another one replaces at `at`, so that it can be put back.
pub fn replaced_policy(at: Timestamp, digest: &str, text: String) -> Append {
    let (key, headers) = (format!("{REPLACED}{digest}").into(), Arc::new([]));
    let record = Record { kind: RecordKind::Command, at, key, headers, value: text.into() };
    Append { topic: Topic::Enforcement, route: Route::ByKey, record }
}

/// The digest of the policy whose text a record with this key keeps.
pub fn replaced_digest(key: &str) -> Option<&str> {
    key.strip_prefix(REPLACED)
}

fn policy(record: &Record) -> Option<(Arc<Policy>, PolicyInForce)> {
    let header = |name: &str| std::str::from_utf8(record.header(name)?).ok();
    let change = PolicyChange::read(header)?;
    let text = std::str::from_utf8(&record.value).ok()?.to_owned();
    let policy = Policy::parse(&text).ok()?;
    Some((Arc::new(policy), PolicyInForce { text, since: record.at, change }))
}

/// The customer that a record with this key is about.
pub fn customer(key: &[u8]) -> Option<CustomerId> {
    CustomerId::new(std::str::from_utf8(key).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use log::Stored;
    use model::{Offset, PartitionId, PolicyOrigin, Position};

    use super::*;

    #[test]
    fn the_text_of_a_policy_that_was_replaced_is_found_by_its_digest() {
        let Append { record, .. } = replaced_policy(Timestamp::from_seconds(7), "sha256:1", "text".to_owned());
        assert_eq!(std::str::from_utf8(&record.key).ok().and_then(replaced_digest), Some("sha256:1"));
        assert_eq!((&record.value[..], replaced_digest("act:replaced-policy:")), (&b"text"[..], None));
    }

    #[test]
    fn a_policy_is_read_as_it_was_written() {
        let change = PolicyChange {
            origin: PolicyOrigin::Api,
            by: "ana".to_owned(),
            reason: "stricter".to_owned(),
            file: Some("sha256:0".to_owned()),
        };
        let record = policy_record(Timestamp::from_seconds(7), &change, policy::DEFAULT.to_owned());
        let position = Position { partition: PartitionId::new(0), offset: Offset::new(0) };
        let stored = Stored { position, record };
        let Decoded::Policy(policy, in_force) = decode(&stored) else { panic!("{stored:?}") };
        assert_eq!(policy.rules().len(), Policy::parse(policy::DEFAULT).unwrap().rules().len());
        assert_eq!((in_force.change, in_force.since), (change, Timestamp::from_seconds(7)));
    }
}
