//! What waits for a try: each customer's deliveries in their order, and the customers by whose turn it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{CustomerId, Timestamp};

use crate::progress::{Retry, Spot};
use crate::told::Told;

/// A delivery.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// Where what it tells stands.
    pub(crate) spot: Spot,
    pub(crate) told: Told,
    pub(crate) retry: Retry,
}

/// Deliveries; whoever puts them in keeps their number bounded.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: BTreeMap<CustomerId, VecDeque<Delivery>>,
    /// The first of each line, unless it is being tried now.
    due: BTreeSet<(Timestamp, CustomerId)>,
    len: usize,
}

impl Queue {
    /// Puts a delivery behind those of its customer.
    pub(crate) fn put(&mut self, delivery: Delivery) {
        let customer = delivery.told.customer().clone();
        let line = self.lines.entry(customer.clone()).or_default();
        if line.is_empty() {
            self.due.insert((delivery.retry.due, customer));
        }
        line.push_back(delivery);
        self.len += 1;
    }

    /// How many there are, those that are being tried too.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// When the next one is due that is not being tried.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// A delivery that is due, to be tried now; it stays first in its line until it is told what came of it.
    pub(crate) fn start(&mut self, now: Timestamp) -> Option<Delivery> {
        if self.next_due()? > now {
            return None;
        }
        let (_, customer) = self.due.pop_first()?;
        self.lines.get(&customer)?.front().cloned()
    }

    /// The first of `customer`'s line is done, or given up.
    pub(crate) fn done(&mut self, customer: &CustomerId) {
        let Some(line) = self.lines.get_mut(customer) else { return };
        if line.pop_front().is_some() {
            self.len -= 1;
        }
        match line.front() {
            Some(next) => {
                self.due.insert((next.retry.due, customer.clone()));
            }
            None => {
                self.lines.remove(customer);
            }
        }
    }

    /// The first of `customer`'s line is to be tried again so.
    pub(crate) fn again(&mut self, customer: &CustomerId, retry: Retry) {
        if let Some(first) = self.lines.get_mut(customer).and_then(VecDeque::front_mut) {
            first.retry = retry;
            self.due.insert((retry.due, customer.clone()));
        }
    }

    /// Makes everything due at `now` that would be due later: the endpoint is back.
    pub(crate) fn bring_forward(&mut self, now: Timestamp) {
        let later: Vec<_> = self.due.iter().filter(|(due, _)| *due > now).cloned().collect();
        for (due, customer) in later {
            if let Some(first) = self.lines.get_mut(&customer).and_then(VecDeque::front_mut) {
                first.retry.due = now;
                self.due.remove(&(due, customer.clone()));
                self.due.insert((now, customer));
            }
        }
    }

    /// What waits or is being tried.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Spot, Retry)> {
        self.lines.values().flatten().map(|delivery| (delivery.spot, delivery.retry))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use log::{Record, RecordKind, Topic};
    use model::{Millis, Offset, PartitionId};

    use super::*;
    use crate::progress::Source;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn delivery(customer: &str, offset: u64) -> Delivery {
        let json = format!(
            r#"{{"id":"{offset:032x}","customer":"{customer}","at":"2026-09-21T14:38:20Z","to":"quarantined"}}"#
        );
        let record =
            Record { kind: RecordKind::Output, at: NOW, key: Bytes::new(), headers: [].into(), value: json.into() };
        let source = Source { topic: Topic::Decisions, partition: PartitionId::new(0) };
        Delivery {
            spot: Spot { source, offset: Offset::new(offset) },
            told: Told::read(Topic::Decisions, &record).unwrap().unwrap(),
            retry: Retry { tries: 0, due: NOW },
        }
    }

    fn started(queue: &mut Queue, now: Timestamp) -> Vec<u64> {
        std::iter::from_fn(|| queue.start(now)).map(|delivery| delivery.spot.offset.get()).collect()
    }

    fn queue_of(deliveries: &[(&str, u64)]) -> Queue {
        let mut queue = Queue::default();
        deliveries.iter().for_each(|(customer, offset)| queue.put(delivery(customer, *offset)));
        queue
    }

    #[test]
    fn of_a_customer_one_delivery_is_tried_at_a_time_and_in_order() {
        let (a, mut queue) = (CustomerId::new("a").unwrap(), queue_of(&[("a", 1), ("a", 2), ("b", 3)]));
        assert_eq!(started(&mut queue, NOW), [1, 3]);
        queue.done(&a);
        assert_eq!(started(&mut queue, NOW), [2]);
        queue.done(&a);
        assert_eq!((queue.len(), queue.next_due()), (1, None), "b's is still being tried");
    }

    #[test]
    fn what_failed_holds_its_own_customer_up_and_nobody_else() {
        let (a, mut queue) = (CustomerId::new("a").unwrap(), queue_of(&[("a", 1), ("a", 2), ("b", 3)]));
        assert_eq!(started(&mut queue, NOW), [1, 3]);
        let due = NOW + Millis::minutes(5);
        queue.again(&a, Retry { tries: 1, due });
        queue.put(delivery("c", 4));
        assert_eq!(started(&mut queue, NOW), [4]);
        assert_eq!((queue.next_due(), started(&mut queue, due)), (Some(due), vec![1]));
    }

    #[test]
    fn what_waits_for_later_can_be_brought_forward() {
        let (a, mut queue) = (CustomerId::new("a").unwrap(), queue_of(&[("a", 1), ("a", 2)]));
        assert_eq!(started(&mut queue, NOW), [1]);
        queue.again(&a, Retry { tries: 3, due: NOW + Millis::hours(5) });
        queue.bring_forward(NOW);
        assert_eq!(started(&mut queue, NOW), [1]);
        assert_eq!(queue.waiting().next().unwrap().1.tries, 3);
    }
}
