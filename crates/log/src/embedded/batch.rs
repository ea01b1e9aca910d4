//! What is written at once.

use std::collections::BTreeMap;

use model::{Offset, PartitionId};
use rocksdb::WriteBatch;

use super::codec;
use super::keys::{Place, key, published_key};
use super::store::Store;
use crate::{Append, Output, Record, Result, Route, Sequence, partition_of};

/// Records that get their places, and the sequences that were published with them. Only one batch may be under way: the
/// places go on from where the store ends.
pub(super) struct Batch<'s> {
    store: &'s Store,
    writes: WriteBatch,
    /// Where the partitions that it touches will end.
    ends: BTreeMap<Place, Offset>,
    /// What will have been published.
    published: BTreeMap<PartitionId, Sequence>,
    /// One record's bytes; kept, so that no record needs memory of its own.
    buffer: Vec<u8>,
}

impl<'s> Batch<'s> {
    /// An empty batch with room for about `bytes`.
    pub(super) fn new(store: &'s Store, bytes: usize) -> Self {
        let writes = WriteBatch::with_capacity_bytes(bytes);
        Self { store, writes, ends: BTreeMap::new(), published: BTreeMap::new(), buffer: Vec::new() }
    }

    pub(super) fn append(&mut self, append: &Append) -> Result<()> {
        let partition = match append.route {
            Route::To(partition) => partition,
            Route::ByKey => partition_of(&append.record.key, self.store.partitions()),
        };
        self.put((append.topic, partition), &append.record)
    }

    /// Adds those of the outputs that are not published yet.
    pub(super) fn publish(&mut self, partition: PartitionId, outputs: &[Output]) -> Result<()> {
        let mut last = match self.published.get(&partition) {
            Some(last) => *last,
            None => self.store.last_published(partition)?.unwrap_or_default(),
        };
        for output in outputs {
            if output.sequence > last {
                self.put((output.topic, partition), &output.record)?;
                last = output.sequence;
            }
        }
        self.published.insert(partition, last);
        Ok(())
    }

    /// Makes it durable, and then shows it to readers.
    pub(super) fn commit(mut self) -> Result<()> {
        let meta = self.store.meta()?;
        for (partition, last) in &self.published {
            self.writes.put_cf(meta, published_key(*partition), last.get().to_be_bytes());
        }
        self.store.write(self.writes)?;
        self.store.reaches().grow(&self.ends);
        Ok(())
    }

    fn put(&mut self, place: Place, record: &Record) -> Result<()> {
        let offset = self.ends.entry(place).or_insert_with(|| self.store.reaches().of(place).end);
        self.buffer.clear();
        codec::encode(record, &mut self.buffer);
        self.writes.put_cf(self.store.topic(place.0)?, key(place.1, *offset), &self.buffer);
        *offset = offset.next();
        Ok(())
    }
}
