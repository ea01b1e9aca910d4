//! Those who read: the group's one member, and tails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Offset, PartitionId};
use rocksdb::WriteBatch;

use super::store::{Reach, Store, committed_key};
use crate::{Polled, Result, Start, Stored, Subscription, Tail, Topic};

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

impl Places {
    /// The next records of the partition whose turn it is; `None` where nothing comes within `timeout`.
    fn read(&mut self, timeout: Duration) -> Result<Option<(PartitionId, Vec<Stored>)>> {
        let Some(partition) = self.turn(timeout) else { return Ok(None) };
        let from = self.next.get(&partition).copied().unwrap_or_default();
        let end = self.store.reach(self.topic, partition).end;
        let records = self.store.read((self.topic, partition), from, end, AT_ONCE)?;
        // Compaction may have emptied the rest of the reach.
        let next = records.last().map_or(end, |stored| stored.position.offset.next());
        self.next.insert(partition, next);
        self.latest = Some(partition);
        Ok(Some((partition, records)))
    }

    /// Waits for a partition with something new.
    fn turn(&self, timeout: Duration) -> Option<PartitionId> {
        let grown = |reaches: &BTreeMap<(Topic, PartitionId), Reach>| {
            self.behind(|place| reaches.get(&place).copied().unwrap_or_default())
        };
        if !self.store.wait(timeout, |reaches| grown(reaches).is_some()) {
            return None;
        }
        self.behind(|(topic, partition)| self.store.reach(topic, partition))
    }

    /// The next partition, after the latest, that reaches further than was read.
    fn behind(&self, reach: impl Fn((Topic, PartitionId)) -> Reach) -> Option<PartitionId> {
        let is_behind = |(partition, next): &(&PartitionId, &Offset)| reach((self.topic, **partition)).end > **next;
        let after = self.next.iter().filter(|(partition, _)| self.latest.is_none_or(|latest| **partition > latest));
        after.chain(self.next.iter()).find(is_behind).map(|(partition, _)| *partition)
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
        let places = Places { store, topic, next: BTreeMap::new(), latest: None };
        Self { places, group: group.to_owned(), assigned: false }
    }
}

impl Subscription for EmbeddedSubscription {
    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        if !self.assigned {
            self.assigned = true;
            return Ok(Polled::Assigned(self.places.store.partitions().all().collect()));
        }
        Ok(match self.places.read(timeout)? {
            Some((partition, records)) => Polled::Records(partition, records),
            None => Polled::Idle,
        })
    }

    fn seek(&mut self, partition: PartitionId, from: Offset) -> Result<()> {
        let Reach { start, end } = self.places.store.reach(self.places.topic, partition);
        if from < start {
            let lost = format!("no record {from} of partition {partition}: retention has dropped all before {start}");
            return Err(self.places.store.unreadable(&lost));
        }
        if from > end {
            let ahead = format!("no record {from} of partition {partition}: it ends at {end}; is it another log?");
            return Err(self.places.store.unreadable(&ahead));
        }
        self.places.next.insert(partition, from);
        Ok(())
    }

    fn earliest(&self, partition: PartitionId) -> Result<Offset> {
        Ok(self.places.store.reach(self.places.topic, partition).start)
    }

    fn commit(&mut self, partition: PartitionId, next: Offset) -> Result<()> {
        let store = &self.places.store;
        let mut batch = WriteBatch::default();
        let key = committed_key(self.places.topic, &self.group, partition);
        batch.put_cf(store.meta()?, key, next.get().to_be_bytes());
        // Only a hint: not worth an fsync.
        store.db().write(batch).map_err(|source| store.failed(source))
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
    pub(super) fn new(store: Arc<Store>, topic: Topic, start: Start) -> Self {
        let reaches: Vec<_> = store.partitions().all().map(|p| (p, store.reach(topic, p))).collect();
        let begin = |reach: &Reach| match start {
            Start::Earliest => reach.start,
            Start::Latest => reach.end,
        };
        let next = reaches.iter().map(|(partition, reach)| (*partition, begin(reach))).collect();
        let ends = reaches.iter().map(|(partition, reach)| (*partition, reach.end)).collect();
        Self { places: Places { store, topic, next, latest: None }, ends }
    }
}

impl Tail for EmbeddedTail {
    fn next(&mut self, timeout: Duration) -> Result<Vec<Stored>> {
        let read = self.places.read(timeout)?;
        Ok(read.map(|(_, records)| records).unwrap_or_default())
    }

    fn caught_up(&self) -> bool {
        self.ends.iter().all(|(partition, end)| self.places.next.get(partition).is_some_and(|next| next >= end))
    }
}
