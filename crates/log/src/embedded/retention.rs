//! What leaves the log: old records, and those that a newer one of their key replaced.

use std::collections::HashSet;

use bytes::Bytes;
use model::{Millis, Offset, PartitionId, Timestamp};
use rocksdb::{Direction, IteratorMode, ReadOptions, WriteBatch};
use xxhash_rust::xxh3::xxh3_128;

use super::Config;
use super::codec::Decoder;
use super::store::{Reach, Store, key, position_of, start_key};
use crate::{Cleanup, Record, Result, Topic};

/// Deletes gathered before they are written.
const DELETES: usize = 10_000;

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Records dropped for their age or their topic's size.
    pub old: u64,
    /// Records that a newer one of their key replaced.
    pub replaced: u64,
}

pub(super) fn maintain(store: &Store, config: &Config, now: Timestamp) -> Result<Trimmed> {
    let mut trimmed = Trimmed::default();
    for topic in Topic::ALL {
        let share = share_to_drop(store, topic, config.max_bytes)?;
        for partition in store.partitions().all() {
            match topic.cleanup() {
                Cleanup::Delete => trimmed.old += drop_old(store, (topic, partition), now - config.max_age, share)?,
                Cleanup::Compact => trimmed.replaced += drop_replaced(store, topic, partition)?,
            }
        }
    }
    Ok(trimmed)
}

/// Which share of a topic's records is over its size, in thousandths.
fn share_to_drop(store: &Store, topic: Topic, max_bytes: u64) -> Result<u64> {
    let property = "rocksdb.estimate-live-data-size";
    let size =
        store.db().property_int_value_cf(store.topic(topic)?, property).map_err(|source| store.failed(source))?;
    let size = size.unwrap_or(0);
    Ok(if size > max_bytes { 1_000 - max_bytes.saturating_mul(1_000) / size } else { 0 })
}

fn drop_old(
    store: &Store,
    (topic, partition): (Topic, PartitionId),
    oldest: Timestamp,
    thousandths: u64,
) -> Result<u64> {
    let Reach { start, end } = store.reach(topic, partition);
    let by_size = start.get() + (end.get() - start.get()) * thousandths / 1_000;
    let by_age = first_younger(store, (topic, partition), oldest)?;
    let keep_from = Offset::new(by_size).max(by_age);
    if keep_from <= start {
        return Ok(0);
    }
    let (from, to) = (key(partition, start), key(partition, keep_from));
    let family = store.topic(topic)?;
    let mut batch = WriteBatch::default();
    batch.delete_range_cf(family, from, to);
    batch.put_cf(store.meta()?, start_key(topic, partition), keep_from.get().to_be_bytes());
    store.write(batch)?;
    store.trim(topic, partition, keep_from);
    store.db().delete_file_in_range_cf(family, from, to).map_err(|source| store.failed(source))?;
    Ok(keep_from.get() - start.get())
}

/// The first record that was appended at `oldest` or later; the end where there is none.
fn first_younger(store: &Store, (topic, partition): (Topic, PartitionId), oldest: Timestamp) -> Result<Offset> {
    let Reach { start, end } = store.reach(topic, partition);
    let mut at = start;
    while at < end {
        let records = store.read((topic, partition), at, end, 1 << 20)?;
        let Some(last) = records.last() else { return Ok(end) };
        if let Some(young) = records.iter().find(|stored| stored.record.at >= oldest) {
            return Ok(young.position.offset);
        }
        at = last.position.offset.next();
    }
    Ok(end)
}

/// Walks a partition from its newest record to its oldest and deletes what has been seen newer.
///
/// The newest record of a partition is the newest of its key, so it stays, and with it the partition's end.
fn drop_replaced(store: &Store, topic: Topic, partition: PartitionId) -> Result<u64> {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(key(partition, Offset::ZERO));
    let newest = key(partition, store.reach(topic, partition).end);
    let mut seen: HashSet<u128> = HashSet::new();
    let (mut batch, mut replaced) = (WriteBatch::default(), 0);
    let family = store.topic(topic)?;
    let mode = IteratorMode::From(&newest, Direction::Reverse);
    for entry in store.db().iterator_cf_opt(family, options, mode) {
        let (place, value) = entry.map_err(|source| store.failed(source))?;
        if position_of(&place).is_none_or(|position| position.partition != partition) {
            continue;
        }
        let Record { key, .. } =
            Decoder::default().decode(Bytes::from(value)).ok_or_else(|| store.unreadable("a damaged record"))?;
        if seen.insert(xxh3_128(&key)) {
            continue;
        }
        batch.delete_cf(family, place);
        replaced += 1;
        if batch.len() >= DELETES {
            store.write(std::mem::take(&mut batch))?;
        }
    }
    store.write(batch)?;
    Ok(replaced)
}

/// The ages and sizes that retention works with stay above what a rebuild of the state needs.
const _: () = assert!(Millis::days(45).get() > model::Window::Month.span().get());
