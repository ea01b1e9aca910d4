//! A record as a message of Kafka, and back.
//!
//! Key and value are the record's own; an empty one is none. What it is stands in the header `weir-type`. When it was
//! appended is the message's timestamp, or, where Kafka can't carry it, the header `weir-at`. Headers that begin with
//! `weir-` are the transport's and not handed on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use model::{Offset, Position, Timestamp};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, OwnedHeaders};

use super::brokers::{offset, partition};
use crate::{Headers, Published, Record, RecordKind, Sequence, Stored};

const TYPE: &str = "weir-type";
const AT: &str = "weir-at";
const SEQUENCE: &str = "weir-sequence";
const SAID_AT: &str = "weir-said-at";
/// Beyond the year 9999 nothing was appended; below 1 Kafka knows no time.
const CARRIED: std::ops::Range<i64> = 1..253_402_300_800_000;

/// The headers of a record.
pub(super) fn headers_of(record: &Record) -> OwnedHeaders {
    let headers = OwnedHeaders::new_with_capacity(record.headers.len() + 1);
    let mut headers = headers.insert(Header { key: TYPE, value: Some(name_of(record.kind)) });
    if timestamp_of(record).is_none() {
        headers = headers.insert(Header { key: AT, value: Some(&record.at.millis().to_string()) });
    }
    for (name, value) in record.headers.iter() {
        headers = headers.insert(Header { key: name, value: Some(value.as_ref()) });
    }
    headers
}

/// The headers of an output.
pub(super) fn headers_of_output(record: &Record, published: Published) -> OwnedHeaders {
    headers_of(record)
        .insert(Header { key: SEQUENCE, value: Some(&published.sequence.get().to_string()) })
        .insert(Header { key: SAID_AT, value: Some(&published.said_at.get().to_string()) })
}

/// The time that the message carries itself.
pub(super) fn timestamp_of(record: &Record) -> Option<i64> {
    Some(record.at.millis()).filter(|millis| CARRIED.contains(millis))
}

/// What is not empty.
pub(super) fn filled(bytes: &Bytes) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes.as_ref())
}

/// About what a record takes in the queues.
pub(super) fn size_of(record: &Record) -> usize {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    200 + record.key.len() + record.value.len() + headers
}

/// The place of the output that the message is; `None` for another's.
pub(super) fn published_of(message: &BorrowedMessage<'_>) -> Option<Published> {
    let headers = raw_headers(message);
    let number = |name: &str| {
        let (_, value) = headers.iter().find(|(header, _)| header == name)?;
        std::str::from_utf8(value).ok()?.parse().ok()
    };
    Some(Published { sequence: Sequence::new(number(SEQUENCE)?), said_at: Offset::new(number(SAID_AT)?) })
}

/// Headers as they stand in a message.
type Raw = Vec<(String, Vec<u8>)>;

/// What the headers of a message say.
#[derive(Clone, Debug)]
struct Meaning {
    kind: RecordKind,
    at: Option<Timestamp>,
    headers: Headers,
}

/// Reads messages; those that follow each other often have the same headers, which then share their memory.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    latest: Option<(Raw, Meaning)>,
}

impl Decoder {
    /// The record that a message is.
    pub(super) fn decode(&mut self, message: &BorrowedMessage<'_>) -> Stored {
        let meaning = self.meaning(message);
        let carried = message.timestamp().to_millis().map(Timestamp::from_millis);
        let bytes = |bytes: Option<&[u8]>| bytes.map(Bytes::copy_from_slice).unwrap_or_default();
        let record = Record {
            kind: meaning.kind,
            at: meaning.at.or(carried).unwrap_or_default(),
            key: bytes(message.key()),
            headers: meaning.headers,
            value: bytes(message.payload()),
        };
        let position = Position { partition: partition(message.partition()), offset: offset(message.offset()) };
        Stored { position, record }
    }

    fn meaning(&mut self, message: &BorrowedMessage<'_>) -> Meaning {
        if let Some((raw, meaning)) = &self.latest
            && is_same(message, raw)
        {
            return meaning.clone();
        }
        let raw = raw_headers(message);
        let meaning = meaning_of(&raw);
        self.latest = Some((raw, meaning.clone()));
        meaning
    }
}

fn is_same(message: &BorrowedMessage<'_>, known: &[(String, Vec<u8>)]) -> bool {
    sound(|| {
        let Some(headers) = message.headers() else { return known.is_empty() };
        headers.count() == known.len()
            && headers.iter().zip(known).all(|(header, (name, value))| {
                header.key == name && header.value.unwrap_or_default() == value.as_slice()
            })
    })
    .unwrap_or(false)
}

fn raw_headers(message: &BorrowedMessage<'_>) -> Raw {
    let owned = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.unwrap_or_default().to_vec());
    sound(|| message.headers().map(|headers| headers.iter().map(owned).collect())).flatten().unwrap_or_default()
}

/// rdkafka panics on a header whose name is not UTF-8, which any producer can write: such a message has no headers for us.
fn sound<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

fn meaning_of(raw: &[(String, Vec<u8>)]) -> Meaning {
    let value = |name: &str| {
        let header = raw.iter().rev().find(|(header, _)| header == name);
        header.and_then(|(_, value)| std::str::from_utf8(value).ok())
    };
    let own = raw.iter().filter(|(name, _)| !name.starts_with("weir-"));
    Meaning {
        // The fold leaves an output among its input out, and says so: what has no type is no input of ours.
        kind: value(TYPE).and_then(kind_of).unwrap_or(RecordKind::Output),
        at: value(AT).and_then(|millis| millis.parse().ok()).map(Timestamp::from_millis),
        headers: Arc::from_iter(own.map(|(name, value)| (Box::from(name.as_str()), Bytes::copy_from_slice(value)))),
    }
}

const fn name_of(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Event => "event",
        RecordKind::Command => "command",
        RecordKind::Tick => "tick",
        RecordKind::Policy => "policy",
        RecordKind::Output => "output",
    }
}

fn kind_of(name: &str) -> Option<RecordKind> {
    let kinds = [RecordKind::Event, RecordKind::Command, RecordKind::Tick, RecordKind::Policy, RecordKind::Output];
    kinds.into_iter().find(|kind| name_of(*kind) == name)
}
