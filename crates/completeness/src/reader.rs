//! Counts events, on a thread of its own.

use std::str::from_utf8;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::{Log, RecordKind, Stored, Tail, Topic};
use model::EventKind;
use sendgrid::webhook::WebhookEvent;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::tally::{Sighting, Tally};

/// How long a reader waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);

/// The tally, between the thread that counts and the one that compares.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Tally>>);

impl Shared {
    pub(crate) fn new(tally: Tally) -> Self {
        Self(Arc::new(Mutex::new(tally)))
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        // A record is taken in whole or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads on from where the tally begins, until `end`. Resolves when it has ended: with why, where nobody asked it to. Blocking.
pub(crate) fn start(
    log: &dyn Log,
    shared: Shared,
    end: CancellationToken,
) -> Result<oneshot::Receiver<Result<(), Error>>, Error> {
    let failed = |source| Error::Log { doing: "opening the events to count", source };
    let mut places = std::collections::BTreeMap::new();
    for partition in log.partitions().all() {
        let reach = log.reach(Topic::Events, partition).map_err(failed)?;
        let mut tally = shared.tally();
        if tally.fit(partition, reach.start, reach.end) {
            tracing::error!(%partition, "the log has dropped events that were not counted yet: their days will lack them");
        }
        places.insert(partition, tally.begin(partition));
    }
    let tail = log.tail_from(Topic::Events, &places).map_err(failed)?;
    let (ended, has_ended) = oneshot::channel();
    let read = move || {
        // Nobody waits where the process ends.
        ended.send(read(tail, &shared, &end)).ok();
    };
    std::thread::Builder::new().name("completeness".to_owned()).spawn(read).map_err(Error::Thread)?;
    Ok(has_ended)
}

fn read(mut tail: Box<dyn Tail>, shared: &Shared, end: &CancellationToken) -> Result<(), Error> {
    while !end.is_cancelled() {
        match tail.next(WAIT) {
            Ok(records) => records.iter().for_each(|stored| take(shared, stored)),
            Err(error) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "events can't be counted just now");
                std::thread::sleep(WAIT);
            }
            Err(source) => return Err(Error::Log { doing: "reading events to count", source }),
        }
    }
    Ok(())
}

fn take(shared: &Shared, stored: &Stored) {
    let record = &stored.record;
    let event = (record.kind == RecordKind::Event).then(|| WebhookEvent::parse(&record.value).ok()).flatten();
    let event = event.as_ref().map(|told| (told.kind_at_sendgrid(), told.to_event()));
    let sighting = event.as_ref().map(|(kind, event)| Sighting {
        source: record.header("source").and_then(|name| from_utf8(name).ok()).unwrap_or_default(),
        kind: match *kind {
            EventKind::Counted(kind) => Some(kind),
            EventKind::Resubscribe | EventKind::AccountStatusChange(_) | EventKind::Test | EventKind::Unknown => None,
        },
        at: event.at,
        digests: [event.id_digest, event.content_digest],
    });
    shared.tally().take(stored.position, record.at, sighting);
}
