//! Where every customer stands, as far as sending goes: small enough for millions, and read without waiting.

use std::borrow::Cow;
use std::collections::HashSet;

use dashmap::DashMap;
use model::{CustomerId, InForce, Phase, PoolName, Sending, Stage};
use serde::Deserialize;

/// Locks among which customers are spread: a writer that makes a part of the table larger keeps few readers waiting, and not
/// for long.
const SHARDS: usize = 256;

/// Where a customer stands, as far as sending goes.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) stage: Stage,
    pub(super) phase: Phase,
    pub(super) sending: Sending,
    pub(super) pool: Option<PoolName>,
    pub(super) daily_cap: Option<u32>,
}

/// What a record of the standings says, as far as it is kept.
#[derive(Deserialize)]
struct Said<'r> {
    #[serde(borrow)]
    customer: Cow<'r, str>,
    stage: Stage,
    phase: Phase,
    sending: Option<Sending>,
    #[serde(borrow)]
    pool: Option<Cow<'r, str>>,
    daily_cap: Option<u32>,
}

/// All customers that have a standing, and what the enforcer has let through of it where it has to do with them.
#[derive(Debug)]
pub(super) struct Standings {
    said: DashMap<Box<str>, Known>,
    let_through: DashMap<Box<str>, InForce>,
}

impl Standings {
    pub(super) fn new() -> Self {
        Self { said: DashMap::with_shard_amount(SHARDS), let_through: DashMap::new() }
    }

    /// Where the customer stands; `None` for one that was never seen.
    pub(super) fn of(&self, customer: &CustomerId) -> Option<Known> {
        self.said.get(customer.as_str()).map(|known| known.clone())
    }

    /// What the enforcer has let through; `None` where it has nothing to do with the customer, or holds back what it should.
    pub(super) fn let_through(&self, customer: &CustomerId) -> Option<InForce> {
        self.let_through.get(customer.as_str()).map(|in_force| in_force.clone())
    }

    /// The enforcer has let this through for the customer, or has nothing more to do with it.
    pub(super) fn lets_through(&self, customer: &CustomerId, in_force: Option<InForce>) {
        match in_force {
            Some(in_force) => drop(self.let_through.insert(customer.as_str().into(), in_force)),
            None => drop(self.let_through.remove(customer.as_str())),
        }
    }

    /// Takes in a record of the topic. `pools` has the names that were met, so that each is in memory once.
    ///
    /// # Errors
    ///
    /// Where it is no standing.
    pub(super) fn take(&self, value: &[u8], pools: &mut HashSet<PoolName>) -> serde_json::Result<()> {
        let Said { customer, stage, phase, sending, pool, daily_cap } = serde_json::from_slice(value)?;
        let pool = pool.map(|name| intern(pools, &name));
        let sending = sending.unwrap_or_else(|| Sending::of(phase, stage, daily_cap));
        let now = Known { stage, phase, sending, pool, daily_cap };
        match self.said.get_mut(customer.as_ref()) {
            Some(mut known) => *known = now,
            None => drop(self.said.insert(customer.into(), now)),
        }
        Ok(())
    }
}

fn intern(pools: &mut HashSet<PoolName>, name: &str) -> PoolName {
    if let Some(known) = pools.get(name) {
        return known.clone();
    }
    let pool = PoolName::new(name);
    pools.insert(pool.clone());
    pool
}
