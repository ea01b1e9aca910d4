//! Incidents that are open now, for whoever looks. Never for a verdict: that asks of one customer whether it was caught.

use std::collections::BTreeMap;

use model::{Blame, Bucket, Cell, CellCounts, Fleet, Grain, PoolName, Provider, Timestamp};

use crate::signal::{Fraction, Trouble};
use crate::{Policy, incident::Incident};

/// A provider, or a pool at a provider, with which everybody's mail goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    /// At whose mailboxes.
    pub provider: Provider,
    /// From which pool, where mail from the others goes through.
    pub pool: Option<PoolName>,
    /// What happens to the mail.
    pub trouble: Trouble,
    /// Since when, as far back as buckets are told.
    pub since: Timestamp,
    /// Mails that it befell, of mails, in the latest bucket in which it shows.
    pub mails: Fraction,
    /// Customers whom it befell there.
    pub hit: u32,
    /// Customers with mail there.
    pub customers: u32,
}

impl OpenIncident {
    /// Whose fault it is.
    pub const fn blame(&self) -> Blame {
        if self.pool.is_some() { Blame::Pool } else { Blame::Provider }
    }
}

/// In how many of the latest buckets an open one shows: the newest is filling, and may hold too few mails to tell.
const LATEST: u32 = 2;

impl Policy {
    /// The incidents that show in the fleet's latest buckets: those of a provider before those of a pool.
    pub fn open_incidents(&self, fleet: &Fleet) -> Vec<OpenIncident> {
        let Some(now) = fleet.as_of else { return Vec::new() };
        let mut open: BTreeMap<(Trouble, Provider, Option<PoolName>), OpenIncident> = BTreeMap::new();
        for grain in self.incident_grains() {
            let newest = Bucket::of(grain, now);
            for trouble in Trouble::ALL {
                let sight = Sight { incident: &self.incident, fleet, trouble, grain };
                for found in Provider::ALL.into_iter().flat_map(|provider| sight.at(provider, newest)) {
                    let known = open.entry((trouble, found.provider, found.pool.clone())).or_insert(found.clone());
                    known.since = known.since.min(found.since);
                }
            }
        }
        let mut open: Vec<_> = open.into_values().collect();
        open.sort_by_key(|incident| incident.pool.is_some());
        open
    }
}

/// One kind of trouble, in buckets of one grain.
struct Sight<'a> {
    incident: &'a Incident,
    fleet: &'a Fleet,
    trouble: Trouble,
    grain: Grain,
}

impl Sight<'_> {
    /// What is wrong at `provider`: the pools of which it is the fault, or else the provider itself.
    fn at(&self, provider: Provider, newest: Bucket) -> Vec<OpenIncident> {
        let of_pools = self.fleet.pool_cells.keys().filter_map(|pool| self.open(provider, Some(pool), newest));
        let of_pools: Vec<_> = of_pools.collect();
        if of_pools.is_empty() { self.open(provider, None, newest).into_iter().collect() } else { of_pools }
    }

    fn open(&self, provider: Provider, pool: Option<&PoolName>, newest: Bucket) -> Option<OpenIncident> {
        let latest = (0..LATEST).map(|back| newest.back(back)).find(|bucket| self.shows(provider, pool, *bucket))?;
        let mut first = latest;
        while first.back(1) < first && self.shows(provider, pool, first.back(1)) {
            first = first.back(1);
        }
        let (counts, trouble) = (self.counts(provider, pool, latest), self.trouble);
        Some(OpenIncident {
            provider,
            pool: pool.cloned(),
            trouble,
            since: first.start(self.grain),
            mails: Fraction { hits: trouble.mails(&counts), mails: counts.attempted },
            hit: trouble.customers(&counts),
            customers: counts.customers.any,
        })
    }

    fn shows(&self, provider: Provider, pool: Option<&PoolName>, bucket: Bucket) -> bool {
        let all = self.counts(provider, None, bucket);
        let Some(pool) = pool else { return self.incident.suffers(self.trouble, &all) };
        let here = self.counts(provider, Some(pool), bucket);
        self.incident.blame_of(self.trouble, (all, here, CellCounts::default())) == Some(Blame::Pool)
    }

    fn counts(&self, provider: Provider, pool: Option<&PoolName>, bucket: Bucket) -> CellCounts {
        let cell = Cell { grain: self.grain, bucket, provider };
        match pool {
            None => self.fleet.cells.at(cell),
            Some(pool) => self.fleet.pool(pool).map(|cells| cells.at(cell)).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Customers;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    /// Blocks of so many mails of three customers, at Microsoft, in the latest hours.
    fn cells(hours: &[(u32, u32)]) -> model::Cells {
        let newest = Bucket::of(Grain::Hour, NOW);
        let cell = |(back, (attempted, block)): (u32, &(u32, u32))| {
            let hit = if *block > 0 { 5 } else { 0 };
            let customers = Customers { any: 6, block: hit, ..Customers::default() };
            let counts = CellCounts { attempted: *attempted, block: *block, customers, ..CellCounts::default() };
            (Cell { grain: Grain::Hour, bucket: newest.back(back), provider: Provider::Microsoft }, counts)
        };
        (0..).zip(hours).map(cell).collect()
    }

    fn open(fleet: Fleet) -> Vec<OpenIncident> {
        Policy::parse(crate::DEFAULT).unwrap().open_incidents(&Fleet { as_of: Some(NOW), ..fleet })
    }

    #[test]
    fn an_incident_is_told_with_its_beginning_and_its_latest_figures() {
        let found = open(Fleet { cells: cells(&[(3, 0), (1_000, 600), (1_000, 700), (1_000, 10)]), ..Fleet::default() });
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].since, Bucket::of(Grain::Hour, NOW).back(2).start(Grain::Hour));
        assert_eq!(found[0].mails, Fraction { hits: 600, mails: 1_000 });
        assert_eq!((found[0].hit, found[0].customers, found[0].blame()), (5, 6, Blame::Provider));
    }

    #[test]
    fn a_pool_is_to_blame_where_mail_from_others_goes_through() {
        let pool = |name: &str, hours| (PoolName::new(name), cells(hours));
        let pool_cells = [pool("bad", &[(1_000, 600)]), pool("good", &[(9_000, 10)])].into();
        let found = open(Fleet { cells: cells(&[(10_000, 610)]), pool_cells, ..Fleet::default() });
        let pools: Vec<_> = found.iter().map(|incident| incident.pool.as_ref().map(PoolName::as_str)).collect();
        assert_eq!(pools, [Some("bad")]);
    }

    #[test]
    fn what_is_over_is_not_told() {
        assert!(open(Fleet { cells: cells(&[(1_000, 10), (1_000, 9), (1_000, 700)]), ..Fleet::default() }).is_empty());
    }
}
