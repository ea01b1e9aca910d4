//! What leaves the topics that keep records for a time: the old ones, a whole beginning of a partition at once.

use model::{Offset, Timestamp};
use rocksdb::{Range, WriteBatch};

use super::keys::{Place, key, start_key};
use super::store::Store;
use crate::{Reach, Result, Topic};

/// Bytes read at once when the first young record is looked for.
const AT_ONCE: usize = 1 << 20;

/// Drops the records of `topic` from before `oldest`, and as many more as it takes to come below `max_bytes`; how many.
pub(super) fn drop_old(store: &Store, topic: Topic, oldest: Timestamp, max_bytes: u64) -> Result<u64> {
    let size = size_on_disk(store, topic)?;
    let mut dropped = 0;
    for partition in store.partitions().all() {
        let place = (topic, partition);
        let reach = store.reaches().of(place);
        let keep_from = first_young(store, place, oldest)?.max(first_that_fits(reach, size, max_bytes));
        if keep_from > reach.start {
            drop_before(store, place, keep_from)?;
            dropped += keep_from.get() - reach.start.get();
        }
    }
    Ok(dropped)
}

/// What the kept records of a topic take in files; what is still in memory, and what was dropped but not yet cleared
/// away, does not count.
fn size_on_disk(store: &Store, topic: Topic) -> Result<u64> {
    let reach = store.reaches().of_topic(topic);
    let ends: Vec<_> = reach.iter().map(|(id, reach)| (key(*id, reach.start), key(*id, reach.end))).collect();
    let ranges: Vec<_> = ends.iter().map(|(from, to)| Range::new(from, to)).collect();
    Ok(store.db().get_approximate_sizes_cf(store.topic(topic)?, &ranges).iter().sum())
}

/// Each partition gives up the same share of its records, as if all were of one size.
fn first_that_fits(Reach { start, end }: Reach, size: u64, max_bytes: u64) -> Offset {
    let records = u128::from(end.get().saturating_sub(start.get()));
    let excess = u128::from(size.saturating_sub(max_bytes));
    let drop = (records * excess).checked_div(u128::from(size)).unwrap_or(0);
    Offset::new(start.get() + u64::try_from(drop).unwrap_or(0))
}

/// The first record that was appended at `oldest` or later; the end where there is none.
fn first_young(store: &Store, place: Place, oldest: Timestamp) -> Result<Offset> {
    let Reach { start, end } = store.reaches().of(place);
    let mut at = start;
    while at < end {
        let records = store.read(place, at, end, AT_ONCE)?;
        if let Some(young) = records.iter().find(|stored| stored.record.at >= oldest) {
            return Ok(young.position.offset);
        }
        let Some(last) = records.last() else { return Ok(end) };
        at = last.position.offset.next();
    }
    Ok(end)
}

/// Drops what lies before `keep_from`, which is behind the start.
fn drop_before(store: &Store, place: Place, keep_from: Offset) -> Result<()> {
    let (topic, partition) = place;
    let start = store.reaches().of(place).start;
    let family = store.topic(topic)?;
    let mut batch = WriteBatch::default();
    batch.delete_range_cf(family, key(partition, start), key(partition, keep_from));
    batch.put_cf(store.meta()?, start_key(place), keep_from.get().to_be_bytes());
    store.write(batch)?;
    store.reaches().trim(place, keep_from);
    // Whole files go at once. Unlike above, a file that ends with the second key goes too.
    let last_dropped = Offset::new(keep_from.get().saturating_sub(1));
    let (from, to) = (key(partition, start), key(partition, last_dropped));
    store.db().delete_file_in_range_cf(family, from, to).map_err(|source| store.failed(source))
}
