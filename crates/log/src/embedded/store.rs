//! The database below: opening it, reading records, writing batches.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use model::{Offset, PartitionId};
use rocksdb::{ColumnFamily, DB, Direction, ErrorKind, IteratorMode, ReadOptions, WriteBatch};
use tokio::sync::watch;

use super::codec::Decoder;
use super::keys::{Place, key, position_of, published_key, start_key};
use super::options;
use super::reach::{Reaches, TopicReach};
use super::speakers::Speakers;
use crate::{Error, PartitionCount, Published, Reach, Result, Sequence, Stored, Topic};

const META: &str = "meta";
const FORMAT: &[u8] = b"format";
const FORMAT_NUMBER: u64 = 1;
const PARTITIONS: &[u8] = b"partitions";

/// The open database.
#[derive(Debug)]
pub(super) struct Store {
    db: DB,
    place: String,
    partitions: PartitionCount,
    reaches: Reaches,
    speakers: Speakers,
    /// Fields are dropped in declaration order, so this sender is dropped after the database is closed.
    open: watch::Sender<()>,
}

impl Store {
    pub(super) fn open(path: &Path, partitions: PartitionCount) -> Result<Self> {
        let opened = DB::open_cf_with_opts(&options::database(), path, families());
        let store = Self::on(opened, path, partitions)?;
        if store.meta_number(FORMAT)?.is_none() {
            store.begin()?;
        }
        store.checked()
    }

    /// Opens a log that is there, to be read only: writes fail.
    pub(super) fn open_read_only(path: &Path, partitions: PartitionCount) -> Result<Self> {
        let missing =
            |source: std::io::Error| Error::Storage { place: path.display().to_string(), source: source.into() };
        // RocksDB makes the folder before it finds out that nothing is in it.
        std::fs::metadata(path).map_err(missing)?;
        let failed = |source| failed(&path.display().to_string(), source);
        // A log of a version that knew fewer topics lacks theirs, and they can't be made here.
        let there = DB::list_cf(&options::existing(), path).map_err(failed)?;
        let families = families().filter(|(name, _)| there.iter().any(|there| there == name));
        let opened = DB::open_cf_with_opts_for_read_only(&options::existing(), path, families, false);
        Self::on(opened, path, partitions)?.checked()
    }

    fn on(opened: std::result::Result<DB, rocksdb::Error>, path: &Path, partitions: PartitionCount) -> Result<Self> {
        let place = path.display().to_string();
        let db = opened.map_err(|source| failed(&place, source))?;
        let (reaches, speakers) = (Reaches::default(), Speakers::default());
        Ok(Self { db, place, partitions, reaches, speakers, open: watch::Sender::default() })
    }

    /// Resolves when the database is closed.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut open = self.open.subscribe();
        async move { while open.changed().await.is_ok() {} }
    }

    fn checked(mut self) -> Result<Self> {
        self.check()?;
        self.reaches = self.find_reaches()?;
        Ok(self)
    }

    pub(super) const fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    pub(super) const fn reaches(&self) -> &Reaches {
        &self.reaches
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

    /// Refuses a partition that the log does not have.
    pub(super) fn known(&self, partition: PartitionId) -> Result<()> {
        let partitions = self.partitions.get();
        if partition.get() < partitions { Ok(()) } else { Err(Error::NoPartition { partition, partitions }) }
    }

    /// Writes a batch; durable on return.
    pub(super) fn write(&self, batch: WriteBatch) -> Result<()> {
        self.db.write_opt(batch, &options::durable()).map_err(|source| self.failed(source))
    }

    /// Reads records of a partition from `from` on, before `end`, until `bytes` are exceeded.
    pub(super) fn read(&self, place: Place, from: Offset, end: Offset, bytes: usize) -> Result<Vec<Stored>> {
        let (topic, partition) = place;
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(key(partition, end));
        let mut entries = self.db.raw_iterator_cf_opt(self.topic(topic)?, options);
        entries.seek(key(partition, from));
        let mut decoder = Decoder::default();
        let (mut records, mut read) = (Vec::new(), 0);
        while read < bytes
            && let Some((key, value)) = entries.item()
        {
            read += value.len();
            let position = position_of(key).ok_or_else(|| self.unreadable("a key is malformed".to_owned()))?;
            let record = decoder.decode(Bytes::copy_from_slice(value)).ok_or_else(|| {
                self.unreadable(format!("record {} of {}/{partition} is damaged", position.offset, topic.name()))
            })?;
            records.push(Stored { position, record });
            entries.next();
        }
        entries.status().map_err(|source| self.failed(source))?;
        Ok(records)
    }

    pub(super) const fn speakers(&self) -> &Speakers {
        &self.speakers
    }

    /// The last output published for `partition`.
    pub(super) fn last_published(&self, partition: PartitionId) -> Result<Option<Published>> {
        let key = published_key(partition);
        let Some(bytes) = self.db.get_cf(self.meta()?, &key).map_err(|source| self.failed(source))? else {
            return Ok(None);
        };
        let published = published(&bytes).ok_or_else(|| self.unreadable(format!("{key} is no place of an output")))?;
        Ok(Some(published))
    }

    pub(super) fn failed(&self, source: rocksdb::Error) -> Error {
        failed(&self.place, source)
    }

    /// The storage fails because of what was said here.
    pub(super) fn failing(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Storage { place: self.place.clone(), source: source.into() }
    }

    pub(super) fn unreadable(&self, found: String) -> Error {
        Error::Unreadable { place: self.place.clone(), found }
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily> {
        self.db.cf_handle(name).ok_or_else(|| self.unreadable(format!("no column family {name}")))
    }

    fn meta_number(&self, key: &[u8]) -> Result<Option<u64>> {
        let Some(bytes) = self.db.get_cf(self.meta()?, key).map_err(|source| self.failed(source))? else {
            return Ok(None);
        };
        let damaged = |_| self.unreadable(format!("{:?} is no number", String::from_utf8_lossy(key)));
        Ok(Some(u64::from_be_bytes(bytes.as_slice().try_into().map_err(damaged)?)))
    }

    /// Writes format and partition count into a new log.
    fn begin(&self) -> Result<()> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.meta()?, FORMAT, FORMAT_NUMBER.to_be_bytes());
        batch.put_cf(self.meta()?, PARTITIONS, u64::from(self.partitions.get()).to_be_bytes());
        self.write(batch)
    }

    /// Refuses a log of another format or partition count.
    fn check(&self) -> Result<()> {
        let wanted = self.partitions.get();
        let format = self.meta_number(FORMAT)?.ok_or_else(|| self.unreadable("no format".to_owned()))?;
        if format != FORMAT_NUMBER {
            return Err(self.unreadable(format!("format {format}, where this Weir knows {FORMAT_NUMBER}")));
        }
        let found = self.meta_number(PARTITIONS)?.and_then(|found| u32::try_from(found).ok());
        let found = found.ok_or_else(|| self.unreadable("no partition count".to_owned()))?;
        if found == wanted { Ok(()) } else { Err(Error::Partitions { place: self.place.clone(), found, wanted }) }
    }

    fn find_reaches(&self) -> Result<Reaches> {
        let mut found: BTreeMap<Topic, TopicReach> = BTreeMap::new();
        for topic in Topic::ALL {
            for partition in self.partitions.all() {
                let reach = self.find_reach((topic, partition))?;
                found.entry(topic).or_default().insert(partition, reach);
            }
        }
        Ok(Reaches::new(found))
    }

    /// A partition that retention has emptied goes on where it ended: its start says where that was.
    fn find_reach(&self, place: Place) -> Result<Reach> {
        if self.db.cf_handle(place.0.name()).is_none() {
            return Ok(Reach::default());
        }
        let start = Offset::new(self.meta_number(start_key(place).as_bytes())?.unwrap_or(0));
        let end = self.last(place)?.map_or(start, |last| last.next().max(start));
        Ok(Reach { start, end })
    }

    /// The newest record of a partition.
    fn last(&self, (topic, partition): Place) -> Result<Option<Offset>> {
        let behind = key(partition, Offset::new(u64::MAX));
        let mode = IteratorMode::From(&behind, Direction::Reverse);
        let Some(entry) = self.db.iterator_cf(self.topic(topic)?, mode).next() else { return Ok(None) };
        let (key, _) = entry.map_err(|source| self.failed(source))?;
        let position = position_of(&key).ok_or_else(|| self.unreadable("a key is malformed".to_owned()))?;
        Ok((position.partition == partition).then_some(position.offset))
    }
}

/// Every column family with how it is set up.
fn families() -> impl Iterator<Item = (&'static str, rocksdb::Options)> {
    Topic::ALL.map(Topic::name).into_iter().chain([META]).map(|name| (name, options::family()))
}

fn published(bytes: &[u8]) -> Option<Published> {
    let (sequence, said_at) = bytes.split_first_chunk()?;
    let said_at = u64::from_be_bytes(said_at.try_into().ok()?);
    Some(Published { sequence: Sequence::new(u64::from_be_bytes(*sequence)), said_at: Offset::new(said_at) })
}

/// Damage is told apart from a refusal: the one needs a backup, the other a disk.
fn failed(place: &str, source: rocksdb::Error) -> Error {
    let place = place.to_owned();
    if source.kind() == ErrorKind::Corruption {
        return Error::Unreadable { place, found: source.into_string() };
    }
    Error::Storage { place, source: source.into() }
}
