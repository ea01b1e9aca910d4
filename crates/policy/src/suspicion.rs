//! When there may have been an incident anywhere.

use std::collections::{BTreeMap, BTreeSet};

use model::{Bucket, Cell, CellCounts, Fleet, Grain, PoolName};

use crate::Policy;
use crate::signal::Trouble;

/// The buckets in which the fleet may have had an incident, as far as all mail together shows.
///
/// Who was caught in an incident is asked of every bucket of everyone's mail; nearly all of them are ruled out here, once for
/// all customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspicions(BTreeSet<(Grain, Bucket, Trouble)>);

impl Suspicions {
    /// Whether there was none in any bucket.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether anybody may have been caught in one in this cell.
    pub(crate) fn cover(&self, trouble: Trouble, cell: Cell) -> bool {
        self.0.contains(&(cell.grain, cell.bucket, trouble))
    }
}

impl Policy {
    /// The buckets in which `fleet` may have had an incident.
    pub fn suspicions(&self, fleet: &Fleet) -> Suspicions {
        let mut pools: BTreeMap<(&PoolName, Grain, Bucket), CellCounts> = BTreeMap::new();
        for (cell, counts) in &fleet.pool_cells {
            let sum = pools.entry((&cell.pool, cell.cell.grain, cell.cell.bucket)).or_default();
            *sum = sum.plus(*counts);
        }
        let of_providers = fleet.cells.iter().map(|(cell, counts)| (cell.grain, cell.bucket, *counts));
        let of_both = fleet.pool_cells.iter().map(|(cell, counts)| (cell.cell.grain, cell.cell.bucket, *counts));
        let of_pools = pools.into_iter().map(|((_, grain, bucket), counts)| (grain, bucket, counts));
        let mut found = BTreeSet::new();
        for (grain, bucket, counts) in of_providers.chain(of_both).chain(of_pools) {
            let suffered = Trouble::ALL.into_iter().filter(|trouble| self.incident.may_suffer(*trouble, &counts));
            found.extend(suffered.map(|trouble| (grain, bucket, trouble)));
        }
        Suspicions(found)
    }
}
