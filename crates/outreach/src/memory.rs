//! What outreach must not forget, on the compacted topic [`Topic::Enforcement`]: a [`Book`] for each customer (key
//! `outreach:customer:` and its name), how far the decisions were read (key `outreach:progress`), and the [`Diary`] of digests
//! (key `outreach:digest`). What the enforcer says of customers is read there too.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use log::{Append, Log, Record, RecordKind, Route, Start, Tail, Topic};
use model::{CaseView, CustomerId, EnforcementKey, Offset, PartitionId, Timestamp};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::alarms::Alarms;
use crate::book::Book;
use crate::channel::Channel;
use crate::diary::Diary;

const PROGRESS: &str = "outreach:progress";
const DIGEST: &str = "outreach:digest";
const ALARM: &str = "outreach:alarm:";
const CUSTOMER: &str = "outreach:customer:";
/// How long one who reads waits before it looks whether it should end.
pub(crate) const WAIT: Duration = Duration::from_millis(100);

/// Where each partition of the decisions is read on.
pub(crate) type Progress = BTreeMap<PartitionId, Offset>;

/// What was found there, and the reader that goes on behind it.
pub(crate) struct Memory {
    pub(crate) progress: Option<Progress>,
    pub(crate) remembered: Remembered,
    pub(crate) tail: Box<dyn Tail>,
}

/// What is known of customers, and of digests.
#[derive(Default)]
pub(crate) struct Remembered {
    pub(crate) books: BTreeMap<CustomerId, Book>,
    /// What the enforcer says, and when it said so.
    pub(crate) cases: BTreeMap<CustomerId, (CaseView, Timestamp)>,
    pub(crate) diary: Diary,
    pub(crate) alarms: Alarms,
}

impl Memory {
    /// Reads it; what there is by then where `shutdown` comes first. Blocking.
    pub(crate) fn read(log: &dyn Log, shutdown: &CancellationToken) -> Result<Self, Error> {
        let failed = |source| Error::Log { doing: "reading whom was told", source };
        let tail = log.tail(Topic::Enforcement, Start::Earliest).map_err(failed)?;
        let mut memory = Self { progress: None, remembered: Remembered::default(), tail };
        while !memory.tail.caught_up() && !shutdown.is_cancelled() {
            for stored in memory.tail.next(WAIT).map_err(failed)? {
                memory.take(&stored.record)?;
            }
        }
        Ok(memory)
    }

    fn take(&mut self, record: &Record) -> Result<(), Error> {
        let Ok(key) = std::str::from_utf8(&record.key) else { return Ok(()) };
        let unreadable = |source| Error::Unreadable { key: key.to_owned(), source };
        if let Some((customer, case)) = case_of(record) {
            keep(&mut self.remembered.cases, customer, case.map(|case| (case, record.at)));
        } else if key == PROGRESS {
            self.progress = Some(serde_json::from_slice(&record.value).map_err(unreadable)?);
        } else if key == DIGEST {
            self.remembered.diary = serde_json::from_slice(&record.value).map_err(unreadable)?;
        } else if let Some(customer) = key.strip_prefix(CUSTOMER).and_then(|name| CustomerId::new(name).ok()) {
            self.remembered.books.insert(customer, serde_json::from_slice(&record.value).map_err(unreadable)?);
        } else {
            self.remembered.alarms.take(key, &record.value);
        }
        Ok(())
    }
}

/// Puts in what is there, and takes out what is not any more.
pub(crate) fn keep<T>(all: &mut BTreeMap<CustomerId, T>, customer: CustomerId, one: Option<T>) {
    match one {
        Some(one) => drop(all.insert(customer, one)),
        None => drop(all.remove(&customer)),
    }
}

/// What the enforcer says of a customer in `record`, if it does.
pub(crate) fn case_of(record: &Record) -> Option<(CustomerId, Option<CaseView>)> {
    let key = std::str::from_utf8(&record.key).ok().and_then(EnforcementKey::parse)?;
    let EnforcementKey::Case(customer) = key else { return None };
    if record.value.is_empty() {
        return Some((customer, None));
    }
    match serde_json::from_slice(&record.value) {
        Ok(case) => Some((customer, Some(case))),
        Err(error) => {
            tracing::warn!(%error, "what the enforcer says of a customer is unreadable; left out");
            None
        }
    }
}

/// The record of how far the decisions were read.
pub(crate) fn progress(progress: &Progress, at: Timestamp) -> Result<Append, Error> {
    record(PROGRESS.to_owned(), progress, at)
}

/// The record of how far the digests are.
pub(crate) fn diary(diary: &Diary, at: Timestamp) -> Result<Append, Error> {
    record(DIGEST.to_owned(), diary, at)
}

/// The record of a customer's book.
pub(crate) fn book(customer: &CustomerId, book: &Book, at: Timestamp) -> Result<Append, Error> {
    record(format!("{CUSTOMER}{customer}"), book, at)
}

/// The record that an alarm is told in a channel.
pub(crate) fn told_alarm_record(channel: Channel, key: &str, at: Timestamp) -> Result<Append, Error> {
    record(format!("{ALARM}{}:{key}", channel.name()), &true, at)
}

/// The channel and the key of an alarm that a record with this key says is told.
pub(crate) fn told_alarm(key: &str) -> Option<(Channel, &str)> {
    let (name, key) = key.strip_prefix(ALARM)?.split_once(':')?;
    let channel = Channel::ALL.into_iter().find(|channel| channel.name() == name)?;
    Some((channel, key))
}

fn record(key: String, value: &impl Serialize, at: Timestamp) -> Result<Append, Error> {
    let value = serde_json::to_vec(value)?;
    let content_type = (Box::from("content-type"), Bytes::from_static(b"application/json"));
    let record =
        Record { kind: RecordKind::Output, at, key: key.into(), headers: [content_type].into(), value: value.into() };
    Ok(Append { topic: Topic::Enforcement, route: Route::ByKey, record })
}
