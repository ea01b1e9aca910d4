//! A customer, and what it really is.

use model::{Counter, CustomerId, Timestamp};

use super::Kind;

/// A customer of the platform.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its name.
    pub id: CustomerId,
    /// What it really is.
    pub kind: Kind,
    /// The pool through which its mail leaves while nobody moves it.
    pub home: &'static str,
    /// The share of its mail that is delivered to providers that report complaints.
    pub reporting: f64,
    /// From when on it is bad and how; `None` of the good.
    pub badness: Option<Badness>,
}

impl Customer {
    /// Whether whoever moves it at this moment is wrong. A customer that gets worse little by little is neither good nor bad
    /// before it is bad: where it begins to be too much is the policy's to say.
    pub fn is_good(&self, at: Timestamp) -> bool {
        self.badness.is_none_or(|badness| at < badness.since && badness.rise <= 0.0)
    }

    /// Whether it ought to be moved by this moment.
    pub fn is_bad(&self, at: Timestamp) -> bool {
        self.badness.is_some_and(|badness| at >= badness.since)
    }
}

/// How a customer is bad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Badness {
    /// Since when: its first mail to a bad list, the break-in, or the moment at which a rotting list is one.
    pub since: Timestamp,
    /// What shows it.
    pub signal: Counter,
    /// The true rate of that at the first bad mail: of mails attempted, for complaints of mails delivered where they are
    /// reported.
    pub rate: f64,
    /// By how much the rate rises from one mail to the next.
    pub rise: f64,
}

impl Badness {
    /// Too many hard bounces.
    pub(super) const fn hard_bounces(since: Timestamp, rate: f64) -> Self {
        Self { since, signal: Counter::HardBounce, rate, rise: 0.0 }
    }

    /// Too many complaints.
    pub(super) const fn complaints(since: Timestamp, rate: f64) -> Self {
        Self { since, signal: Counter::SpamReport, rate, rise: 0.0 }
    }
}
