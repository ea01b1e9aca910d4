//! What SendGrid knows: IPs, pools, subusers.

use std::collections::{BTreeMap, BTreeSet};

use super::credits::Credits;
use super::faults::Faults;
use super::record::{Call, Record};
use crate::addresses::{self, HOME_IPS, QUARANTINE_IPS};
use crate::platform::{Account, Placement};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subuser {
    pub(super) id: u64,
    pub(super) disabled: bool,
    pub(super) credits: Credits,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ip {
    /// In the order in which it joined them.
    pub(super) pools: Vec<String>,
    pub(super) subusers: BTreeSet<String>,
}

impl Ip {
    /// Joins `pool`, unless it is in it.
    pub(super) fn join(&mut self, pool: &str) {
        if !self.pools.iter().any(|known| known == pool) {
            self.pools.push(pool.to_owned());
        }
    }

    /// Leaves `pool`; whether it was in it.
    pub(super) fn leave(&mut self, pool: &str) -> bool {
        let before = self.pools.len();
        self.pools.retain(|known| known != pool);
        self.pools.len() < before
    }
}

/// SendGrid's state.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(super) ips: BTreeMap<String, Ip>,
    pub(super) pools: BTreeSet<String>,
    pub(super) subusers: BTreeMap<String, Subuser>,
    pub(super) record: Record,
    /// Faults to come.
    pub faults: Faults,
}

/// The pool in which everybody begins.
pub const HOME: &str = addresses::HOME;
/// The poor pool.
pub const QUARANTINE: &str = addresses::QUARANTINE;

impl World {
    /// A SendGrid account with a good pool and a poor one, in which every customer is placed as it says and all begin in
    /// the good pool.
    pub fn of(accounts: &[Account]) -> Self {
        let mut world = Self::default();
        for (pool, ips) in [(HOME, HOME_IPS.as_slice()), (QUARANTINE, QUARANTINE_IPS.as_slice())] {
            world.pools.insert(pool.to_owned());
            for ip in ips {
                world.ips.entry((*ip).to_owned()).or_default().join(pool);
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
                    self.ips.entry(ip.clone()).or_default().join(HOME);
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

    /// The IPs of a pool, in the order of their numbers.
    pub fn ips_of_pool(&self, pool: &str) -> Vec<String> {
        let inside = self.ips.iter().filter(|(_, ip)| ip.pools.iter().any(|known| known == pool));
        inside.map(|(address, _)| address.clone()).collect()
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
        self.ips.get(ip).map(|ip| ip.pools.iter().cloned().collect()).unwrap_or_default()
    }

    /// The latest calls that were asked, in order; at least 50,000 of them.
    pub fn calls(&self) -> &[Call] {
        self.record.calls()
    }
}
