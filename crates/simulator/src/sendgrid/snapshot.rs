//! What SendGrid knows of IPs, pools and subusers at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::credits::Credits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subuser {
    pub(super) id: u64,
    pub(super) disabled: bool,
    pub(super) credits: Credits,
    /// The IPs that its mail may leave from.
    pub(super) ips: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ip {
    /// In the order in which it joined them.
    pub(super) pools: Vec<String>,
}

impl Ip {
    /// Joins `pool`, unless it is in it.
    pub(super) fn join(&mut self, pool: &str) {
        if !self.is_in(pool) {
            self.pools.push(pool.to_owned());
        }
    }

    /// Leaves `pool`; whether it was in it.
    pub(super) fn leave(&mut self, pool: &str) -> bool {
        let before = self.pools.len();
        self.pools.retain(|known| known != pool);
        self.pools.len() < before
    }

    pub(super) fn is_in(&self, pool: &str) -> bool {
        self.pools.iter().any(|known| known == pool)
    }
}

/// A pool's number: the older calls know it by name only, the newer ones by this.
pub(super) type PoolId = u64;

/// Cheap to copy for its size: earlier states are kept while reads are stale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) ips: BTreeMap<String, Ip>,
    pub(super) pools: BTreeMap<String, PoolId>,
    pub(super) subusers: BTreeMap<Arc<str>, Arc<Subuser>>,
    /// The number of the latest pool; numbers are not used twice.
    latest_pool: PoolId,
}

impl Snapshot {
    /// The numbers of pools begin above this, so that none is taken for a count or an index.
    const BEFORE_POOLS: PoolId = 10_000;

    /// Makes a pool, unless there is one of this name; its number.
    pub(super) fn add_pool(&mut self, name: &str) -> PoolId {
        if let Some(id) = self.pools.get(name) {
            return *id;
        }
        self.latest_pool = self.latest_pool.max(Self::BEFORE_POOLS) + 1;
        self.pools.insert(name.to_owned(), self.latest_pool);
        self.latest_pool
    }

    /// Deletes a pool and lets its IPs go; whether there was one.
    pub(super) fn remove_pool(&mut self, name: &str) -> bool {
        let was_there = self.pools.remove(name).is_some();
        for ip in self.ips.values_mut() {
            ip.leave(name);
        }
        was_there
    }

    /// Renames a pool, which keeps its IPs and its number.
    pub(super) fn rename_pool(&mut self, from: &str, to: &str) {
        let Some(id) = self.pools.remove(from) else { return };
        self.pools.insert(to.to_owned(), id);
        for known in self.ips.values_mut().flat_map(|ip| ip.pools.iter_mut()).filter(|known| *known == from) {
            to.clone_into(known);
        }
    }

    /// A subuser to change.
    pub(super) fn subuser(&mut self, name: &str) -> Option<&mut Subuser> {
        self.subusers.get_mut(name).map(Arc::make_mut)
    }

    /// The IPs of a pool, in the order of their addresses.
    pub(super) fn ips_of_pool(&self, pool: &str) -> Vec<String> {
        self.ips.iter().filter(|(_, ip)| ip.is_in(pool)).map(|(address, _)| address.clone()).collect()
    }

    /// The subusers that may send from an IP, in the order of their names.
    pub(super) fn subusers_of_ip<'a>(&'a self, ip: &'a str) -> impl Iterator<Item = (&'a str, &'a Subuser)> + 'a {
        let all = self.subusers.iter().map(|(name, subuser)| (name.as_ref(), subuser.as_ref()));
        all.filter(move |(_, subuser)| subuser.ips.contains(ip))
    }
}
