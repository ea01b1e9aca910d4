//! A backtest over the log itself: events, commands and ticks exactly as they stand there.
//!
//! Nothing is made up: offsets, times and the fleet's counts in the ticks are those of life. So a candidate that is the policy
//! that was in force makes the very decisions of life, as long as retention has not cut off what they rest on.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use decode::{Decoded, decode};
use log::{Log, Reach, Start, Stored, Tail, Topic};
use model::{Mode, Offset, PartitionId};
use rayon::prelude::*;

use crate::Error;
use crate::lane::Lane;
use crate::life::{self, Events};
use crate::outcome::{Candidate, Outcome, PutInForce, Read};
use crate::policies::Policies;

/// Chunks of records folded at once.
const AT_ONCE: usize = 8;
/// Chunks read ahead.
const READ_AHEAD: usize = 2 * AT_ONCE;
/// How long the log is waited for before it is asked again whether all was read.
const WAITING: Duration = Duration::from_secs(1);
/// Unreadable records that are told.
const FAULTS_TOLD: usize = 5;

/// What each candidate would have decided over everything that `log` has, and what was decided in life. `is_over` is asked after
/// every few chunks whether anybody still wants to know.
///
/// # Errors
///
/// Where the log can't be read or holds no event; [`Error::Stopped`] once `is_over`.
pub fn over_log(candidates: &[Candidate], log: &dyn Log, is_over: &dyn Fn() -> bool) -> Result<Outcome, Error> {
    let ids = log.partitions().all();
    let reaches =
        ids.map(|id| Ok((id, log.reach(Topic::Events, id)?))).collect::<Result<BTreeMap<_, _>, log::Error>>()?;
    let mut replay = Replay::new(candidates, &reaches);
    let tail = log.tail(Topic::Events, Start::Earliest)?;
    let (chunks, read) = sync_channel(READ_AHEAD);
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("log".to_owned());
        reader.spawn_scoped(scope, move || send_chunks(tail, &chunks)).map_err(Error::Thread)?;
        replay.run(read, is_over)
    })?;
    let (mut outcome, events) = replay.outcome(candidates, reaches);
    if outcome.read.effects.events() == 0 {
        let faults = outcome.read.faults.into_iter().next();
        return Err(Error::NoEvent { place: "the log".to_owned(), faults });
    }
    outcome.live = Some(life::live(log, events, outcome.runs.first(), is_over)?);
    Ok(outcome)
}

/// Reads to the end; ends early where nobody takes the chunks any more.
fn send_chunks(mut tail: Box<dyn Tail>, chunks: &SyncSender<Result<Vec<Stored>, log::Error>>) {
    while !tail.caught_up() {
        let chunk = tail.next(WAITING);
        let is_last = chunk.is_err();
        if chunks.send(chunk).is_err() || is_last {
            return;
        }
    }
}

/// The partitions of the log, under all candidates.
struct Replay {
    partitions: BTreeMap<PartitionId, Replayed>,
}

/// One partition under all candidates, its policies of life, and its records that are unreadable.
struct Replayed {
    lanes: Vec<Lane>,
    /// Behind the last record to be read: what came while the log was read is not held against decisions from before.
    end: Offset,
    policies: Policies,
    faulty: usize,
    faults: Vec<String>,
}

impl Replay {
    fn new(candidates: &[Candidate], reaches: &BTreeMap<PartitionId, Reach>) -> Self {
        let replayed = |(id, reach): (&PartitionId, &Reach)| {
            let lanes = candidates.iter().map(|candidate| Lane::new(&candidate.policy, *id)).collect();
            let policies = Policies::default();
            (*id, Replayed { lanes, end: reach.end, policies, faulty: 0, faults: Vec::new() })
        };
        Self { partitions: reaches.iter().map(replayed).collect() }
    }

    /// Takes the receiver along, so that the reader ends with it where a chunk is an error.
    fn run(
        &mut self,
        read: Receiver<Result<Vec<Stored>, log::Error>>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), Error> {
        while let Ok(first) = read.recv() {
            if is_over() {
                return Err(Error::Stopped);
            }
            let mut records: BTreeMap<PartitionId, Vec<Stored>> = BTreeMap::new();
            for chunk in std::iter::once(first).chain(read.try_iter().take(AT_ONCE - 1)) {
                for stored in chunk? {
                    records.entry(stored.position.partition).or_default().push(stored);
                }
            }
            self.partitions.par_iter_mut().for_each(|(id, replayed)| {
                records.get(id).into_iter().flatten().for_each(|stored| replayed.record(stored));
            });
        }
        Ok(())
    }

    fn outcome(self, candidates: &[Candidate], reaches: BTreeMap<PartitionId, Reach>) -> (Outcome, Events) {
        let mut read = Read::default();
        let mut lanes: Vec<Vec<Lane>> = candidates.iter().map(|_| Vec::new()).collect();
        let cut = reaches.iter().filter(|(_, reach)| reach.start > Offset::ZERO);
        read.cut = cut.map(|(id, reach)| (*id, reach.start)).collect();
        let enforced = candidates.iter().filter(|candidate| candidate.policy.mode() == Mode::Enforce);
        let enforced = enforced.map(|candidate| candidate.policy.digest().to_owned()).collect();
        let mut events = Events { reaches, read_to: BTreeMap::new(), enforced };
        for (id, replayed) in self.partitions {
            read.faulty += replayed.faulty;
            read.faults.extend(replayed.faults);
            read.policies.extend(replayed.policies.put_in_force);
            events.enforced.extend(replayed.policies.enforced);
            let ticked = replayed.lanes.first().and_then(Lane::ticked);
            events.read_to.extend(ticked.map(|at| (id, at)));
            lanes.iter_mut().zip(replayed.lanes).for_each(|(lanes, lane)| lanes.push(lane));
        }
        read.faults.truncate(FAULTS_TOLD);
        in_order(&mut read.policies);
        (Outcome::new(candidates, &lanes, read), events)
    }
}

/// By time; each partition has a record of its own, and they are told once.
fn in_order(policies: &mut Vec<PutInForce>) {
    policies.sort_by(|a, b| (a.since, &a.digest).cmp(&(b.since, &b.digest)));
    policies.dedup();
}

impl Replayed {
    fn record(&mut self, stored: &Stored) {
        let (offset, at) = (stored.position.offset, stored.record.at);
        if offset >= self.end {
            return;
        }
        self.lanes.iter_mut().for_each(|lane| lane.begin_at(at));
        match decode(stored) {
            Decoded::Event(id, event) => {
                let event = event.to_event();
                self.lanes.iter_mut().for_each(|lane| lane.event(offset, at, (&id, &event)));
            }
            Decoded::Command(id, command) => {
                self.lanes.iter_mut().for_each(|lane| lane.command(offset, (&id, command.clone())));
            }
            Decoded::Tick(tick) => self.lanes.iter_mut().for_each(|lane| lane.tick(offset, tick.clone())),
            // The candidates are what is asked for; what was in force is told beside them.
            Decoded::Policy(policy, in_force) => self.policies.take(&policy, in_force),
            Decoded::Unreadable(why) => self.leave_out(stored, why),
        }
    }

    fn leave_out(&mut self, stored: &Stored, why: &str) {
        self.faulty += 1;
        if self.faults.len() < FAULTS_TOLD {
            let position = stored.position;
            self.faults.push(format!("partition {}, offset {}: {why}", position.partition, position.offset));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use decode::policy_record;
    use log::{Record, RecordKind};
    use model::{Millis, PolicyChange, PolicyOrigin, Position, Timestamp};
    use policy::Policy;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const PARTITION: PartitionId = PartitionId::new(0);

    fn candidate() -> Candidate {
        Candidate { name: "candidate".to_owned(), policy: Arc::new(Policy::parse(policy::DEFAULT).unwrap()) }
    }

    fn event(seconds: i64) -> Record {
        let at = START + Millis::seconds(seconds);
        let value = format!(
            r#"{{"event":"delivered","timestamp":{},"email":"a@b.example","sg_event_id":"{seconds}"}}"#,
            at.seconds()
        );
        Record { kind: RecordKind::Event, at, key: "acme".into(), headers: Arc::new([]), value: value.into() }
    }

    fn policy(seconds: i64, origin: PolicyOrigin, text: &str) -> Record {
        let change = PolicyChange { origin, by: "ana".to_owned(), reason: "stricter".to_owned(), file: None };
        policy_record(START + Millis::seconds(seconds), &change, text.to_owned())
    }

    /// What comes of a partition with these records, of which so many were there when its end was asked for.
    fn replayed(records: Vec<Record>, end: u64) -> (Outcome, Events) {
        let reaches = BTreeMap::from([(PARTITION, Reach { start: Offset::ZERO, end: Offset::new(end) })]);
        let mut replay = Replay::new(&[candidate()], &reaches);
        let place = |offset| Position { partition: PARTITION, offset: Offset::new(offset) };
        let stored = (0..).zip(records).map(|(offset, record)| Stored { position: place(offset), record });
        let (chunks, read) = sync_channel(1);
        chunks.send(Ok(stored.collect())).unwrap();
        drop(chunks);
        replay.run(read, &|| false).unwrap();
        replay.outcome(&[candidate()], reaches)
    }

    #[test]
    fn what_comes_while_the_log_is_read_is_not_folded() {
        let records = || (0..5).map(event).collect();
        assert_eq!(replayed(records(), 3).0.read.effects.events(), 3);
        assert_eq!(replayed(records(), 5).0.read.effects.events(), 5);
    }

    #[test]
    fn nothing_is_folded_any_more_once_nobody_wants_to_know() {
        let mut replay = Replay::new(&[candidate()], &BTreeMap::new());
        let (chunks, read) = sync_channel(1);
        chunks.send(Ok(Vec::new())).unwrap();
        assert!(matches!(replay.run(read, &|| true), Err(Error::Stopped)));
        assert!(chunks.send(Ok(Vec::new())).is_err(), "who reads ahead ends with it");
    }

    #[test]
    fn time_begins_with_the_first_record_whatever_it_is() {
        let late = || Record { at: START + Millis::hours(1), ..event(-3 * 24 * 3_600 - 1_800) };
        assert_eq!(replayed(vec![late()], 1).0.read.effects.late, 1);
        let unreadable = Record { kind: RecordKind::Tick, value: "x".into(), at: START - Millis::hours(2), ..event(0) };
        for first in [policy(-7_200, PolicyOrigin::File, policy::DEFAULT), unreadable] {
            assert_eq!(replayed(vec![first, late()], 2).0.read.effects.counted, 1);
        }
    }

    #[test]
    fn the_policies_of_life_are_told_each_once_and_not_their_repetitions() {
        let other = format!("{}\n# Another.\n", policy::DEFAULT);
        let shadow = policy::DEFAULT.replace("mode = \"enforce\"", "mode = \"shadow\"");
        let records = vec![
            policy(0, PolicyOrigin::File, policy::DEFAULT),
            policy(10, PolicyOrigin::Api, &other),
            policy(20, PolicyOrigin::Repeat, policy::DEFAULT),
            policy(30, PolicyOrigin::Api, &other),
            policy(40, PolicyOrigin::Api, &shadow),
            event(50),
        ];
        let (outcome, events) = replayed(records, 6);
        let since: Vec<_> =
            outcome.read.policies.iter().map(|policy| policy.since.since(START).get() / 1_000).collect();
        assert_eq!(since, [0, 10, 40]);
        assert_eq!(events.enforced.len(), 2, "the third is in shadow");
        assert!(!events.enforced.contains(&outcome.read.policies[2].digest));
    }
}
