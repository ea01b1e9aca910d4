//! The database below, and how far each partition reaches.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::{Offset, PartitionId, Position};
use rocksdb::{
    ColumnFamily, DB, DBCompressionType, Direction, IteratorMode, Options, ReadOptions, WriteBatch, WriteOptions,
};

use super::codec::Decoder;
use crate::{Error, PartitionCount, Result, Sequence, Stored, Topic};

const META: &str = "meta";
const FORMAT: &[u8] = b"format";
const FORMAT_NUMBER: u32 = 1;
const PARTITIONS: &[u8] = b"partitions";

/// How far one partition of one topic reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// The oldest record kept.
    pub(super) start: Offset,
    /// Behind the newest durable record.
    pub(super) end: Offset,
}

/// The open database.
#[derive(Debug)]
pub(super) struct Store {
    db: DB,
    place: String,
    partitions: PartitionCount,
    reach: Mutex<BTreeMap<(Topic, PartitionId), Reach>>,
    /// Told whenever a partition reaches further.
    grown: Condvar,
}

impl Store {
    pub(super) fn open(path: &Path, partitions: PartitionCount) -> Result<Self> {
        let place = path.display().to_string();
        let families = Topic::ALL.map(Topic::name).into_iter().chain([META]).map(|name| (name, family_options()));
        let db = DB::open_cf_with_opts(&options(), path, families)
            .map_err(|source| Error::Storage { place: place.clone(), source: source.into() })?;
        let store = Self { db, place, partitions, reach: Mutex::default(), grown: Condvar::new() };
        store.check()?;
        store.find_reach()?;
        Ok(store)
    }

    pub(super) const fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    /// Writes a batch; durable on return.
    pub(super) fn write(&self, batch: WriteBatch) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|source| self.failed(source))
    }

    pub(super) const fn db(&self) -> &DB {
        &self.db
    }

    pub(super) fn topic(&self, topic: Topic) -> Result<&ColumnFamily> {
        self.family(topic.name())
    }

    pub(super) fn meta(&self) -> Result<&ColumnFamily> {
        self.family(META)
    }

    pub(super) fn reach(&self, topic: Topic, partition: PartitionId) -> Reach {
        self.reaches().get(&(topic, partition)).copied().unwrap_or_default()
    }

    /// Says that a partition reaches to `end` now, durably.
    pub(super) fn grow(&self, ends: &BTreeMap<(Topic, PartitionId), Offset>) {
        let mut reaches = self.reaches();
        for (place, end) in ends {
            reaches.entry(*place).or_default().end = *end;
        }
        drop(reaches);
        self.grown.notify_all();
    }

    /// Says that records before `start` are gone.
    pub(super) fn trim(&self, topic: Topic, partition: PartitionId, start: Offset) {
        self.reaches().entry((topic, partition)).or_default().start = start;
    }

    /// Waits until `wanted` holds for the partitions' reach, at most `timeout`; whether it holds.
    pub(super) fn wait(
        &self,
        timeout: Duration,
        wanted: impl Fn(&BTreeMap<(Topic, PartitionId), Reach>) -> bool,
    ) -> bool {
        let waited = self.grown.wait_timeout_while(self.reaches(), timeout, |reaches| !wanted(reaches));
        let (reaches, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(reaches);
        !outcome.timed_out()
    }

    /// Reads records of a partition from `from` on, before `end`, until `bytes` are exceeded.
    pub(super) fn read(
        &self,
        (topic, partition): (Topic, PartitionId),
        from: Offset,
        end: Offset,
        bytes: usize,
    ) -> Result<Vec<Stored>> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(key(partition, end));
        let from = key(partition, from);
        let mode = IteratorMode::From(&from, Direction::Forward);
        let mut decoder = Decoder::default();
        let (mut records, mut read) = (Vec::new(), 0);
        for entry in self.db.iterator_cf_opt(self.topic(topic)?, options, mode) {
            let (key, value) = entry.map_err(|source| self.failed(source))?;
            read += value.len();
            let position = position_of(&key).ok_or_else(|| self.unreadable("a key is malformed"))?;
            let record = decoder.decode(Bytes::from(value));
            let record = record.ok_or_else(|| {
                self.unreadable(&format!("record {} of {}/{partition} is damaged", position.offset, topic.name()))
            })?;
            records.push(Stored { position, record });
            if read >= bytes {
                break;
            }
        }
        Ok(records)
    }

    /// The last sequence published for `partition`.
    pub(super) fn last_published(&self, partition: PartitionId) -> Result<Option<Sequence>> {
        let stored = self.db.get_cf(self.meta()?, published_key(partition)).map_err(|source| self.failed(source))?;
        stored.map(|bytes| self.number(&bytes).map(Sequence::new)).transpose()
    }

    pub(super) fn failed(&self, source: rocksdb::Error) -> Error {
        Error::Storage { place: self.place.clone(), source: source.into() }
    }

    pub(super) fn unreadable(&self, found: &str) -> Error {
        Error::Unreadable { place: self.place.clone(), found: found.to_owned() }
    }

    fn reaches(&self) -> MutexGuard<'_, BTreeMap<(Topic, PartitionId), Reach>> {
        // The map is changed entry by entry: what a panic leaves behind is sound.
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily> {
        self.db.cf_handle(name).ok_or_else(|| self.unreadable(&format!("no column family {name}")))
    }

    fn number(&self, bytes: &[u8]) -> Result<u64> {
        let bytes = bytes.try_into().map_err(|_| self.unreadable("a number has not 8 bytes"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Refuses a log of another format or partition count; writes both into a new one.
    fn check(&self) -> Result<()> {
        let meta = self.meta()?;
        let read = |key: &[u8]| self.db.get_cf(meta, key).map_err(|source| self.failed(source));
        let wanted = self.partitions.get();
        let Some(format) = read(FORMAT)? else {
            let mut batch = WriteBatch::default();
            batch.put_cf(meta, FORMAT, u64::from(FORMAT_NUMBER).to_be_bytes());
            batch.put_cf(meta, PARTITIONS, u64::from(wanted).to_be_bytes());
            return self.write(batch);
        };
        let format = self.number(&format)?;
        if format != u64::from(FORMAT_NUMBER) {
            return Err(self.unreadable(&format!("format {format}, where this Weir writes {FORMAT_NUMBER}")));
        }
        let found = self.number(&read(PARTITIONS)?.ok_or_else(|| self.unreadable("no partition count"))?)?;
        let found = u32::try_from(found).map_err(|_| self.unreadable("an impossible partition count"))?;
        if found == wanted { Ok(()) } else { Err(Error::Partitions { place: self.place.clone(), found, wanted }) }
    }

    fn find_reach(&self) -> Result<()> {
        let meta = self.meta()?;
        for topic in Topic::ALL {
            for partition in self.partitions.all() {
                let start = self.db.get_cf(meta, start_key(topic, partition)).map_err(|source| self.failed(source))?;
                let start = start.map(|bytes| self.number(&bytes)).transpose()?.unwrap_or(0);
                let end = self.last(topic, partition)?.map_or(0, |last| last.next().get()).max(start);
                let reach = Reach { start: Offset::new(start), end: Offset::new(end) };
                self.reaches().insert((topic, partition), reach);
            }
        }
        Ok(())
    }

    /// The newest record of a partition.
    fn last(&self, topic: Topic, partition: PartitionId) -> Result<Option<Offset>> {
        let behind = key(partition, Offset::new(u64::MAX));
        let mode = IteratorMode::From(&behind, Direction::Reverse);
        let Some(entry) = self.db.iterator_cf(self.topic(topic)?, mode).next() else { return Ok(None) };
        let (key, _) = entry.map_err(|source| self.failed(source))?;
        let position = position_of(&key).ok_or_else(|| self.unreadable("a key is malformed"))?;
        Ok((position.partition == partition).then_some(position.offset))
    }
}

/// A record's key: partition and offset, big-endian, so that records lie in their order.
pub(super) fn key(partition: PartitionId, offset: Offset) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&partition.get().to_be_bytes());
    key[4..].copy_from_slice(&offset.get().to_be_bytes());
    key
}

pub(super) fn position_of(key: &[u8]) -> Option<Position> {
    let (partition, offset) = key.split_first_chunk::<4>()?;
    Some(Position {
        partition: PartitionId::new(u32::from_be_bytes(*partition)),
        offset: Offset::new(u64::from_be_bytes(offset.try_into().ok()?)),
    })
}

pub(super) fn published_key(partition: PartitionId) -> String {
    format!("published/{partition}")
}

pub(super) fn start_key(topic: Topic, partition: PartitionId) -> String {
    format!("start/{}/{partition}", topic.name())
}

pub(super) fn committed_key(topic: Topic, group: &str, partition: PartitionId) -> String {
    format!("committed/{}/{group}/{partition}", topic.name())
}

fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_wal_recovery_mode(rocksdb::DBRecoveryMode::TolerateCorruptedTailRecords);
    options
}

/// Records come in the order of their keys, so files hardly overlap and are moved, not rewritten, on their way down.
fn family_options() -> Options {
    let mut options = Options::default();
    options.set_write_buffer_size(64 << 20);
    options.set_max_write_buffer_number(4);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    options
}
