//! A store in memory: for simulation, backtests and tests.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;

use model::{CustomerId, Digest};

use crate::{Customer, Hour, Store};

/// Keeps everything in memory, for as long as it lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    customers: BTreeMap<CustomerId, Customer>,
    attended: BTreeSet<CustomerId>,
    seen: BTreeMap<Hour, HashSet<Digest>>,
}

impl MemoryStore {
    /// All customers, in the order of their names.
    pub fn customers(&self) -> impl Iterator<Item = (&CustomerId, &Customer)> {
        self.customers.iter()
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    fn customer(&mut self, id: &CustomerId) -> Result<&mut Customer, Infallible> {
        Ok(self.customers.entry(id.clone()).or_default())
    }

    fn is_first(&mut self, hour: Hour, digests: [Digest; 2]) -> Result<bool, Infallible> {
        let seen = self.seen.entry(hour).or_default();
        let known = digests.iter().any(|digest| seen.contains(digest));
        seen.extend(digests);
        Ok(!known)
    }

    fn forget_before(&mut self, hour: Hour) -> Result<(), Infallible> {
        self.seen = self.seen.split_off(&hour);
        Ok(())
    }

    fn attend(&mut self, id: &CustomerId, wanted: bool) {
        if !wanted {
            self.attended.remove(id);
        } else if !self.attended.contains(id) {
            self.attended.insert(id.clone());
        }
    }

    fn attended(&self) -> Vec<CustomerId> {
        self.attended.iter().cloned().collect()
    }
}
