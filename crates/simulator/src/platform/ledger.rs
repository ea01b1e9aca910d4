//! What was told so far, each event once: the truth that Weir's counts are held against.

use std::collections::BTreeMap;

use model::{Counts, CustomerId};

use super::queue::Count;

/// Counts of distinct events by customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    customers: BTreeMap<CustomerId, Counts>,
    nobodys: Counts,
    copies: u64,
}

impl Ledger {
    pub(super) fn count(&mut self, customer: &CustomerId, Count { counter, facet, attributed }: Count) {
        let counts = if attributed { self.of(customer) } else { &mut self.nobodys };
        for counter in [Some(counter), facet].into_iter().flatten() {
            counts.count(counter);
        }
    }

    fn of(&mut self, customer: &CustomerId) -> &mut Counts {
        self.customers.entry(customer.clone()).or_default()
    }

    pub(super) fn count_copy(&mut self) {
        self.copies += 1;
    }

    /// The customer's events.
    pub fn customer(&self, id: &CustomerId) -> Counts {
        self.customers.get(id).copied().unwrap_or_default()
    }

    /// Every customer that anything was told of, with its events.
    pub fn customers(&self) -> impl Iterator<Item = (&CustomerId, &Counts)> {
        self.customers.iter()
    }

    /// Events that name no customer.
    pub const fn nobodys(&self) -> &Counts {
        &self.nobodys
    }

    /// All events, those that name no customer among them.
    pub fn total(&self) -> Counts {
        self.customers.values().chain([&self.nobodys]).sum()
    }

    /// Events that had been told before, under the same id or another.
    pub const fn copies(&self) -> u64 {
        self.copies
    }
}
