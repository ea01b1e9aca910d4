//! The catch against too much at once: a false alarm about everybody must not stop everybody's mail.

use std::collections::BTreeMap;

use model::{CustomerId, HeldWhy, Millis, Timestamp};

use crate::Limits;

/// Over which time moves are counted.
const HOUR: Millis = Millis::hours(1);

/// Who was moved within the hour, and how much mail with them.
#[derive(Debug, Default)]
pub(crate) struct Catch(BTreeMap<CustomerId, Moved>);

#[derive(Clone, Copy, Debug)]
struct Moved {
    at: Timestamp,
    sent_24h: u32,
}

impl Catch {
    /// Notes that a customer was moved.
    pub(crate) fn note(&mut self, customer: &CustomerId, at: Timestamp, sent_24h: u32) {
        self.0.insert(customer.clone(), Moved { at, sent_24h });
    }

    /// Why a customer that sends so much can't be moved at `now`; nothing where it can. Of the fleet's mail, `None` is known
    /// while no partition has told its share.
    ///
    /// Whoever was moved within the hour is counted once, however often it is moved. The first one within an hour can be moved
    /// however much it sends.
    pub(crate) fn holds(
        &mut self,
        (customer, sent_24h): (&CustomerId, u32),
        fleet_24h: Option<u64>,
        limits: Limits,
        now: Timestamp,
    ) -> Option<(HeldWhy, String)> {
        self.0.retain(|_, moved| now.since(moved.at) < HOUR);
        if self.0.contains_key(customer) {
            return None;
        }
        let most = limits.customers_per_hour;
        if self.0.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            let reason = format!(
                "{most} customers were moved within the hour, which is the most: see whether it is a false alarm; put the \
                 customer there by hand, or raise [enforcer] customers_per_hour"
            );
            return Some((HeldWhy::CustomersPerHour, reason));
        }
        // However much one customer sends: on a small platform any bad one may be a large part of the mail.
        if self.0.is_empty() {
            return None;
        }
        let fleet = fleet_24h?;
        let moved: u64 = self.0.values().map(|moved| u64::from(moved.sent_24h)).sum::<u64>() + u64::from(sent_24h);
        is_over(moved, limits.volume_per_hour, fleet).then(|| {
            let reason = format!(
                "with it more than {:.0} % of all customers' mail would be moved within the hour: see whether it is a false \
                 alarm; put the customer there by hand, or raise [enforcer] volume_per_hour",
                limits.volume_per_hour * 100.0
            );
            (HeldWhy::VolumePerHour, reason)
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a day's mail are far below 2^53")]
fn is_over(moved: u64, share: f64, fleet: u64) -> bool {
    moved as f64 > share * fleet as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { customers_per_hour: 10, volume_per_hour: 0.2 };

    fn id(number: u32) -> CustomerId {
        CustomerId::new(&format!("c{number}")).unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(0) + Millis::minutes(minutes)
    }

    #[test]
    fn the_eleventh_of_ten_waits_until_the_first_is_an_hour_ago() {
        let mut catch = Catch::default();
        for number in 0..10 {
            assert_eq!(catch.holds((&id(number), 1), Some(1_000), LIMITS, at(1)), None);
            catch.note(&id(number), at(i64::from(number)), 1);
        }
        let held = |catch: &mut Catch, minutes| catch.holds((&id(10), 1), Some(1_000), LIMITS, at(minutes));
        assert_eq!(held(&mut catch, 59).unwrap().0, HeldWhy::CustomersPerHour);
        assert_eq!(catch.holds((&id(9), 1), Some(1_000), LIMITS, at(59)), None, "moved already");
        assert_eq!(held(&mut catch, 60), None);
    }

    proptest! {
        #[test]
        fn never_more_than_the_share_or_one_customer_is_moved_within_an_hour(
            sent in prop::collection::vec((0_u32..400, 0_i64..5), 1..60),
            share in 0.01_f64..0.5,
        ) {
            let limits = Limits { customers_per_hour: 1_000, volume_per_hour: share };
            let (mut catch, mut moved, mut now) = (Catch::default(), Vec::new(), 0);
            for (number, (sent, minutes)) in (0_u32..).zip(sent) {
                now += minutes;
                if catch.holds((&id(number), sent), Some(1_000), limits, at(now)).is_none() {
                    catch.note(&id(number), at(now), sent);
                    moved.push((now, sent));
                }
                let within: Vec<_> = moved.iter().filter(|(then, _)| now - then < 60).map(|(_, sent)| *sent).collect();
                let sum: u32 = within.iter().sum();
                // The first of an hour may be as large as it is; whoever joins it must fit beside it.
                let is_first_larger = f64::from(sum) > share * 1_000.0;
                prop_assert!(within.len() <= 1 || !is_first_larger || within[1..].iter().all(|sent| *sent == 0));
            }
        }
    }
}
