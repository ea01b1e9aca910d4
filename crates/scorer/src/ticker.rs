//! Time, told to every partition through the log, together with what the whole fleet did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::{Append, Candidacy, Log, Producer, Record, RecordKind, Route, Start, Stored, Tail, Topic};
use model::{Fleet, Millis, PartitionId, Tick};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Clock, Error};

/// How often one who does not tick looks whether it shall.
const LOOKING: Duration = Duration::from_millis(500);
/// How far a partition's share may lie behind the newest one before the fleet is summed without it: a partition that can't be
/// folded, because a disk is full, say, must not keep all the others waiting for the fleet's counts.
const LEFT_BEHIND: Millis = Millis::minutes(15);

/// Appends a tick to every partition of `weir.events`, again and again.
///
/// The only place that brings time into the fold. One ticker at a time holds the office; a second one during a change of
/// hands does no harm, because the fold's time only goes forward.
#[derive(Debug)]
pub struct Ticker {
    log: Arc<dyn Log>,
    producer: Arc<dyn Producer>,
    shares: BTreeMap<PartitionId, Fleet>,
    tail: Option<Box<dyn Tail>>,
    candidacy: Box<dyn Candidacy>,
}

impl Ticker {
    /// A ticker of `log`.
    ///
    /// # Errors
    ///
    /// Where the log can't be read.
    pub fn new(log: Arc<dyn Log>) -> Result<Self, Error> {
        let tail = log.tail(Topic::Fleet, Start::Earliest).map_err(Error::log("opening the fleet's counts"))?;
        let producer = log.producer();
        let candidacy = log.stand_for("ticker").map_err(Error::log("standing for the ticker's office"))?;
        Ok(Self { log, producer, shares: BTreeMap::new(), tail: Some(tail), candidacy })
    }

    /// Whether it is this one that ticks.
    pub fn holds_office(&self) -> bool {
        self.candidacy.holds_office()
    }

    /// Appends one tick to every partition and returns when it is durable.
    ///
    /// # Errors
    ///
    /// Where the log can't be read or written.
    pub async fn tick(&mut self, clock: &Clock) -> Result<(), Error> {
        self.read_shares().await?;
        let tick = Tick { at: clock(), fleet: self.fleet() };
        let value = Bytes::from(serde_json::to_vec(&tick)?);
        let append = |partition| Append {
            topic: Topic::Events,
            route: Route::To(partition),
            record: Record {
                kind: RecordKind::Tick,
                at: tick.at,
                key: Bytes::new(),
                headers: Arc::new([]),
                value: value.clone(),
            },
        };
        let ticks = self.log.partitions().all().map(append).collect();
        self.producer.append(ticks).await.map_err(Error::log("appending a tick"))
    }

    /// Ticks every `interval` until `shutdown`, while it holds the office; at once when it comes into it. A tick that fails
    /// is left out: the next one carries the same and more.
    pub async fn run(mut self, interval: Duration, clock: Clock, shutdown: CancellationToken) {
        let mut due = Instant::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep_until(due) => {}
            }
            if !self.holds_office() {
                due = Instant::now() + LOOKING.min(interval);
                // Whoever comes into the office knows the fleet as it is then.
                if let Err(error) = self.read_shares().await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the fleet's counts are not followed");
                }
                continue;
            }
            due = (due + interval).max(Instant::now());
            if let Err(error) = self.tick(&clock).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a tick was left out");
            }
        }
    }

    /// The sum of the shares; not caught up with any moment while a partition has not told its share.
    fn fleet(&self) -> Fleet {
        let newest = self.shares.values().filter_map(|share| share.as_of).max();
        let is_current = |share: &&Fleet| match (share.as_of, newest) {
            (Some(as_of), Some(newest)) => as_of + LEFT_BEHIND >= newest,
            _ => true,
        };
        let mut fleet = Fleet::sum(self.shares.values().filter(is_current));
        if self.shares.len() < self.log.partitions().all().count() {
            fleet.as_of = None;
        }
        fleet
    }

    /// Takes in the shares published since the last tick.
    async fn read_shares(&mut self) -> Result<(), Error> {
        let Some(mut tail) = self.tail.take() else { return Err(Error::Thread("lost the fleet's counts")) };
        let (tail, read) = tokio::task::spawn_blocking(move || {
            let read = read_all(tail.as_mut());
            (tail, read)
        })
        .await
        .map_err(|_| Error::Thread("that reads the fleet's counts ended"))?;
        self.tail = Some(tail);
        for stored in read.map_err(Error::log("reading the fleet's counts"))? {
            match serde_json::from_slice(&stored.record.value) {
                Ok(share) => {
                    self.shares.insert(stored.position.partition, share);
                }
                Err(error) => tracing::warn!(%error, "a fleet share is unreadable and left out"),
            }
        }
        Ok(())
    }
}

fn read_all(tail: &mut dyn Tail) -> log::Result<Vec<Stored>> {
    let mut all = Vec::new();
    loop {
        let next = tail.next(Duration::ZERO)?;
        if next.is_empty() {
            return Ok(all);
        }
        all.extend(next);
    }
}
