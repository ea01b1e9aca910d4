//! A customer's mail (or the whole partition's) by mailbox provider.

use model::{Bucket, Cell, Counter, Counts, Grain, Offset, Provider, ProviderCounts, Timestamp, Window};
use policy::{Signal, Visit};
use serde::{Deserialize, Serialize};

use crate::ring::Rings;

/// Counts by provider and bucket; only providers that were seen take space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail(Vec<(Provider, Rings)>);

impl Mail {
    /// Counts one event of a mail of the moment `at`.
    pub(crate) fn count(&mut self, provider: Provider, at: Timestamp, counter: Counter) {
        let slot = match self.0.binary_search_by_key(&provider, |(provider, _)| *provider) {
            Ok(slot) => slot,
            Err(slot) => {
                self.0.insert(slot, (provider, Rings::default()));
                slot
            }
        };
        self.0[slot].1.count(at, counter);
    }

    /// The sum by provider over the window that ends at `now`.
    pub fn sum(&self, window: Window, now: Timestamp) -> ProviderCounts {
        let mut sum = ProviderCounts::default();
        for (provider, rings) in &self.0 {
            sum.add(*provider, &rings.sum(window, now));
        }
        sum
    }

    /// The counts of one cell.
    pub(crate) fn at(&self, cell: Cell) -> Counts {
        let rings = self.0.binary_search_by_key(&cell.provider, |(provider, _)| *provider).map(|slot| &self.0[slot].1);
        rings.map(|rings| rings.at(cell.grain, cell.bucket)).unwrap_or_default()
    }

    /// The latest cells of `grain`, as far back as a window of that grain that ends at `now` can reach.
    pub(crate) fn cells(&self, grain: Grain, now: Timestamp) -> impl Iterator<Item = (Cell, &Counts)> {
        self.from(grain, Bucket::of(grain, now).back(grain.reach() - 1))
    }

    /// Whether any bucket that a window reaches holds bad events whose mails nothing else tells of.
    pub(crate) fn is_unmatched(&self, now: Timestamp) -> bool {
        let mut cells = Grain::ALL.into_iter().flat_map(|grain| self.cells(grain, now));
        cells.any(|(_, counts)| Signal::ALL.iter().any(|signal| signal.is_unmatched(counts)))
    }

    /// The cells of `grain` from the bucket `first` on.
    fn from(&self, grain: Grain, first: Bucket) -> impl Iterator<Item = (Cell, &Counts)> {
        self.0.iter().flat_map(move |(provider, rings)| {
            let cell = move |bucket| Cell { grain, bucket, provider: *provider };
            rings.from(grain, first).iter().map(move |filled| (cell(filled.bucket), &filled.counts))
        })
    }
}

/// Where a customer's windows begin anew: the moment it came down the ladder, and what the buckets that were filling then
/// hold of mail from before it, and of what was counted before it although clocks ahead say that it was sent behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    at: Timestamp,
    /// The record that brought it about.
    pub(crate) offset: Offset,
    /// In the order of the cells.
    before: Vec<(Cell, Counts)>,
}

impl Release {
    pub(crate) fn new(mail: &Mail, at: Timestamp, offset: Offset) -> Self {
        let filling = |grain| mail.from(grain, Bucket::of(grain, at)).map(|(cell, counts)| (cell, *counts));
        let mut before: Vec<_> = Grain::ALL.into_iter().flat_map(filling).collect();
        before.sort_by_key(|(cell, _)| *cell);
        Self { at, offset, before }
    }

    /// When it was.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// An event of a mail from before the release comes only now: it lies before the release too.
    pub(crate) fn count_late(&mut self, provider: Provider, sent: Timestamp, counter: Counter) {
        for grain in Grain::ALL {
            let cell = Cell { grain, bucket: Bucket::of(grain, sent), provider };
            if cell.bucket < Bucket::of(grain, self.at) {
                continue;
            }
            let place = self.before.binary_search_by_key(&cell, |(cell, _)| *cell).unwrap_or_else(|place| {
                self.before.insert(place, (cell, Counts::ZERO));
                place
            });
            self.before[place].1.count(counter);
        }
    }

    fn counted_before(&self, cell: Cell) -> Counts {
        let place = self.before.binary_search_by_key(&cell, |(cell, _)| *cell);
        place.map(|place| self.before[place].1).unwrap_or_default()
    }
}

/// Hands out the buckets of the window that ends at `now`, and of nothing before the release.
pub(crate) fn visit_since(
    mail: &Mail,
    release: Option<&Release>,
    now: Timestamp,
    window: Window,
    visit: &mut Visit<'_>,
) {
    let grain = window.grain();
    let released_in = release.map(|release| Bucket::of(grain, release.at));
    let first = window.first_bucket(now).max(released_in.unwrap_or_default());
    for (provider, rings) in &mail.0 {
        for filled in rings.from(grain, first) {
            let cell = Cell { grain, bucket: filled.bucket, provider: *provider };
            match release {
                Some(release) => visit(cell, &filled.counts.without(&release.counted_before(cell))),
                None => visit(cell, &filled.counts),
            }
        }
    }
}
