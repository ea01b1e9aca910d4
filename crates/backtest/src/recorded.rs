//! A backtest over files of events.
//!
//! The events go through in rounds. While one round is folded, the next is parsed; within a round, lines are parsed block by
//! block, and each partition of each policy is folded by itself, on as many threads as there are. No result depends on how
//! many those are: a partition takes its events in the order of their arrival, and ticks stand where the clock put them.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::mpsc::{SyncSender, sync_channel};

use log::PartitionCount;
use model::{Fleet, Millis, Offset, Tick};
use rayon::prelude::*;
use sendgrid::webhook::CustomerRule;

use crate::Error;
use crate::clock::Clock;
use crate::lane::Lane;
use crate::lines::{Block, Blocks, Recording};
use crate::outcome::{Candidate, Outcome, Read};
use crate::parse::{Fault, Parsed, Parser};
use crate::rounds::{Epoch, ROUND, Round, Rounds};

/// As the default configuration has; a fleet is one whatever its partitions are.
const PARTITIONS: PartitionCount = PartitionCount::new(NonZeroU32::MIN.saturating_add(3));
/// Blocks read ahead.
const READ_AHEAD: usize = 2 * ROUND;
/// Faulty lines that are told.
const FAULTS_TOLD: usize = 5;

/// How recorded events are to be taken.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How an event tells its customer.
    pub customer: CustomerRule,
    /// The time between two ticks.
    pub tick: Millis,
}

impl Default for Reading {
    /// By the custom argument `customer_id`, with a tick every half minute as a Weir has by default.
    fn default() -> Self {
        Self { customer: CustomerRule::CustomArg("customer_id".to_owned()), tick: Millis::seconds(30) }
    }
}

/// What each candidate would have decided over recorded events.
///
/// The recordings are read one behind the other, as if their events arrived in this order. Lines that are no events are left
/// out and told.
///
/// # Errors
///
/// Where a recording can't be read, or none holds an event.
pub fn over_recordings(
    candidates: &[Candidate],
    recordings: Vec<Recording>,
    reading: &Reading,
) -> Result<Outcome, Error> {
    let mut backtest =
        Backtest::new(candidates, recordings.iter().map(|recording| recording.name().to_owned()).collect());
    let parser = Parser::new(reading.customer.clone(), PARTITIONS);
    let (blocks, read) = sync_channel(READ_AHEAD);
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("recordings".to_owned());
        reader.spawn_scoped(scope, move || send_blocks(recordings, &blocks)).map_err(Error::Thread)?;
        backtest.run(&mut Rounds { parser, read }, Clock::new(reading.tick))
    })?;
    backtest.outcome(candidates)
}

/// Reads all recordings; ends early where nobody takes the blocks any more.
fn send_blocks(recordings: Vec<Recording>, blocks: &SyncSender<Result<Block, Error>>) {
    for (number, recording) in recordings.into_iter().enumerate() {
        let opened = Blocks::open(number, recording);
        let (read, failed) = opened.map_or_else(|error| (None, Some(Err(error))), |read| (Some(read), None));
        for block in read.into_iter().flatten().chain(failed) {
            let is_last = block.is_err();
            if blocks.send(block).is_err() || is_last {
                return;
            }
        }
    }
}

/// The lanes of all candidates, and what was read so far.
struct Backtest {
    /// The recordings'.
    names: Vec<String>,
    lanes: Vec<Queued>,
    events: usize,
    faulty: usize,
    faults: Vec<Fault>,
}

/// A lane as a partition of a log of its own, whose offsets are counted here.
struct Queued {
    candidate: usize,
    lane: Lane,
    next: Offset,
}

impl Backtest {
    fn new(candidates: &[Candidate], names: Vec<String>) -> Self {
        let lanes = candidates.iter().enumerate().flat_map(|(number, candidate)| {
            let queued =
                move |id| Queued { candidate: number, lane: Lane::new(&candidate.policy, id), next: Offset::ZERO };
            PARTITIONS.all().map(queued)
        });
        Self { names, lanes: lanes.collect(), events: 0, faulty: 0, faults: Vec::new() }
    }

    fn run(&mut self, rounds: &mut Rounds, mut clock: Clock) -> Result<(), Error> {
        let mut ready = Round::default();
        let mut parsed = rounds.next()?;
        while parsed.first_at().is_some() {
            let ((), next) = rayon::join(|| self.fold(&ready), || rounds.next());
            let next = next?;
            parsed.put_in_time(&mut clock, next.first_at());
            ready = std::mem::replace(&mut parsed, next);
        }
        self.fold(&ready);
        self.note(&parsed);
        let last = |tick| Epoch { tick: Some(tick), events: Vec::new() };
        clock.finish().into_iter().for_each(|tick| self.epoch(&[], &last(tick)));
        Ok(())
    }

    fn fold(&mut self, round: &Round) {
        self.note(round);
        round.epochs.iter().for_each(|epoch| self.epoch(&round.blocks, epoch));
    }

    fn epoch(&mut self, blocks: &[Parsed], epoch: &Epoch) {
        let fleets = epoch.tick.map(|_| self.fleets()).unwrap_or_default();
        self.lanes.par_iter_mut().for_each(|queued| {
            if let Some((at, fleet)) = epoch.tick.zip(fleets.get(queued.candidate)) {
                queued.tick(Tick { at, fleet: fleet.clone() });
            }
            for (block, events) in &epoch.events {
                if let Some(block) = blocks.get(*block) {
                    queued.events(block, events.clone());
                }
            }
        });
    }

    /// The fleet of each candidate, as its partitions last told it; not caught up with any moment before all of them have.
    fn fleets(&self) -> Vec<Fleet> {
        let of_one = |lanes: &[Queued]| {
            let mut fleet = Fleet::sum(lanes.iter().filter_map(|queued| queued.lane.share.as_ref()));
            if lanes.iter().any(|queued| queued.lane.share.is_none()) {
                fleet.as_of = None;
            }
            fleet
        };
        self.lanes.chunk_by(|a, b| a.candidate == b.candidate).map(of_one).collect()
    }

    fn note(&mut self, round: &Round) {
        for block in &round.blocks {
            self.events += block.arrivals.len();
            self.faulty += block.faulty;
            let room = FAULTS_TOLD.saturating_sub(self.faults.len());
            self.faults.extend(block.faults.iter().take(room).cloned());
        }
    }

    fn outcome(self, candidates: &[Candidate]) -> Result<Outcome, Error> {
        let name = |fault: &Fault| self.names.get(fault.recording).map_or("", String::as_str);
        let told = |fault: &Fault| format!("{}:{}: {}", name(fault), fault.line, fault.reason);
        let faults: Vec<_> = self.faults.iter().map(told).collect();
        if self.events == 0 {
            return Err(Error::NoEvent { place: self.names.join(", "), faults: faults.into_iter().next() });
        }
        let mut lanes: Vec<Vec<Lane>> = candidates.iter().map(|_| Vec::new()).collect();
        for queued in self.lanes {
            if let Some(lanes) = lanes.get_mut(queued.candidate) {
                lanes.push(queued.lane);
            }
        }
        let read = Read { faulty: self.faulty, faults, ..Read::default() };
        Ok(Outcome::new(candidates, &lanes, read))
    }
}

impl Queued {
    fn tick(&mut self, tick: Tick) {
        self.lane.begin_at(tick.at);
        self.lane.tick(self.next, tick);
        self.next = self.next.next();
    }

    fn events(&mut self, block: &Parsed, events: Range<usize>) {
        let (id, arrivals) = (self.lane.id, block.arrivals.get(events).unwrap_or_default());
        for arrival in arrivals.iter().filter(|arrival| arrival.partition == id) {
            self.lane.begin_at(arrival.appended);
            self.lane.event(self.next, arrival.appended, (&arrival.customer, &block.event(arrival)));
            self.next = self.next.next();
        }
    }
}
