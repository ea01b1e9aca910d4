//! What is shown of a customer.

use std::collections::BTreeMap;

use model::{Bucket, CustomerId, CustomerView, Grain, Series, SeriesPoint, Timestamp, Window};
use policy::{Fraction, Policy, Signal};

use crate::Customer;
use crate::mail::Mail;

/// The customer's standing and its counts over the windows that end at `now`.
pub fn view(id: &CustomerId, customer: &Customer, policy: &Policy, now: Timestamp) -> CustomerView {
    let mut windows = BTreeMap::new();
    let mut providers: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for window in Window::ALL {
        let counts = customer.mail.sum(window, now);
        windows.insert(window, counts.total());
        for (provider, counts) in counts.seen() {
            providers.entry(provider).or_default().insert(window, *counts);
        }
    }
    CustomerView {
        standing: customer.standing(id, policy, now),
        windows,
        providers,
        series: series(&customer.mail, now),
    }
}

fn series(mail: &Mail, now: Timestamp) -> Series {
    Series { hours: points(mail, Grain::Hour, now), days: points(mail, Grain::Day, now) }
}

fn points(mail: &Mail, grain: Grain, now: Timestamp) -> Vec<SeriesPoint> {
    let mut buckets: BTreeMap<Bucket, (u32, [Fraction; Signal::ALL.len()])> = BTreeMap::new();
    for (cell, counts) in mail.cells(grain, now) {
        let (mails, fractions) = buckets.entry(cell.bucket).or_default();
        *mails = mails.saturating_add(counts.attempted());
        for (fraction, signal) in fractions.iter_mut().zip(Signal::ALL) {
            *fraction = fraction.plus(signal.fraction(cell.provider, counts));
        }
    }
    let point = |(bucket, (mails, fractions)): (Bucket, (u32, [Fraction; Signal::ALL.len()]))| {
        let named = Signal::ALL.into_iter().zip(fractions);
        let signals = named.map(|(signal, fraction)| (signal.name().to_owned(), [fraction.hits, fraction.mails]));
        SeriesPoint { at: bucket.start(grain), mails, signals: signals.collect() }
    };
    buckets.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use model::{Counter, Millis, Provider};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_hours_and_the_days_are_the_same_mail_in_other_buckets(
            events in prop::collection::vec((0_i64..86_000, 0_usize..2, any::<bool>()), 1..200)
        ) {
            let start = Timestamp::from_seconds(1_790_000_000);
            let mut mail = Mail::default();
            for (at, provider, bounces) in &events {
                let (provider, at) = ([Provider::Gmail, Provider::Yahoo][*provider], start + Millis::seconds(*at));
                mail.count(provider, at, Counter::Processed);
                mail.count(provider, at, if *bounces { Counter::HardBounce } else { Counter::Delivered });
            }
            let series = series(&mail, start + Millis::seconds(86_000));
            let bounced = events.iter().filter(|(_, _, bounces)| *bounces).count();
            for points in [series.hours, series.days] {
                prop_assert!(points.is_sorted_by_key(|point| point.at));
                prop_assert_eq!(points.iter().map(|point| point.mails as usize).sum::<usize>(), events.len());
                let hits = points.iter().map(|point| point.signals["hard_bounce"][0] as usize).sum::<usize>();
                prop_assert_eq!(hits, bounced);
            }
        }
    }
}
