//! How far the fold is behind the log, looked at now and then on a thread of its own: asking the log for its end may wait for
//! brokers, and the fold must not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use log::{Log, Topic};
use model::{Offset, PartitionId, Timestamp};

use crate::metrics::{Metrics, Shown};
use crate::{Clock, Error};

/// How often it looks.
const LOOKING: Duration = Duration::from_secs(5);

/// Looks until it is dropped.
#[derive(Debug)]
pub(crate) struct LagWatch {
    _until: Sender<()>,
}

impl LagWatch {
    pub(crate) fn start(log: Arc<dyn Log>, metrics: Metrics, clock: Clock) -> Result<Self, Error> {
        let (until, ended) = channel();
        let watch = Watch { log, metrics, clock, ends: BTreeMap::new() };
        let thread = std::thread::Builder::new().name("scorer-lag".to_owned()).spawn(move || watch.run(&ended));
        thread.map_err(|_| Error::Thread("that looks how far it is could not be started"))?;
        Ok(Self { _until: until })
    }
}

struct Watch {
    log: Arc<dyn Log>,
    metrics: Metrics,
    clock: Clock,
    /// Where each partition ended at the look before.
    ends: BTreeMap<PartitionId, Offset>,
}

impl Watch {
    fn run(mut self, ended: &Receiver<()>) {
        loop {
            self.look();
            match ended.recv_timeout(LOOKING) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self) {
        let shown: Vec<_> = self.metrics.shown().iter().map(|(id, shown)| (*id, shown.clone())).collect();
        let now = (self.clock)();
        let ages = shown.iter().filter_map(|(id, shown)| self.age(*id, shown, now));
        let oldest = ages.fold(0, |oldest: i64, age| oldest.max(age));
        self.metrics.freshness.set(Duration::from_millis(oldest.unsigned_abs()).as_secs_f64());
        self.ends.retain(|id, _| shown.iter().any(|(shown, _)| shown == id));
    }

    /// How old what was folded last is, in milliseconds, where something has waited since the last look.
    fn age(&mut self, id: PartitionId, shown: &Shown, now: Timestamp) -> Option<i64> {
        let end = match self.log.reach(Topic::Events, id) {
            Ok(reach) => Some(reach.end),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, partition = %id, "where the log ends is not known");
                None
            }
        };
        let next = shown.next();
        if let Some(end) = end {
            shown.lag.set(i64::try_from(end.get().saturating_sub(next.get())).unwrap_or(i64::MAX));
        }
        // What came a moment ago may be about to be folded. A log that does not answer gives nothing to fold, either.
        let was_there = end.map(|end| self.ends.insert(id, end).unwrap_or(end));
        let is_behind = was_there.is_none_or(|was_there| next < was_there);
        let folded = shown.last_folded().filter(|_| is_behind)?;
        Some(now.since(folded).get().max(0))
    }
}
