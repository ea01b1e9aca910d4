//! What the embedded log promises beyond the seam: what it drops, what it refuses, and what kills, full disks and damage
//! leave.

mod compaction;
mod crash;
mod damage;
mod refusals;
mod retention;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Result, Route, Start, Topic};
use model::Timestamp;

/// A log of one partition below `folder`.
fn config(folder: &Path) -> Config {
    Config::new(folder.join("log"), PartitionCount::new(NonZeroU32::MIN))
}

fn open(folder: &Path) -> EmbeddedLog {
    EmbeddedLog::open(config(folder)).unwrap()
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_seconds(number * 24 * 60 * 60)
}

fn record(topic: Topic, key: &str, at: Timestamp, value: impl Into<Bytes>) -> Append {
    let key = Bytes::copy_from_slice(key.as_bytes());
    let record = Record { kind: RecordKind::Output, at, key, headers: Arc::new([]), value: value.into() };
    Append { topic, route: Route::ByKey, record }
}

/// An event of `at` with its number as value.
fn event(at: Timestamp, number: u64) -> Append {
    record(Topic::Events, "key", at, number.to_string())
}

fn append(log: &dyn Log, records: Vec<Append>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.producer().append(records))
}

/// Everything that is in a topic now: offsets and values.
fn read(log: &dyn Log, topic: Topic) -> Result<Vec<(u64, String)>> {
    let mut tail = log.tail(topic, Start::Earliest)?;
    let mut read = Vec::new();
    while !tail.caught_up() {
        let more = tail.next(Duration::ZERO)?;
        let value = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        read.extend(more.iter().map(|stored| (stored.position.offset.get(), value(&stored.record.value))));
    }
    Ok(read)
}

fn offsets(log: &dyn Log, topic: Topic) -> Vec<u64> {
    read(log, topic).unwrap().into_iter().map(|(offset, _)| offset).collect()
}

/// The database below, for looking at it and for harming it.
fn database(folder: &Path) -> rocksdb::DB {
    let options = rocksdb::Options::default();
    let path = folder.join("log");
    let families = rocksdb::DB::list_cf(&options, &path).unwrap();
    rocksdb::DB::open_cf(&options, path, families).unwrap()
}
