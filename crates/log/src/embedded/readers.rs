//! Those who read: the group's one member, and tails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Offset, PartitionId};

use super::keys::committed_key;
use super::reach::TopicReach;
use super::store::Store;
use crate::{Cleanup, Polled, Reach, Result, Stored, Subscription, Tail, Topic};

/// Bytes handed out at once: enough to make the hand-over cheap, little enough to hold a few of them in memory.
const AT_ONCE: usize = 2 << 20;

/// Places in the partitions of one topic, read in turn.
#[derive(Debug)]
struct Places {
    store: Arc<Store>,
    topic: Topic,
    next: BTreeMap<PartitionId, Offset>,
    /// The partition that was read last: the others come first.
    latest: Option<PartitionId>,
}

/// What was read of one partition.
struct Chunk {
    partition: PartitionId,
    /// Where it was read from.
    from: Offset,
    /// Where it is to be read from next.
    next: Offset,
    records: Vec<Stored>,
}

impl Places {
    fn new(store: Arc<Store>, topic: Topic, next: BTreeMap<PartitionId, Offset>) -> Self {
        Self { store, topic, next, latest: None }
    }

    /// The next records of the partition whose turn it is; `None` where nothing comes within `timeout`.
    fn read(&self, timeout: Duration) -> Result<Option<Chunk>> {
        let behind = self.store.reaches().wait(self.topic, timeout, |reach| self.behind(reach));
        let Some((partition, from, end)) = behind else { return Ok(None) };
        let records = self.store.read((self.topic, partition), from, end, AT_ONCE)?;
        // Compaction may have emptied the rest of the reach.
        let next = records.last().map_or(end, |stored| stored.position.offset.next());
        Ok(Some(Chunk { partition, from, next, records }))
    }

    /// The next partition, after the latest, that reaches further than was read; from where to where.
    fn behind(&self, reach: &TopicReach) -> Option<(PartitionId, Offset, Offset)> {
        let after = self.next.iter().filter(|(partition, _)| self.latest.is_none_or(|latest| **partition > latest));
        after.chain(&self.next).find_map(|(partition, next)| {
            let end = reach.get(partition)?.end;
            (end > *next).then_some((*partition, *next, end))
        })
    }

    fn take(&mut self, chunk: Chunk) -> (PartitionId, Vec<Stored>) {
        self.next.insert(chunk.partition, chunk.next);
        self.latest = Some(chunk.partition);
        (chunk.partition, chunk.records)
    }
}

impl Chunk {
    /// Whether every place from the first to the last has its record.
    fn is_whole(&self) -> bool {
        let places = self.next.get() - self.from.get();
        u64::try_from(self.records.len()).is_ok_and(|records| records == places)
    }
}

/// The only member of its group: every partition is its own, from the first poll on.
#[derive(Debug)]
pub(super) struct EmbeddedSubscription {
    places: Places,
    group: String,
    assigned: bool,
}

impl EmbeddedSubscription {
    pub(super) fn new(store: Arc<Store>, topic: Topic, group: &str) -> Self {
        Self { places: Places::new(store, topic, BTreeMap::new()), group: group.to_owned(), assigned: false }
    }

    /// Where retention overtook the reader, or damage ate a record.
    fn refuse_gap(&self, chunk: &Chunk) -> Result<()> {
        let Places { store, topic, .. } = &self.places;
        if topic.cleanup() == Cleanup::Compact || chunk.is_whole() {
            return Ok(());
        }
        let Chunk { partition, from, next, records } = chunk;
        let Reach { start, .. } = store.reaches().of((*topic, *partition));
        let (name, there) = (topic.name(), records.len());
        Err(store.unreadable(format!(
            "of the records from {from} to before {next} of {name}/{partition} only {there} are there; retention keeps \
             those from {start} on"
        )))
    }
}

impl Subscription for EmbeddedSubscription {
    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        if !self.assigned {
            self.assigned = true;
            return Ok(Polled::Assigned(self.places.store.partitions().all().collect()));
        }
        let mut timeout = timeout;
        while let Some(chunk) = self.places.read(timeout)? {
            self.refuse_gap(&chunk)?;
            let (partition, records) = self.places.take(chunk);
            if !records.is_empty() {
                return Ok(Polled::Records(partition, records));
            }
            timeout = Duration::ZERO;
        }
        Ok(Polled::Idle)
    }

    fn seek(&mut self, partition: PartitionId, from: Offset) -> Result<()> {
        let Places { store, topic, next, .. } = &mut self.places;
        store.known(partition)?;
        let Reach { end, .. } = store.reaches().of((*topic, partition));
        if from > end {
            let name = topic.name();
            return Err(store.unreadable(format!(
                "a reader wants record {from} of {name}/{partition}, which ends at {end}: the log is another or was cut"
            )));
        }
        next.insert(partition, from);
        Ok(())
    }

    fn pause(&mut self, partition: PartitionId) -> Result<()> {
        self.places.next.remove(&partition);
        Ok(())
    }

    fn commit(&mut self, partition: PartitionId, next: Offset) -> Result<()> {
        let Places { store, topic, .. } = &self.places;
        store.known(partition)?;
        let key = committed_key((*topic, partition), &self.group);
        // Only a hint: not worth an fsync.
        store.db().put_cf(store.meta()?, key, next.get().to_be_bytes()).map_err(|source| store.failed(source))
    }
}

/// A reader of everything.
#[derive(Debug)]
pub(super) struct EmbeddedTail {
    places: Places,
    /// Where each partition ended when the tail was opened.
    ends: BTreeMap<PartitionId, Offset>,
}

impl EmbeddedTail {
    /// Of the partitions whose `reach` is given, each from where `begin` says.
    pub(super) fn new(
        store: Arc<Store>,
        topic: Topic,
        reach: TopicReach,
        begin: impl Fn(PartitionId, Reach) -> Offset,
    ) -> Self {
        let next = reach.iter().map(|(partition, reach)| (*partition, begin(*partition, *reach))).collect();
        let ends = reach.iter().map(|(partition, reach)| (*partition, reach.end)).collect();
        Self { places: Places::new(store, topic, next), ends }
    }
}

impl Tail for EmbeddedTail {
    fn next(&mut self, timeout: Duration) -> Result<Vec<Stored>> {
        let mut timeout = timeout;
        while let Some(chunk) = self.places.read(timeout)? {
            let (_, records) = self.places.take(chunk);
            if !records.is_empty() {
                return Ok(records);
            }
            timeout = Duration::ZERO;
        }
        Ok(Vec::new())
    }

    fn caught_up(&self) -> bool {
        self.ends.iter().all(|(partition, end)| self.places.next.get(partition).is_some_and(|next| next >= end))
    }
}
