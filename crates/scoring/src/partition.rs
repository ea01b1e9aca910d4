//! What the fold remembers of its partition as a whole.

use std::collections::BTreeMap;

use model::{CellCounts, Counter, Counts, Event, Fleet, FleetCounts, Grain, PoolName, Stage, Timestamp, Window};
use serde::{Deserialize, Serialize};

use crate::mail::Mail;
use crate::ring::Rings;

/// A partition's clock, its share of the fleet's counts, and what it knows of the others'.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The time of the last tick.
    pub(crate) now: Option<Timestamp>,
    /// The whole fleet, as the last tick told.
    pub(crate) fleet: Fleet,
    mail: Mail,
    pools: BTreeMap<PoolName, Rings>,
    stages: BTreeMap<Stage, u64>,
}

/// SendGrid allows 100 pools a user; counts of further names would only be somebody's mistake.
const POOLS_KEPT: usize = 200;

impl Partition {
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

    /// Counts one event of a customer that sends through `pool`.
    pub(crate) fn count(&mut self, event: &Event<'_>, at: Timestamp, counter: Counter, pool: Option<&PoolName>) {
        self.mail.count(event.provider, at, counter);
        let Some(pool) = pool else { return };
        if let Some(rings) = self.pools.get_mut(pool) {
            rings.count(at, counter);
        } else if self.pools.len() < POOLS_KEPT {
            self.pools.entry(pool.clone()).or_default().count(at, counter);
        }
    }

    /// Moves one customer between stages; `None` for one that is new.
    pub(crate) fn moved(&mut self, from: Option<Stage>, to: Stage) {
        if let Some(count) = from.and_then(|from| self.stages.get_mut(&from)) {
            *count = count.saturating_sub(1);
        }
        *self.stages.entry(to).or_default() += 1;
    }

    /// This partition's share of the fleet's counts, with the cells of `grains`.
    pub(crate) fn share(&self, now: Timestamp, grains: &[Grain]) -> Fleet {
        let cells = grains.iter().flat_map(|grain| self.mail.cells(*grain, now));
        Fleet {
            as_of: Some(now),
            windows: Window::ALL.map(|window| (window, self.window(window, now))).into(),
            cells: cells.map(|(cell, counts)| (cell, CellCounts::of(counts))).collect(),
            stages: self.stages.clone(),
            ..Fleet::default()
        }
    }

    fn window(&self, window: Window, now: Timestamp) -> FleetCounts {
        let filled = |counts: &Counts| !counts.is_zero();
        let pools = self.pools.iter().map(|(pool, rings)| (pool.clone(), rings.sum(window, now)));
        FleetCounts {
            providers: self.mail.sum(window, now).seen().map(|(provider, counts)| (provider, *counts)).collect(),
            pools: pools.filter(|(_, counts)| filled(counts)).collect(),
        }
    }
}
