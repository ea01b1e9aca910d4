//! What all customers' mail does together, and the tick that tells everyone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Counts, PoolName, Provider, Timestamp, Window};

/// Counts over one window, by provider and by pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetCounts {
    /// By mailbox provider.
    #[serde(default)]
    pub providers: BTreeMap<Provider, Counts>,
    /// By IP pool. Only `processed` events name a pool, so the other counts follow where the mail is known.
    #[serde(default)]
    pub pools: BTreeMap<PoolName, Counts>,
}

impl FleetCounts {
    /// Counts of one provider; zero where nothing was seen.
    pub fn provider(&self, provider: Provider) -> Counts {
        self.providers.get(&provider).copied().unwrap_or_default()
    }

    /// Counts of all providers together.
    pub fn total(&self) -> Counts {
        self.providers.values().sum()
    }

    fn add(&mut self, other: &Self) {
        for (provider, counts) in &other.providers {
            *self.providers.entry(*provider).or_default() += counts;
        }
        for (pool, counts) in &other.pools {
            *self.pools.entry(pool.clone()).or_default() += counts;
        }
    }
}

/// The fleet's counts over every window. A partition publishes its share; a tick carries the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// The tick at which the shares were taken; the earliest of them in a sum. `None` before the first tick.
    pub as_of: Option<Timestamp>,
    /// Counts by window.
    pub windows: BTreeMap<Window, FleetCounts>,
    /// Customers by stage.
    #[serde(default)]
    pub stages: BTreeMap<crate::Stage, u64>,
}

impl Fleet {
    /// The counts over `window`; `None` where nothing was seen.
    pub fn window(&self, window: Window) -> Option<&FleetCounts> {
        self.windows.get(&window)
    }

    /// The sum of the partitions' shares. Its `as_of` is the earliest, so that it promises no more than all shares do.
    pub fn sum<'a>(shares: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut shares = shares.into_iter();
        let Some(first) = shares.next() else { return Self::default() };
        let mut sum = first.clone();
        for share in shares {
            sum.as_of = sum.as_of.min(share.as_of);
            for (window, counts) in &share.windows {
                sum.windows.entry(*window).or_default().add(counts);
            }
            for (stage, customers) in &share.stages {
                *sum.stages.entry(*stage).or_default() += customers;
            }
        }
        sum
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
