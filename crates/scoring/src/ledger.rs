//! Many customers' mail together: counts by provider and bucket, and how many customers each cell is of.

use std::collections::BTreeMap;

use model::{Cell, CellCounts, Counter, Customers, Grain, Provider, ProviderCounts, Timestamp, Window};
use serde::{Deserialize, Serialize};

use crate::mail::Mail;

/// The mail of a partition, or of one pool in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    mail: Mail,
    votes: BTreeMap<Cell, Customers>,
}

impl Ledger {
    /// Counts one event of a mail of the moment `at`.
    pub(crate) fn count(&mut self, provider: Provider, at: Timestamp, counter: Counter) {
        self.mail.count(provider, at, counter);
    }

    /// Adds customers' votes to a cell.
    pub(crate) fn vote(&mut self, cell: Cell, votes: Customers) {
        let sum = self.votes.entry(cell).or_default();
        *sum = sum.plus(votes);
    }

    /// Forgets the votes of cells that no window reaches any more.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        let oldest = |grain: Grain| model::Bucket::of(grain, now).back(grain.kept());
        self.votes.retain(|cell, _| cell.bucket >= oldest(cell.grain));
    }

    /// The sum by provider over the window that ends at `now`.
    pub(crate) fn sum(&self, window: Window, now: Timestamp) -> ProviderCounts {
        self.mail.sum(window, now)
    }

    /// The latest cells of `grains`.
    pub(crate) fn cells(&self, grains: &[Grain], now: Timestamp) -> impl Iterator<Item = (Cell, CellCounts)> {
        let cells = grains.iter().flat_map(move |grain| self.mail.cells(*grain, now));
        cells.map(|(cell, counts)| (cell, CellCounts::new(counts, self.votes.get(&cell).copied().unwrap_or_default())))
    }
}
