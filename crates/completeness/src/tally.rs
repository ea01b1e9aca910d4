//! How many events there were, by source, hour and kind, each counted once.
//!
//! A fold over the records: it reads no clock, and time is what the records say of when they were appended. An event belongs
//! to the hour of its own timestamp, which is what SendGrid counts by.
//!
//! What is kept of a source says to which place of each partition it reaches ([`Kept`]), and what is kept of the whole says
//! from where to go on ([`Progress`]). A source's may reach further than that, where a crash came between the two: what lies
//! before its place is not counted for it again. One may reach less far, where nothing of it came since.

use std::collections::BTreeMap;

use model::{Counter, Counts, Day, Digest, Millis, Offset, PartitionId, Position, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Hour;
use crate::seen::{Bounds, Places, Seen, Starts};

/// How many hours are kept, back from the latest record: four days.
pub const HOURS: i64 = 96;
/// How far ahead of its record's time an event may say that it happened: beyond, its time makes no sense.
const AHEAD: Millis = Millis::hours(1);

/// An event that was read.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// The source that it came in by.
    pub source: &'a str,
    /// What it is counted as; `None` for what is not counted.
    pub kind: Option<Counter>,
    /// When it happened.
    pub at: Timestamp,
    /// What it is known by.
    pub digests: [Digest; 2],
}

/// How far the whole is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Behind the last record of each partition that was taken in.
    pub places: Places,
    /// Where what was seen begins.
    pub starts: Starts,
    /// The latest time of a record.
    pub latest: Timestamp,
}

/// What is kept of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Since when its events are counted: days that begin before can't be compared.
    pub since: Timestamp,
    /// Behind the last record of each partition that is counted here.
    pub through: Places,
    /// The counts of each hour that has any.
    pub hours: BTreeMap<Hour, Counts>,
}

#[derive(Debug)]
struct Counted {
    kept: Kept,
    is_changed: bool,
}

/// The tally of all sources.
#[derive(Debug)]
pub struct Tally {
    sources: BTreeMap<String, Counted>,
    places: Places,
    latest: Timestamp,
    seen: Seen,
}

impl Tally {
    /// A tally that goes on where `progress` says, with nothing of any source.
    pub fn new(progress: Progress, bounds: Bounds) -> Self {
        let Progress { places, starts, latest } = progress;
        Self { sources: BTreeMap::new(), places, latest, seen: Seen::new(starts, bounds) }
    }

    /// Counts a source from now on, on top of what was kept of it. One that is new is counted since `now`, or since its first
    /// record where the tally itself is new and reads what was there before.
    pub fn add(&mut self, source: &str, kept: Option<Kept>, now: Timestamp) {
        let is_changed = kept.is_none();
        let new = || Kept { since: now, through: self.places.clone(), hours: BTreeMap::new() };
        let kept = kept.unwrap_or_else(new);
        self.sources.insert(source.to_owned(), Counted { kept, is_changed });
    }

    /// Makes it fit what the log has of a partition, from `start` to `end`; whether records are gone that were not read.
    pub fn fit(&mut self, partition: PartitionId, start: Offset, end: Offset) -> bool {
        let place = self.places.entry(partition).or_default();
        let (is_new, is_overtaken) = (*place == Offset::ZERO, *place < start);
        *place = (*place).max(start).min(end.max(start));
        for counted in self.sources.values_mut() {
            if let Some(through) = counted.kept.through.get_mut(&partition) {
                *through = (*through).min(end);
            }
        }
        is_overtaken && !is_new
    }

    /// From where records are to be read: what was seen before is seen again.
    pub fn begin(&self, partition: PartitionId) -> Offset {
        self.seen.starts().older.get(&partition).copied().unwrap_or_default()
    }

    /// Takes in the record at `position`, which was appended at `recorded`; `None` stands for one that is no event.
    pub fn take(&mut self, position: Position, recorded: Timestamp, sighting: Option<Sighting<'_>>) {
        let place = self.places.get(&position.partition).copied().unwrap_or_default();
        if position.offset < place {
            if let Some(Sighting { digests, .. }) = sighting {
                self.seen.recall(position, &digests);
            }
            return;
        }
        let is_first = sighting.is_some_and(|sighting| self.seen.see(&self.places, recorded, &sighting.digests));
        self.places.insert(position.partition, position.offset.next());
        self.pass(recorded);
        if let Some(sighting) = sighting.filter(|_| is_first) {
            self.count(position, recorded, sighting);
        }
    }

    /// Time passes; hours that are too long ago are forgotten.
    fn pass(&mut self, recorded: Timestamp) {
        let (before, latest) = (self.oldest(), self.latest.max(recorded));
        self.latest = latest;
        let oldest = self.oldest();
        if oldest > before {
            self.sources.values_mut().for_each(|counted| counted.kept.hours = counted.kept.hours.split_off(&oldest));
        }
    }

    fn count(&mut self, position: Position, recorded: Timestamp, sighting: Sighting<'_>) {
        let (oldest, hour) = (self.oldest(), Hour::of(sighting.at));
        let Some(Counted { kept, is_changed }) = self.sources.get_mut(sighting.source) else { return };
        let through = kept.through.get(&position.partition).copied().unwrap_or_default();
        if position.offset < through {
            return;
        }
        *is_changed = true;
        kept.since = kept.since.min(recorded);
        if let Some(kind) = sighting.kind.filter(|_| hour >= oldest && sighting.at <= recorded + AHEAD) {
            kept.hours.entry(hour).or_default().count(kind);
        }
    }

    /// The oldest hour that is kept.
    fn oldest(&self) -> Hour {
        Hour::of(self.latest).plus(-HOURS)
    }

    /// Whether it has taken in everything before `places`.
    pub fn has_read(&self, places: &Places) -> bool {
        places.iter().all(|(partition, end)| self.places.get(partition).copied().unwrap_or_default() >= *end)
    }

    /// Whether it has all of a day of these sources.
    pub fn has_day<'s>(&self, day: Day, mut sources: impl Iterator<Item = &'s str>) -> bool {
        let since = |source: &str| self.sources.get(source).map(|counted| counted.kept.since);
        Hour::of(day.start()) >= self.oldest()
            && sources.all(|source| since(source).is_some_and(|since| since <= day.start()))
    }

    /// The counts of these sources together, by hour.
    pub fn hours<'s>(&self, sources: impl Iterator<Item = &'s str>) -> BTreeMap<Hour, Counts> {
        let mut hours = BTreeMap::<Hour, Counts>::new();
        let all = sources.filter_map(|source| self.sources.get(source)).flat_map(|counted| &counted.kept.hours);
        for (hour, counts) in all {
            *hours.entry(*hour).or_default() += counts;
        }
        hours
    }

    /// What is to be kept of the whole, once what [`Tally::changed`] gave is.
    pub fn progress(&self) -> Progress {
        Progress { places: self.places.clone(), starts: self.seen.starts().clone(), latest: self.latest }
    }

    /// What is to be kept of the sources that changed since the last time.
    pub fn changed(&mut self) -> Vec<(String, Kept)> {
        let mut changed = Vec::new();
        for (source, counted) in self.sources.iter_mut().filter(|(_, counted)| counted.is_changed) {
            counted.is_changed = false;
            counted.kept.through = self.places.clone();
            changed.push((source.clone(), counted.kept.clone()));
        }
        changed
    }

    /// What was to be kept of this source was not.
    pub fn not_kept(&mut self, source: &str) {
        if let Some(counted) = self.sources.get_mut(source) {
            counted.is_changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const SOURCES: [&str; 3] = ["main", "acme", "bolt"];
    const PARTITIONS: u32 = 3;

    /// The event called `id`: whose it is, when it was and what follows from its name.
    fn event(id: u32) -> (PartitionId, Sighting<'static>) {
        let sighting = Sighting {
            source: SOURCES[usize::try_from(id % 3).unwrap()],
            kind: Some(Counter::ALL[usize::try_from(id % 7).unwrap()]),
            at: START + Millis::minutes(i64::from(id) * 7),
            digests: [Digest(u128::from(id)), Digest(u128::from(id) << 32)],
        };
        (PartitionId::new(id % PARTITIONS), sighting)
    }

    /// A log of these events, and of ticks between them.
    struct Log {
        records: Vec<(Position, Timestamp, Option<Sighting<'static>>)>,
        ends: BTreeMap<PartitionId, Offset>,
    }

    impl Log {
        fn of(ids: &[u32]) -> Self {
            let mut log = Self { records: Vec::new(), ends: BTreeMap::new() };
            for (number, id) in ids.iter().enumerate() {
                let recorded = START + Millis::minutes(i64::try_from(number).unwrap() * 3);
                let (partition, sighting) = event(*id);
                log.append(partition, recorded, Some(sighting));
                if id % 5 == 0 {
                    log.append(PartitionId::new(0), recorded, None);
                }
            }
            log
        }

        fn append(&mut self, partition: PartitionId, recorded: Timestamp, sighting: Option<Sighting<'static>>) {
            let end = self.ends.entry(partition).or_default();
            self.records.push((Position { partition, offset: *end }, recorded, sighting));
            *end = end.next();
        }
    }

    fn tally(progress: Progress, kept: &BTreeMap<String, Kept>) -> Tally {
        let mut tally = Tally::new(progress, Bounds::default());
        for source in SOURCES {
            tally.add(source, kept.get(source).cloned(), START + Millis::days(30));
        }
        tally
    }

    fn counts(tally: &Tally) -> Vec<BTreeMap<Hour, Counts>> {
        SOURCES.map(|source| tally.hours(std::iter::once(source))).to_vec()
    }

    #[test]
    fn events_are_counted_in_their_own_hour_and_source_and_copies_once() {
        let mut tally = tally(Progress::default(), &BTreeMap::new());
        let sighting = |source, at, digest| {
            let digests = [Digest(digest), Digest(digest + 1_000)];
            Some(Sighting { source, kind: Some(Counter::Block), at, digests })
        };
        let late = START - Millis::hours(2);
        for (offset, sighting) in [
            sighting("main", START, 1),
            sighting("main", START, 1),
            sighting("main", late, 2),
            sighting("acme", START, 3),
            sighting("nobody", START, 4),
            sighting("main", START + Millis::hours(2), 5),
            sighting("main", START - Millis::days(5), 6),
            None,
        ]
        .into_iter()
        .enumerate()
        {
            let offset = Offset::new(u64::try_from(offset).unwrap());
            tally.take(Position { partition: PartitionId::new(0), offset }, START, sighting);
        }
        let of = |sources: &[&'static str]| -> Vec<_> {
            let hours = tally.hours(sources.iter().copied());
            hours.into_iter().map(|(hour, counts)| (hour, counts[Counter::Block])).collect()
        };
        assert_eq!(of(&["main"]), [(Hour::of(late), 1), (Hour::of(START), 1)]);
        assert_eq!(of(&["main", "acme"]), [(Hour::of(late), 1), (Hour::of(START), 2)]);
        assert_eq!(tally.progress().places, BTreeMap::from([(PartitionId::new(0), Offset::new(8))]));
    }

    #[test]
    fn a_day_is_had_from_its_first_moment_and_until_it_is_too_long_ago() {
        let day = Day::of(START).next();
        let mut tally = Tally::new(Progress::default(), Bounds::default());
        tally.add("main", None, day.start());
        tally.add("acme", None, day.start() + Millis::new(1));
        assert!(tally.has_day(day, ["main"].into_iter()));
        assert!(!tally.has_day(day, SOURCES[..2].iter().copied()), "acme is counted since later");
        assert!(!tally.has_day(day, ["bolt"].into_iter()), "bolt is not counted");
        let position = |offset| Position { partition: PartitionId::new(0), offset: Offset::new(offset) };
        tally.take(position(0), day.start() + Millis::hours(HOURS) + Millis::minutes(59), None);
        assert!(tally.has_day(day, ["main"].into_iter()));
        tally.take(position(1), day.start() + Millis::hours(HOURS + 1), None);
        assert!(!tally.has_day(day, ["main"].into_iter()), "its first hour is forgotten");
    }

    #[test]
    fn what_the_log_has_dropped_or_lost_is_told_and_gone_past() {
        let partition = PartitionId::new(0);
        let progress = Progress { places: [(partition, Offset::new(5))].into(), ..Progress::default() };
        let fit = |start, end| {
            let mut tally = tally(progress.clone(), &BTreeMap::new());
            let is_gone = tally.fit(partition, Offset::new(start), Offset::new(end));
            (is_gone, tally.progress().places[&partition].get())
        };
        assert_eq!(fit(0, 9), (false, 5));
        assert_eq!(fit(7, 9), (true, 7));
        assert_eq!(fit(0, 3), (false, 3), "the log was cut");
        let mut new = tally(Progress::default(), &BTreeMap::new());
        assert!(!new.fit(partition, Offset::new(7), Offset::new(9)), "what was there before is no loss");
    }

    proptest! {
        /// Whatever is kept when, and wherever a crash comes between two things that are kept.
        #[test]
        fn a_restart_counts_nothing_twice_and_nothing_not_at_all(
            ids in prop::collection::vec(0..60_u32, 1..150),
            // After so many records: what is kept, and whether it is the sources only; and whether it ends there.
            acts in prop::collection::vec((1..40_usize, any::<bool>(), any::<bool>()), 0..12),
        ) {
            let log = Log::of(&ids);
            let mut straight = tally(Progress::default(), &BTreeMap::new());
            for (position, recorded, sighting) in &log.records {
                straight.take(*position, *recorded, *sighting);
            }
            let (mut kept, mut progress) = (BTreeMap::new(), Progress::default());
            let mut broken = tally(progress.clone(), &kept);
            let mut next = 0;
            for (records, is_whole, ends) in acts {
                for (position, recorded, sighting) in log.records.iter().skip(next).take(records) {
                    broken.take(*position, *recorded, *sighting);
                }
                next += records;
                kept.extend(broken.changed());
                if is_whole {
                    progress = broken.progress();
                }
                if ends {
                    broken = tally(progress.clone(), &kept);
                    next = 0;
                }
            }
            // A tail hands out nothing from before the place that it was opened at.
            for (position, recorded, sighting) in &log.records {
                if position.offset >= broken.begin(position.partition) {
                    broken.take(*position, *recorded, *sighting);
                }
            }
            prop_assert_eq!(counts(&broken), counts(&straight));
            prop_assert_eq!(broken.progress().places, log.ends);
        }

        #[test]
        fn it_counts_as_who_counts_naively(ids in prop::collection::vec(0..200_u32, 1..150)) {
            let log = Log::of(&ids);
            let mut tally = tally(Progress::default(), &BTreeMap::new());
            let (mut naive, mut seen) = (vec![BTreeMap::<Hour, Counts>::new(); 3], Vec::new());
            for (position, recorded, sighting) in &log.records {
                tally.take(*position, *recorded, *sighting);
                let Some(sighting) = sighting.filter(|sighting| !seen.contains(&sighting.digests)) else { continue };
                seen.push(sighting.digests);
                if sighting.at <= *recorded + AHEAD {
                    let source = SOURCES.iter().position(|source| *source == sighting.source).unwrap();
                    naive[source].entry(Hour::of(sighting.at)).or_default().count(sighting.kind.unwrap());
                }
            }
            prop_assert_eq!(counts(&tally), naive);
        }
    }
}
