//! The log of a single machine: RocksDB, one column family a topic.
//!
//! One thread writes. Whoever appends hands it records and waits; it takes everything that waits into one batch, writes
//! the batch with an fsync, and only then answers all of them, so that many waiting POSTs share the price of one fsync.
//! Readers see nothing that is not durable.

mod batch;
mod codec;
mod compaction;
mod encoded;
mod keys;
mod options;
mod outputs;
mod reach;
mod readers;
mod retention;
mod speakers;
mod store;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Millis, Offset, PartitionId, Timestamp};

use crate::{
    Candidacy, Cleanup, Log, Outputs, PartitionCount, Producer, Reach, Result, Start, Subscription, Tail, Topic,
};

use compaction::Compactor;
use store::Store;
use writer::Writer;

/// Settings of an embedded log.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory in which it lies.
    pub path: PathBuf,
    /// How many partitions each topic has; fixed when the log is made.
    pub partitions: PartitionCount,
    /// How old a record may become before it is dropped. Events are needed for as long as the longest window, to rebuild
    /// state that was lost.
    pub max_age: Millis,
    /// How many bytes a topic may take on disk before its oldest records are dropped.
    pub max_bytes: u64,
    /// Bytes that may wait to be written; beyond them an append is refused as [`crate::Error::Busy`].
    pub in_flight_bytes: usize,
}

impl Config {
    /// A log at `path` that keeps records for 45 days (the longest window and half as much again) or 100 GiB a topic, with
    /// at most 64 MiB waiting to be written.
    pub fn new(path: impl Into<PathBuf>, partitions: PartitionCount) -> Self {
        Self {
            path: path.into(),
            partitions,
            max_age: Millis::days(45),
            max_bytes: 100 << 30,
            in_flight_bytes: 64 << 20,
        }
    }
}

/// The ages that retention works with stay above what a rebuild of the state needs.
const _: () = assert!(Millis::days(45).get() > model::Window::Month.span().get());

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Records dropped for their age or their topic's size.
    pub old: u64,
    /// Records of compacted topics: replaced by a newer one of their key, or taken back.
    pub replaced: u64,
}

/// An open embedded log. Only one process can have it open, and it stays open for as long as a reader or a producer of it
/// lives.
#[derive(Debug)]
pub struct EmbeddedLog {
    config: Config,
    store: Arc<Store>,
    writer: Arc<Writer>,
    /// Taken for the whole of a maintenance, so that there is one at a time.
    compactor: Mutex<Compactor>,
}

impl EmbeddedLog {
    /// Opens the log, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Storage`] where another process has it open or the disk refuses, [`crate::Error::Partitions`]
    /// where it was made with another number of them, [`crate::Error::Unreadable`] where it is damaged or another version
    /// made it.
    pub fn open(config: Config) -> Result<Self> {
        Self::on(Store::open(&config.path, config.partitions)?, config)
    }

    /// Opens a log that is there as it is now, to be read only: whatever would write to it fails. For use while no Weir runs on
    /// it: what one writes meanwhile is not seen, and files that it drops are missing.
    ///
    /// # Errors
    ///
    /// As [`EmbeddedLog::open`], and [`crate::Error::Storage`] where there is none.
    pub fn open_read_only(config: Config) -> Result<Self> {
        Self::on(Store::open_read_only(&config.path, config.partitions)?, config)
    }

    fn on(store: Store, config: Config) -> Result<Self> {
        let store = Arc::new(store);
        let writer = Arc::new(Writer::start(Arc::clone(&store), config.in_flight_bytes)?);
        Ok(Self { config, store, writer, compactor: Mutex::default() })
    }

    /// Resolves with the error when a write fails or the writer panics. The log then accepts nothing until it is reopened.
    pub fn broken(&self) -> impl Future<Output = crate::Error> + Send + use<> {
        self.writer.broken()
    }

    /// Resolves when the log is closed: it, its readers and its producers are dropped, and its files are no longer in use.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.store.closed()
    }

    /// Drops what is older or larger than the settings allow, and the records of compacted topics that a newer one of
    /// their key has replaced. A record without value takes its key back and goes after a day. To be called now and then;
    /// reads the whole of each compacted partition to which something was added.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Storage`] where the disk refuses, [`crate::Error::Unreadable`] where a record is damaged.
    pub fn maintain(&self, now: Timestamp) -> Result<Trimmed> {
        let mut compactor = self.compactor.lock().unwrap_or_else(PoisonError::into_inner);
        let Config { max_age, max_bytes, .. } = self.config;
        let mut trimmed = Trimmed::default();
        for topic in Topic::ALL {
            match topic.cleanup() {
                Cleanup::Delete => trimmed.old += retention::drop_old(&self.store, topic, now - max_age, max_bytes)?,
                Cleanup::Compact => trimmed.replaced += compactor.compact(&self.store, topic, now)?,
            }
        }
        Ok(trimmed)
    }
}

/// Nobody else can have the log open.
#[derive(Debug)]
struct OnlyCandidate;

impl Candidacy for OnlyCandidate {
    fn holds_office(&self) -> bool {
        true
    }
}

impl Log for EmbeddedLog {
    fn partitions(&self) -> PartitionCount {
        self.config.partitions
    }

    fn identity(&self) -> Result<String> {
        Ok("embedded".to_owned())
    }

    fn producer(&self) -> Arc<dyn Producer> {
        Arc::clone(&self.writer) as Arc<dyn Producer>
    }

    fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Subscription>> {
        Ok(Box::new(readers::EmbeddedSubscription::new(Arc::clone(&self.store), topic, group)))
    }

    fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        self.store.known(partition)?;
        Ok(self.store.reaches().of((topic, partition)))
    }

    fn outputs(&self, partition: PartitionId) -> Result<Box<dyn Outputs>> {
        let (store, writer) = (Arc::clone(&self.store), Arc::clone(&self.writer));
        Ok(Box::new(outputs::EmbeddedOutputs::open(store, writer, partition)?))
    }

    fn stand_for(&self, _office: &str) -> Result<Box<dyn Candidacy>> {
        Ok(Box::new(OnlyCandidate))
    }

    fn tail(&self, topic: Topic, start: Start) -> Result<Box<dyn Tail>> {
        let reach = self.store.reaches().of_topic(topic);
        let begin = |_, reach: Reach| reach.at(start);
        Ok(Box::new(readers::EmbeddedTail::new(Arc::clone(&self.store), topic, reach, begin)))
    }

    fn tail_of(&self, topic: Topic, partition: PartitionId, start: Start) -> Result<Box<dyn Tail>> {
        let reach = [(partition, self.reach(topic, partition)?)].into();
        let begin = |_, reach: Reach| reach.at(start);
        Ok(Box::new(readers::EmbeddedTail::new(Arc::clone(&self.store), topic, reach, begin)))
    }

    fn tail_from(&self, topic: Topic, places: &BTreeMap<PartitionId, Offset>) -> Result<Box<dyn Tail>> {
        let reach = places.keys().map(|partition| Ok((*partition, self.reach(topic, *partition)?)));
        let begin = |partition, reach: Reach| reach.nearest(places.get(&partition).copied().unwrap_or(reach.start));
        let (store, reach) = (Arc::clone(&self.store), reach.collect::<Result<_>>()?);
        Ok(Box::new(readers::EmbeddedTail::new(store, topic, reach, begin)))
    }
}
