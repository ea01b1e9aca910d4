//! When there may have been an incident anywhere.

use std::collections::BTreeSet;

use model::{Bucket, Cell, CellCounts, Cells, Fleet, Grain};

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

    /// Whether there may have been one in any whole hour.
    pub fn has_hours(&self) -> bool {
        self.0.iter().any(|(grain, ..)| *grain == Grain::Hour)
    }

    /// Whether anybody may have been caught in one in this cell.
    pub(crate) fn cover(&self, trouble: Trouble, cell: Cell) -> bool {
        self.0.contains(&(cell.grain, cell.bucket, trouble))
    }
}

impl Policy {
    /// The buckets in which `fleet` may have had an incident.
    pub fn suspicions(&self, fleet: &Fleet) -> Suspicions {
        // In the quarantine pool everybody's mail suffers: that is what it is for.
        let pools = fleet.pool_cells.iter().filter(|(pool, _)| *pool != self.quarantine()).map(|(_, cells)| cells);
        let found = pools.chain([&fleet.cells]).flat_map(|cells| self.suspicious(cells)).collect();
        Suspicions(found)
    }

    fn suspicious<'c>(&'c self, cells: &'c Cells) -> impl Iterator<Item = (Grain, Bucket, Trouble)> + 'c {
        cells.buckets().flat_map(move |bucket| {
            let all = bucket.iter().fold(CellCounts::default(), |sum, (_, counts)| sum.plus(*counts));
            let suffers = move |trouble: &Trouble| {
                let mut counts = bucket.iter().map(|(_, counts)| counts).chain([&all]);
                counts.any(|counts| self.incident.may_suffer(*trouble, counts))
            };
            let place = bucket.first().map(|(cell, _)| (cell.grain, cell.bucket));
            let troubles = Trouble::ALL.into_iter().filter(suffers);
            troubles.filter_map(move |trouble| place.map(|(grain, bucket)| (grain, bucket, trouble)))
        })
    }
}
