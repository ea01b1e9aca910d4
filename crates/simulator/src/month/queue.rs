//! Events that are yet to come: a calendar, because most come within seconds and some after days.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use model::{Counter, Millis, Provider, Timestamp};

/// An event on its way, ordered by arrival; where two arrive in the same millisecond, by customer, mail and place among the
/// mail's events, so that other customers have no say in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Coming {
    pub(super) at: Timestamp,
    /// The customer's place in its part.
    pub(super) place: u32,
    /// The mail's number among the customer's.
    pub(super) mail: u32,
    /// Its number among the mail's events.
    pub(super) number: u8,
    pub(super) counter: Counter,
    pub(super) facet: Option<Counter>,
    pub(super) provider: Provider,
    /// Where the pool's name stands.
    pub(super) pool: u8,
    /// To whom the mail went.
    pub(super) address: u32,
    pub(super) sent: Timestamp,
    pub(super) happened: Timestamp,
}

/// How much of the future is kept in order.
const PAGE: Millis = Millis::minutes(1);

/// Events by arrival: those of the current minute in order, the later ones by minute.
#[derive(Debug, Default)]
pub(super) struct Queue {
    page: i64,
    current: BinaryHeap<Reverse<Coming>>,
    later: BTreeMap<i64, Vec<Coming>>,
}

impl Queue {
    pub(super) fn push(&mut self, coming: Coming) {
        let page = page_of(coming.at);
        if page <= self.page {
            self.current.push(Reverse(coming));
        } else {
            self.later.entry(page).or_default().push(coming);
        }
    }

    /// The next one, if it arrives by `until`.
    pub(super) fn pop(&mut self, until: Timestamp) -> Option<Coming> {
        while self.current.is_empty() && self.turn(until) {}
        let comes = self.current.peek().is_some_and(|Reverse(next)| next.at <= until);
        if comes { self.current.pop().map(|Reverse(next)| next) } else { None }
    }

    /// Goes to the next page, if it begins by `until`.
    fn turn(&mut self, until: Timestamp) -> bool {
        let Some(entry) = self.later.first_entry().filter(|entry| *entry.key() <= page_of(until)) else { return false };
        self.page = *entry.key();
        self.current.extend(entry.remove().into_iter().map(Reverse));
        true
    }
}

fn page_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(PAGE.get())
}
