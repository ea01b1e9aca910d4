//! Whose mail was it? Events that name no customer, joined by the mail's ids to events that do.
//!
//! SendGrid leaves custom arguments and `sg_message_id` out of asynchronous bounces, and arguments out of some complaints,
//! but they carry the `smtp-id` of their mail. So the receiver remembers of which customer the latest mails were, once
//! their events are durable, and an event that names nobody goes to the customer whose mail it is of.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use foldhash::fast::RandomState;
use model::Digest;

use crate::bounded_map::BoundedMap;

/// How many ids are remembered: a mail has two. An id takes some 40 bytes, so this is about 40 MB.
const KEPT: usize = 1_000_000;
/// How many customers' names are remembered, each of at most 200 bytes.
const CUSTOMERS_KEPT: usize = 100_000;
/// Stands for the customer of an id that two of them have used: who sends by SMTP chooses its `Message-ID`.
const SEVERAL: u32 = u32::MAX;

/// The ids of a mail: SendGrid's, and its `Message-ID`.
pub(crate) type MailIds = [Option<Digest>; 2];

/// Which customers the latest mails were of.
#[derive(Debug)]
pub(crate) struct Origins(Mutex<Known>);

#[derive(Debug)]
pub(crate) struct Known {
    customers: Vec<Bytes>,
    numbers: HashMap<Bytes, u32, RandomState>,
    by_id: BoundedMap<u64, u32>,
}

impl Default for Known {
    fn default() -> Self {
        Self::keeping(KEPT)
    }
}

impl Known {
    fn keeping(kept: usize) -> Self {
        Self { customers: Vec::new(), numbers: HashMap::default(), by_id: BoundedMap::new(kept) }
    }

    /// Remembers that a mail with these ids was `customer`'s.
    pub(crate) fn learn(&mut self, ids: MailIds, customer: &Bytes) {
        if ids == [None; 2] {
            return;
        }
        let Some(number) = self.number(customer) else { return };
        for id in ids.into_iter().flatten().map(short) {
            match self.by_id.get_mut(&id) {
                Some(known) if *known == number => {}
                Some(known) => *known = SEVERAL,
                None => self.by_id.insert(id, number),
            }
        }
    }

    /// Whose mail has these ids, where one customer is known for it.
    pub(crate) fn customer(&self, ids: MailIds) -> Option<Bytes> {
        let number =
            ids.into_iter().flatten().find_map(|id| self.by_id.get(&short(id)).filter(|id| **id != SEVERAL))?;
        self.customers.get(usize::try_from(*number).ok()?).cloned()
    }

    fn number(&mut self, customer: &Bytes) -> Option<u32> {
        if let Some(number) = self.numbers.get(customer) {
            return Some(*number);
        }
        let number = u32::try_from(self.customers.len()).ok().filter(|_| self.customers.len() < CUSTOMERS_KEPT)?;
        // Its own copy: what came with a POST would keep the whole body.
        let name = Bytes::copy_from_slice(customer);
        self.customers.push(name.clone());
        self.numbers.insert(name, number);
        Some(number)
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self(Mutex::new(Known::default()))
    }
}

impl Origins {
    /// What is known, for as long as nobody else needs it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "digests are random: half of one is told apart among a million")]
const fn short(id: Digest) -> u64 {
    id.0 as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(mail: u128, smtp: u128) -> MailIds {
        [mail, smtp].map(|id| (id > 0).then_some(Digest(id)))
    }

    #[test]
    fn a_mail_is_known_by_either_id_and_the_oldest_are_forgotten_first() {
        let mut known = Known::keeping(4);
        let (ann, bob) = (Bytes::from_static(b"ann"), Bytes::from_static(b"bob"));
        known.learn(ids(1, 2), &ann);
        known.learn(ids(3, 4), &bob);
        assert_eq!(known.customer(ids(0, 2)), Some(ann.clone()));
        assert_eq!(known.customer(ids(3, 0)), Some(bob.clone()));
        assert_eq!([known.customer(ids(0, 0)), known.customer(ids(9, 9))], [None, None]);
        known.learn(ids(5, 6), &bob);
        assert_eq!(known.customer(ids(1, 2)), None);
        assert_eq!(known.customer(ids(3, 0)), Some(bob));
    }

    #[test]
    fn an_id_that_two_customers_use_is_nobodys() {
        let mut known = Known::default();
        known.learn(ids(1, 7), &Bytes::from_static(b"ann"));
        known.learn(ids(2, 7), &Bytes::from_static(b"bob"));
        assert_eq!(known.customer(ids(0, 7)), None);
        assert_eq!(known.customer(ids(2, 7)), Some(Bytes::from_static(b"bob")), "SendGrid's own id is one's");
    }
}
