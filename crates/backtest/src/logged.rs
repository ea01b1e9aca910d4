//! A backtest over the log itself: events, commands and ticks exactly as they stand there.
//!
//! Nothing is made up: offsets, times and the fleet's counts in the ticks are those of life. So a candidate that is the policy
//! that was in force makes the very decisions of life, as long as retention has not cut off what they rest on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use decode::{Decoded, decode};
use log::{Log, Reach, Start, Stored, Tail, Topic};
use model::{Decision, PartitionId};
use rayon::prelude::*;

use crate::Error;
use crate::lane::Lane;
use crate::outcome::{Candidate, Live, Made, Outcome, Read, Run, in_order};

/// Chunks of records folded at once.
const AT_ONCE: usize = 8;
/// Chunks read ahead.
const READ_AHEAD: usize = 2 * AT_ONCE;
/// How long the log is waited for before it is asked again whether all was read.
const WAITING: Duration = Duration::from_secs(1);
/// Unreadable records that are told.
const FAULTS_TOLD: usize = 5;

/// What each candidate would have decided over everything that `log` has, and what was decided in life.
///
/// # Errors
///
/// Where the log can't be read or holds no event.
pub fn over_log(candidates: &[Candidate], log: &dyn Log) -> Result<Outcome, Error> {
    let ids = log.partitions().all();
    let reaches =
        ids.map(|id| Ok((id, log.reach(Topic::Events, id)?))).collect::<Result<BTreeMap<_, _>, log::Error>>()?;
    let mut replay = Replay::new(candidates, reaches.keys().copied());
    let tail = log.tail(Topic::Events, Start::Earliest)?;
    let (chunks, read) = sync_channel(READ_AHEAD);
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("log".to_owned());
        reader.spawn_scoped(scope, move || send_chunks(tail, &chunks)).map_err(Error::Thread)?;
        replay.run(read)
    })?;
    let mut outcome = replay.outcome(candidates, &reaches);
    if outcome.read.effects.events() == 0 {
        let faults = outcome.read.faults.into_iter().next();
        return Err(Error::NoEvent { place: "the log".to_owned(), faults });
    }
    outcome.live = Some(live(log, &reaches, outcome.runs.first())?);
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

/// One partition under all candidates, and its records that are unreadable.
struct Replayed {
    lanes: Vec<Lane>,
    faulty: usize,
    faults: Vec<String>,
}

impl Replay {
    fn new(candidates: &[Candidate], ids: impl Iterator<Item = PartitionId>) -> Self {
        let lanes = |id| candidates.iter().map(|candidate| Lane::new(&candidate.policy, id)).collect();
        Self { partitions: ids.map(|id| (id, Replayed { lanes: lanes(id), faulty: 0, faults: Vec::new() })).collect() }
    }

    /// Takes the receiver along, so that the reader ends with it where a chunk is an error.
    fn run(&mut self, read: Receiver<Result<Vec<Stored>, log::Error>>) -> Result<(), Error> {
        while let Ok(first) = read.recv() {
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

    fn outcome(self, candidates: &[Candidate], reaches: &BTreeMap<PartitionId, Reach>) -> Outcome {
        let mut read = Read::default();
        let mut lanes: Vec<Vec<Lane>> = candidates.iter().map(|_| Vec::new()).collect();
        for replayed in self.partitions.into_values() {
            read.faulty += replayed.faulty;
            read.faults.extend(replayed.faults);
            lanes.iter_mut().zip(replayed.lanes).for_each(|(lanes, lane)| lanes.push(lane));
        }
        read.faults.truncate(FAULTS_TOLD);
        let cut = reaches.iter().filter(|(_, reach)| reach.start > model::Offset::ZERO);
        read.cut = cut.map(|(id, reach)| (*id, reach.start)).collect();
        Outcome::new(candidates, &lanes, read)
    }
}

impl Replayed {
    fn record(&mut self, stored: &Stored) {
        let (offset, at) = (stored.position.offset, stored.record.at);
        match decode(stored) {
            Decoded::Event(id, event) => {
                let event = event.to_event();
                self.lanes.iter_mut().for_each(|lane| lane.event(offset, at, (&id, &event)));
            }
            Decoded::Command(id, command) => {
                self.lanes.iter_mut().for_each(|lane| lane.command(offset, at, (&id, command.clone())));
            }
            Decoded::Tick(tick) => self.lanes.iter_mut().for_each(|lane| lane.tick(offset, at, tick.clone())),
            // It is judged by the policies that were asked for, not by those that were in force.
            Decoded::Policy(..) => {}
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

/// What was decided in life, of those records that the log still has.
fn live(log: &dyn Log, reaches: &BTreeMap<PartitionId, Reach>, run: Option<&Run>) -> Result<Live, Error> {
    let again = run.into_iter().flat_map(|run| &run.made);
    let again: BTreeSet<_> = again.filter_map(|made| serde_json::to_vec(&made.decision).ok()).collect();
    let (mut made, mut same) = (Vec::new(), 0);
    let mut tail = log.tail(Topic::Decisions, Start::Earliest)?;
    while !tail.caught_up() {
        for stored in tail.next(WAITING)? {
            let Ok(decision) = serde_json::from_slice::<Decision>(&stored.record.value) else { continue };
            let place = decision.offset;
            let is_kept = |reach: &Reach| (reach.start..reach.end).contains(&place.offset);
            if reaches.get(&place.partition).is_some_and(is_kept) {
                same += usize::from(again.contains(stored.record.value.as_ref()));
                made.push(Made { decision, mails: None });
            }
        }
    }
    let run = Run { name: "in life".to_owned(), digest: String::new(), made: in_order(made), samples: Vec::new() };
    Ok(Live { run, same })
}
