//! Counts by bucket, at the three grains.

use model::{Bucket, Counter, Counts, Grain, Timestamp, Window};
use serde::{Deserialize, Serialize};

/// The latest buckets that are not empty, by grain and then by age, oldest first.
///
/// Of each grain at most [`Grain::kept`] buckets are held, counted back from its newest; an event that belongs to an older
/// one is not added to that grain. All grains share one vector: most customers have few buckets, and there are many
/// customers, so what counts is how many places in memory an event touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rings(Vec<Filled>);

/// A bucket with something in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filled {
    grain: Grain,
    /// Which bucket.
    pub(crate) bucket: Bucket,
    /// What is in it.
    pub(crate) counts: Counts,
}

impl Rings {
    /// Counts one event of a mail of the moment `at`.
    pub(crate) fn count(&mut self, at: Timestamp, counter: Counter) {
        for grain in Grain::ALL {
            if let Some(counts) = self.slot(grain, Bucket::of(grain, at)) {
                counts.count(counter);
            }
        }
    }

    /// The buckets of `grain` from `first` on, oldest first.
    pub(crate) fn from(&self, grain: Grain, first: Bucket) -> &[Filled] {
        let start = self.0.partition_point(|filled| (filled.grain, filled.bucket) < (grain, first));
        let end = self.0.partition_point(|filled| filled.grain <= grain);
        self.0.get(start..end).unwrap_or_default()
    }

    /// The counts of one bucket.
    pub(crate) fn at(&self, grain: Grain, bucket: Bucket) -> Counts {
        let first = self.from(grain, bucket).first();
        first.filter(|filled| filled.bucket == bucket).map(|filled| filled.counts).unwrap_or_default()
    }

    /// The sum over `window`, ending at `now`.
    pub(crate) fn sum(&self, window: Window, now: Timestamp) -> Counts {
        self.from(window.grain(), window.first_bucket(now)).iter().map(|filled| &filled.counts).sum()
    }

    /// The counts of a bucket, made if need be; `None` for one that is too old.
    fn slot(&mut self, grain: Grain, bucket: Bucket) -> Option<&mut Counts> {
        let end = self.0.partition_point(|filled| filled.grain <= grain);
        let newest = self.0[..end].last().filter(|filled| filled.grain == grain).map(|filled| filled.bucket);
        if newest == Some(bucket) {
            return Some(&mut self.0[end - 1].counts);
        }
        if newest.is_some_and(|newest| bucket < newest.back(grain.kept() - 1)) {
            return None;
        }
        if newest.is_some_and(|newest| bucket > newest) {
            self.forget(grain, bucket.back(grain.kept() - 1));
        }
        let place = (grain, bucket);
        let at = match self.0.binary_search_by_key(&place, |filled| (filled.grain, filled.bucket)) {
            Ok(at) => at,
            Err(at) => {
                // Room is made for little at first: most customers stay small.
                if self.0.len() < 2 * Grain::ALL.len() {
                    self.0.reserve_exact(Grain::ALL.len());
                }
                self.0.insert(at, Filled { grain, bucket, counts: Counts::ZERO });
                at
            }
        };
        Some(&mut self.0[at].counts)
    }

    /// Drops the buckets of `grain` before `oldest`: no window reaches them any more.
    fn forget(&mut self, grain: Grain, oldest: Bucket) {
        let start = self.0.partition_point(|filled| filled.grain < grain);
        let end = self.0.partition_point(|filled| (filled.grain, filled.bucket) < (grain, oldest));
        self.0.drain(start..end);
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

    #[test]
    fn a_clock_that_is_ahead_takes_nothing_from_a_window() {
        let (mut rings, now) = (Rings::default(), Timestamp::from_seconds(1_790_000_000));
        for window in Window::ALL {
            rings.count(window.first_bucket(now).start(window.grain()), Counter::Click);
        }
        rings.count(now + model::Millis::hours(1), Counter::Click);
        for (counted, window) in (2..).zip(Window::ALL) {
            assert_eq!(rings.sum(window, now)[Counter::Click], counted, "{window:?}");
        }
    }
}
