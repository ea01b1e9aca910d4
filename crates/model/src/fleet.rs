//! What all customers' mail does together, and the tick that tells everyone.

use std::collections::BTreeMap;

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

    /// Counts of `provider` over `window`; zero where nothing was seen.
    pub fn provider(&self, window: Window, provider: Provider) -> Counts {
        self.windows.get(&window).and_then(|w| w.providers.get(&provider)).copied().unwrap_or_default()
    }

    /// The cells of one pool; `None` where nothing was seen.
    pub fn pool(&self, pool: &PoolName) -> Option<&Cells> {
        self.pool_cells.get(pool)
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
    use crate::{Bucket, Cell, CellCounts, Grain};

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
}
