//! Events that are yet to come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::{Counter, Timestamp};

/// An event on its way, ordered by arrival; where two arrive in the same millisecond, by customer and by number of its
/// own, so that other customers have no say in it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) at: Timestamp,
    pub(super) customer: usize,
    pub(super) number: u64,
    pub(super) event: String,
    /// As what it is counted when it arrives; copies are not.
    pub(super) counts: Option<Count>,
}

/// As what an event is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Count {
    pub(super) counter: Counter,
    /// And besides, as which part of those.
    pub(super) facet: Option<Counter>,
    /// Whether it names its customer.
    pub(super) attributed: bool,
}

/// Events by arrival.
#[derive(Debug, Default)]
pub(super) struct Queue(BinaryHeap<Reverse<Waiting>>);

impl Queue {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.0.push(Reverse(waiting));
    }

    /// The next one, if it arrives by `until`.
    pub(super) fn pop(&mut self, until: Timestamp) -> Option<Waiting> {
        let comes = self.0.peek().is_some_and(|Reverse(next)| next.at <= until);
        if comes { self.0.pop().map(|Reverse(next)| next) } else { None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
