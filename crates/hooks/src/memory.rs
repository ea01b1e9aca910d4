//! What hooks must not forget, on the compacted topic [`Topic::Enforcement`]: how far each is (key `hook:` and its name), and
//! what was given up (key `dead:`, its name, `:` and the delivery's id).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use log::{Append, Log, Record, RecordKind, Route, Start, Topic};
use model::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;
use crate::queue::Delivery;
use crate::{Error, HookName};

const PROGRESS: &str = "hook:";
const DEAD: &str = "dead:";
/// How long one who reads waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);

/// What was found there.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    progress: BTreeMap<String, Bytes>,
    dead_letters: BTreeSet<String>,
}

/// A delivery that was given up.
#[derive(Serialize)]
struct DeadLetter<'d> {
    hook: &'d str,
    id: String,
    tries: u32,
    given_up_at: Timestamp,
    last_answer: &'d str,
    body: &'d RawValue,
}

impl Memory {
    /// Reads it; what there is by then where `shutdown` comes first. Blocking.
    pub(crate) fn read(log: &dyn Log, shutdown: &CancellationToken) -> Result<Self, Error> {
        let failed = |source| Error::Log { doing: "reading how far the hooks are", source };
        let mut tail = log.tail(Topic::Enforcement, Start::Earliest).map_err(failed)?;
        let mut memory = Self::default();
        while !tail.caught_up() && !shutdown.is_cancelled() {
            for stored in tail.next(WAIT).map_err(failed)? {
                memory.take(&stored.record);
            }
        }
        Ok(memory)
    }

    /// A record without value takes its key back.
    fn take(&mut self, record: &Record) {
        let Ok(key) = std::str::from_utf8(&record.key) else { return };
        match (key.strip_prefix(PROGRESS), key.starts_with(DEAD), record.value.is_empty()) {
            (Some(hook), _, false) => {
                self.progress.insert(hook.to_owned(), record.value.clone());
            }
            (Some(hook), _, true) => {
                self.progress.remove(hook);
            }
            (None, true, false) => {
                self.dead_letters.insert(key.to_owned());
            }
            (None, true, true) => {
                self.dead_letters.remove(key);
            }
            (None, false, _) => {}
        }
    }

    /// How far `hook` was; `None` for a new one.
    pub(crate) fn progress_of(&self, hook: &HookName) -> Result<Option<Progress>, Error> {
        let Some(value) = self.progress.get(hook.as_str()) else { return Ok(None) };
        let progress = serde_json::from_slice(value);
        progress.map(Some).map_err(|source| Error::Unreadable { hook: hook.to_string(), source })
    }

    /// How many of its deliveries were given up.
    pub(crate) fn dead_letters_of(&self, hook: &HookName) -> usize {
        let prefix = format!("{DEAD}{hook}:");
        self.dead_letters.iter().filter(|key| key.starts_with(&prefix)).count()
    }
}

/// The record of how far a hook is.
pub(crate) fn progress(hook: &HookName, progress: &Progress, at: Timestamp) -> Result<Append, Error> {
    record(hook, format!("{PROGRESS}{hook}"), progress, at)
}

/// The record of a delivery that was given up.
pub(crate) fn dead_letter(
    hook: &HookName,
    delivery: &Delivery,
    last_answer: &str,
    at: Timestamp,
) -> Result<Append, Error> {
    let unwritable = |source| Error::Unwritable { hook: hook.to_string(), source };
    let body = delivery.told.body().map_err(unwritable)?;
    let id = delivery.told.id();
    let key = format!("{DEAD}{hook}:{id}");
    let letter = DeadLetter {
        hook: hook.as_str(),
        id,
        tries: delivery.retry.tries,
        given_up_at: at,
        last_answer,
        body: serde_json::from_slice(&body).map_err(unwritable)?,
    };
    record(hook, key, &letter, at)
}

fn record(hook: &HookName, key: String, value: &impl Serialize, at: Timestamp) -> Result<Append, Error> {
    let value = serde_json::to_vec(value).map_err(|source| Error::Unwritable { hook: hook.to_string(), source })?;
    let content_type = (Box::from("content-type"), Bytes::from_static(b"application/json"));
    let record =
        Record { kind: RecordKind::Output, at, key: key.into(), headers: [content_type].into(), value: value.into() };
    Ok(Append { topic: Topic::Enforcement, route: Route::ByKey, record })
}
