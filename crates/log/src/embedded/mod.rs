//! The log of a single machine: RocksDB, one column family a topic.
//!
//! One thread writes. Whoever appends hands it records and waits; it takes everything that waits into one batch, writes
//! the batch with an fsync, and only then answers all of them, so that many waiting POSTs share the price of one fsync.
//! Readers see nothing that is not durable.

mod codec;
mod outputs;
mod readers;
mod retention;
mod store;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use model::{Millis, Timestamp};

use crate::{Log, Outputs, PartitionCount, Producer, Result, Start, Subscription, Tail, Topic};

pub use retention::Trimmed;
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

/// An open embedded log. Only one process can have it open.
#[derive(Debug)]
pub struct EmbeddedLog {
    config: Config,
    store: Arc<Store>,
    writer: Arc<Writer>,
}

impl EmbeddedLog {
    /// Opens the log, or makes it where there is none.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Storage`] where another process has it open or the disk refuses, [`crate::Error::Partitions`] and
    /// [`crate::Error::Unreadable`] where it was made otherwise.
    pub fn open(config: Config) -> Result<Self> {
        let store = Arc::new(Store::open(&config.path, config.partitions)?);
        let writer = Arc::new(Writer::start(Arc::clone(&store), config.in_flight_bytes)?);
        Ok(Self { config, store, writer })
    }

    /// Drops what is older or larger than the settings allow, and the records of compacted topics that a newer one of
    /// their key has replaced. To be called now and then; reads a whole compacted topic each time.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Storage`].
    pub fn maintain(&self, now: Timestamp) -> Result<Trimmed> {
        retention::maintain(&self.store, &self.config, now)
    }
}

impl Log for EmbeddedLog {
    fn partitions(&self) -> PartitionCount {
        self.config.partitions
    }

    fn producer(&self) -> Arc<dyn Producer> {
        Arc::clone(&self.writer) as Arc<dyn Producer>
    }

    fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Subscription>> {
        Ok(Box::new(readers::EmbeddedSubscription::new(Arc::clone(&self.store), topic, group)))
    }

    fn outputs(&self) -> Result<Box<dyn Outputs>> {
        Ok(Box::new(outputs::EmbeddedOutputs::new(Arc::clone(&self.store), Arc::clone(&self.writer))))
    }

    fn tail(&self, topic: Topic, start: Start) -> Result<Box<dyn Tail>> {
        Ok(Box::new(readers::EmbeddedTail::new(Arc::clone(&self.store), topic, start)))
    }
}
