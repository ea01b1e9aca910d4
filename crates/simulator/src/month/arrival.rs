//! An event as it comes in.

use model::{Counter, Digest, Event, EventKind, PoolName, Timestamp};

use super::queue::Coming;

/// An event that arrives at the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it arrives.
    pub at: Timestamp,
    /// Its customer's place in [`Month::customers`](super::Month::customers).
    pub place: usize,
    pub(super) coming: Coming,
    /// The pool, where the event tells it.
    pool: Option<PoolName>,
    /// What no other event of the scenario has: customer, mail, and number among the mail's events.
    key: u64,
    id: [u8; 16],
}

/// Spreads keys over all bits; an odd number, so that different keys stay different.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
/// Set in the digests of contents.
const CONTENT: u128 = 1 << 64;

impl Arrival {
    /// `index` is the customer's number among all of the scenario.
    pub(super) fn new(coming: Coming, index: usize, pool: Option<PoolName>) -> Self {
        let key = (index as u64) << 40 | u64::from(coming.mail) << 8 | u64::from(coming.number);
        Self { at: coming.at, place: coming.place as usize, coming, pool, key, id: hexadecimal(key) }
    }

    /// As what it is counted.
    pub const fn counter(&self) -> Counter {
        self.coming.counter
    }

    /// To whom the mail went: the customer's own number for them.
    pub const fn address(&self) -> u32 {
        self.coming.address
    }

    /// As the fold takes it.
    pub fn event(&self) -> Event<'_> {
        let Coming { counter, facet, happened, sent, provider, .. } = self.coming;
        Event {
            kind: EventKind::Counted(counter),
            facet,
            // SendGrid tells whole seconds.
            at: Timestamp::from_seconds(happened.seconds()),
            sent_at: Some(Timestamp::from_seconds(sent.seconds())),
            provider,
            pool: self.pool.as_ref().map(PoolName::as_str),
            id: std::str::from_utf8(&self.id).unwrap_or_default(),
            id_digest: Digest(u128::from(self.key).wrapping_mul(SPREAD)),
            content_digest: Digest((u128::from(self.key) | CONTENT).wrapping_mul(SPREAD)),
            accepted_at: None,
            send_at: None,
        }
    }
}

fn hexadecimal(key: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(key >> (4 * place) & 15) as usize];
    }
    digits
}
