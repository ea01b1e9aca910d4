//! What a partition knows beyond its customers.

use std::collections::BTreeMap;

use model::{
    Bucket, Cell, Contributor, Counter, Customers, Fleet, FleetCounts, Grain, PoolName, Provider, Stage, Timestamp,
    Window,
};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::stored;
use crate::worst::Worst;

/// A partition's clock, its share of the fleet's counts, and what it knows of the others'.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The time that ticks told.
    pub(crate) now: Option<Timestamp>,
    /// The whole fleet, as the last tick told.
    pub(crate) fleet: Fleet,
    /// The customers with the most bad events.
    pub(crate) worst: Worst,
    /// What they had sent when it was last looked at.
    pub(crate) contributors: Vec<Contributor>,
    /// When that was.
    pub(crate) weighed_in: Option<Bucket>,
    all: Ledger,
    pools: BTreeMap<PoolName, Ledger>,
    stages: BTreeMap<Stage, u64>,
    /// What is known of the time besides `now`. This field is missing where an earlier version wrote the partition.
    pub(crate) clock: Clock,
}

/// Bytes of the stored form of a clock that knows nothing.
const FIELDS_ADDED: usize = 2;

/// SendGrid allows 100 pools a user; counts of further names would only be somebody's mistake.
const POOLS_KEPT: usize = 200;

/// One event, as a partition counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    pub(crate) provider: Provider,
    /// When the mail was sent.
    pub(crate) sent: Timestamp,
    pub(crate) counter: Counter,
    /// The pool that the customer sends through.
    pub(crate) pool: Option<&'a PoolName>,
    /// For each grain that incidents are looked for in: what the event adds to how many customers its cell is of.
    pub(crate) votes: [Customers; VOTED.len()],
}

/// The grains in which incidents are looked for.
pub(crate) const VOTED: [Grain; 2] = [Grain::FiveMinutes, Grain::Hour];

impl Partition {
    /// Reads its stored form.
    ///
    /// # Errors
    ///
    /// Where `bytes` are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        stored::decode(bytes, FIELDS_ADDED)
    }

    /// The time of the last tick; `None` before the first.
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// The whole fleet, as the last tick told.
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Customers by stage.
    pub const fn stages(&self) -> &BTreeMap<Stage, u64> {
        &self.stages
    }

    /// Counts one event.
    pub(crate) fn count(&mut self, event: Counted<'_>) {
        enter(&mut self.all, event);
        let Some(pool) = event.pool else { return };
        if let Some(ledger) = self.pools.get_mut(pool) {
            enter(ledger, event);
        } else if self.pools.len() < POOLS_KEPT {
            enter(self.pools.entry(pool.clone()).or_default(), event);
        }
    }

    /// Moves one customer between stages; `None` for one that is new.
    pub(crate) fn moved(&mut self, from: Option<Stage>, to: Stage) {
        if let Some(count) = from.and_then(|from| self.stages.get_mut(&from)) {
            *count = count.saturating_sub(1);
        }
        *self.stages.entry(to).or_default() += 1;
    }

    /// Forgets what no window reaches any more.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        let now = self.clock.surely(now);
        self.all.forget(now);
        self.pools.retain(|_, ledger| {
            ledger.forget(now);
            !ledger.sum(Window::Month, now).total().is_zero()
        });
    }

    /// This partition's share of the fleet's counts, with the cells of `grains`.
    pub(crate) fn share(&self, now: Timestamp, grains: &[Grain]) -> Fleet {
        Fleet {
            as_of: Some(now),
            windows: Window::ALL.map(|window| (window, self.window(window, now))).into(),
            cells: self.all.cells(grains, now).collect(),
            pool_cells: self
                .pools
                .iter()
                .map(|(pool, ledger)| (pool.clone(), ledger.cells(grains, now).collect()))
                .collect(),
            contributors: self.contributors.clone(),
            stages: self.stages.clone(),
        }
    }

    fn window(&self, window: Window, now: Timestamp) -> FleetCounts {
        let pools = self.pools.iter().map(|(pool, ledger)| (pool.clone(), ledger.sum(window, now).total()));
        FleetCounts {
            providers: self.all.sum(window, now).seen().map(|(provider, counts)| (provider, *counts)).collect(),
            pools: pools.filter(|(_, counts)| !counts.is_zero()).collect(),
        }
    }
}

fn enter(ledger: &mut Ledger, event: Counted<'_>) {
    ledger.count(event.provider, event.sent, event.counter);
    for (grain, votes) in VOTED.into_iter().zip(event.votes) {
        if votes != Customers::default() {
            let cell = Cell { grain, bucket: Bucket::of(grain, event.sent), provider: event.provider };
            ledger.vote(cell, votes);
        }
    }
}
