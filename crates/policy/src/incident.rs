//! Whose fault is it? Cells in which everyone else's mail goes wrong too.

use model::{Blame, Cell, CellCounts, Counts, Customers, Fleet, PoolName, Provider};

use crate::signal::Trouble;

/// When a provider, or a pool at a provider, counts as having an incident.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Incident {
    /// Share of the others' mail that is blocked, or refused for good, in the cell.
    pub(crate) rate: f64,
    /// Share of the others' mail that is deferred in the cell.
    pub(crate) deferral_rate: f64,
    /// Others' mails needed in the cell before anyone can tell.
    pub(crate) minimum_mails: u32,
}

/// How many other customers must be hit, and which share of those who send: each has one vote, so that a few that share a
/// bad list don't pass for an incident.
pub(crate) const VOTES: u32 = 3;
const SHARE_OF_VOTES: f64 = 1.0 / 3.0;

/// Whether `provider` can have an incident of that kind. All other domains together are no provider: nothing that happens
/// there is one's fault. A pool can be blocked at them all, but whether a company's mailbox exists is not up to the pool.
pub(crate) fn may_have(provider: Provider, trouble: Trouble, blame: Blame) -> bool {
    provider != Provider::Other || (blame == Blame::Pool && trouble != Trouble::HardBounce)
}

/// A cell of a customer's mail, and where it left from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) cell: Cell,
    /// The customer's own part in it.
    pub(crate) own: &'a Counts,
    pub(crate) pool: Option<&'a PoolName>,
}

impl Incident {
    /// Whose fault it is, if the customer was caught in an incident.
    ///
    /// The others are the fleet without the customer, so that a giant cannot fake an incident by itself. Where the others'
    /// mail from other pools does not suffer, it is the pool's.
    pub(crate) fn blame(&self, trouble: Trouble, place: Place<'_>, fleet: &Fleet) -> Option<Blame> {
        self.blame_anywhere(trouble, place, fleet).filter(|blame| may_have(place.cell.provider, trouble, *blame))
    }

    fn blame_anywhere(&self, trouble: Trouble, place: Place<'_>, fleet: &Fleet) -> Option<Blame> {
        let Place { cell, own, pool } = place;
        let own = CellCounts::new(own, Customers::one(own));
        let all = fleet.cells.at(cell);
        let everywhere = self.suffers(trouble, &all.without(own));
        let Some(pool) = pool.and_then(|pool| fleet.pool(pool)) else {
            return everywhere.then_some(Blame::Provider);
        };
        let in_pool = pool.at(cell);
        if let Some(blame) = self.blame_of(trouble, (all, in_pool, own)) {
            return Some(blame);
        }
        // Where hardly anybody else sends to this provider, what the pool suffers at all providers must do.
        let few = in_pool.without(own).attempted < self.minimum_mails;
        let pools = few.then(|| self.blame_of(trouble, (fleet.cells.bucket(cell), pool.bucket(cell), own)));
        pools.flatten().filter(|blame| *blame == Blame::Pool)
    }

    /// Whose fault it is, by all mail of a cell, that of the pool, and the customer's own part in both.
    fn blame_of(&self, trouble: Trouble, (all, in_pool, own): (CellCounts, CellCounts, CellCounts)) -> Option<Blame> {
        let everywhere = self.suffers(trouble, &all.without(own));
        let here = self.suffers(trouble, &in_pool.without(own));
        let elsewhere = all.without(in_pool);
        let spares_others = elsewhere.attempted >= self.minimum_mails && !self.suffers(trouble, &elsewhere);
        match (here, everywhere) {
            (true, _) if spares_others => Some(Blame::Pool),
            // Another pool's trouble does not excuse a customer of this one.
            (false, true) if self.are_spared(trouble, &in_pool.without(own)) => None,
            (_, true) => Some(Blame::Provider),
            (true, false) => Some(Blame::Pool),
            (false, false) => None,
        }
    }

    /// Whether a pool's mail suffers and the others' does not, by all mail of a cell and that of the pool.
    pub(crate) fn is_of_pool(&self, trouble: Trouble, all: CellCounts, in_pool: CellCounts) -> bool {
        self.suffers(trouble, &in_pool)
            && self.blame_of(trouble, (all, in_pool, CellCounts::default())) == Some(Blame::Pool)
    }

    /// Whether these mails may suffer in somebody's eyes: of all customers together a smaller share may be hit than of those
    /// that are the others for one of them.
    pub(crate) fn may_suffer(&self, trouble: Trouble, all: &CellCounts) -> bool {
        f64::from(trouble.mails(all)) >= 0.5 * self.rate_of(trouble) * f64::from(all.attempted)
            && trouble.customers(all) >= VOTES
            && f64::from(trouble.customers(all)) >= 0.5 * SHARE_OF_VOTES * f64::from(all.customers.any)
    }

    const fn rate_of(&self, trouble: Trouble) -> f64 {
        match trouble {
            Trouble::HardBounce | Trouble::Block => self.rate,
            Trouble::Deferral => self.deferral_rate,
        }
    }

    /// Whether these mails of others are enough to tell, and go through.
    fn are_spared(&self, trouble: Trouble, others: &CellCounts) -> bool {
        others.attempted >= self.minimum_mails
            && f64::from(trouble.mails(others)) < self.rate_of(trouble) * f64::from(others.attempted)
    }

    /// Whether these mails of others suffer.
    pub(crate) fn suffers(&self, trouble: Trouble, others: &CellCounts) -> bool {
        let rate = self.rate_of(trouble);
        let hit = trouble.customers(others);
        others.attempted >= self.minimum_mails
            && f64::from(trouble.mails(others)) >= rate * f64::from(others.attempted)
            && hit >= VOTES
            && f64::from(hit) >= SHARE_OF_VOTES * f64::from(others.customers.any)
    }
}

#[cfg(test)]
mod tests {
    use model::{Bucket, Counter, Grain};

    use super::*;

    const INCIDENT: Incident = Incident { rate: 0.1, deferral_rate: 0.5, minimum_mails: 20 };
    const CELL: Cell = Cell { grain: Grain::Hour, bucket: Bucket::new(7), provider: Provider::Microsoft };

    fn cell(attempted: u32, block: u32, senders: u32, hit: u32) -> CellCounts {
        let customers = Customers { any: senders, block: hit, ..Customers::default() };
        CellCounts { attempted, block, customers, ..CellCounts::default() }
    }

    fn own(attempted: u32, block: u32) -> Counts {
        let mut counts = Counts::ZERO;
        counts[Counter::Processed] = attempted;
        counts[Counter::Block] = block;
        counts
    }

    /// Blames for one customer's blocks, given everybody's cell and that of its pool.
    fn blame(own: &Counts, all: CellCounts, pool: CellCounts) -> Option<Blame> {
        let name = PoolName::new("good-1");
        let fleet = Fleet {
            cells: [(CELL, all)].into_iter().collect(),
            pool_cells: [(name.clone(), [(CELL, pool)].into_iter().collect())].into(),
            ..Fleet::default()
        };
        INCIDENT.blame(Trouble::Block, Place { cell: CELL, own, pool: Some(&name) }, &fleet)
    }

    #[test]
    fn where_all_pools_suffer_it_is_the_provider() {
        assert_eq!(blame(&own(20, 12), cell(220, 132, 11, 11), cell(120, 72, 6, 6)), Some(Blame::Provider));
    }

    #[test]
    fn where_the_pool_suffers_and_others_do_not_it_is_the_pool() {
        assert_eq!(blame(&own(20, 12), cell(420, 74, 21, 8), cell(120, 72, 6, 6)), Some(Blame::Pool));
    }

    #[test]
    fn where_only_another_pool_suffers_a_customer_of_this_one_is_not_excused() {
        assert_eq!(blame(&own(20, 12), cell(240, 96, 12, 7), cell(120, 12, 6, 1)), None);
        assert_eq!(
            blame(&own(20, 12), cell(240, 96, 12, 7), cell(39, 12, 2, 1)),
            Some(Blame::Provider),
            "too few here"
        );
    }

    #[test]
    fn a_giant_alone_is_no_incident() {
        assert_eq!(blame(&own(10_000, 6_000), cell(10_200, 6_002, 11, 3), cell(10_100, 6_001, 6, 2)), None);
    }

    #[test]
    fn two_others_with_a_bad_list_are_no_incident() {
        assert_eq!(blame(&own(100, 30), cell(500, 100, 12, 3), cell(400, 95, 6, 3)), None);
    }

    #[test]
    fn all_other_domains_are_no_provider_but_a_pool_may_be_blocked_there() {
        let name = PoolName::new("good-1");
        let elsewhere = Cell { provider: Provider::Other, ..CELL };
        let blame_at = |trouble: Trouble, all: CellCounts, pool: CellCounts, sends_through: Option<&PoolName>| {
            let mut mail = own(20, 12);
            mail[Counter::HardBounce] = 12;
            let bounced = |cell: CellCounts| CellCounts {
                hard_bounce: cell.block,
                customers: Customers { hard_bounce: cell.customers.block, ..cell.customers },
                ..cell
            };
            let fleet = Fleet {
                cells: [(elsewhere, bounced(all))].into_iter().collect(),
                pool_cells: [(name.clone(), [(elsewhere, bounced(pool))].into_iter().collect())].into(),
                ..Fleet::default()
            };
            INCIDENT.blame(trouble, Place { cell: elsewhere, own: &mail, pool: sends_through }, &fleet)
        };
        let (everywhere, here) = (cell(220, 132, 11, 11), cell(120, 72, 6, 6));
        for trouble in [Trouble::Block, Trouble::HardBounce] {
            assert_eq!(blame_at(trouble, everywhere, here, Some(&name)), None);
            assert_eq!(blame_at(trouble, everywhere, here, None), None);
        }
        let spared = cell(420, 74, 21, 8);
        assert_eq!(blame_at(Trouble::Block, spared, here, Some(&name)), Some(Blame::Pool));
        assert_eq!(blame_at(Trouble::HardBounce, spared, here, Some(&name)), None);
    }

    #[test]
    fn with_too_few_others_nobody_can_tell() {
        assert_eq!(blame(&own(20, 12), cell(39, 30, 8, 8), cell(39, 30, 8, 8)), None);
    }
}
