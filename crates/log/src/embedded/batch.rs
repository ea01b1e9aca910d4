//! What is written at once.

use std::collections::BTreeMap;

use model::{Offset, PartitionId};
use rocksdb::WriteBatch;

use super::encoded::Encoded;
use super::keys::{Place, key, published_key};
use super::store::Store;
use crate::{Published, Result};

/// Records that get their offsets, and the sequences that were published with them. Only one batch may be under way: the
/// offsets go on from where the store ends.
pub(super) struct Batch<'s> {
    store: &'s Store,
    writes: WriteBatch,
    /// Where the partitions that it touches will end.
    ends: BTreeMap<Place, Offset>,
    /// What will have been published.
    published: BTreeMap<PartitionId, Published>,
}

impl<'s> Batch<'s> {
    /// An empty batch with room for about `bytes`.
    pub(super) fn new(store: &'s Store, bytes: usize) -> Self {
        let writes = WriteBatch::with_capacity_bytes(bytes);
        Self { store, writes, ends: BTreeMap::new(), published: BTreeMap::new() }
    }

    /// Adds records.
    pub(super) fn append(&mut self, records: &Encoded) -> Result<()> {
        records.records().try_for_each(|(place, record)| self.put(place, record))
    }

    /// Adds those of a partition's outputs that are not published yet.
    pub(super) fn publish(&mut self, partition: PartitionId, places: &[Published], outputs: &Encoded) -> Result<()> {
        let mut last = match self.published.get(&partition) {
            Some(last) => Some(*last),
            None => self.store.last_published(partition)?,
        };
        for (said, (place, output)) in places.iter().zip(outputs.records()) {
            if last.is_none_or(|last| said.sequence > last.sequence) {
                self.put(place, output)?;
                last = Some(*said);
            }
        }
        self.published.extend(last.map(|last| (partition, last)));
        Ok(())
    }

    /// Makes it durable, and then shows it to readers.
    pub(super) fn commit(mut self) -> Result<()> {
        let meta = self.store.meta()?;
        for (partition, last) in &self.published {
            let place = [last.sequence.get().to_be_bytes(), last.said_at.get().to_be_bytes()].concat();
            self.writes.put_cf(meta, published_key(*partition), place);
        }
        self.store.write(self.writes)?;
        self.store.reaches().grow(&self.ends);
        Ok(())
    }

    fn put(&mut self, place: Place, record: &[u8]) -> Result<()> {
        let offset = self.ends.entry(place).or_insert_with(|| self.store.reaches().of(place).end);
        self.writes.put_cf(self.store.topic(place.0)?, key(place.1, *offset), record);
        *offset = offset.next();
        Ok(())
    }
}
