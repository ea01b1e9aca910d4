//! What leaves the compacted topics: records that a newer one of their key replaced, and keys that were taken back.
//!
//! What stays keeps its offset, so a partition may have gaps. Its newest record always stays: its end is found by it.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use model::{Millis, Offset, Timestamp};
use rocksdb::{ReadOptions, WriteBatch};
use xxhash_rust::xxh3::xxh3_128;

use super::codec::Decoder;
use super::keys::{Place, key, position_of};
use super::store::Store;
use crate::{Cleanup, Record, Result, Topic};

/// Deletes gathered before they are written.
const DELETES: usize = 10_000;
/// For how long a record without value, which takes its key back, is kept, so that a reader who was away hears of it.
const GRACE: Millis = Millis::hours(24);

/// Which keys stay in a partition, newest first.
#[derive(Debug, Default)]
struct Kept {
    /// Digests, 16 bytes each, so that a million customers cost tens of megabytes for as long as it takes.
    seen: HashSet<u128>,
}

impl Kept {
    /// Whether `record` stays, all newer ones having been shown before.
    fn keeps(&mut self, record: &Record, now: Timestamp) -> bool {
        let is_newest_of_all = self.seen.is_empty();
        let is_newest = self.seen.insert(xxh3_128(&record.key));
        let is_taken_back = record.value.is_empty() && record.at < now - GRACE;
        is_newest_of_all || (is_newest && !is_taken_back)
    }
}

/// Compacts, and remembers how far it was, so that a partition to which nothing was added is not read again.
#[derive(Debug, Default)]
pub(super) struct Compactor {
    ends: BTreeMap<Place, Offset>,
}

impl Compactor {
    /// Drops what need not be kept of `topic`, reading all of it; how many records.
    pub(super) fn compact(&mut self, store: &Store, topic: Topic, now: Timestamp) -> Result<u64> {
        debug_assert_eq!(topic.cleanup(), Cleanup::Compact, "only a compacted topic may have gaps");
        let mut dropped = 0;
        for partition in store.partitions().all() {
            let place = (topic, partition);
            let end = store.reaches().of(place).end;
            if self.ends.get(&place) != Some(&end) {
                dropped += compact(store, place, now)?;
                self.ends.insert(place, end);
            }
        }
        Ok(dropped)
    }
}

/// Walks a partition from its newest record to its oldest.
fn compact(store: &Store, (topic, partition): Place, now: Timestamp) -> Result<u64> {
    let family = store.topic(topic)?;
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(key(partition, Offset::ZERO));
    options.set_iterate_upper_bound(key(partition, store.reaches().of((topic, partition)).end));
    let mut entries = store.db().raw_iterator_cf_opt(family, options);
    let (mut kept, mut decoder) = (Kept::default(), Decoder::default());
    let (mut deletes, mut dropped) = (WriteBatch::default(), 0);
    entries.seek_to_last();
    while let Some((place, value)) = entries.item() {
        let record = decoder.decode(Bytes::copy_from_slice(value)).ok_or_else(|| damaged(store, topic, place))?;
        if !kept.keeps(&record, now) {
            deletes.delete_cf(family, place);
            dropped += 1;
        }
        if deletes.len() >= DELETES {
            store.write(std::mem::take(&mut deletes))?;
        }
        entries.prev();
    }
    entries.status().map_err(|source| store.failed(source))?;
    if !deletes.is_empty() {
        store.write(deletes)?;
    }
    Ok(dropped)
}

fn damaged(store: &Store, topic: Topic, place: &[u8]) -> crate::Error {
    let position = position_of(place).unwrap_or_default();
    store.unreadable(format!("record {} of {}/{} is damaged", position.offset, topic.name(), position.partition))
}
