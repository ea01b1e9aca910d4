//! Is it the provider? Cells in which everyone else's mail is blocked too.

use model::{Cell, CellCounts, Fleet, Rate};

/// When a provider counts as having an incident.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Incident {
    /// Share of the others' mail blocked in the cell.
    pub(crate) rate: f64,
    /// Others' mails needed in the cell before anyone can tell.
    pub(crate) minimum_mails: u32,
}

impl Incident {
    /// Whether `cell` is an incident for a customer whose own part in it is `own`.
    ///
    /// The others are the fleet without the customer, so that a giant cannot fake an incident by itself.
    pub(crate) fn covers(&self, cell: Cell, own: CellCounts, fleet: &Fleet) -> bool {
        let others = fleet.cell(cell).without(own);
        others.attempted >= self.minimum_mails && Rate::of(others.block, others.attempted).get() >= self.rate
    }
}
