//! The rivals watch a month in which nobody is stopped.

use std::{panic, thread};

use model::Stage;
use simulator::month::{Arrival, Gate, Month, Scenario, Tally};

use crate::outcome::Move;
use crate::rival::{Memory, Rival};
use crate::{PARTS, STEP};

/// What one rival did about a part's customers, by their place.
type Moves = Vec<Option<Move>>;

/// What each rival did first about each customer: by part, rival and place.
pub(crate) fn watch(scenario: &Scenario) -> Vec<[Moves; Rival::ALL.len()]> {
    thread::scope(|scope| {
        let parts: Vec<_> = (0..PARTS).map(|part| scope.spawn(move || watch_part(scenario, part))).collect();
        parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| panic::resume_unwind(panic))).collect()
    })
}

fn watch_part(scenario: &Scenario, part: usize) -> [Moves; Rival::ALL.len()] {
    let mut month = Month::new(scenario, part, PARTS);
    let mut watches = Rival::ALL.map(|rival| Watch::new(rival, month.customers().len()));
    let mut now = Scenario::START;
    while now < scenario.end() {
        now = now + STEP;
        for arrival in month.advance(now, &|_| Gate::Send { pool: None, daily_cap: None }) {
            let sent = month.tally(arrival.place);
            watches.iter_mut().for_each(|watch| watch.see(&arrival, sent));
        }
    }
    watches.map(|watch| watch.moves)
}

/// A rival and what it knows of each customer.
struct Watch {
    rival: Rival,
    memories: Vec<Memory>,
    moves: Moves,
}

impl Watch {
    fn new(rival: Rival, customers: usize) -> Self {
        let memories = (0..customers).map(|_| Memory::default()).collect();
        Self { rival, memories, moves: vec![None; customers] }
    }

    fn see(&mut self, arrival: &Arrival, sent: Tally) {
        let step = &mut self.moves[arrival.place];
        if step.is_some() {
            return;
        }
        let memory = &mut self.memories[arrival.place];
        if memory.acts(&self.rival.rule, arrival.at, arrival.counter()) {
            *step = Some(Move { at: arrival.at, to: Stage::Throttled, sent });
            *memory = Memory::default();
        }
    }
}
