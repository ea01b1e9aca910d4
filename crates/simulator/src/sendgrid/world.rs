//! What SendGrid knows, what it was asked, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::budget::Budgets;
use super::credits::Credits;
use super::faults::Faults;
use super::history::History;
use super::past::Past;
use super::record::{Call, Record};
use super::scopes::Scopes;
use super::snapshot::{Snapshot, Subuser};
use super::user::User;
use crate::addresses::{self, HOME_IPS, QUARANTINE_IPS};
use crate::platform::{Account, Placement};

/// SendGrid's state.
#[derive(Clone, Debug, Default)]
pub struct World {
    state: Arc<Snapshot>,
    past: Past,
    history: History,
    pub(super) budgets: Budgets,
    pub(super) record: Record,
    pub(super) users: BTreeMap<Option<String>, User>,
    /// Faults to come.
    pub faults: Faults,
    /// What the key may do.
    pub scopes: Scopes,
    /// How many webhooks the plan lets each user have.
    pub most_webhooks: usize,
}

/// What the documents' example shows.
const MOST_WEBHOOKS: usize = 5;

/// The pool in which everybody begins.
pub const HOME: &str = addresses::HOME;
/// The quarantine pool.
pub const QUARANTINE: &str = addresses::QUARANTINE;

impl World {
    /// A SendGrid account with a good pool and a poor one, in which every customer is placed as it says and all begin in
    /// the good pool.
    pub fn of(accounts: &[Account]) -> Self {
        let mut state = Snapshot::default();
        for (pool, ips) in [(HOME, HOME_IPS.as_slice()), (QUARANTINE, QUARANTINE_IPS.as_slice())] {
            state.add_pool(pool);
            for ip in ips {
                state.ips.entry((*ip).to_owned()).or_default().join(pool);
            }
        }
        for (account, id) in accounts.iter().zip(1..) {
            place(&mut state, &account.placement, id);
        }
        let mut world = Self { state: Arc::new(state), most_webhooks: MOST_WEBHOOKS, ..Self::default() };
        world.history.note(&world.state, Instant::now());
        world
    }

    /// The state as it is.
    pub(super) fn state(&self) -> &Arc<Snapshot> {
        &self.state
    }

    /// The state as a read shows it that is `age` late.
    pub(super) fn seen(&self, age: Duration) -> &Arc<Snapshot> {
        self.past.at(Instant::now(), age).unwrap_or(&self.state)
    }

    /// Changes the state, and notes what it was.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Snapshot) -> T) -> T {
        let now = Instant::now();
        self.past.keep(&self.state, now, self.faults.stale);
        let outcome = change(Arc::make_mut(&mut self.state));
        self.history.note(&self.state, now);
        outcome
    }

    /// Takes a credit of a subuser that has a number of them; whether there was one.
    pub(super) fn take_credit(&mut self, subuser: &str) -> bool {
        match self.credits(subuser) {
            None => false,
            Some(Credits { remain: None, .. }) => true,
            Some(_) => {
                self.past.keep(&self.state, Instant::now(), self.faults.stale);
                Arc::make_mut(&mut self.state).subuser(subuser).is_some_and(|subuser| subuser.credits.take())
            }
        }
    }

    /// The IPs of a pool, in the order of their addresses.
    pub fn ips_of_pool(&self, pool: &str) -> Vec<String> {
        self.state.ips_of_pool(pool)
    }

    /// The pools of a subuser's IPs.
    pub fn pools_of(&self, subuser: &str) -> BTreeSet<String> {
        let ips = self.state.subusers.get(subuser).map(|subuser| &subuser.ips).into_iter().flatten();
        ips.flat_map(|ip| self.pools_of_ip(ip)).collect()
    }

    /// The IPs that a subuser's mail may leave from.
    pub fn ips_of(&self, subuser: &str) -> BTreeSet<String> {
        self.state.subusers.get(subuser).map(|subuser| subuser.ips.clone()).unwrap_or_default()
    }

    /// Whether a subuser is disabled.
    pub fn is_disabled(&self, subuser: &str) -> bool {
        self.state.subusers.get(subuser).is_some_and(|subuser| subuser.disabled)
    }

    /// A subuser's credits.
    pub fn credits(&self, subuser: &str) -> Option<&Credits> {
        self.state.subusers.get(subuser).map(|subuser| &subuser.credits)
    }

    /// The pools that an IP is in.
    pub fn pools_of_ip(&self, ip: &str) -> BTreeSet<String> {
        self.state.ips.get(ip).map(|ip| ip.pools.iter().cloned().collect()).unwrap_or_default()
    }

    /// The latest calls that were asked, in the order in which they were answered; at least 50,000 of them.
    pub fn calls(&self) -> &[Call] {
        self.record.calls()
    }

    /// How many IPs a subuser had when it had the fewest; none for one that never was.
    pub fn lowest_ips_of(&self, subuser: &str) -> Option<usize> {
        self.history.fewest_ips(subuser)
    }

    /// The pools that had IPs, and later, be it for a moment, had none.
    pub const fn emptied_pools(&self) -> &BTreeSet<String> {
        self.history.emptied()
    }

    /// In how many pools an IP was when it was in the fewest; none for one that never was.
    pub fn lowest_pools_of_ip(&self, ip: &str) -> Option<usize> {
        self.history.fewest_pools(ip)
    }

    /// The longest time for which an IP was in more than one pool; where it still is, until now.
    pub fn longest_in_two_pools(&self, ip: &str) -> Duration {
        self.history.longest_in_several(ip, Instant::now())
    }

    /// How many calls a client that obeys would not have made: those over an endpoint's budget, and those before the reset
    /// that a 429 told.
    pub const fn overruns(&self) -> u64 {
        self.budgets.overruns()
    }

    /// From here on another client calls, which was told nothing of rate limits: until an endpoint has answered it, its calls of
    /// that one are no overruns, whatever the client before it was told.
    pub fn change_client(&mut self) {
        self.budgets.forget_what_was_told();
    }
}

fn place(state: &mut Snapshot, placement: &Placement, id: u64) {
    match placement {
        Placement::Subuser(name) => {
            let ips = HOME_IPS.iter().map(|ip| (*ip).to_owned()).collect();
            let subuser = Subuser { id, disabled: false, credits: Credits::unlimited(), ips };
            state.subusers.insert(name.as_str().into(), Arc::new(subuser));
        }
        Placement::DedicatedIps(ips) => {
            for ip in ips {
                state.ips.entry(ip.clone()).or_default().join(HOME);
            }
        }
        Placement::Route => {}
    }
}
