//! Counts by bucket, at the three grains.

use model::{Bucket, Counter, Counts, Grain, Timestamp, Window};
use serde::{Deserialize, Serialize};

/// The latest buckets of one grain that are not empty, oldest first.
///
/// Holds at most [`Grain::kept`] buckets before its newest; an event that belongs to an older one is not added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ring(Vec<(Bucket, Counts)>);

impl Ring {
    /// Counts one event in `bucket`.
    pub(crate) fn count(&mut self, grain: Grain, bucket: Bucket, counter: Counter) {
        if let Some((newest, counts)) = self.0.last_mut() {
            if *newest == bucket {
                counts.count(counter);
                return;
            }
            if bucket < newest.back(grain.kept() - 1) {
                return;
            }
        }
        self.slot(bucket).count(counter);
        self.forget(grain);
    }

    /// The buckets from `first` on.
    pub(crate) fn from(&self, first: Bucket) -> impl Iterator<Item = &(Bucket, Counts)> {
        let start = self.0.partition_point(|(bucket, _)| *bucket < first);
        self.0.iter().skip(start)
    }

    /// The counts of `bucket`.
    pub(crate) fn at(&self, bucket: Bucket) -> Counts {
        self.from(bucket).next().filter(|(found, _)| *found == bucket).map(|(_, counts)| *counts).unwrap_or_default()
    }

    fn slot(&mut self, bucket: Bucket) -> &mut Counts {
        let at = match self.0.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (bucket, Counts::ZERO));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Drops the buckets that no window reaches any more.
    fn forget(&mut self, grain: Grain) {
        let Some((newest, _)) = self.0.last() else { return };
        let oldest = newest.back(grain.kept() - 1);
        let stale = self.0.partition_point(|(bucket, _)| *bucket < oldest);
        self.0.drain(..stale);
    }
}

/// One ring for each grain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rings([Ring; Grain::ALL.len()]);

impl Rings {
    /// Counts one event of a mail of the moment `at`.
    pub(crate) fn count(&mut self, at: Timestamp, counter: Counter) {
        for (grain, ring) in Grain::ALL.into_iter().zip(&mut self.0) {
            ring.count(grain, Bucket::of(grain, at), counter);
        }
    }

    /// The ring of `grain`.
    pub(crate) const fn ring(&self, grain: Grain) -> &Ring {
        match grain {
            Grain::FiveMinutes => &self.0[0],
            Grain::Hour => &self.0[1],
            Grain::Day => &self.0[2],
        }
    }

    /// The sum over `window`, ending at `now`.
    pub(crate) fn sum(&self, window: Window, now: Timestamp) -> Counts {
        self.ring(window.grain()).from(window.first_bucket(now)).map(|(_, counts)| counts).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_window_is_the_sum_of_its_events_in_any_order(
            moments in prop::collection::vec(0_i64..3_600 * 30, 1..200),
            shift in 0_usize..200,
        ) {
            let count = |moments: &mut dyn Iterator<Item = &i64>| {
                let mut rings = Rings::default();
                moments.for_each(|at| rings.count(Timestamp::from_seconds(*at), Counter::Click));
                rings
            };
            let now = Timestamp::from_seconds(*moments.iter().max().unwrap());
            let forwards = count(&mut moments.iter());
            let shift = shift % moments.len();
            let turned = count(&mut moments[shift..].iter().rev().chain(&moments[..shift]));
            for window in Window::ALL {
                let first = window.first_bucket(now);
                let expected = moments.iter().filter(|at| {
                    Bucket::of(window.grain(), Timestamp::from_seconds(**at)) >= first
                }).count();
                prop_assert_eq!(forwards.sum(window, now)[Counter::Click] as usize, expected);
                prop_assert_eq!(turned.sum(window, now)[Counter::Click] as usize, expected);
            }
        }
    }
}
