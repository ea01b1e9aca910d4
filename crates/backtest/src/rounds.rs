//! Parsed blocks in rounds, with the ticks between their events.

use std::ops::Range;
use std::sync::mpsc::Receiver;

use model::Timestamp;
use rayon::prelude::*;

use crate::Error;
use crate::clock::Clock;
use crate::lines::Block;
use crate::parse::{Parsed, Parser};

/// Blocks parsed in one round.
pub(crate) const ROUND: usize = 8;

/// Where rounds of parsed blocks come from.
pub(crate) struct Rounds {
    pub(crate) parser: Parser,
    pub(crate) read: Receiver<Result<Block, Error>>,
}

impl Rounds {
    /// The next round that holds an event; an empty one at the end.
    pub(crate) fn next(&mut self) -> Result<Round, Error> {
        let mut round = Round::default();
        loop {
            let blocks = self.read.iter().take(ROUND).collect::<Result<Vec<_>, Error>>()?;
            let is_end = blocks.is_empty();
            round.blocks.par_extend(blocks.par_iter().map(|block| self.parser.parse(block)));
            if is_end || round.first_at().is_some() {
                return Ok(round);
            }
        }
    }
}

/// Blocks, and how their events and the ticks between them follow each other.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) blocks: Vec<Parsed>,
    pub(crate) epochs: Vec<Epoch>,
}

/// A tick, and the events behind it up to the next one.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    pub(crate) tick: Option<Timestamp>,
    /// Which events of which block.
    pub(crate) events: Vec<(usize, Range<usize>)>,
}

impl Round {
    pub(crate) fn first_at(&self) -> Option<Timestamp> {
        self.blocks.iter().find_map(|block| block.arrivals.first()).map(|arrival| arrival.at)
    }

    /// Finds out when each event arrived and where the ticks stand; `next` is the time of the event behind the round.
    pub(crate) fn put_in_time(&mut self, clock: &mut Clock, next: Option<Timestamp>) {
        let mut times = self
            .blocks
            .iter()
            .flat_map(|block| &block.arrivals)
            .map(|arrival| arrival.at)
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter();
        let mut epoch = Epoch::default();
        for (number, block) in self.blocks.iter_mut().enumerate() {
            let mut begin = 0;
            for (index, arrival) in block.arrivals.iter_mut().enumerate() {
                let due = clock.advance(arrival.at, times.next().or(next));
                arrival.appended = clock.now();
                for tick in due {
                    epoch.events.push((number, begin..index));
                    begin = index;
                    self.epochs.push(std::mem::replace(&mut epoch, Epoch { tick: Some(tick), events: Vec::new() }));
                }
            }
            epoch.events.push((number, begin..block.arrivals.len()));
        }
        self.epochs.push(epoch);
    }
}
