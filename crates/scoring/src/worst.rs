//! The customers with the most bad events of late: a short list, kept without knowing all of them.

use std::collections::BTreeMap;

use model::{Bucket, CustomerId, Grain, Timestamp};
use serde::{Deserialize, Serialize};

/// Counts bad events by customer for today and yesterday, each for so many customers at most.
///
/// The Space-Saving algorithm (Metwally, Agrawal and El Abbadi 2005): whoever is not on a full list takes the place of the
/// one with the fewest, and its count. Whoever has more than one bad event in [`KEPT`] of all is on the list for certain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Worst {
    day: Bucket,
    today: BTreeMap<CustomerId, u32>,
    yesterday: BTreeMap<CustomerId, u32>,
}

/// How many customers are kept of a day.
const KEPT: usize = 128;

impl Worst {
    /// One bad event of `customer`, seen at `now`.
    pub(crate) fn count(&mut self, customer: &CustomerId, now: Timestamp) {
        self.turn(Bucket::of(Grain::Day, now));
        if let Some(count) = self.today.get_mut(customer) {
            *count = count.saturating_add(1);
            return;
        }
        let inherited = if self.today.len() < KEPT { 0 } else { self.drop_fewest() };
        self.today.insert(customer.clone(), inherited.saturating_add(1));
    }

    /// Whoever is on a list, in the order of their names.
    pub(crate) fn names(&self) -> Vec<CustomerId> {
        let mut names: Vec<_> = self.today.keys().chain(self.yesterday.keys()).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether `customer` is on a list.
    pub(crate) fn holds(&self, customer: &CustomerId) -> bool {
        self.today.contains_key(customer) || self.yesterday.contains_key(customer)
    }

    fn turn(&mut self, day: Bucket) {
        if day == self.day {
            return;
        }
        let before = std::mem::take(&mut self.today);
        self.yesterday = if self.day.next() == day { before } else { BTreeMap::new() };
        self.day = day;
    }

    fn drop_fewest(&mut self) -> u32 {
        let fewest = self.today.iter().min_by_key(|(_, count)| **count).map(|(name, _)| name.clone());
        fewest.and_then(|name| self.today.remove(&name)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_many_is_on_the_list_however_many_have_few() {
        let (mut worst, now) = (Worst::default(), Timestamp::from_seconds(1_790_000_000));
        let id = |name: String| CustomerId::new(&name).unwrap();
        for number in 0..5_000 {
            worst.count(&id(format!("small-{number}")), now);
            if number % 20 == 0 {
                worst.count(&id("bad".to_owned()), now);
            }
        }
        assert!(worst.holds(&id("bad".to_owned())));
        assert_eq!(worst.names().len(), KEPT);
        worst.count(&id("other".to_owned()), now + model::Millis::days(1));
        assert!(worst.holds(&id("bad".to_owned())), "yesterday still counts");
        worst.count(&id("other".to_owned()), now + model::Millis::days(3));
        assert_eq!(worst.names(), [id("other".to_owned())]);
    }
}
