//! What was reported, each event once: the truth that Weir's counts are held against.

use std::collections::BTreeMap;

use model::{Counter, Counts, CustomerId};

/// Counts of distinct events by customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    customers: BTreeMap<CustomerId, Counts>,
    nobodys: Counts,
}

impl Ledger {
    pub(super) fn count(&mut self, customer: Option<&CustomerId>, counter: Counter) {
        match customer {
            None => self.nobodys.count(counter),
            Some(id) => match self.customers.get_mut(id) {
                Some(counts) => counts.count(counter),
                None => self.customers.entry(id.clone()).or_default().count(counter),
            },
        }
    }

    /// The customer's events.
    pub fn customer(&self, id: &CustomerId) -> Counts {
        self.customers.get(id).copied().unwrap_or_default()
    }

    /// Events that name no customer.
    pub const fn nobodys(&self) -> &Counts {
        &self.nobodys
    }
}
