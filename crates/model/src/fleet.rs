//! What all customers' mail does together, and the tick that tells everyone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Cells, Contributor, Counts, PoolName, Provider, Stage, Timestamp, Window};

/// Counts over one window, by provider and by pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// The fleet's counts. A partition publishes its share of them; a tick carries the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fleet {
    /// The tick at which the shares were taken; in a sum, the earliest. `None` before the first tick.
    pub as_of: Option<Timestamp>,
    /// Counts by window.
    #[serde(default)]
    pub windows: BTreeMap<Window, FleetCounts>,
    /// The latest buckets by provider, where incidents show.
    #[serde(default)]
    pub cells: Cells,
    /// The same by pool.
    #[serde(default)]
    pub pool_cells: BTreeMap<PoolName, Cells>,
    /// The customers with the most bad events of late: of each kind at most [`Fleet::CONTRIBUTORS`], the worst first.
    #[serde(default)]
    pub contributors: Vec<Contributor>,
    /// Customers by stage.
    #[serde(default)]
    pub stages: BTreeMap<Stage, u64>,
}

impl Fleet {
    /// How many of the worst contributors are told, for each kind of bad event.
    pub const CONTRIBUTORS: usize = 16;
    /// The most pools that a sum lists by name. SendGrid allows an account 100.
    pub const POOLS: usize = 100;
    /// The name under which a sum merges all further pools.
    pub const OTHER_POOLS: &str = "other";

    /// Counts of `provider` over `window`; zero where nothing was seen.
    pub fn provider(&self, window: Window, provider: Provider) -> Counts {
        self.windows.get(&window).and_then(|w| w.providers.get(&provider)).copied().unwrap_or_default()
    }

    /// The cells of one pool; `None` where nothing was seen.
    pub fn pool(&self, pool: &PoolName) -> Option<&Cells> {
        self.pool_cells.get(pool)
    }

    /// Sums the partitions' shares. `as_of` is that of the oldest share. If there are more than [`Fleet::POOLS`] pools, the smallest
    /// are merged into [`Fleet::OTHER_POOLS`].
    pub fn sum<'a>(shares: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut shares = shares.into_iter();
        let Some(first) = shares.next() else { return Self::default() };
        let mut sum = shares.fold(first.clone(), |mut sum, share| {
            sum.add(share);
            sum
        });
        Contributor::keep_worst(&mut sum.contributors);
        sum.merge_small_pools();
        sum
    }

    fn merge_small_pools(&mut self) {
        let counted = self.windows.values().flat_map(|counts| counts.pools.keys());
        let names: BTreeSet<PoolName> = counted.chain(self.pool_cells.keys()).cloned().collect();
        if names.len() <= Self::POOLS {
            return;
        }
        let mails = |pool: &PoolName| {
            let counts = self.windows.values().filter_map(|counts| counts.pools.get(pool));
            counts.map(Counts::attempted).max().unwrap_or_default()
        };
        let mut by_mails: Vec<_> = names.iter().map(|pool| (Reverse(mails(pool)), pool)).collect();
        by_mails.sort_unstable();
        let small: Vec<_> = by_mails.into_iter().skip(Self::POOLS).map(|(_, pool)| pool).collect();
        let other = PoolName::new(Self::OTHER_POOLS);
        for pool in small {
            for counts in self.windows.values_mut() {
                if let Some(few) = counts.pools.remove(pool) {
                    *counts.pools.entry(other.clone()).or_default() += &few;
                }
            }
            if let Some(few) = self.pool_cells.remove(pool) {
                self.pool_cells.entry(other.clone()).or_default().add(&few);
            }
        }
    }

    fn add(&mut self, share: &Self) {
        self.as_of = self.as_of.min(share.as_of);
        for (window, counts) in &share.windows {
            self.windows.entry(*window).or_default().add(counts);
        }
        self.cells.add(&share.cells);
        for (pool, cells) in &share.pool_cells {
            self.pool_cells.entry(pool.clone()).or_default().add(cells);
        }
        self.contributors.extend(share.contributors.iter().cloned());
        for (stage, customers) in &share.stages {
            *self.stages.entry(*stage).or_default() += customers;
        }
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
    use crate::{Bucket, Cell, CellCounts, Counter, Grain};

    #[test]
    fn a_sum_is_as_old_as_its_oldest_share() {
        let cell = Cell { grain: Grain::FiveMinutes, bucket: Bucket::new(7), provider: Provider::Gmail };
        let share = |seconds, block| Fleet {
            as_of: Some(Timestamp::from_seconds(seconds)),
            cells: [(cell, CellCounts { attempted: 10, block, ..CellCounts::default() })].into_iter().collect(),
            ..Fleet::default()
        };
        let sum = Fleet::sum([&share(20, 1), &share(10, 2)]);
        assert_eq!(sum.as_of, Some(Timestamp::from_seconds(10)));
        assert_eq!(sum.cells.at(cell), CellCounts { attempted: 20, block: 3, ..CellCounts::default() });
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Fleet>(&text).unwrap(), sum);
    }

    #[test]
    fn the_smallest_of_too_many_pools_are_merged() {
        let share = |pools: std::ops::Range<u32>| {
            let counts = |mails: u32| {
                let mut counts = Counts::default();
                counts[Counter::Processed] = mails;
                counts
            };
            let pools = pools.map(|number| (PoolName::new(&format!("pool {number}")), counts(number))).collect();
            Fleet {
                windows: [(Window::Day, FleetCounts { pools, ..FleetCounts::default() })].into(),
                ..Fleet::default()
            }
        };
        let sum = Fleet::sum([&share(0..700), &share(500..1_200)]);
        let pools = &sum.windows[&Window::Day].pools;
        assert_eq!(pools.len(), Fleet::POOLS + 1);
        assert_eq!(pools[&PoolName::new("pool 699")].attempted(), 2 * 699);
        assert_eq!(pools.values().map(Counts::attempted).sum::<u32>(), (0..700).chain(500..1_200).sum::<u32>());
        assert!(
            pools.contains_key(&PoolName::new(Fleet::OTHER_POOLS)) && !pools.contains_key(&PoolName::new("pool 1"))
        );
        let few = Fleet::sum([&share(0..100)]);
        assert_eq!(few.windows[&Window::Day].pools.len(), 100);
    }
}
