//! What SendGrid knows: IPs, pools, subusers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::platform::{Account, Gate, Placement};

/// A subuser's credits, as the API shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// `unlimited`, `recurring` or `nonrecurring`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When they are given anew.
    #[serde(default)]
    pub reset_frequency: Option<String>,
    /// What is left.
    #[serde(default)]
    pub remain: Option<u64>,
    /// What is given each time.
    #[serde(default)]
    pub total: Option<u64>,
    /// What was used.
    #[serde(default)]
    pub used: Option<u64>,
}

impl Credits {
    fn unlimited() -> Self {
        Self { kind: "unlimited".to_owned(), reset_frequency: None, remain: None, total: None, used: None }
    }
}

/// One call that the API was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its method.
    pub method: String,
    /// Its path with query.
    pub path: String,
    /// What was answered.
    pub status: u16,
}

/// Faults to come, each used up by one call that changes something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// So many calls fail before they change anything.
    pub before: usize,
    /// So many calls fail after they changed something.
    pub after: usize,
    /// So many calls are answered 429.
    pub too_many: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subuser {
    pub(super) id: u64,
    pub(super) disabled: bool,
    pub(super) credits: Credits,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ip {
    pub(super) pools: BTreeSet<String>,
    pub(super) subusers: BTreeSet<String>,
}

/// SendGrid's state.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(super) ips: BTreeMap<String, Ip>,
    pub(super) pools: BTreeSet<String>,
    pub(super) subusers: BTreeMap<String, Subuser>,
    pub(super) calls: Vec<Call>,
    /// Faults to come.
    pub faults: Faults,
}

/// The pool in which everybody begins.
pub const HOME: &str = "good-1";
/// The poor pool.
pub const QUARANTINE: &str = "quarantine";
const HOME_IPS: [&str; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
const QUARANTINE_IPS: [&str; 2] = ["192.0.2.201", "192.0.2.202"];

impl World {
    /// A SendGrid account with a good pool and a poor one, in which every customer is placed as it says and all begin in
    /// the good pool.
    pub fn of(accounts: &[Account]) -> Self {
        let mut world = Self::default();
        for (pool, ips) in [(HOME, HOME_IPS.as_slice()), (QUARANTINE, QUARANTINE_IPS.as_slice())] {
            world.pools.insert(pool.to_owned());
            for ip in ips {
                world.ips.entry((*ip).to_owned()).or_default().pools.insert(pool.to_owned());
            }
        }
        for (account, id) in accounts.iter().zip(1..) {
            world.place(&account.placement, id);
        }
        world
    }

    fn place(&mut self, placement: &Placement, id: u64) {
        match placement {
            Placement::Subuser(name) => {
                let subuser = Subuser { id, disabled: false, credits: Credits::unlimited() };
                self.subusers.insert(name.clone(), subuser);
                self.assign(name, &HOME_IPS.map(str::to_owned));
            }
            Placement::DedicatedIps(ips) => {
                for ip in ips {
                    self.ips.entry(ip.clone()).or_default().pools.insert(HOME.to_owned());
                }
            }
            Placement::Route => {}
        }
    }

    /// Gives a subuser exactly these IPs.
    pub(super) fn assign(&mut self, subuser: &str, ips: &[String]) {
        for (ip, known) in &mut self.ips {
            if ips.contains(ip) {
                known.subusers.insert(subuser.to_owned());
            } else {
                known.subusers.remove(subuser);
            }
        }
    }

    /// Whether a mail of the customer leaves now, and through which pool. For a customer that is placed nowhere,
    /// `routed` is what its mailer decided.
    pub fn gate(&mut self, account: &Account, routed: Gate) -> Gate {
        match &account.placement {
            Placement::Route => routed,
            Placement::DedicatedIps(ips) => {
                let pools = ips.first().and_then(|ip| self.ips.get(ip)).map(|ip| &ip.pools);
                Gate::Send(pools.and_then(|pools| pools.last()).map(|pool| Arc::from(pool.as_str())))
            }
            Placement::Subuser(name) => self.gate_subuser(name),
        }
    }

    fn gate_subuser(&mut self, name: &str) -> Gate {
        let ip = self.ips.values().find(|ip| ip.subusers.contains(name));
        let pool = ip.and_then(|ip| ip.pools.last()).map(|pool| Arc::from(pool.as_str()));
        let has_ip = ip.is_some();
        let Some(subuser) = self.subusers.get_mut(name) else { return Gate::Stop };
        match &mut subuser.credits.remain {
            _ if subuser.disabled || !has_ip => Gate::Stop,
            None => Gate::Send(pool),
            Some(0) => Gate::Stop,
            Some(left) => {
                *left -= 1;
                Gate::Send(pool)
            }
        }
    }

    /// The pools of a subuser's IPs.
    pub fn pools_of(&self, subuser: &str) -> BTreeSet<String> {
        let ips = self.ips.values().filter(|ip| ip.subusers.contains(subuser));
        ips.flat_map(|ip| ip.pools.iter().cloned()).collect()
    }

    /// Whether a subuser is disabled.
    pub fn is_disabled(&self, subuser: &str) -> bool {
        self.subusers.get(subuser).is_some_and(|subuser| subuser.disabled)
    }

    /// A subuser's credits.
    pub fn credits(&self, subuser: &str) -> Option<&Credits> {
        self.subusers.get(subuser).map(|subuser| &subuser.credits)
    }

    /// The pools that an IP is in.
    pub fn pools_of_ip(&self, ip: &str) -> BTreeSet<String> {
        self.ips.get(ip).map(|ip| ip.pools.clone()).unwrap_or_default()
    }

    /// Every call that was asked, in order.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }
}
