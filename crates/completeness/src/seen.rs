//! Which events were seen: SendGrid tells of each at least once, and may repeat itself for a day.
//!
//! Digests of ids and of contents, as the scorer knows copies by either. They are kept in two generations: when the current
//! one is full or old it becomes the older one, and what that was is dropped. So what was seen is known for 26 hours at least, or
//! for the next two million events where those come sooner; and memory has a bound: a generation takes 72 MiB at most, both 144
//! MiB.
//!
//! What was seen is not kept in the log. Where each generation begins is ([`Starts`]), and whoever goes on reads the records
//! from there again: that gives the same generations, digest for digest.

use std::collections::{BTreeMap, HashSet};

use model::{Digest, Millis, Offset, PartitionId, Position, Timestamp};
use serde::{Deserialize, Serialize};

/// Digests in one generation at most: those of two million events.
pub const MOST: usize = 4_000_000;
/// How long a generation is the current one at most: SendGrid tries for 24 hours.
pub const LONGEST: Millis = Millis::hours(26);

/// A place in every partition; a partition that is not named is at its beginning.
pub type Places = BTreeMap<PartitionId, Offset>;

/// Where the generations begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starts {
    /// The older one.
    pub older: Places,
    /// The current one, where the older one ends.
    pub current: Places,
    /// When the current one began.
    pub since: Timestamp,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Digests in a generation.
    pub most: usize,
    /// Its time as the current one.
    pub longest: Millis,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { most: MOST, longest: LONGEST }
    }
}

/// The events that were seen.
#[derive(Debug, Default)]
pub struct Seen {
    older: HashSet<u64>,
    current: HashSet<u64>,
    starts: Starts,
    bounds: Bounds,
}

/// Whether `position` lies at or behind `places`.
fn is_behind(position: Position, places: &Places) -> bool {
    places.get(&position.partition).is_none_or(|place| position.offset >= *place)
}

impl Seen {
    /// Nothing seen yet of the generations that begin there.
    pub fn new(starts: Starts, bounds: Bounds) -> Self {
        Self { starts, bounds, ..Self::default() }
    }

    /// Where the generations begin; whoever goes on reads from the older one's beginning.
    pub const fn starts(&self) -> &Starts {
        &self.starts
    }

    /// Sees a record again that was seen before a restart.
    pub fn recall(&mut self, position: Position, digests: &[Digest]) {
        let generation = if is_behind(position, &self.starts.current) {
            &mut self.current
        } else if is_behind(position, &self.starts.older) {
            &mut self.older
        } else {
            return;
        };
        generation.extend(digests.iter().copied().map(short));
    }

    /// Sees a new record, with `places` behind all that was seen before it; whether none of its digests was seen.
    pub fn see(&mut self, places: &Places, recorded: Timestamp, digests: &[Digest]) -> bool {
        let is_old = recorded.since(self.starts.since) >= self.bounds.longest;
        let is_full = self.current.len().saturating_add(digests.len()) > self.bounds.most;
        if is_old || is_full {
            self.older = std::mem::take(&mut self.current);
            self.starts.older = std::mem::replace(&mut self.starts.current, places.clone());
            self.starts.since = recorded;
        }
        let is_known = |digest: &Digest| self.current.contains(&short(*digest)) || self.older.contains(&short(*digest));
        let is_new = !digests.iter().any(is_known);
        self.current.extend(digests.iter().copied().map(short));
        is_new
    }
}

/// Half of a digest: of eight million in memory, a new one equals one of them once in two million million times.
const fn short(digest: Digest) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "half of the digest is meant")]
    let short = digest.0 as u64;
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { most: 8, longest: Millis::minutes(10) };

    fn at(partition: u32, offset: u64) -> Position {
        Position { partition: PartitionId::new(partition), offset: Offset::new(offset) }
    }

    #[test]
    fn a_copy_is_known_by_any_of_its_digests() {
        let mut seen = Seen::default();
        let (places, now) = (Places::new(), Timestamp::default());
        assert!(seen.see(&places, now, &[Digest(1), Digest(2)]));
        assert!(!seen.see(&places, now, &[Digest(3), Digest(2)]));
        assert!(!seen.see(&places, now, &[Digest(3), Digest(4)]));
        assert!(seen.see(&places, now, &[Digest(5)]));
    }

    /// Records in the order in which they are read: partition, what its event is, and minutes since the last one.
    fn records() -> impl Strategy<Value = Vec<(u32, u128, i64)>> {
        prop::collection::vec((0..3_u32, 0..30_u128, 0..4_i64), 1..120)
    }

    proptest! {
        #[test]
        fn no_generation_outgrows_its_bound_and_what_is_within_it_is_known(records in records()) {
            let mut seen = Seen::new(Starts::default(), BOUNDS);
            let (mut places, mut now, mut recent) = (Places::new(), Timestamp::default(), Vec::new());
            for (partition, event, minutes) in records {
                now = now + Millis::minutes(minutes);
                let is_new = seen.see(&places, now, &[Digest(event)]);
                let place = places.entry(PartitionId::new(partition)).or_default();
                *place = place.next();
                prop_assert!(seen.current.len() <= BOUNDS.most && seen.older.len() <= BOUNDS.most);
                // Whatever is among the last few within the time is in one of the generations.
                let known = recent.iter().rev().take(BOUNDS.most).any(|(then, known): &(Timestamp, u128)| {
                    now.since(*then) < BOUNDS.longest && *known == event
                });
                prop_assert!(!(known && is_new));
                recent.push((now, event));
            }
        }

        #[test]
        fn who_reads_again_knows_the_same(records in records(), cut in any::<prop::sample::Index>()) {
            let mut seen = Seen::new(Starts::default(), BOUNDS);
            let (mut places, mut now, mut read) = (Places::new(), Timestamp::default(), Vec::new());
            let cut = cut.index(records.len());
            for (partition, event, minutes) in &records[..cut] {
                now = now + Millis::minutes(*minutes);
                seen.see(&places, now, &[Digest(*event)]);
                let place = places.entry(PartitionId::new(*partition)).or_default();
                read.push((at(*partition, place.get()), *event));
                *place = place.next();
            }
            let mut again = Seen::new(seen.starts().clone(), BOUNDS);
            // In another order among the partitions, and from further back than needed.
            read.sort_by_key(|(position, _)| *position);
            read.iter().for_each(|(position, event)| again.recall(*position, &[Digest(*event)]));
            prop_assert_eq!((&again.older, &again.current), (&seen.older, &seen.current));
        }
    }
}
