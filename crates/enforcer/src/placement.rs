//! How a customer exists at SendGrid.

use std::collections::{BTreeMap, BTreeSet};

use model::CustomerId;
use serde::{Deserialize, Serialize};

/// Where a customer is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacementRule {
    /// A subuser of this name; of the customer's own name where none is given.
    Subuser(Option<String>),
    /// IPs of its own in the parent's account.
    DedicatedIps(Vec<String>),
    /// Nothing of its own: the mailer asks for the pool to name on each send.
    Route,
}

/// Where customers are placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placements {
    /// For everyone who is not listed.
    pub default: PlacementRule,
    /// For these.
    pub by_customer: BTreeMap<CustomerId, PlacementRule>,
}

/// Where one customer is placed, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Placement {
    Subuser(String),
    DedicatedIps(Vec<String>),
    Route,
}

impl Placements {
    /// Every IP that belongs to one customer alone.
    pub(crate) fn dedicated_ips(&self) -> BTreeSet<String> {
        let rules = self.by_customer.values().chain([&self.default]);
        let ips = rules.filter_map(|rule| match rule {
            PlacementRule::DedicatedIps(ips) => Some(ips),
            PlacementRule::Subuser(_) | PlacementRule::Route => None,
        });
        ips.flatten().cloned().collect()
    }

    pub(crate) fn of(&self, customer: &CustomerId) -> Placement {
        match self.by_customer.get(customer).unwrap_or(&self.default) {
            PlacementRule::Subuser(None) => Placement::Subuser(customer.as_str().to_owned()),
            PlacementRule::Subuser(Some(name)) => Placement::Subuser(name.clone()),
            PlacementRule::DedicatedIps(ips) => Placement::DedicatedIps(ips.clone()),
            PlacementRule::Route => Placement::Route,
        }
    }
}
