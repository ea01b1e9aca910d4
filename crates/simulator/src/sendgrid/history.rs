//! What was at some moment, for promises that hold at every moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshot::{PoolId, Snapshot};

/// Extremes since the beginning, brought up to date by each change.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    fewest_ips: BTreeMap<Arc<str>, usize>,
    filled: BTreeMap<PoolId, String>,
    emptied: BTreeSet<String>,
    ips: BTreeMap<String, IpHistory>,
}

#[derive(Clone, Copy, Debug)]
struct IpHistory {
    fewest_pools: usize,
    several_since: Option<Instant>,
    longest_in_several: Duration,
}

impl History {
    /// Takes in the state that holds from `now` on.
    pub(super) fn note(&mut self, state: &Snapshot, now: Instant) {
        for (name, subuser) in &state.subusers {
            let fewest = self.fewest_ips.entry(Arc::clone(name)).or_insert(usize::MAX);
            *fewest = (*fewest).min(subuser.ips.len());
        }
        self.note_pools(state);
        for (address, ip) in &state.ips {
            let new = IpHistory { fewest_pools: usize::MAX, several_since: None, longest_in_several: Duration::ZERO };
            self.ips.entry(address.clone()).or_insert(new).note(ip.pools.len(), now);
        }
    }

    fn note_pools(&mut self, state: &Snapshot) {
        let in_use: BTreeSet<&String> = state.ips.values().flat_map(|ip| &ip.pools).collect();
        let filled = state.pools.iter().filter(|(name, _)| in_use.contains(name));
        let filled = filled.map(|(name, id)| (*id, name.clone())).collect();
        let before = std::mem::replace(&mut self.filled, filled);
        self.emptied.extend(before.into_iter().filter(|(id, _)| !self.filled.contains_key(id)).map(|(_, name)| name));
    }

    pub(super) fn fewest_ips(&self, subuser: &str) -> Option<usize> {
        self.fewest_ips.get(subuser).copied()
    }

    pub(super) const fn emptied(&self) -> &BTreeSet<String> {
        &self.emptied
    }

    pub(super) fn fewest_pools(&self, ip: &str) -> Option<usize> {
        self.ips.get(ip).map(|ip| ip.fewest_pools)
    }

    /// Counts the stretch that is not over too.
    pub(super) fn longest_in_several(&self, ip: &str, now: Instant) -> Duration {
        self.ips.get(ip).map_or(Duration::ZERO, |ip| ip.longest(now))
    }
}

impl IpHistory {
    fn note(&mut self, pools: usize, now: Instant) {
        self.fewest_pools = self.fewest_pools.min(pools);
        self.longest_in_several = self.longest(now);
        self.several_since = (pools > 1).then(|| self.several_since.unwrap_or(now));
    }

    fn longest(&self, now: Instant) -> Duration {
        let running = self.several_since.map(|since| now.duration_since(since));
        self.longest_in_several.max(running.unwrap_or_default())
    }
}
