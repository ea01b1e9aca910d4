//! Cells: what happened to many customers' mail at one provider in one bucket.

use serde::{Deserialize, Serialize};

use crate::{Bucket, Counter, Counts, Grain, Provider};

/// One provider during one bucket: the cell in which a provider-wide incident shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cell {
    /// How wide the bucket is.
    pub grain: Grain,
    /// Which bucket.
    pub bucket: Bucket,
    /// Whose mailboxes.
    pub provider: Provider,
}

/// What happened to the fleet's mail in one [`Cell`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CellCounts {
    /// Mails that SendGrid tried to deliver.
    pub attempted: u32,
    /// Mails refused for good.
    #[serde(default)]
    pub hard_bounce: u32,
    /// Mails that were blocked.
    pub block: u32,
    /// Mails that were deferred at least once.
    #[serde(default)]
    pub first_deferral: u32,
    /// How many customers these mails are of.
    #[serde(default)]
    pub customers: Customers,
}

/// How many customers have mail in a [`Cell`]: each has one vote on whether there is an incident, however much it sends.
///
/// A single mail is no vote, and a single bad event no vote for an incident: nearly every list has one dead address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Customers {
    /// Customers with more than one mail.
    pub any: u32,
    /// Customers with more than one hard bounce.
    pub hard_bounce: u32,
    /// Customers with more than one block.
    pub block: u32,
    /// Customers with more than one mail that was deferred.
    pub first_deferral: u32,
}

impl Customers {
    /// One customer's vote, given its own counts in the cell.
    pub fn one(counts: &Counts) -> Self {
        let has = |count| u32::from(count > 1);
        Self {
            any: has(counts.attempted()),
            hard_bounce: has(counts[Counter::HardBounce]),
            block: has(counts[Counter::Block]),
            first_deferral: has(counts[Counter::FirstDeferral]),
        }
    }

    /// What one more event of this kind adds to the vote of a customer that had these counts in the cell.
    pub fn added(counts: &Counts, counter: Counter) -> Self {
        let mut after = *counts;
        after.count(counter);
        Self::one(&after).without(Self::one(counts))
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            any: self.any.saturating_add(other.any),
            hard_bounce: self.hard_bounce.saturating_add(other.hard_bounce),
            block: self.block.saturating_add(other.block),
            first_deferral: self.first_deferral.saturating_add(other.first_deferral),
        }
    }

    /// What remains without `part`; never below zero.
    #[must_use]
    pub const fn without(self, part: Self) -> Self {
        Self {
            any: self.any.saturating_sub(part.any),
            hard_bounce: self.hard_bounce.saturating_sub(part.hard_bounce),
            block: self.block.saturating_sub(part.block),
            first_deferral: self.first_deferral.saturating_sub(part.first_deferral),
        }
    }
}

impl CellCounts {
    /// The figures of these counts, of these customers.
    pub fn new(counts: &Counts, customers: Customers) -> Self {
        Self {
            customers,
            attempted: counts.attempted(),
            hard_bounce: counts[Counter::HardBounce],
            block: counts[Counter::Block],
            first_deferral: counts[Counter::FirstDeferral],
        }
    }

    /// What remains without `part`; never below zero.
    #[must_use]
    pub fn without(self, part: Self) -> Self {
        Self {
            attempted: self.attempted.saturating_sub(part.attempted),
            hard_bounce: self.hard_bounce.saturating_sub(part.hard_bounce),
            block: self.block.saturating_sub(part.block),
            first_deferral: self.first_deferral.saturating_sub(part.first_deferral),
            customers: self.customers.without(part.customers),
        }
    }

    /// Both together; each sum stops at `u32::MAX`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            attempted: self.attempted.saturating_add(other.attempted),
            hard_bounce: self.hard_bounce.saturating_add(other.hard_bounce),
            block: self.block.saturating_add(other.block),
            first_deferral: self.first_deferral.saturating_add(other.first_deferral),
            customers: self.customers.plus(other.customers),
        }
    }
}

/// Cells with their figures, in order, so that those of one bucket lie side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Vec<Vec<serde_json::Value>>))]
#[serde(from = "Vec<(Cell, CellCounts)>")]
pub struct Cells(Vec<(Cell, CellCounts)>);

impl Cells {
    /// The figures of `cell`; zero where nothing was seen.
    pub fn at(&self, cell: Cell) -> CellCounts {
        let place = self.0.binary_search_by_key(&cell, |(cell, _)| *cell);
        place.map(|place| self.0[place].1).unwrap_or_default()
    }

    /// The figures of all providers together in the bucket of `cell`. A customer that sends to several counts for each.
    pub fn bucket(&self, cell: Cell) -> CellCounts {
        let wanted = (cell.grain, cell.bucket);
        let first = self.0.partition_point(|(cell, _)| (cell.grain, cell.bucket) < wanted);
        let same = self.0.iter().skip(first).take_while(|(cell, _)| (cell.grain, cell.bucket) == wanted);
        same.fold(CellCounts::default(), |sum, (_, counts)| sum.plus(*counts))
    }

    /// The cells of one bucket after the other.
    pub fn buckets(&self) -> impl Iterator<Item = &[(Cell, CellCounts)]> {
        self.0.chunk_by(|(a, _), (b, _)| (a.grain, a.bucket) == (b.grain, b.bucket))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Cell, CellCounts)> {
        self.0.iter().copied()
    }

    /// Adds the figures of `others`.
    pub fn add(&mut self, others: &Self) {
        *self = self.iter().chain(others.iter()).collect();
    }
}

/// Figures of the same cell are added.
impl FromIterator<(Cell, CellCounts)> for Cells {
    fn from_iter<I: IntoIterator<Item = (Cell, CellCounts)>>(cells: I) -> Self {
        let mut cells: Vec<_> = cells.into_iter().collect();
        cells.sort_by_key(|(cell, _)| *cell);
        cells.dedup_by(|(cell, counts), (before, sum)| {
            let same = cell == before;
            if same {
                *sum = sum.plus(*counts);
            }
            same
        });
        Self(cells)
    }
}

impl From<Vec<(Cell, CellCounts)>> for Cells {
    fn from(cells: Vec<(Cell, CellCounts)>) -> Self {
        cells.into_iter().collect()
    }
}
