//! Incidents that are open now, as the whole fleet's counts show them.

use model::{Blame, Bucket, Cell, Cells, Fleet, Grain, PoolName, Provider};

use crate::Policy;
use crate::incident::may_have;
use crate::signal::Trouble;

/// An incident of a provider, or of a pool at a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenIncident {
    /// Whose mailboxes.
    pub provider: Provider,
    /// The pool whose mail suffers alone; `None` where it is the provider's fault.
    pub pool: Option<PoolName>,
    /// In what it shows.
    pub trouble: Trouble,
}

impl OpenIncident {
    /// Whose fault it is.
    pub const fn blame(&self) -> Blame {
        if self.pool.is_some() { Blame::Pool } else { Blame::Provider }
    }
}

impl Policy {
    /// The incidents that are open when the fleet's counts were taken: in the buckets of that moment, and in the one before of
    /// five minutes. By all customers together, where a verdict leaves the customer's own part out.
    pub fn open_incidents(&self, fleet: &Fleet) -> Vec<OpenIncident> {
        let Some(now) = fleet.as_of else { return Vec::new() };
        let (minutes, hour) = (Bucket::of(Grain::FiveMinutes, now), Bucket::of(Grain::Hour, now));
        let is_open = |cell: &Cell| match cell.grain {
            Grain::FiveMinutes => cell.bucket == minutes || cell.bucket.next() == minutes,
            Grain::Hour => cell.bucket == hour,
            Grain::Day => false,
        };
        let cells: Vec<_> = fleet.cells.iter().map(|(cell, _)| cell).filter(is_open).collect();
        let mut open: Vec<_> = cells.into_iter().flat_map(|cell| self.open_in(cell, fleet)).collect();
        open.sort();
        open.dedup();
        open
    }

    fn open_in(&self, cell: Cell, fleet: &Fleet) -> Vec<OpenIncident> {
        let all = fleet.cells.at(cell);
        let mut open = Vec::new();
        let can = |trouble, blame| may_have(cell.provider, trouble, blame);
        for trouble in Trouble::ALL {
            // In the quarantine pool everybody's mail suffers: that is what it is for.
            let pools = fleet.pool_cells.iter().filter(|(pool, _)| *pool != self.quarantine());
            let suffers = |(_, cells): &(&PoolName, &Cells)| self.incident.is_of_pool(trouble, all, cells.at(cell));
            let before = open.len();
            let pools = pools.filter(|_| can(trouble, Blame::Pool));
            open.extend(pools.filter(suffers).map(|(pool, _)| OpenIncident {
                provider: cell.provider,
                pool: Some(pool.clone()),
                trouble,
            }));
            if open.len() == before && can(trouble, Blame::Provider) && self.incident.suffers(trouble, &all) {
                open.push(OpenIncident { provider: cell.provider, pool: None, trouble });
            }
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use model::{CellCounts, Customers, Timestamp};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn counts(attempted: u32, block: u32, senders: u32, hit: u32) -> CellCounts {
        let customers = Customers { any: senders, block: hit, ..Customers::default() };
        CellCounts { attempted, block, customers, ..CellCounts::default() }
    }

    fn open(bucket: Bucket, all: CellCounts, pool: CellCounts) -> Vec<OpenIncident> {
        let cell = Cell { grain: Grain::FiveMinutes, bucket, provider: Provider::Microsoft };
        let fleet = Fleet {
            as_of: Some(NOW),
            cells: [(cell, all)].into_iter().collect(),
            pool_cells: [(PoolName::new("good-1"), [(cell, pool)].into_iter().collect())].into(),
            ..Fleet::default()
        };
        Policy::parse(crate::DEFAULT).unwrap().open_incidents(&fleet)
    }

    #[test]
    fn an_incident_is_the_providers_or_one_pools_and_closes() {
        let now = Bucket::of(Grain::FiveMinutes, NOW);
        let incident = |pool: Option<&str>| OpenIncident {
            provider: Provider::Microsoft,
            pool: pool.map(PoolName::new),
            trouble: Trouble::Block,
        };
        let (bad, fine) = (counts(1_000, 600, 20, 18), counts(1_000, 1, 20, 1));
        assert_eq!(open(now, bad.plus(bad), bad), [incident(None)]);
        assert_eq!(open(now, bad.plus(fine), bad), [incident(Some("good-1"))]);
        assert_eq!(open(now, fine.plus(fine), fine), []);
        assert_eq!(
            open(Bucket::of(Grain::FiveMinutes, Timestamp::from_seconds(NOW.seconds() - 900)), bad.plus(bad), bad),
            []
        );
    }
}
