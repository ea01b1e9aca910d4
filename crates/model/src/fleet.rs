//! What all customers' mail does together, and the tick that tells everyone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Bucket, Counter, Counts, CustomerId, Grain, PoolName, Provider, Stage, Timestamp, Window};

/// Counts over one window, by provider and by pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetCounts {
    /// By mailbox provider.
    #[serde(default)]
    pub providers: BTreeMap<Provider, Counts>,
    /// By IP pool. Only `processed` events name a pool; a customer's other events follow its latest one.
    #[serde(default)]
    pub pools: BTreeMap<PoolName, Counts>,
}

impl FleetCounts {
    fn add(&mut self, other: &Self) {
        for (provider, counts) in &other.providers {
            *self.providers.entry(*provider).or_default() += counts;
        }
        for (pool, counts) in &other.pools {
            *self.pools.entry(pool.clone()).or_default() += counts;
        }
    }
}

/// One provider during one bucket: the cell in which a provider-wide incident shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// How wide the bucket is.
    pub grain: Grain,
    /// Which bucket.
    pub bucket: Bucket,
    /// Whose mailboxes.
    pub provider: Provider,
}

/// One pool's mail to one provider during one bucket: the cell in which a pool that is blocked shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PoolCell {
    /// Which pool.
    pub pool: PoolName,
    /// Which bucket at which provider.
    pub cell: Cell,
}

/// A customer whose mail weighs much in what its pool and the account suffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contributor {
    /// Which customer.
    pub customer: CustomerId,
    /// The pool through which it sends.
    pub pool: Option<PoolName>,
    /// Its stage.
    pub stage: Stage,
    /// Its mail of the last 24 hours, by provider. In JSON only what is not zero: ticks carry many of these.
    #[serde(with = "sparse")]
    pub day: BTreeMap<Provider, Counts>,
}

/// What happened to the fleet's mail in one [`Cell`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellCounts {
    /// Mails that SendGrid tried to deliver.
    pub attempted: u32,
    /// Mails refused for good.
    #[serde(default)]
    pub hard_bounce: u32,
    /// Mails that were blocked.
    pub block: u32,
    /// Mails that were deferred at least once.
    #[serde(default)]
    pub first_deferral: u32,
    /// How many customers these mails are of.
    #[serde(default)]
    pub customers: Customers,
}

/// How many customers have mail in a [`Cell`]: each has one vote on whether there is an incident, however much it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customers {
    /// Customers with any mail.
    pub any: u32,
    /// Customers with a hard bounce.
    pub hard_bounce: u32,
    /// Customers with a block.
    pub block: u32,
    /// Customers with a deferral.
    pub first_deferral: u32,
}

impl Customers {
    /// One customer's vote, given its own counts in the cell.
    pub fn one(counts: &Counts) -> Self {
        let has = |counter| u32::from(counts[counter] > 0);
        Self {
            any: u32::from(!counts.is_zero()),
            hard_bounce: has(Counter::HardBounce),
            block: has(Counter::Block),
            first_deferral: has(Counter::FirstDeferral),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            any: self.any.saturating_add(other.any),
            hard_bounce: self.hard_bounce.saturating_add(other.hard_bounce),
            block: self.block.saturating_add(other.block),
            first_deferral: self.first_deferral.saturating_add(other.first_deferral),
        }
    }

    /// What remains without `part`; never below zero.
    #[must_use]
    pub const fn without(self, part: Self) -> Self {
        Self {
            any: self.any.saturating_sub(part.any),
            hard_bounce: self.hard_bounce.saturating_sub(part.hard_bounce),
            block: self.block.saturating_sub(part.block),
            first_deferral: self.first_deferral.saturating_sub(part.first_deferral),
        }
    }
}

impl Contributor {
    /// Its hard bounces, complaints and blocks for conduct.
    pub fn bad(&self) -> u32 {
        let bad = [Counter::HardBounce, Counter::SpamReport, Counter::ReputationBlock];
        self.day.values().flat_map(|counts| bad.map(|counter| counts[counter])).fold(0, u32::saturating_add)
    }

    /// Sorts by bad events, most first, then by name, and keeps as many as are told.
    pub fn keep_worst(contributors: &mut Vec<Self>) {
        contributors.sort_by(|a, b| b.bad().cmp(&a.bad()).then_with(|| a.customer.cmp(&b.customer)));
        contributors.truncate(Fleet::CONTRIBUTORS);
    }
}

impl CellCounts {
    /// The figures of these counts, of these customers.
    pub fn new(counts: &Counts, customers: Customers) -> Self {
        Self {
            customers,
            attempted: counts.attempted(),
            hard_bounce: counts[Counter::HardBounce],
            block: counts[Counter::Block],
            first_deferral: counts[Counter::FirstDeferral],
        }
    }

    /// What remains without `part`; never below zero.
    #[must_use]
    pub fn without(self, part: Self) -> Self {
        Self {
            attempted: self.attempted.saturating_sub(part.attempted),
            hard_bounce: self.hard_bounce.saturating_sub(part.hard_bounce),
            block: self.block.saturating_sub(part.block),
            first_deferral: self.first_deferral.saturating_sub(part.first_deferral),
            customers: self.customers.without(part.customers),
        }
    }

    /// Both together; each sum stops at `u32::MAX`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            attempted: self.attempted.saturating_add(other.attempted),
            hard_bounce: self.hard_bounce.saturating_add(other.hard_bounce),
            block: self.block.saturating_add(other.block),
            first_deferral: self.first_deferral.saturating_add(other.first_deferral),
            customers: self.customers.plus(other.customers),
        }
    }
}

/// The fleet's counts. A partition publishes its share of them; a tick carries the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// The tick at which the shares were taken; in a sum, the earliest. `None` before the first tick.
    pub as_of: Option<Timestamp>,
    /// Counts by window.
    #[serde(default)]
    pub windows: BTreeMap<Window, FleetCounts>,
    /// The latest buckets by provider, where incidents show.
    #[serde(default, with = "cells")]
    pub cells: BTreeMap<Cell, CellCounts>,
    /// The same by pool.
    #[serde(default, with = "cells")]
    pub pool_cells: BTreeMap<PoolCell, CellCounts>,
    /// The customers with the most bad events of late: at most [`Fleet::CONTRIBUTORS`], the worst first.
    #[serde(default)]
    pub contributors: Vec<Contributor>,
    /// Customers by stage.
    #[serde(default)]
    pub stages: BTreeMap<Stage, u64>,
}

impl Fleet {
    /// How many of the worst contributors are told.
    pub const CONTRIBUTORS: usize = 32;

    /// Counts of `provider` over `window`; zero where nothing was seen.
    pub fn provider(&self, window: Window, provider: Provider) -> Counts {
        self.windows.get(&window).and_then(|w| w.providers.get(&provider)).copied().unwrap_or_default()
    }

    /// The figures of `cell` in one pool; zero where nothing was seen.
    pub fn pool_cell(&self, pool: &PoolName, cell: Cell) -> CellCounts {
        self.pool_cells.get(&PoolCell { pool: pool.clone(), cell }).copied().unwrap_or_default()
    }

    /// The figures of `cell`; zero where nothing was seen.
    pub fn cell(&self, cell: Cell) -> CellCounts {
        self.cells.get(&cell).copied().unwrap_or_default()
    }

    /// The figures of all providers together in the bucket of `cell`. A customer that sends to several counts for each.
    pub fn bucket(&self, cell: Cell) -> CellCounts {
        let cells = Provider::ALL.map(|provider| self.cell(Cell { provider, ..cell }));
        cells.into_iter().fold(CellCounts::default(), CellCounts::plus)
    }

    /// The same in one pool.
    pub fn pool_bucket(&self, pool: &PoolName, cell: Cell) -> CellCounts {
        let cells = Provider::ALL.map(|provider| self.pool_cell(pool, Cell { provider, ..cell }));
        cells.into_iter().fold(CellCounts::default(), CellCounts::plus)
    }

    /// The sum of the partitions' shares. Its `as_of` is the earliest, so that it promises no more than all shares do.
    pub fn sum<'a>(shares: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut shares = shares.into_iter();
        let Some(first) = shares.next() else { return Self::default() };
        let mut sum = shares.fold(first.clone(), |mut sum, share| {
            sum.add(share);
            sum
        });
        Contributor::keep_worst(&mut sum.contributors);
        sum
    }

    fn add(&mut self, share: &Self) {
        self.as_of = self.as_of.min(share.as_of);
        for (window, counts) in &share.windows {
            self.windows.entry(*window).or_default().add(counts);
        }
        for (cell, counts) in &share.cells {
            let sum = self.cells.entry(*cell).or_default();
            *sum = sum.plus(*counts);
        }
        for (cell, counts) in &share.pool_cells {
            let sum = self.pool_cells.entry(cell.clone()).or_default();
            *sum = sum.plus(*counts);
        }
        self.contributors.extend(share.contributors.iter().cloned());
        for (stage, customers) in &share.stages {
            *self.stages.entry(*stage).or_default() += customers;
        }
    }
}

/// Cells as a list: JSON has no maps with structured keys.
mod cells {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::CellCounts;

    pub(super) fn serialize<K: Serialize, S: Serializer>(
        cells: &BTreeMap<K, CellCounts>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(cells)
    }

    pub(super) fn deserialize<'de, K: Deserialize<'de> + Ord, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, CellCounts>, D::Error> {
        Ok(Vec::<(K, CellCounts)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Counts without their zeros.
mod sparse {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::{Counter, Counts, Provider};

    pub(super) fn serialize<S: Serializer>(day: &BTreeMap<Provider, Counts>, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = |counts: &Counts| -> BTreeMap<Counter, u32> {
            let counted = Counter::ALL.into_iter().map(|counter| (counter, counts[counter]));
            counted.filter(|(_, count)| *count > 0).collect()
        };
        serializer.collect_map(day.iter().map(|(provider, counts)| (provider, filled(counts))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Provider, Counts>, D::Error> {
        let filled = BTreeMap::<Provider, BTreeMap<Counter, u32>>::deserialize(deserializer)?;
        let counts = |filled: BTreeMap<Counter, u32>| {
            filled.into_iter().fold(Counts::ZERO, |mut counts, (counter, count)| {
                counts[counter] = count;
                counts
            })
        };
        Ok(filled.into_iter().map(|(provider, filled)| (provider, counts(filled))).collect())
    }
}

/// Time passing: the only clock that the fold knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The time.
    pub at: Timestamp,
    /// What the whole fleet did.
    #[serde(default)]
    pub fleet: Fleet,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_as_old_as_its_oldest_share() {
        let cell = Cell { grain: Grain::FiveMinutes, bucket: Bucket::new(7), provider: Provider::Gmail };
        let share = |seconds, block| Fleet {
            as_of: Some(Timestamp::from_seconds(seconds)),
            cells: BTreeMap::from([(cell, CellCounts { attempted: 10, block, ..CellCounts::default() })]),
            ..Fleet::default()
        };
        let sum = Fleet::sum([&share(20, 1), &share(10, 2)]);
        assert_eq!(sum.as_of, Some(Timestamp::from_seconds(10)));
        assert_eq!(sum.cell(cell), CellCounts { attempted: 20, block: 3, ..CellCounts::default() });
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Fleet>(&text).unwrap(), sum);
    }
}
