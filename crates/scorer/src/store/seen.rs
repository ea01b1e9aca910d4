//! Digests of the events that were seen, by the hour of the event.
//!
//! A copy of an event bears the same time, so one hour is all that is looked through, and hours older than the horizon
//! are dropped whole. The latest hours are sets in memory; what a commit finds new in them is written as one chunk, not as
//! a key an event. An hour that is over is sealed: its digests are sorted into shards by their first two bytes and leave
//! memory, so that a late copy is found by reading one small shard.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use model::Digest;
use rocksdb::{DB, IteratorMode, WriteBatch};
use scoring::Hour;

use super::{Place, keys};
use crate::Error;

/// Digests are random already: their low half is hash enough.
#[derive(Default)]
struct Low(u64);

impl Hasher for Low {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, digest: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
        let low = digest as u64;
        self.0 = low;
    }
}

type Set = HashSet<Digest, BuildHasherDefault<Low>>;

/// How many digests that came late an hour that is sealed may hold in memory before they join the others.
const LATE_KEPT: usize = 4_096;

const CHUNK: u8 = 0;
const SHARD: u8 = 1;
const DIGEST_BYTES: usize = 16;

#[derive(Debug, Default)]
struct Digests {
    set: Set,
    /// In the set, and not yet on disk.
    fresh: Vec<Digest>,
    /// The number of the next chunk.
    chunks: u32,
    /// Whether there are shards on disk.
    sealed: bool,
}

#[derive(Debug)]
pub(super) struct Seen {
    hours: BTreeMap<Hour, Digests>,
    /// Everything before is to be dropped at the next commit.
    horizon: Hour,
    dropped: Hour,
    bound: usize,
}

impl std::fmt::Debug for Low {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Seen {
    pub(super) fn load(db: &DB, place: &Place, bound: usize) -> Result<Self, Error> {
        let mut hours: BTreeMap<Hour, Digests> = BTreeMap::new();
        for entry in db.iterator_cf(keys::cf(db, keys::SEEN, place)?, IteratorMode::Start) {
            let (key, value) = entry.map_err(place.failed("reading what was seen"))?;
            let Some((hour, kind)) = hour_and_kind(&key) else {
                return Err(place.unreadable("a key of what was seen is malformed"));
            };
            let digests = hours.entry(hour).or_default();
            if kind == SHARD {
                digests.sealed = true;
            } else {
                digests.set.extend(unpack(&value));
                digests.chunks = chunk_of(&key).map_or(0, |chunk| chunk + 1);
            }
        }
        Ok(Self { hours, horizon: Hour::new(0), dropped: Hour::new(0), bound })
    }

    pub(super) fn is_first(
        &mut self,
        db: &DB,
        place: &Place,
        hour: Hour,
        [id, content]: [Digest; 2],
    ) -> Result<bool, Error> {
        let digests = self.hours.entry(hour).or_default();
        let known_on_disk = digests.sealed
            && (in_shard(db, place, hour, id)? || (id != content && in_shard(db, place, hour, content)?));
        let mut first = !known_on_disk;
        if digests.set.insert(id) {
            digests.fresh.push(id);
        } else {
            first = false;
        }
        if id != content {
            if digests.set.insert(content) {
                digests.fresh.push(content);
            } else {
                first = false;
            }
        }
        Ok(first)
    }

    pub(super) fn forget_before(&mut self, hour: Hour) {
        if hour > self.horizon {
            self.horizon = hour;
            self.hours = self.hours.split_off(&hour);
        }
    }

    /// Puts what is new into `batch`, seals what need not stay in memory, and drops what is beyond the horizon.
    pub(super) fn write(&mut self, batch: &mut WriteBatch, db: &DB, place: &Place) -> Result<(), Error> {
        let cf = keys::cf(db, keys::SEEN, place)?;
        if self.horizon > self.dropped {
            batch.delete_range_cf(cf, Hour::new(0).get().to_be_bytes(), self.horizon.get().to_be_bytes());
            self.dropped = self.horizon;
        }
        for hour in self.to_seal() {
            if let Some(digests) = self.hours.get_mut(&hour) {
                seal(batch, db, place, (hour, digests))?;
            }
        }
        for (hour, digests) in &mut self.hours {
            if !digests.fresh.is_empty() {
                batch.put_cf(cf, chunk_key(*hour, digests.chunks), pack(&digests.fresh));
                digests.chunks += 1;
                digests.fresh.clear();
            }
        }
        Ok(())
    }

    /// Hours that are over, and while the digests are over their bound, the oldest of the others.
    fn to_seal(&self) -> Vec<Hour> {
        let mut held: usize = self.hours.values().map(|digests| digests.set.len()).sum();
        let newest = self.hours.keys().next_back().map_or(0, |hour| hour.get());
        let mut hours = Vec::new();
        for (hour, digests) in &self.hours {
            // The last but one stays: retries of the last minutes of an hour come in the next.
            let over = hour.get() + 1 < newest;
            let late_enough = !digests.sealed || digests.set.len() > LATE_KEPT;
            let wanted = over && late_enough && !digests.set.is_empty();
            if wanted || held > self.bound {
                held = held.saturating_sub(digests.set.len());
                hours.push(*hour);
            }
        }
        hours
    }
}

/// Moves an hour's digests from memory and chunks into shards.
fn seal(batch: &mut WriteBatch, db: &DB, place: &Place, (hour, digests): (Hour, &mut Digests)) -> Result<(), Error> {
    let cf = keys::cf(db, keys::SEEN, place)?;
    let mut sorted: Vec<Digest> = std::mem::take(&mut digests.set).into_iter().collect();
    sorted.sort_unstable();
    for shard in sorted.chunk_by(|a, b| shard_of(*a) == shard_of(*b)) {
        let key = shard_key(hour, shard_of(shard[0]));
        let mut value = if digests.sealed {
            db.get_cf(cf, key).map_err(place.failed("reading what was seen"))?.unwrap_or_default()
        } else {
            Vec::new()
        };
        value.extend(pack(shard));
        batch.put_cf(cf, key, value);
    }
    batch.delete_range_cf(cf, chunk_key(hour, 0), chunk_key(hour, u32::MAX));
    digests.fresh.clear();
    digests.sealed = true;
    Ok(())
}

fn in_shard(db: &DB, place: &Place, hour: Hour, digest: Digest) -> Result<bool, Error> {
    let cf = keys::cf(db, keys::SEEN, place)?;
    let shard =
        db.get_pinned_cf(cf, shard_key(hour, shard_of(digest))).map_err(place.failed("reading what was seen"))?;
    Ok(shard.is_some_and(|shard| unpack(&shard).any(|known| known == digest)))
}

fn pack(digests: &[Digest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| digest.0.to_be_bytes()).collect()
}

fn unpack(bytes: &[u8]) -> impl Iterator<Item = Digest> + '_ {
    let digests = bytes.chunks_exact(DIGEST_BYTES).filter_map(|bytes| bytes.try_into().ok());
    digests.map(|bytes| Digest(u128::from_be_bytes(bytes)))
}

fn shard_of(digest: Digest) -> [u8; 2] {
    let bytes = digest.0.to_be_bytes();
    [bytes[0], bytes[1]]
}

fn chunk_key(hour: Hour, chunk: u32) -> [u8; 9] {
    let [a, b, c, d] = hour.get().to_be_bytes();
    let [e, f, g, h] = chunk.to_be_bytes();
    [a, b, c, d, CHUNK, e, f, g, h]
}

fn shard_key(hour: Hour, [e, f]: [u8; 2]) -> [u8; 7] {
    let [a, b, c, d] = hour.get().to_be_bytes();
    [a, b, c, d, SHARD, e, f]
}

fn hour_and_kind(key: &[u8]) -> Option<(Hour, u8)> {
    let (hour, rest) = key.split_first_chunk::<4>()?;
    Some((Hour::new(u32::from_be_bytes(*hour)), *rest.first()?))
}

fn chunk_of(key: &[u8]) -> Option<u32> {
    key.last_chunk::<4>().map(|chunk| u32::from_be_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::PartitionId;
    use rocksdb::Direction;

    /// Writes to a real database and reads it again.
    struct Fixture {
        directory: tempfile::TempDir,
        seen: Seen,
        db: DB,
        place: Place,
    }

    impl Fixture {
        fn new(bound: usize) -> Self {
            let directory = tempfile::tempdir().unwrap();
            Self::over(directory, bound)
        }

        fn over(directory: tempfile::TempDir, bound: usize) -> Self {
            let place = Place { partition: PartitionId::new(0), path: directory.path().join("db") };
            let db = super::super::open_db(&place, super::super::Budget::default()).unwrap();
            let seen = Seen::load(&db, &place, bound).unwrap();
            Self { directory, seen, db, place }
        }

        fn reopened(self, bound: usize) -> Self {
            let Self { directory, db, .. } = self;
            drop(db);
            Self::over(directory, bound)
        }

        fn first(&mut self, hour: u128, id: u128, content: u128) -> bool {
            let hour = u32::try_from(hour).unwrap();
            let spread = |n: u128| Digest(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            self.seen.is_first(&self.db, &self.place, Hour::new(hour), [spread(id), spread(content)]).unwrap()
        }

        fn commit(&mut self) {
            let mut batch = WriteBatch::default();
            self.seen.write(&mut batch, &self.db, &self.place).unwrap();
            self.db.write(batch).unwrap();
        }
    }

    #[test]
    fn a_copy_is_known_by_id_or_by_content() {
        let mut seen = Fixture::new(1_000);
        assert!(seen.first(5, 1, 101));
        assert!(!seen.first(5, 1, 999), "same id");
        assert!(!seen.first(5, 2, 101), "same content");
        assert!(seen.first(5, 3, 103));
        assert!(seen.first(6, 1, 101), "another hour is another event");
    }

    #[test]
    fn what_was_committed_is_known_after_reopening_however_it_was_kept() {
        for bound in [10, 100_000] {
            let mut seen = Fixture::new(bound);
            for id in 0..500 {
                assert!(seen.first(5 + id / 200, id, id + 1_000_000));
                if id % 50 == 49 {
                    seen.commit();
                }
            }
            let mut seen = seen.reopened(bound);
            for id in 0..500 {
                assert!(!seen.first(5 + id / 200, id, id + 2_000_000), "bound {bound}, id {id}");
                assert!(!seen.first(5 + id / 200, id + 3_000_000, id + 1_000_000), "bound {bound}, id {id}");
            }
        }
    }

    #[test]
    fn what_was_not_committed_is_new_after_reopening() {
        let mut seen = Fixture::new(1_000);
        assert!(seen.first(5, 1, 101));
        seen.commit();
        assert!(seen.first(5, 2, 102));
        let mut seen = seen.reopened(1_000);
        assert!(!seen.first(5, 1, 101));
        assert!(seen.first(5, 2, 102));
    }

    #[test]
    fn hours_beyond_the_horizon_leave_the_disk() {
        let mut seen = Fixture::new(1_000);
        (0..100).for_each(|id| assert!(seen.first(5 + id % 4, id, id + 1_000)));
        seen.commit();
        seen.seen.forget_before(Hour::new(8));
        seen.commit();
        let cf = keys::cf(&seen.db, keys::SEEN, &seen.place).unwrap();
        let first = seen.db.iterator_cf(cf, IteratorMode::From(&[], Direction::Forward)).next().unwrap().unwrap();
        assert_eq!(hour_and_kind(&first.0).unwrap().0, Hour::new(8));
    }
}
